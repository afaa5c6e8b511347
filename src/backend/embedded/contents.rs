//! What a key holds.

use super::list::Items;
use super::redo::Space;
use super::sorted::Sorted;
use crate::knowledge::{Data, Kind};
use foldhash::fast::RandomState;
use std::collections::{HashMap, HashSet};

pub(super) type Fields = HashMap<Data, Data, RandomState>;
pub(super) type Members = HashSet<Data, RandomState>;

#[derive(Clone, Debug)]
pub(super) enum Contents {
    Value(Data),
    Hash(Fields),
    Set(Members),
    List(Items),
    Sorted(Sorted),
}

impl Contents {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Value(_) => Kind::Value,
            Self::Hash(_) => Kind::Hash,
            Self::Set(_) => Kind::Set,
            Self::List(_) => Kind::List,
            Self::Sorted(_) => Kind::SortedSet,
        }
    }

    /// Where its parts are kept.
    pub(super) fn space(&self) -> Space {
        match self {
            Self::Value(_) => Space::Value,
            Self::Hash(_) => Space::Hash,
            Self::Set(_) => Space::Set,
            Self::List(_) => Space::List,
            Self::Sorted(_) => Space::Sorted,
        }
    }
}

/// One of the collections a key can hold, so that reading and writing them is written once.
pub(super) trait Collection: Default {
    const KIND: Kind;
    fn of(contents: &Contents) -> Option<&Self>;
    fn of_mut(contents: &mut Contents) -> Option<&mut Self>;
    fn into_contents(self) -> Contents;
    fn is_empty(&self) -> bool;
}

macro_rules! collection {
    ($type:ty, $variant:ident, $kind:ident) => {
        impl Collection for $type {
            const KIND: Kind = Kind::$kind;

            fn of(contents: &Contents) -> Option<&Self> {
                if let Contents::$variant(it) = contents { Some(it) } else { None }
            }

            fn of_mut(contents: &mut Contents) -> Option<&mut Self> {
                if let Contents::$variant(it) = contents { Some(it) } else { None }
            }

            fn into_contents(self) -> Contents {
                Contents::$variant(self)
            }

            fn is_empty(&self) -> bool {
                <$type>::is_empty(self)
            }
        }
    };
}
collection!(Fields, Hash, Hash);
collection!(Members, Set, Set);
collection!(Items, List, List);
collection!(Sorted, Sorted, SortedSet);
