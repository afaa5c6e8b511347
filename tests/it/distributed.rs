//! Runs on a server: in the form of littleflow, turned by several engines, worked on elsewhere.

mod announced;
mod compatible;
mod foreign;
mod form;
pub(crate) mod hand;
mod sharing;
