//! A sink into an in-port.

use super::function::BATCH;
use super::queue::{End, Queue};
use super::{AnyElement, PushError, State};
use futures::Sink;
use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// A [`Sink`] into the in-port of an element, with a queue of its own; see [`Element::sink`](super::Element::sink).
///
/// Items are gathered and handed over in batches of up to 256, or when it is flushed. While the element is stopped or
/// not started it takes items that the element then skips and counts.
pub struct PortSink<T> {
    queue: Arc<Queue<T>>,
    batch: VecDeque<T>,
    to: AnyElement,
}

impl<T> PortSink<T> {
    pub(crate) fn new(queue: Arc<Queue<T>>, to: AnyElement) -> Self {
        Self { queue, batch: VecDeque::new(), to }
    }

    /// Hands all of these over, if there is room and the element works; what it refuses stays.
    #[cfg(feature = "flow")]
    pub(crate) fn offer(&self, items: &mut VecDeque<T>) {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        // Whoever is refused asks no more.
        let _ = self.queue.poll_offer(&mut cx, items);
    }
}

impl<T> Unpin for PortSink<T> {}

impl<T> Sink<T> for PortSink<T> {
    type Error = PushError<T>;

    #[inline]
    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), PushError<T>>> {
        if self.batch.len() < BATCH { Poll::Ready(Ok(())) } else { self.poll_flush(cx) }
    }

    #[inline]
    fn start_send(mut self: Pin<&mut Self>, item: T) -> Result<(), PushError<T>> {
        self.batch.push_back(item);
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), PushError<T>>> {
        let me = &mut *self;
        if me.batch.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let handed = ready!(me.queue.poll_push(cx, &mut me.batch));
        match (handed, me.batch.pop_front()) {
            (Err(_), Some(item)) => {
                let (path, state) = (me.to.path(), me.to.state());
                Poll::Ready(Err(if state == State::Disposed || state.accepts_items() {
                    PushError::Closed { path, item }
                } else {
                    PushError::NotRunning { path, state, item }
                }))
            }
            _ => Poll::Ready(Ok(())),
        }
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), PushError<T>>> {
        let flushed = ready!(self.as_mut().poll_flush(cx));
        self.queue.finish(End::Completed);
        Poll::Ready(flushed)
    }
}

impl<T> Drop for PortSink<T> {
    fn drop(&mut self) {
        self.queue.finish(End::Unlinked);
    }
}

impl<T> fmt::Debug for PortSink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortSink").field("to", &self.to.path()).finish_non_exhaustive()
    }
}
