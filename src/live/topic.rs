//! All that is known of one name.

use super::audience::Audience;
use super::{Delivered, Member};
use crate::event::EventId;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// All that is known of one name: who listens, who is present, what was published last.
pub(super) struct Topic {
    pub(super) audience: Audience,
    /// The members of the group of that name, by the keys of their clients.
    pub(super) present: BTreeMap<u64, Present>,
    /// The last parts, oldest first.
    pub(super) kept: VecDeque<Arc<Delivered>>,
    /// Nothing up to here is kept any more.
    pub(super) floor: EventId,
    /// Where its last part was.
    pub(super) last: EventId,
}

pub(super) struct Present {
    pub(super) member: Arc<Member>,
    pub(super) wants_presence: bool,
    pub(super) client: Arc<super::client::Inner>,
}

impl Topic {
    pub(super) fn new(steps: u64, floor: EventId) -> Self {
        Self {
            audience: Audience::new(steps),
            present: BTreeMap::new(),
            kept: VecDeque::new(),
            floor,
            last: floor,
        }
    }

    /// Whether nobody listens.
    pub(super) fn is_idle(&self) -> bool {
        self.audience.is_empty() && self.present.is_empty()
    }

    /// Forgets the oldest part; its size.
    pub(super) fn forget_oldest(&mut self) -> usize {
        let Some(part) = self.kept.pop_front() else { return 0 };
        if let Some(offset) = part.offset() {
            self.floor = offset;
        }
        part.json().len()
    }
}
