//! The queues of a backend.

use super::keys::{Keys, QUEUES};
use super::queue::{Queue, Shared, known};
use super::{Error, Settings};
use crate::app::App;
use crate::backend::Backend;
use crate::event::Events;
use crate::hint;
use crate::knowledge::{self, Store, Transaction};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// The queues of a backend; a cheap handle. Each queue that it was asked for is held on to, so that all who wait for its
/// outcomes read them once.
#[derive(Clone)]
pub struct Queues {
    store: Arc<dyn Store>,
    events: Events,
    held: Arc<Mutex<HashMap<String, Queue>>>,
}

impl Queues {
    /// Those of the backend of an app.
    #[must_use]
    pub fn new(app: &App) -> Self {
        Self::of(app.backend())
    }

    /// Those of a backend.
    #[must_use]
    pub fn of(backend: &Backend) -> Self {
        Self { store: backend.store(), events: backend.events(), held: Arc::default() }
    }

    /// The queue of that name, which works so from now on; it is made if there is none. What runs with other settings goes on
    /// with them.
    ///
    /// # Errors
    /// [`Error::Name`], [`Error::Settings`]; what the backend says.
    ///
    /// # Cancel safety
    /// Dropping the future leaves open whether it is made; doing it again does no harm.
    pub async fn open(&self, name: &str, settings: Settings) -> Result<Queue, Error> {
        settings.check(name)?;
        let queue = self.shared(Keys::new(name)?, settings);
        let kept =
            serde_json::to_string(&queue.settings).map_err(|error| queue.refused(error.to_string()))?;
        let transaction = Transaction::new().hset(QUEUES, name, kept.as_str());
        self.store.commit(transaction).await.map_err(|error| queue.error(error))?;
        Ok(self.hold(Queue::new(queue)))
    }

    /// The queue of that name as somebody has opened it, here or elsewhere.
    ///
    /// # Errors
    /// [`Error::NoQueue`]; what the backend says.
    ///
    /// # Cancel safety
    /// Yes: it only reads.
    pub async fn get(&self, name: &str) -> Result<Queue, Error> {
        let mut all = known(&self.store).await.map_err(|error| failed(name, error))?;
        let Some(settings) = all.remove(name) else {
            self.held.lock().remove(name);
            return Err(Error::NoQueue { name: name.to_owned(), hint: hint_for(name, all.keys()) });
        };
        Ok(self.hold(Queue::new(self.shared(Keys::new(name)?, settings))))
    }

    /// All that were ever opened, by name.
    ///
    /// # Errors
    /// What the backend says.
    ///
    /// # Cancel safety
    /// Yes: it only reads.
    pub async fn list(&self) -> Result<Vec<Queue>, Error> {
        let all = known(&self.store).await.map_err(|error| failed("*", error))?;
        self.held.lock().retain(|name, _| all.contains_key(name));
        let queue = |(name, settings): (String, Settings)| {
            Some(self.hold(Queue::new(self.shared(Keys::new(&name).ok()?, settings))))
        };
        Ok(all.into_iter().filter_map(queue).collect())
    }

    /// Removes a queue [with everything in it](Queue::remove), and lets go of what is held of it.
    ///
    /// # Errors
    /// [`Error::NoQueue`]; what the backend says, and some of it may be gone then.
    ///
    /// # Cancel safety
    /// As [`Queue::remove`].
    pub async fn remove(&self, name: &str) -> Result<(), Error> {
        self.get(name).await?.remove().await?;
        self.held.lock().remove(name);
        Ok(())
    }

    /// What is held by that name, or this if it works otherwise.
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

    fn shared(&self, keys: Keys, settings: Settings) -> Shared {
        Shared::new(keys, settings, self.store.clone(), self.events.clone())
    }
}

fn failed(queue: &str, error: knowledge::Error) -> Error {
    Error::Knowledge { queue: queue.to_owned(), error: Arc::new(error) }
}

fn hint_for<'n>(name: &str, known: impl Iterator<Item = &'n String>) -> String {
    let known: Vec<&str> = known.map(|name| name.as_str()).collect();
    match hint::nearest(name, known.iter().copied()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None if known.is_empty() => "; none was ever opened on this backend: a program opens it, or config.yaml declares it in the section `queues`"
            .to_owned(),
        None => format!("; there are {}", known.join(", ")),
    }
}

impl fmt::Debug for Queues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queues").finish_non_exhaustive()
    }
}
