//! A part of a result, on its way.

use super::{Body, Delivered, Job};
use crate::event::EventId;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// A part of a result, on its way to whoever is interested. Cheap to clone.
///
/// Those of a job are made by [`Job::part`], and keep the job going: it ends when its last part was handed out and
/// nobody has it in hand any more.
#[derive(Clone)]
pub struct Part {
    pub(super) name: Arc<str>,
    pub(super) nr: u64,
    pub(super) body: Body,
    pub(super) job: Option<Job>,
    /// Every node hears of it by itself, so it is not shared with others.
    pub(super) is_local: bool,
}

impl Part {
    /// One that is of no job, published under a name.
    pub fn new(name: impl Into<Arc<str>>, data: impl Into<Value>) -> Self {
        Self { name: name.into(), nr: 0, body: Body::Data(Arc::new(data.into())), job: None, is_local: false }
    }

    /// An error that is of no job.
    pub(super) fn failed(name: Arc<str>, error: String) -> Self {
        Self { name, nr: 0, body: Body::Error(error.into()), job: None, is_local: false }
    }

    /// The same with other data, still of its job.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<Arc<Value>>) -> Self {
        self.body = Body::Data(data.into());
        self
    }

    /// The name of the job, or of what it is published as.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The job that it is a part of.
    #[must_use]
    pub fn job(&self) -> Option<&Job> {
        self.job.as_ref()
    }

    /// Its number within the job, from 0.
    #[must_use]
    pub fn nr(&self) -> u64 {
        self.nr
    }

    /// What it says.
    #[must_use]
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// Its data, unless it is an error.
    #[must_use]
    pub fn data(&self) -> Option<&Arc<Value>> {
        match &self.body {
            Body::Data(data) => Some(data),
            Body::Error(_) => None,
        }
    }

    /// It was handed out.
    pub(super) fn told(&self) {
        if let (Some(job), Body::Error(error)) = (&self.job, &self.body) {
            job.told(error);
        }
    }

    /// As clients get it, at a place or at none; it keeps no job going.
    pub(super) fn delivered(&self, offset: Option<EventId>) -> Arc<Delivered> {
        let draft = self.draft();
        Arc::new(match offset {
            Some(offset) => draft.at(offset),
            None => draft,
        })
    }

    /// The same without a place.
    pub(super) fn draft(&self) -> Delivered {
        let job = self.job.as_ref().map(Job::id);
        Delivered::new(self.name.clone(), job, self.nr, self.body.clone())
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("name", &self.name)
            .field("job", &self.job.as_ref().map(Job::id))
            .field("nr", &self.nr)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
