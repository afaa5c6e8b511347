//! The names of all that is stored.

use super::Error;
use crate::event::LogName;
use crate::knowledge::Key;
use std::fmt;
use std::sync::Arc;

/// Which queues there are: a hash of their settings, by their names.
pub(super) const QUEUES: &str = "mape:queues";
/// Who shares the jobs.
pub(super) const WORKERS: &str = "workers";

/// The names of what is stored of a queue.
#[derive(Clone)]
pub(super) struct Keys {
    name: Arc<str>,
}

/// The longest name of a queue, and the longest key of a job.
const LONGEST: usize = 100;
pub(super) const LONGEST_KEY: usize = 500;

impl Keys {
    pub(super) fn new(name: &str) -> Result<Self, Error> {
        let wrong = |reason: &str| Err(Error::Name { name: name.to_owned(), reason: reason.to_owned() });
        if name.is_empty() || name.len() > LONGEST {
            return wrong("has to have 1 to 100 characters");
        }
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
            return wrong("may have letters of ASCII, digits, `-`, `_` and `.`");
        }
        if name.bytes().all(|byte| byte == b'.') {
            return wrong("has to have more than dots, which mean something in a path");
        }
        if name == "stream" {
            return wrong("is taken: at `/queues/stream` all queues are watched");
        }
        Ok(Self { name: name.into() })
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn named(&self, what: impl fmt::Display) -> String {
        format!("mape:queue:{}:{what}", self.name)
    }

    /// The jobs of a level of priority.
    pub(super) fn level(&self, level: u8) -> LogName {
        match level {
            0 => format!("mape:queue:{}", self.name).into(),
            level => self.named(format_args!("p{level}")).into(),
        }
    }

    pub(super) fn outcomes(&self) -> LogName {
        self.named("outcomes").into()
    }

    /// What is due when: a sorted set of ids by milliseconds.
    pub(super) fn later(&self) -> Key {
        self.named("later").as_str().into()
    }

    /// What that is: a hash by the same ids.
    pub(super) fn waiting(&self) -> Key {
        self.named("later:jobs").as_str().into()
    }

    /// The names of the schedules that a configuration declared last.
    pub(super) fn declared(&self) -> Key {
        self.named("declared").as_str().into()
    }

    /// Says that nothing is begun.
    pub(super) fn paused(&self) -> Key {
        self.named("paused").as_str().into()
    }

    /// From when on the next job may begin.
    pub(super) fn rate(&self) -> Key {
        self.named("rate").as_str().into()
    }

    /// Which job has this key.
    pub(super) fn unique(&self, key: &str) -> Key {
        self.named(format_args!("key:{key}")).as_str().into()
    }

    /// Says that a dead job was replayed.
    pub(super) fn replayed(&self, log: &LogName, id: impl fmt::Display) -> Key {
        self.named(format_args!("replayed:{log}:{id}")).as_str().into()
    }
}
