//! Memory filled again with what was kept.

use super::contents::{Collection, Contents, Fields, Members};
use super::durable::Durable;
use super::list::Items;
use super::redo::{Content, Owner, Part, Redo, Space};
use super::shard::{Shard, on_the_wall};
use super::sorted::Sorted;
use super::store::MemoryStore;
use crate::knowledge::{Data, Key};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A store that takes in what a former one has put into its [`Durable`].
pub(in crate::backend) struct Restoring {
    store: MemoryStore,
    /// When the first key ceases.
    first: Option<Duration>,
    /// Now, in milliseconds since 1970.
    now: i64,
}

/// What cannot have come from a store.
#[derive(Debug, thiserror::Error)]
#[error("a part of {owner:?} in {space:?} does not fit what is there besides")]
pub(in crate::backend) struct Misfit {
    space: Space,
    owner: Owner,
}

impl Restoring {
    pub(in crate::backend) fn new(durable: Arc<Durable>) -> Self {
        let now = on_the_wall(Instant::now());
        // No version comes again, so that nobody who has outlived the former store mistakes a new version for an old
        // one: no store writes faster than a million times in a millisecond.
        let writes = u64::try_from(now).unwrap_or(0) << 20;
        Self { store: MemoryStore::with(Some(durable), writes), first: None, now }
    }

    /// Takes in one part; they have to come ordered by space, owner and part.
    ///
    /// # Errors
    /// What cannot be: then the rest is worth nothing either.
    pub(in crate::backend) fn put(&mut self, step: Redo) -> Result<(), Misfit> {
        let (space, owner, fits) = match step {
            Redo::Put(space, owner, part, content) => {
                let fits = match &owner {
                    Owner::Key(key) => self.put_part(space, key, &part, &content),
                    _ => self.put_in_log(space, &owner, &part, &content),
                };
                (space, owner, fits)
            }
            Redo::Remove(space, owner, _) | Redo::Clear(space, owner) => (space, owner, false),
        };
        if fits { Ok(()) } else { Err(Misfit { space, owner }) }
    }

    /// The store, inside of the runtime in which keys are to cease by themselves.
    pub(in crate::backend) fn done(self) -> MemoryStore {
        if let Some(first) = self.first {
            self.store.inner.expiry.look_again(&self.store.inner, first);
        }
        self.store
    }

    fn put_part(&mut self, space: Space, key: &Key, part: &Part, content: &Content) -> bool {
        let mut shard = self.store.inner.lock(self.store.inner.index(key));
        match (space, part, content) {
            (Space::Value, Part::Whole, Content::Data(value)) => shard.restore_value(key, value.clone()),
            (Space::Hash, Part::Data(field), Content::Data(value)) => shard
                .restore_in(key, |fields: &mut Fields| fields.insert(field.clone(), value.clone()).is_none()),
            (Space::Set, Part::Data(member), Content::Nothing) => {
                shard.restore_in(key, |members: &mut Members| members.insert(member.clone()))
            }
            (Space::List, Part::Place(place), Content::Data(item)) => {
                shard.restore_in(key, |items: &mut Items| items.restore(*place, item.clone()))
            }
            (Space::Sorted, Part::Data(member), Content::Score(score)) => {
                shard.restore_in(key, |sorted: &mut Sorted| sorted.insert(member.clone(), *score).is_none())
            }
            (Space::Expiry, Part::Whole, Content::At(at)) => {
                let lives = Duration::from_millis(u64::try_from(at.saturating_sub(self.now)).unwrap_or(0));
                self.first = Some(self.first.map_or(lives, |first| first.min(lives)));
                shard.restore_deadline(key, lives)
            }
            _ => false,
        }
    }

    fn put_in_log(&self, space: Space, owner: &Owner, part: &Part, content: &Content) -> bool {
        let mut logs = self.store.inner.logs.lock();
        let (Owner::Log(name) | Owner::Group(name, _)) = owner else { return false };
        let log = logs.entry(name.clone()).or_default();
        match (space, owner, part, content) {
            (Space::Entry, Owner::Log(_), Part::Id(id), Content::Event(event)) => {
                log.restore_entry(*id, event.clone());
                true
            }
            (Space::Last, Owner::Log(_), Part::Whole, Content::Id(last)) => {
                log.restore_last(*last);
                true
            }
            (Space::Group, Owner::Log(_), Part::Data(group), Content::Id(last)) => {
                group.as_str().map(|group| log.restore_group(&group.into(), *last)).is_some()
            }
            (Space::Consumer, Owner::Group(_, group), Part::Data(consumer), Content::Nothing) => {
                consumer.as_str().is_some_and(|consumer| log.restore_consumer(group, &consumer.into()))
            }
            (
                Space::Pending,
                Owner::Group(_, group),
                Part::Id(id),
                Content::Held { consumer, since, attempts },
            ) => log.restore_pending(group, *id, consumer, *since, *attempts),
            _ => false,
        }
    }
}

/// What is read again after a restart; whether it can be.
impl Shard {
    fn restore_value(&mut self, key: &Key, value: Data) -> bool {
        self.restore_new(key, || Contents::Value(value))
    }

    fn restore_in<C: Collection>(&mut self, key: &Key, f: impl FnOnce(&mut C) -> bool) -> bool {
        self.restore_new(key, || C::default().into_contents());
        self.contents_mut(key).and_then(C::of_mut).is_some_and(f)
    }
}
