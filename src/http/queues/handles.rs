//! The queues of the app, as handlers ask for them.

use super::watch::Asker;
use crate::app::App;
use crate::queue::Queues;
use parking_lot::Mutex;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Weak};

/// The queues of a backend, and who looks at them for all who watch.
pub(crate) struct Handles {
    queues: Queues,
    asker: Mutex<Weak<Asker>>,
}

impl Handles {
    pub(crate) fn of(app: &App) -> Self {
        Self { queues: Queues::new(app), asker: Mutex::default() }
    }

    /// Who asks for all who watch; made anew if nobody does.
    pub(super) fn asker(&self, make: impl FnOnce() -> Arc<Asker>) -> Arc<Asker> {
        let mut asker = self.asker.lock();
        asker.upgrade().unwrap_or_else(|| {
            let new = make();
            *asker = Arc::downgrade(&new);
            new
        })
    }
}

impl Deref for Handles {
    type Target = Queues;

    fn deref(&self) -> &Queues {
        &self.queues
    }
}

impl fmt::Debug for Handles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handles").finish_non_exhaustive()
    }
}
