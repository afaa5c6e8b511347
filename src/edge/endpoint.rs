//! Endpoints of sources.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;

/// The endpoints of sources, by path. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Endpoints(Arc<Mutex<HashMap<String, Arc<Endpoint>>>>);

impl Endpoints {
    /// None so far.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The one at a path.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<Arc<Endpoint>> {
        self.0.lock().get(path).cloned()
    }
}

/// Where a source is sent items.
#[derive(Debug)]
pub struct Endpoint {
    is_signed: bool,
}

impl Endpoint {
    /// Whether its senders sign what they send.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.is_signed
    }
}
