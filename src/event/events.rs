//! The handle from which logs are made.

use super::{EventLog, Log, LogName};
use std::sync::Arc;

/// The logs of one backend; a cheap handle.
#[derive(Clone, Debug)]
pub struct Events {
    log: Arc<dyn EventLog>,
}

impl Events {
    /// The logs that `log` keeps.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>) -> Self {
        Self { log }
    }

    /// The log `name`; it is made by the first append.
    pub fn log(&self, name: impl Into<LogName>) -> Log {
        Log::new(self.log.clone(), name.into())
    }

    /// What keeps them.
    #[must_use]
    pub fn event_log(&self) -> &Arc<dyn EventLog> {
        &self.log
    }
}
