//! The models of a service.

use crate::infer::Models;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The models of a service, and where others may come from.
#[derive(Debug)]
pub(crate) struct Served {
    pub(super) models: Models,
    /// Where the files are that may be named.
    pub(super) files: Option<PathBuf>,
    /// One is loaded at a time, for its bytes are in memory then.
    pub(super) loading: Arc<Semaphore>,
}

impl Served {
    pub(crate) fn new(models: Models, files: Option<PathBuf>) -> Self {
        Self { models, files, loading: Arc::new(Semaphore::new(1)) }
    }
}
