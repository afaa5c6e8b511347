//! What is ready for the element of a task.

use super::Invocation;
use futures::Stream;
use futures::task::AtomicWaker;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Invocations that the element of a task has not taken yet.
///
/// The element asks for them, so the engine never waits for a task, and a task may wait for the engine. It holds what
/// the flows in hand have started: that is its bound.
#[derive(Default)]
pub(super) struct Ready {
    queue: Mutex<VecDeque<Invocation>>,
    waker: AtomicWaker,
}

impl Ready {
    /// Puts in what came together; nobody is woken before [`wake`](Self::wake).
    pub(super) fn put(&self, invocation: Invocation) {
        self.queue.lock().push_back(invocation);
    }

    pub(super) fn wake(&self) {
        self.waker.wake();
    }

    /// Takes out one that nobody has begun.
    pub(super) fn take_back(&self, invocation: &Invocation) -> bool {
        let mut queue = self.queue.lock();
        let at = queue.iter().position(|other| {
            (other.workflow(), other.place(), other.attempt())
                == (invocation.workflow(), invocation.place(), invocation.attempt())
        });
        at.is_some_and(|at| queue.remove(at).is_some())
    }

    pub(super) fn stream(self: &Arc<Self>) -> impl Stream<Item = Invocation> + Send + use<> {
        Taken { ready: self.clone(), batch: VecDeque::new() }
    }
}

struct Taken {
    ready: Arc<Ready>,
    batch: VecDeque<Invocation>,
}

impl Stream for Taken {
    type Item = Invocation;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Invocation>> {
        let me = &mut *self;
        if me.batch.is_empty() {
            me.ready.waker.register(cx.waker());
            std::mem::swap(&mut *me.ready.queue.lock(), &mut me.batch);
        }
        me.batch.pop_front().map_or(Poll::Pending, |invocation| Poll::Ready(Some(invocation)))
    }
}
