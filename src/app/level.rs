//! A level: loops of the same rank in a hierarchy.

use super::{App, Error, Loop};
use crate::element::generate_uid;
use crate::knowledge::{Knowledge, Scope};
use std::fmt;
use std::sync::Arc;

/// A level of the control hierarchy: groups loops and shares knowledge among them. Cheap to clone.
///
/// Source: PyMAPE's `Level`; loops made without one are on the level `""`.
#[derive(Clone)]
pub struct Level {
    app: App,
    uid: Arc<str>,
}

impl Level {
    pub(crate) fn new(app: App, uid: Arc<str>) -> Self {
        Self { app, uid }
    }

    /// Its uid.
    #[must_use]
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// The app it belongs to.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The knowledge that the loops of this level share: keys under `k.level.<uid>.`.
    #[doc(alias = "k")]
    #[must_use]
    pub fn knowledge(&self) -> Knowledge {
        self.app.backend().knowledge(Scope::Level(self.uid.to_string()))
    }

    /// A new loop on this level; an empty uid stands for a generated one (`l_` and 8 digits).
    ///
    /// # Errors
    /// [`Error::Uid`], [`Error::LoopTaken`], [`Error::ShutDown`].
    pub fn create_loop(&self, uid: &str) -> Result<Loop, Error> {
        let uid = if uid.is_empty() { generate_uid("l") } else { uid.into() };
        self.app.enter(uid, &self.uid)
    }

    /// Its loops in the order in which they were made.
    #[must_use]
    pub fn loops(&self) -> Vec<Loop> {
        self.app.loops().into_iter().filter(|l| *l.0.level() == *self.uid).collect()
    }

    /// Takes a loop over from the level it is on; it goes on running.
    ///
    /// # Errors
    /// [`Error::AcrossApps`].
    pub fn adopt(&self, which: &Loop) -> Result<(), Error> {
        if *which.app() != self.app {
            return Err(Error::AcrossApps { what: which.uid().to_owned(), to: self.uid.to_string() });
        }
        which.0.set_level(self.uid.clone());
        Ok(())
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.uid)
    }
}

impl fmt::Debug for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Level").field("uid", &self.uid).finish_non_exhaustive()
    }
}
