//! Operators against models that are written down step by step, and against list models in virtual time.

mod bounds;
mod buffers;
mod choosing;
mod combining;
mod drive;
mod ends;
mod errors;
mod flattening;
mod folding;
mod groups;
mod hints;
mod marbles;
mod names;
mod names_of_time;
mod schedule;
mod sharing;
mod time;
