//! Marble tests in virtual time.
//!
//! A marble text draws a stream: one character is one frame (1 ms unless said otherwise).
//!
//! | text | means |
//! |---|---|
//! | `-` | a frame in which nothing happens |
//! | `a` | the item `a` |
//! | `[ab]` | one item whose label is `ab` (one frame) |
//! | `#` | an error item |
//! | `(ab\|)` | everything in the same frame (one frame altogether, unlike RxJS) |
//! | `{250}` | 250 frames in which nothing happens |
//! | `\|` | the stream ends; without it, it never ends |
//! | space | nothing, to line texts up |
//!
//! [`marbles`] and [`fallible`] make streams of characters from such texts, [`Marbles::parse`] those of any item;
//! [`record`] and [`record_for`] write down what a stream does and when; [`assert_marbles`] compares and prints both
//! lines under one another. [`Label`] is how an item is written. All of them run on tokio's clock: in a test with
//! `#[tokio::test(start_paused = true)]` (tokio's feature `test-util`) hours pass at once. Without a paused clock they
//! take as long as they draw, and a busy machine makes them wrong.
//!
//! Frames are milliseconds because tokio's timers are no finer.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! use mape::stream::{Operators, testing::{assert_marbles, marbles}};
//! use std::time::Duration;
//!
//! let typed = marbles("a-b-c-------d|");
//! assert_marbles(typed.debounce(Duration::from_millis(3)), "-------c-----(d|)").await;
//! # }
//! ```

mod assert;
mod error;
mod label;
mod marbles;
mod recording;
mod script;

pub use assert::{assert_marbles, assert_marbles_in};
pub use error::{Error, Failed};
pub use label::Label;
pub use marbles::{Marbles, fallible, marbles};
pub use recording::{Recording, record, record_for};
