//! Lists of conditions with the same test, from which any is taken at once.

use super::here::Place;

/// A condition in a list: its slot, and which of its tests this is.
#[derive(Clone, Copy)]
pub(super) struct Member {
    pub(super) slot: u32,
    pub(super) nth: u32,
}

/// Where a test of a condition is.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    pub(super) bucket: u32,
    pub(super) at: u32,
}

/// The conditions with one test.
pub(super) struct Bucket {
    pub(super) members: Vec<Member>,
    /// The node of the trie and the place there at which it hangs.
    pub(super) node: u32,
    pub(super) place: Place,
}

/// All lists, by number.
#[derive(Default)]
pub(super) struct Buckets {
    list: Vec<Option<Bucket>>,
    free: Vec<u32>,
}

impl Buckets {
    pub(super) fn add(&mut self, node: u32, place: Place) -> u32 {
        let bucket = Some(Bucket { members: Vec::new(), node, place });
        put(&mut self.list, &mut self.free, bucket)
    }

    pub(super) fn get(&self, bucket: u32) -> Option<&Bucket> {
        self.list.get(bucket as usize).and_then(Option::as_ref)
    }

    pub(super) fn members(&self, bucket: u32) -> &[Member] {
        self.get(bucket).map_or(&[], |bucket| &bucket.members)
    }

    pub(super) fn join(&mut self, bucket: u32, member: Member) -> Spot {
        let mut at = 0;
        if let Some(Some(bucket)) = self.list.get_mut(bucket as usize) {
            at = number(bucket.members.len());
            bucket.members.push(member);
        }
        Spot { bucket, at }
    }

    /// Takes a member out. Another may now stand in its place, and the list may be empty: then it is gone.
    pub(super) fn leave(&mut self, spot: Spot) -> (Option<Member>, Option<Bucket>) {
        let Some(held) = self.list.get_mut(spot.bucket as usize) else { return (None, None) };
        let Some(bucket) = held else { return (None, None) };
        let at = spot.at as usize;
        if at < bucket.members.len() {
            bucket.members.swap_remove(at);
        }
        let moved = bucket.members.get(at).copied();
        let gone = if bucket.members.is_empty() { held.take() } else { None };
        if gone.is_some() {
            self.free.push(spot.bucket);
        }
        (moved, gone)
    }
}

/// Puts a value into a free place of a list, or behind it, and says where.
pub(super) fn put<T>(list: &mut Vec<Option<T>>, free: &mut Vec<u32>, value: Option<T>) -> u32 {
    if let Some(at) = free.pop()
        && let Some(place) = list.get_mut(at as usize)
    {
        *place = value;
        return at;
    }
    list.push(value);
    number(list.len() - 1)
}

/// A place in a list; there is no memory for more.
pub(super) fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
