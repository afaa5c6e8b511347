//! Values over time: the contract, [`Notification`], and [`Operators`] over any `futures::Stream`.
//!
//! # The contract
//! What holds for every stream of this crate, and what its operators expect of yours:
//!
//! - **Demand.** A stream is `futures::Stream`: nothing happens until somebody asks, one item is given for each time it
//!   is asked. That is the back-pressure: who does not ask holds up the source. An operator that does not hold up
//!   its source says what it drops instead.
//! - **Order.** Items come out in the order in which they went in; operators that mix several streams keep the order of
//!   each.
//! - **Errors are values.** A stream that can fail is a stream of `Result`s, and goes on after an `Err`: the sensor that
//!   fails once is not silent from then on. In ReactiveX an error is the end;
//!   [`end_on_error`](Operators::end_on_error) gives that where it is wanted.
//! - **Completion** is `None`, and final. What an operator holds back comes before it. An operator that holds something
//!   back, or reads several streams, stays ended and never asks an ended source again; one that passes items through is
//!   as fused as its source. The end of one of several merged streams ends nothing; what does end an operator is in its
//!   text.
//! - **Cancelling** is dropping, at any moment. Sources, timers and items held back go with the operator; no task behind
//!   it goes on. What gives out handles (`share`, groups, windows) ends with the last of them.
//! - **Memory** is bounded, by a number that is in the operator's text and mostly in its arguments. (`expand` alone holds
//!   what its function finds.)
//! - **Fairness.** A poll takes a bounded number of items, also where it drops them, and sources that are always ready
//!   are read in turns.
//! - **Panics** of a function given to an operator go through to who polls. An operator that panicked must not be polled
//!   again; an element builds it anew.
//!
//! # Time
//! All time is tokio's: an operator with a [`Duration`](std::time::Duration) in its arguments needs a runtime with time
//! enabled, and under a paused clock it runs in virtual time, to the same result in every run. Times count from the first
//! poll. What comes at the very instant of a deadline comes after it. Deadlines that move with each item cost nothing per
//! item: the timer is touched when it fires. [`clock::now`] is the wall clock for time stamps that follow.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! use futures::{StreamExt, stream};
//! use mape::stream::Operators;
//! use std::time::Duration;
//!
//! let sensor = stream::iter([Ok(20.5), Err("no answer"), Ok(21.0)]).chain(stream::pending());
//! let mut failed = 0;
//! let hour: Vec<f64> = sensor
//!     .skip_errors(|_| failed += 1)
//!     .take_for(Duration::from_secs(3600)) // at once: the clock is paused
//!     .collect()
//!     .await;
//! assert_eq!((hour, failed), (vec![20.5, 21.0], 1));
//! # }
//! ```
//!
//! # Names
//! ReactiveX's name, unless std, futures or tokio-stream has a word for the same thing. What those have is used from
//! there, so this module has no `map` and no `merge`. A name of theirs never stands here for something else: `scan_with`
//! beside futures' `scan`, `throttle_leading` beside tokio-stream's `throttle`. The trait is called `Operators` and not
//! `StreamExt`, so that all three can be imported side by side; a test calls every method with all of them in scope.
//! Constructors (`interval`, `retry`, `race_all`) are functions of this module.

mod answer;
mod backoff;
pub mod clock;
mod lossy;
pub mod meter;
mod notification;
mod operators;
pub mod ops;
pub mod testing;
pub mod trace;

pub use answer::Answer;
pub use backoff::Backoff;
pub use lossy::{Lossy, LossyReceiver, LossySender, lossy};
pub use notification::Notification;
pub use operators::Operators;
pub use ops::{combine_latest_all, interval, race_all, retry};
