//! Values over time: the contract, [`Notification`], and [`Operators`] over any `futures::Stream`.

mod answer;
mod backoff;
pub mod clock;
mod lossy;
mod notification;
mod operators;
pub mod ops;
pub mod testing;

pub use answer::Answer;
pub use backoff::Backoff;
pub use lossy::{Lossy, LossyReceiver, LossySender, lossy};
pub use notification::Notification;
pub use operators::Operators;
pub use ops::{combine_latest_all, interval, race_all, retry};
