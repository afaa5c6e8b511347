//! Waiting for room in a queue.

use super::queue::{Gone, Queue};
use std::collections::VecDeque;
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

/// Moves all in, waiting while there is no room; whether all were taken.
pub(crate) struct PushAll<'a, T> {
    queue: &'a Queue<T>,
    items: VecDeque<T>,
    waits: Option<Waker>,
}

impl<'a, T> PushAll<'a, T> {
    pub(crate) fn new(queue: &'a Queue<T>, items: VecDeque<T>) -> Self {
        Self { queue, items, waits: None }
    }
}

impl<T> Unpin for PushAll<'_, T> {}

impl<T> Future for PushAll<'_, T> {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        let me = &mut *self;
        let polled = me.queue.poll_push(cx, &mut me.items);
        me.waits = polled.is_pending().then(|| cx.waker().clone());
        polled.map(|done| done.is_ok())
    }
}

impl<T> Drop for PushAll<'_, T> {
    fn drop(&mut self) {
        if let Some(waker) = self.waits.take() {
            self.queue.give_up(&waker);
        }
    }
}
