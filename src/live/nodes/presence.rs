//! Who is in which group at other nodes.

use crate::live::Member;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Groups with their members, by the ids of their clients.
pub(in crate::live) type Groups = BTreeMap<Arc<str>, BTreeMap<Arc<str>, Member>>;

/// The same, as the hub has it.
pub(in crate::live) type Present = BTreeMap<Arc<str>, BTreeMap<Arc<str>, Arc<Member>>>;

/// Who is in which group at other nodes, by node.
#[derive(Default)]
pub(in crate::live) struct Elsewhere(BTreeMap<Arc<str>, Groups>);

/// Somebody came or went.
pub(in crate::live) struct Moved {
    pub(in crate::live) group: Arc<str>,
    pub(in crate::live) member: Member,
    pub(in crate::live) joined: bool,
}

impl Elsewhere {
    pub(in crate::live) fn members(&self, group: &str) -> impl Iterator<Item = &Member> {
        self.0.values().filter_map(move |groups| groups.get(group)).flat_map(|members| members.values())
    }

    /// Puts the groups of a node in place of those that were known; who went and who came.
    pub(in crate::live) fn replace(&mut self, node: &Arc<str>, groups: Groups) -> Vec<Moved> {
        let before = self.0.remove(node).unwrap_or_default();
        let mut moved = absent(&before, &groups, false);
        moved.extend(absent(&groups, &before, true));
        if !groups.is_empty() {
            self.0.insert(node.clone(), groups);
        }
        moved
    }
}

/// Those of `these` who are not among the others.
fn absent(these: &Groups, others: &Groups, joined: bool) -> Vec<Moved> {
    let mut moved = Vec::new();
    for (group, members) in these {
        let others = others.get(group);
        for (client, member) in members {
            if !others.is_some_and(|others| others.contains_key(client)) {
                moved.push(Moved { group: group.clone(), member: member.clone(), joined });
            }
        }
    }
    moved
}
