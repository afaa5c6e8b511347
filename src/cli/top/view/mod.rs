//! The picture: pure drawing of what is known into a buffer.

mod columns;
mod element;
mod frame;
mod goals;
mod help;
mod list;
mod loops;
mod number;
mod paint;
mod queues;
mod runs;
#[cfg(test)]
mod tests;
mod text;

pub(super) use columns::{Columns, longest};
pub(super) use frame::draw;
pub(super) use goals::margin_of;
pub(super) use paint::Paint;
pub(super) use runs::by_state;
