//! What an operation leaves behind, so that it can be done again after a restart.

use super::size;
use crate::event::{ConsumerName, Event, EventId, GroupName, LogName};
use crate::knowledge::{Data, Key};
use std::sync::Arc;

/// One step from the former to the new state, small enough to be one row of a table.
#[derive(Clone, Debug)]
pub(in crate::backend) enum Redo {
    /// The part has this content now.
    Put(Space, Owner, Part, Content),
    /// The part is gone.
    Remove(Space, Owner, Part),
    /// All parts in this space are gone.
    Clear(Space, Owner),
}

/// What the parts of an owner are; also what kind of thing a key holds. The numbers are those of the files.
///
/// They are read in the order of their numbers: what refers to something else comes behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::backend) enum Space {
    /// A single value.
    Value = 1,
    /// Fields and their values.
    Hash = 2,
    /// Members.
    Set = 3,
    /// Places and items.
    List = 4,
    /// Members and their scores.
    Sorted = 5,
    /// When a key ceases: milliseconds since 1970.
    Expiry = 6,
    /// Places in a log and events.
    Entry = 7,
    /// The last place of a log, if the event there is no longer in it.
    Last = 8,
    /// Groups of a log and the last place they have got.
    Group = 9,
    /// Consumers of a group.
    Consumer = 10,
    /// Places a group has got and not acknowledged, and who has them.
    Pending = 11,
}

/// What parts belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::backend) enum Owner {
    Key(Key),
    Log(LogName),
    Group(LogName, GroupName),
}

/// Which part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::backend) enum Part {
    /// The only one.
    Whole,
    Data(Data),
    /// A place in a list, rising from its front to its back.
    Place(i64),
    /// A place in a log.
    Id(EventId),
}

/// What a part holds.
#[derive(Clone, Debug)]
pub(in crate::backend) enum Content {
    /// It is there; that is all.
    Nothing,
    Data(Data),
    Score(f64),
    /// Milliseconds since 1970.
    At(i64),
    Id(EventId),
    Event(Arc<Event>),
    /// Who has the event, idle since when (milliseconds since 1970), delivered how many times.
    Held {
        consumer: ConsumerName,
        since: i64,
        attempts: u64,
    },
}

impl Redo {
    /// About how much memory it holds, in bytes.
    pub(super) fn weight(&self) -> usize {
        let part = |part: &Part| if let Part::Data(data) = part { data.len() } else { 0 };
        size_of::<Self>()
            + match self {
                Self::Put(_, _, p, Content::Data(data)) => part(p) + data.len(),
                Self::Put(_, _, p, Content::Event(event)) => part(p) + size::json_length(event),
                Self::Put(_, _, p, _) | Self::Remove(_, _, p) => part(p),
                Self::Clear(..) => 0,
            }
    }
}

/// The steps of one operation in order, if anyone writes them down; otherwise they are not even made.
#[derive(Debug, Default)]
pub(in crate::backend) struct Redos(Option<Vec<Redo>>);

impl Redos {
    pub(super) fn new(wanted: bool) -> Self {
        Self(wanted.then(Vec::new))
    }

    #[inline]
    pub(super) fn wanted(&self) -> bool {
        self.0.is_some()
    }

    #[inline]
    pub(super) fn record(&mut self, redo: impl FnOnce() -> Redo) {
        if let Some(steps) = &mut self.0 {
            steps.push(redo());
        }
    }

    /// How many there are so far, for [`take_back`](Self::take_back).
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, Vec::len)
    }

    /// Forgets all but the first `len`: what they did is undone, or done once more in another way.
    #[inline]
    pub(super) fn take_back(&mut self, len: usize) {
        if let Some(steps) = &mut self.0 {
            steps.truncate(len);
        }
    }

    pub(super) fn into_steps(self) -> Vec<Redo> {
        self.0.unwrap_or_default()
    }
}

/// The steps of an operation on one log.
#[derive(Debug)]
pub(super) struct LogRedos<'a> {
    log: &'a LogName,
    redos: &'a mut Redos,
}

impl<'a> LogRedos<'a> {
    pub(super) fn new(log: &'a LogName, redos: &'a mut Redos) -> Self {
        Self { log, redos }
    }

    #[inline]
    pub(super) fn record(&mut self, redo: impl FnOnce(Owner) -> Redo) {
        self.redos.record(|| redo(Owner::Log(self.log.clone())));
    }

    #[inline]
    pub(super) fn record_in(&mut self, group: &GroupName, redo: impl FnOnce(Owner) -> Redo) {
        self.redos.record(|| redo(Owner::Group(self.log.clone(), group.clone())));
    }

    /// The group and all that is in it is gone.
    pub(super) fn forget(&mut self, group: &GroupName) {
        self.record(|log| Redo::Remove(Space::Group, log, Part::name(group.as_str())));
        for space in [Space::Consumer, Space::Pending] {
            self.record_in(group, |group| Redo::Clear(space, group));
        }
    }
}

impl Part {
    pub(super) fn name(name: &str) -> Self {
        Self::Data(name.into())
    }
}

impl Redo {
    /// The part of a key has this content now.
    pub(super) fn put(space: Space, key: &Key, part: impl Into<Part>, content: impl Into<Content>) -> Self {
        Self::Put(space, Owner::Key(key.clone()), part.into(), content.into())
    }

    /// The part of a key is gone.
    pub(super) fn remove(space: Space, key: &Key, part: impl Into<Part>) -> Self {
        Self::Remove(space, Owner::Key(key.clone()), part.into())
    }

    /// The key has nothing in this space any more.
    pub(super) fn clear(space: Space, key: &Key) -> Self {
        Self::Clear(space, Owner::Key(key.clone()))
    }
}

impl From<&Data> for Part {
    fn from(data: &Data) -> Self {
        Self::Data(data.clone())
    }
}

impl From<i64> for Part {
    fn from(place: i64) -> Self {
        Self::Place(place)
    }
}

impl From<&Data> for Content {
    fn from(data: &Data) -> Self {
        Self::Data(data.clone())
    }
}

impl From<f64> for Content {
    fn from(score: f64) -> Self {
        Self::Score(score)
    }
}
