//! A part as clients get it.

use super::JobId;
use crate::event::EventId;
use serde::Serialize;
use serde_json::Value;
use std::sync::{Arc, OnceLock};

/// What a part says.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Body {
    /// Data.
    Data(Arc<Value>),
    /// Something went wrong; the text says what.
    Error(Arc<str>),
}

/// A part as clients get it.
///
/// As JSON: `{"name":"prices","job":"…","nr":0,"offset":"0-17","data":…}`, with `error` in place of `data` if something
/// went wrong. `job` and `nr`, its number within the job from 0, are left out if it is of no job, `offset` if it is
/// not kept for who comes back.
#[derive(Debug)]
pub struct Delivered {
    pub(super) name: Arc<str>,
    pub(super) job: Option<JobId>,
    pub(super) nr: u64,
    pub(super) offset: Option<EventId>,
    pub(super) body: Body,
    pub(super) json: OnceLock<Box<str>>,
}

impl Delivered {
    /// The name of the job, of the group, of what it was published as.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The job that it is a part of.
    #[must_use]
    pub fn job(&self) -> Option<JobId> {
        self.job
    }

    /// Its number within the job, from 0.
    #[must_use]
    pub fn nr(&self) -> u64 {
        self.nr
    }

    /// Its place in the order of all that is published.
    #[must_use]
    pub fn offset(&self) -> Option<EventId> {
        self.offset
    }

    /// What it says.
    #[must_use]
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// Its data, unless it is an error.
    #[must_use]
    pub fn data(&self) -> Option<&Value> {
        match &self.body {
            Body::Data(data) => Some(data),
            Body::Error(_) => None,
        }
    }

    /// What went wrong, if it is an error.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        match &self.body {
            Body::Error(error) => Some(error),
            Body::Data(_) => None,
        }
    }

    /// The same without a place.
    pub(super) fn without_offset(&self) -> Self {
        let Self { name, job, nr, body, .. } = self;
        Self {
            name: name.clone(),
            job: *job,
            nr: *nr,
            offset: None,
            body: body.clone(),
            json: OnceLock::new(),
        }
    }

    /// As JSON on one line; made once, when it is first asked for.
    #[must_use]
    pub fn json(&self) -> &str {
        self.json.get_or_init(|| {
            let (data, error) = match &self.body {
                Body::Data(data) => (Some(&**data), None),
                Body::Error(error) => (None, Some(&**error)),
            };
            let nr = self.job.map(|_| self.nr);
            let written = Written { name: &self.name, job: self.job, nr, offset: self.offset, data, error };
            serde_json::to_string(&written).unwrap_or_default().into()
        })
    }
}

#[derive(Serialize)]
struct Written<'p> {
    name: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<JobId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nr: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<EventId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'p Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'p str>,
}
