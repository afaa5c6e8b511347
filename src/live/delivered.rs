//! A part as clients get it.

use super::JobId;
use crate::event::EventId;
use serde_json::Value;
use std::fmt::Write;
use std::sync::Arc;

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
    json: String,
    /// Where in it the offset goes.
    gap: usize,
}

impl Delivered {
    /// One that has no place yet. What takes long, writing it as JSON, is done with this.
    pub(super) fn new(name: Arc<str>, job: Option<JobId>, nr: u64, body: Body) -> Self {
        let (key, value) = match &body {
            Body::Data(data) => ("data", serde_json::to_string(&**data)),
            Body::Error(error) => ("error", serde_json::to_string(&**error)),
        };
        // Texts and values can always be written.
        let value = value.unwrap_or_default();
        let mut json = String::with_capacity(value.len() + name.len() + 160);
        let _ = write!(json, "{{\"name\":{}", serde_json::to_string(&*name).unwrap_or_default());
        if let Some(job) = job {
            let _ = write!(json, ",\"job\":\"{job}\",\"nr\":{nr}");
        }
        let gap = json.len();
        let _ = write!(json, ",\"{key}\":{value}}}");
        Self { name, job, nr, offset: None, body, json, gap }
    }

    /// The same at a place. Quick, for who holds a lock.
    pub(super) fn at(mut self, offset: EventId) -> Self {
        self.offset = Some(offset);
        self.json.insert_str(self.gap, &format!(",\"offset\":\"{offset}\""));
        self
    }

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
        Self::new(self.name.clone(), self.job, self.nr, self.body.clone())
    }

    /// As JSON on one line.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }
}
