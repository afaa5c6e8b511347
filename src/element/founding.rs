//! What an element is made with.

use super::call::Methods;
use super::host::{Host, Registry};
use super::parameter::Parameters;
use super::{ElementPath, OnError, Role, StartPolicy};
use std::sync::{Arc, Weak};

/// What a new element is made with.
pub(crate) struct Founding {
    pub(crate) host: Arc<Host>,
    pub(crate) path: ElementPath,
    pub(crate) role: Role,
    pub(crate) start_policy: StartPolicy,
    pub(crate) acts_only: bool,
    pub(crate) pipe: fn() -> &'static str,
    pub(crate) declared: Declared,
    pub(crate) owner: Weak<dyn Registry>,
}

/// What an element was given beside its function.
#[derive(Default)]
pub(crate) struct Declared {
    pub(crate) on_error: OnError,
    pub(crate) parameters: Parameters,
    pub(crate) methods: Methods,
    pub(crate) destinations: Vec<String>,
}

static NOTHING: Declared = Declared {
    on_error: OnError::Resume,
    parameters: Parameters::none(),
    methods: Methods::none(),
    destinations: Vec::new(),
};

impl Declared {
    pub(crate) fn nothing() -> &'static Self {
        &NOTHING
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.on_error == OnError::Resume
            && self.parameters.is_empty()
            && self.methods.is_empty()
            && self.destinations.is_empty()
    }
}
