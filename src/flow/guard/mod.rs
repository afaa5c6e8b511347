//! Guards: whether a step is taken, asked of its input.
//!
//! A guard is a JSON path; it is true if the path matches anything. Two languages are read, which look alike and differ
//! in much: the one that littleflow's guards have always been written in (the Python package `jsonpath2`), and RFC
//! 9535. A text is in the first one if it can be; else in the second one; a text that begins with `rfc:` is always in
//! the second one.
//!
//! | | littleflow | RFC 9535 |
//! |---|---|---|
//! | `[?(e)]` asks | the current value itself: `$[?(@.status=0)]` is about an object | its members: `$[?@.n == 1]` is about the items of a list |
//! | parentheses of a filter | needed | not needed |
//! | equal, not equal | `=`, `!=` | `==`, `!=` |
//! | and, or, not | `and`, `or`, `not` | `&&`, `\|\|`, `!` |
//! | precedence | not, and, or | not, and, or |
//! | texts | `"x"`, taken as they are, without escapes | `"x"` or `'x'`, with escapes as in JSON |
//! | names behind a dot | ASCII letters, digits, `_`; none of `and or not true false null` | also all beyond ASCII |
//! | both sides of a comparison | paths with any number of matches, or any JSON value; true if any pair fulfils it | paths with at most one match, functions, or a simple value |
//! | a path without a match | every comparison is false, `!=` too | equal to another such path; different from every value |
//! | `< <= > >=` | between numbers, where `true` counts as 1 and `false` as 0; else false | between two numbers or two texts; else false |
//! | a lone value as an expression | true unless it is `0`, `""`, `[]`, `{}`, `false` or `null` | not allowed |
//! | functions | `.length() .keys() .values() .entries() .charAt(n) .substring(a, b)`, behind a path | `length() count() match() search() value()`, around it |
//! | index by another value | `[$.path]`, `[@.path]` | – |
//! | a step of 0 in a slice | not allowed | matches nothing |
//!
//! Numbers are equal by value (`1` and `1.0`); a boolean never equals a number. `==` in a filter in parentheses, as in
//! `$[?(@.a==1)]`, could be meant either way and is refused: write `=`, or `rfc:` before it.
//!
//! Work is bounded: a guard that would look at more than 1,000,000 values fails.

mod compare;
mod cursor;
mod dialect;
mod evaluate;
mod function;
#[expect(clippy::module_inception, reason = "the main type of this module")]
mod guard;
mod method;
mod query;
mod rfc;

pub use guard::{Guard, GuardError, GuardLanguage};
