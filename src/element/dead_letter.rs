//! What could not be worked on.

use super::{ElementError, ElementPath, Item};
use parking_lot::Mutex;
use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

/// An item that an element failed on, with the error and where it happened.
///
/// Inputs are kept only while somebody listens (cloning every item in advance would cost each one), so subscribe to
/// [`AnyElement::dead_letters`](super::AnyElement::dead_letters) or the app's dead letters before the items flow.
#[derive(Clone)]
pub struct DeadLetter {
    /// The element that failed.
    pub path: ElementPath,
    /// What happened.
    pub error: Arc<ElementError>,
    /// When.
    pub at: SystemTime,
    input: Option<Arc<Mutex<Box<dyn Any + Send>>>>,
}

impl DeadLetter {
    pub(crate) fn new(error: Arc<ElementError>, input: Option<Box<dyn Any + Send>>) -> Self {
        let input = input.map(|x| Arc::new(Mutex::new(x)));
        Self { path: error.path.clone(), error, at: crate::stream::clock::now(), input }
    }

    /// The item that caused it, if it was kept and is a `T` (the type that the element's function takes).
    #[must_use]
    pub fn input<T: Item>(&self) -> Option<T> {
        self.input.as_ref()?.lock().downcast_ref::<T>().cloned()
    }

    /// The item was kept.
    #[must_use]
    pub fn has_input(&self) -> bool {
        self.input.is_some()
    }
}

impl fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetter")
            .field("path", &self.path)
            .field("error", &self.error.kind.to_string())
            .field("has_input", &self.has_input())
            .finish_non_exhaustive()
    }
}
