//! Thousands of conditions, and which of them a value fulfils, without trying each.
//!
//! Of each condition the index keeps what has to be the case for it to hold at all (`access`): of conditions that are
//! joined by `and` one of the two, the rarer; by `or` both. These hang where their paths lead (`trie`), in tables by
//! value, by limit, by pieces of text (`here`, `grams`), and a value is walked through once along all paths
//! together (`search`). Whatever the walk comes by is then judged. Conditions that can hold without anything being there,
//! such as `a ne 1`, are judged for every value.

mod access;
mod buckets;
mod grams;
mod here;
#[expect(clippy::module_inception, reason = "it holds `Index`")]
mod index;
mod search;
mod trie;

pub use index::{Found, Index};
pub use search::Search;
