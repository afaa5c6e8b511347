//! Runs on a server: in the form of littleflow, turned by several engines, worked on elsewhere.

mod compatible;
mod foreign;
mod form;
mod hand;
mod sharing;
