//! Queues that a configuration declares.

use super::job::millis;
use super::keys::Keys;
use super::{Error, Queue, Queues, Schedule, Settings};
use crate::knowledge::{Transaction, ValueCommand};
use crate::stream::clock;

/// A queue as a configuration declares it: its name, how it works, and all schedules that are declared for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// How it works.
    pub settings: Settings,
    /// The schedules that are to be in force.
    pub schedules: Vec<Schedule>,
}

impl Declared {
    /// Says what is wrong with it.
    ///
    /// # Errors
    /// As of [`Queues::declare`], but for the backend.
    pub fn check(&self) -> Result<(), Error> {
        Keys::new(&self.name)?;
        self.settings.check(&self.name)?;
        let now = millis(clock::now());
        self.schedules.iter().try_for_each(|schedule| schedule.due(&self.name, &self.settings, now).map(drop))
    }
}

impl Queues {
    /// Opens a queue that is declared, keeps its schedules, and takes those away that a declaration had before and this one
    /// has not. Schedules that were not declared stay.
    ///
    /// All processes that declare it should say the same.
    ///
    /// # Errors
    /// [`Error::Name`], [`Error::Settings`], [`Error::Schedule`] and [`Error::Refused`], before anything is changed; what
    /// the backend says.
    ///
    /// # Cancel safety
    /// Dropping the future may leave a part of it done; doing it again does no harm.
    pub async fn declare(&self, declared: &Declared) -> Result<Queue, Error> {
        declared.check()?;
        let queue = self.open(&declared.name, declared.settings.clone()).await?;
        let before = queue.declared_before().await?;
        let names: Vec<String> = declared.schedules.iter().map(|schedule| schedule.name.clone()).collect();
        // If this ends in between, the next one knows of all that may be there.
        let all: Vec<String> =
            before.iter().chain(names.iter().filter(|name| !before.contains(name))).cloned().collect();
        queue.remember_declared(&before, &all).await?;
        for schedule in &declared.schedules {
            queue.schedule(schedule).await?;
        }
        for gone in before.iter().filter(|name| !names.contains(name)) {
            queue.unschedule(gone).await?;
        }
        queue.remember_declared(&all, &names).await?;
        Ok(queue)
    }
}

impl Queue {
    /// The names of the schedules that were declared last.
    async fn declared_before(&self) -> Result<Vec<String>, Error> {
        let (shared, key) = (self.shared(), self.shared().keys.declared());
        let held =
            shared.store.run(&key, ValueCommand::Get.into()).await.map_err(|error| shared.error(error))?;
        let held = held.non_nil().and_then(|held| held.data(&key).ok());
        Ok(held.and_then(|held| serde_json::from_slice(&held).ok()).unwrap_or_default())
    }

    async fn remember_declared(&self, held: &[String], names: &[String]) -> Result<(), Error> {
        if held == names {
            return Ok(());
        }
        let shared = self.shared();
        let text = serde_json::to_string(names).unwrap_or_default();
        let transaction = Transaction::new().set(shared.keys.declared(), text.as_str());
        shared.store.commit(transaction).await.map(drop).map_err(|error| shared.error(error))
    }
}
