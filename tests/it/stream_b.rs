//! Operators of time, buffers, windows, groups and folding against list models, in virtual time.

mod bounds;
mod buffers;
mod ends;
mod folding;
mod groups;
mod names;
mod schedule;
mod time;
