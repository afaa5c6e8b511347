//! A value that is there at once or comes later.

use futures::FutureExt;
use futures::future::BoxFuture;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What a method of an object-safe asynchronous trait returns: a value that is ready now, or a future.
///
/// An implementation that knows the answer at once allocates nothing; one that has to ask elsewhere returns a future.
/// Awaiting it gives the value either way.
///
/// ```
/// use mape::stream::Answer;
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// assert_eq!(Answer::ready(3).await, 3);
/// assert_eq!(Answer::pending(async { 4 }).await, 4);
/// # }
/// ```
///
/// # Cancel safety
///
/// Dropping a ready answer drops the value; dropping a pending one drops its future.
#[must_use = "an answer that is not awaited may not have happened"]
pub struct Answer<T>(State<T>);

enum State<T> {
    Ready(T),
    Pending(BoxFuture<'static, T>),
    Taken,
}

impl<T> Answer<T> {
    /// A value that is known now.
    pub fn ready(value: T) -> Self {
        Self(State::Ready(value))
    }

    /// A value that `future` will give.
    pub fn pending(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self(State::Pending(future.boxed()))
    }

    /// The value if it is there without waiting, else the answer back.
    pub fn now(self) -> Result<T, Self> {
        match self.0 {
            State::Ready(value) => Ok(value),
            other => Err(Self(other)),
        }
    }
}

// No field is pinned in place: a ready value is moved out, a pending one is pinned in its box.
impl<T> Unpin for Answer<T> {}

impl<T> Future for Answer<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        if let State::Pending(future) = &mut self.0 {
            return future.poll_unpin(cx);
        }
        match mem::replace(&mut self.0, State::Taken) {
            State::Ready(value) => Poll::Ready(value),
            // Asked again after it answered: there is nothing more to come.
            State::Pending(_) | State::Taken => Poll::Pending,
        }
    }
}

impl<T> From<T> for Answer<T> {
    fn from(value: T) -> Self {
        Self::ready(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            State::Ready(value) => f.debug_tuple("Answer").field(value).finish(),
            State::Pending(_) => f.write_str("Answer(pending)"),
            State::Taken => f.write_str("Answer(taken)"),
        }
    }
}
