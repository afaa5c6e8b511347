//! The queues that were asked for.

use super::watch::Asker;
use crate::app::App;
use crate::queue::{Error, Queue, Queues};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Weak};

/// The queues of a backend. Each that was asked for is held on to, so that all who wait for its outcomes read them once, and
/// what is counted of it goes on.
pub(crate) struct Handles {
    queues: Queues,
    held: Mutex<HashMap<String, Queue>>,
    asker: Mutex<Weak<Asker>>,
}

impl Handles {
    pub(crate) fn of(app: &App) -> Self {
        Self { queues: Queues::new(app), held: Mutex::default(), asker: Mutex::default() }
    }

    /// The queue of that name, with the settings that it has now.
    pub(crate) async fn get(&self, name: &str) -> Result<Queue, Error> {
        let found = self.queues.get(name).await;
        if let Err(Error::NoQueue { .. }) = found {
            self.held.lock().remove(name);
        }
        Ok(self.hold(found?))
    }

    /// All of them, by name.
    pub(crate) async fn list(&self) -> Result<Vec<Queue>, Error> {
        let all: Vec<Queue> = self.queues.list().await?.into_iter().map(|found| self.hold(found)).collect();
        self.held.lock().retain(|name, _| all.iter().any(|queue| queue.name() == name));
        Ok(all)
    }

    /// Removes a queue with everything in it.
    pub(super) async fn remove(&self, name: &str) -> Result<(), Error> {
        self.get(name).await?.remove().await?;
        self.held.lock().remove(name);
        Ok(())
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

    fn hold(&self, found: Queue) -> Queue {
        let mut held = self.held.lock();
        match held.get(found.name()) {
            Some(known) if known.settings() == found.settings() => known.clone(),
            _ => {
                held.insert(found.name().to_owned(), found.clone());
                found
            }
        }
    }
}

impl fmt::Debug for Handles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handles").finish_non_exhaustive()
    }
}
