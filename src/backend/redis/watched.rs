//! Which keys somebody watches, as this client knows it.

use crate::channel::Pattern;
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is watched by anyone on the server. Asked at every write; while nobody watches anything that is a few loads.
#[derive(Debug, Default)]
pub(super) struct Watched {
    list: ArcSwap<List>,
    /// Counts what was added to the list by the server's word.
    additions: AtomicU64,
}

#[derive(Clone, Debug, Default)]
struct List {
    /// The connection on which additions have been heard since the list was read; 0 if it was never read.
    epoch: u64,
    /// Keys by name, and whether one of those who watch wants to know the edges of transactions.
    keys: HashMap<Box<str>, bool>,
    patterns: Vec<(Pattern, bool)>,
}

/// One who watches, as the list on the server names it: `WHO:E=KEY` or `WHO:E~PATTERN`, where E is 1 if it wants to know
/// the edges of transactions.
pub(super) fn member(who: &str, edges: bool, what: &What) -> String {
    let edges = u8::from(edges);
    match what {
        What::Key(key) => format!("{who}:{edges}={key}"),
        What::Pattern(pattern) => format!("{who}:{edges}~{pattern}"),
    }
}

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum What {
    Key(Box<str>),
    Pattern(Pattern),
}

impl What {
    /// As it is written.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Key(key) => key,
            Self::Pattern(pattern) => pattern.as_str(),
        }
    }
}

fn parse(member: &str) -> Option<(What, bool)> {
    let (_who, what) = member.split_once(':')?;
    let edges = what.starts_with('1');
    let what = what.get(1..)?;
    if let Some(key) = what.strip_prefix('=') {
        return Some((What::Key(key.into()), edges));
    }
    Some((What::Pattern(what.strip_prefix('~')?.into()), edges))
}

/// What a write found out before it was sent, to find out afterwards whether that still held when it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    epoch: u64,
    additions: u64,
}

impl Mark {
    /// The connection.
    pub(super) fn epoch(self) -> u64 {
        self.epoch
    }
}

impl Watched {
    pub(super) fn mark(&self, epoch: u64) -> Mark {
        Mark { epoch, additions: self.additions.load(Ordering::Acquire) }
    }

    /// Whether the key is watched, and whether edges are wanted then. As long as that is not known it may be.
    pub(super) fn look(&self, epoch: u64, key: &str) -> Option<bool> {
        let list = self.list.load();
        if list.epoch != epoch {
            return Some(true);
        }
        let by_name = if list.keys.is_empty() { None } else { list.keys.get(key).copied() };
        let mut found = by_name;
        for (pattern, edges) in &list.patterns {
            if pattern.matches(key) {
                found = Some(*edges || found == Some(true));
            }
        }
        found
    }

    /// Whether the list is that of this connection.
    pub(super) fn is_known(&self, epoch: u64) -> bool {
        self.list.load().epoch == epoch
    }

    /// The server says that somebody watches more; called before what was done later is answered.
    pub(super) fn heard(&self, member: &[u8]) {
        if let Some(added) = std::str::from_utf8(member).ok().and_then(parse) {
            self.list.rcu(|list| {
                let mut list = List::clone(list);
                list.add(added.clone());
                list
            });
        }
        self.additions.fetch_add(1, Ordering::AcqRel);
    }

    /// The whole list as it was read on the connection `before.epoch`; kept is also what was heard of since `before`.
    pub(super) fn read<'a>(&self, before: Mark, members: &(impl Iterator<Item = &'a str> + Clone)) {
        self.list.rcu(|old| {
            let mut list = List { epoch: before.epoch, ..List::default() };
            if self.mark(before.epoch) != before {
                list = List { epoch: before.epoch, ..List::clone(old) };
            }
            for member in members.clone().filter_map(parse) {
                list.add(member);
            }
            list
        });
    }
}

impl List {
    fn add(&mut self, (what, edges): (What, bool)) {
        match what {
            What::Key(key) => *self.keys.entry(key).or_default() |= edges,
            What::Pattern(pattern) => match self.patterns.iter_mut().find(|(other, _)| *other == pattern) {
                Some((_, wanted)) => *wanted |= edges,
                None => self.patterns.push((pattern, edges)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_the_list_is_watched_and_everything_while_it_is_not_known() {
        let watched = Watched::default();
        assert_eq!(watched.look(1, "cars"), Some(true));
        let one = member("a", false, &What::Key("car:*=~s".into()));
        let all = member("b", true, &What::Pattern("speed*".into()));
        watched.read(watched.mark(1), &[one.as_str(), all.as_str(), "rubbish"].into_iter());
        assert_eq!(watched.look(1, "car:*=~s"), Some(false));
        assert_eq!(watched.look(1, "car:x=~s"), None);
        assert_eq!(watched.look(1, "speeds"), Some(true));
        assert_eq!(watched.look(2, "x"), Some(true));
    }

    #[test]
    fn what_is_heard_while_the_list_is_read_is_not_lost() {
        let watched = Watched::default();
        let before = watched.mark(1);
        watched.heard(b"a:0=cars");
        watched.read(before, &std::iter::empty());
        assert_eq!(watched.look(1, "cars"), Some(false));
        assert_ne!(watched.mark(1), before);
        watched.read(watched.mark(1), &std::iter::empty());
        assert_eq!(watched.look(1, "cars"), None);
    }
}
