//! A group that a client joins.

use serde_json::Value;
use std::sync::Arc;

/// A group that a client [joins](super::ClientHandle::state_and_join) together with others, or with interests.
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    pub(super) group: Arc<str>,
    pub(super) info: Value,
    pub(super) wants_presence: bool,
}

impl Join {
    /// The group of this name. Others are shown nothing but the client, and it is not told of them.
    #[must_use]
    pub fn new(group: impl Into<Arc<str>>) -> Self {
        Self { group: group.into(), info: Value::Null, wants_presence: false }
    }

    /// The same; others are shown this, 4 KiB of JSON at most.
    #[must_use]
    pub fn with_info(mut self, info: impl Into<Value>) -> Self {
        self.info = info.into();
        self
    }

    /// The same, if it is told who comes and who goes.
    #[must_use]
    pub fn with_presence(mut self, wants_presence: bool) -> Self {
        self.wants_presence = wants_presence;
        self
    }
}
