//! Where in a run something is.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A step of a run: a node of its graph, and which item of an iteration it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The index of the node.
    pub node: u32,
    /// The part of the run: 0 is the flow itself; each item of an iteration (`*`) is a part of its own.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub part: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(part: &u32) -> bool {
    *part == 0
}

impl Place {
    /// A node of the flow itself, outside of iterations.
    #[must_use]
    pub const fn node(node: u32) -> Self {
        Self { node, part: 0 }
    }

    /// The node's index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.node as usize
    }

    pub(super) fn of(node: usize, part: u32) -> Self {
        // Graphs have fewer nodes than that: their edges are pairs of u32.
        Self { node: u32::try_from(node).unwrap_or(u32::MAX), part }
    }
}

impl From<u32> for Place {
    fn from(node: u32) -> Self {
        Self::node(node)
    }
}

/// As [`Invocation::step`](super::Invocation::step) writes it: `3`, or `3.2` in part 2.
impl FromStr for Place {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.strip_prefix('#').unwrap_or(text);
        let (node, part) = text.split_once('.').unwrap_or((text, "0"));
        Ok(Self { node: node.parse()?, part: part.parse()? })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.part == 0 { write!(f, "#{}", self.node) } else { write!(f, "#{}.{}", self.node, self.part) }
    }
}
