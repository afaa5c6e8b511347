//! A directory: knowledge and events that survive, in one `SQLite` file.
//!
//! Memory is what serves, the file is its journal: each operation is done in memory, as with `memory:`, and puts what
//! it changed into a queue while its part of the memory is locked. One thread writes all that has gathered in one
//! durable transaction, then the operations are answered. So reads never touch the file, and many writers share a
//! commit. Opening reads the whole file into memory.
//!
//! One process owns a directory ([`claim`]); others go through it by its control socket ([`control`]).

mod claim;
mod control;
mod database;
mod opening;
mod owner;
mod place;
mod row;
mod writer;

pub(super) use opening::{attach, open};
pub(super) use place::dir;
