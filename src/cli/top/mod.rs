//! `mape top`: what runs in a service, live in the terminal.
//!
//! It knows a service by its HTTP interface alone. [`answers`] is what that says, [`model`] what is known of it, with
//! rates and the past minute; both are plain values. [`looking`] is what the person has chosen to see, which [`keys`]
//! change, and [`view`] draws both into a buffer. What acts is [`feed`], which asks the service, [`screen`], which has
//! the terminal, and [`live`], which brings them together. [`once`] writes one moment instead.

mod answers;
mod command;
mod feed;
mod keys;
mod live;
mod looking;
mod model;
mod once;
mod rows;
mod screen;
mod trail;
mod view;

pub(super) use command::{TopArguments, run};
