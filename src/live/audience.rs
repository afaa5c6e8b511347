//! Who is interested in something.

use super::client::Inner as Client;
use super::{Delivered, Interest};
use crate::condition::{Found, Index, Search};
use crate::event::EventId;
use parking_lot::Mutex;
use serde_json::Value;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use tokio::time::Instant;

/// An interest that a client has stated.
pub(super) struct Statement {
    pub(super) client: Arc<Client>,
    /// Numbers it among all.
    pub(super) number: u64,
    pub(super) name: Arc<str>,
    /// The names that its interest gives as such, each once.
    pub(super) literals: Vec<Arc<str>>,
    pub(super) interest: Interest,
    /// When it is over.
    pub(super) until: Option<Instant>,
    /// What was published behind this place was handed to it.
    pub(super) from: Mutex<EventId>,
}

impl Statement {
    pub(super) fn holds_at(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Whether it is interested in a part; one that takes too many steps to tell is left out.
    pub(super) fn wants(&self, part: &Delivered, steps: u64) -> bool {
        self.interest.matches_name(part.name())
            && match (&self.interest.condition, part.data()) {
                (Some(condition), Some(data)) => condition.holds_within(data, steps).unwrap_or(false),
                (Some(_), None) => false,
                (None, _) => true,
            }
    }
}

/// A statement as a key.
#[derive(Clone)]
pub(super) struct Key(pub(super) Arc<Statement>);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.number == other.0.number
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.number.hash(state);
    }
}

/// Who is interested in parts of a name, or of any: in all of them, or under conditions.
pub(super) struct Audience {
    plain: BTreeMap<u64, Arc<Statement>>,
    /// Made with the first condition.
    index: Option<Box<Index<Key>>>,
    steps: u64,
}

impl Audience {
    pub(super) fn new(steps: u64) -> Self {
        Self { plain: BTreeMap::new(), index: None, steps }
    }

    pub(super) fn enter(&mut self, statement: &Arc<Statement>) {
        match &statement.interest.condition {
            None => {
                self.plain.insert(statement.number, statement.clone());
            }
            Some(condition) => {
                let steps = self.steps;
                let index = self.index.get_or_insert_with(|| Box::new(Index::with_steps(steps)));
                index.insert(Key(statement.clone()), condition.clone());
            }
        }
    }

    pub(super) fn strike(&mut self, statement: &Arc<Statement>) {
        self.plain.remove(&statement.number);
        if let Some(index) = &mut self.index {
            index.remove(&Key(statement.clone()));
            if index.is_empty() {
                self.index = None;
            }
        }
    }

    /// Calls a function with all who are interested in these data; errors are only for those without a condition.
    pub(super) fn find<'a>(
        &'a self,
        data: Option<&Value>,
        search: &mut Search,
        mut found: impl FnMut(&'a Arc<Statement>),
    ) -> Found {
        self.plain.values().for_each(&mut found);
        match (&self.index, data) {
            (Some(index), Some(data)) => index.search(data, search, |key| found(&key.0)),
            _ => Found::default(),
        }
    }

    /// Whether anybody but this client means a name: whoever does keeps its jobs going.
    pub(super) fn has_other_who_means(&self, name: &str, client: u64) -> bool {
        let means = |statement: &Statement| statement.client.key != client && statement.interest.means(name);
        self.plain.values().any(|statement| means(statement))
            || self.index.as_ref().is_some_and(|index| index.keys().any(|key| means(&key.0)))
    }
}
