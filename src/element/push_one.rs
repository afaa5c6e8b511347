//! Waiting for room in a queue.

use super::queue::{Gone, Queue};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// The future of [`Queue::push_one`]: true when the item was taken, else it is given back.
pub(crate) struct PushOne<'a, T> {
    queue: &'a Queue<T>,
    item: Option<T>,
    waits: Option<Waker>,
}

impl<'a, T> PushOne<'a, T> {
    pub(crate) fn new(queue: &'a Queue<T>, item: T) -> Self {
        Self { queue, item: Some(item), waits: None }
    }
}

impl<T> Unpin for PushOne<'_, T> {}

impl<T> Future for PushOne<'_, T> {
    type Output = Result<(), Option<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let me = &mut *self;
        let polled = me.queue.poll_push_one(cx, &mut me.item);
        match polled {
            Poll::Pending => {
                me.waits = Some(cx.waker().clone());
                Poll::Pending
            }
            Poll::Ready(done) => {
                me.waits = None;
                Poll::Ready(done.map_err(|Gone| me.item.take()))
            }
        }
    }
}

impl<T> Drop for PushOne<'_, T> {
    fn drop(&mut self) {
        if let Some(waker) = self.waits.take() {
            self.queue.give_up(&waker);
        }
    }
}
