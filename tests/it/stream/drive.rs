//! Sources moved by hand, and a consumer that polls only when it was woken.

use futures::Stream;
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Debug;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

struct Slot<T> {
    queue: VecDeque<T>,
    ended: bool,
    end_was_seen: bool,
    dropped: bool,
    waker: Option<Waker>,
}

/// A stream that gives what its [`Hand`] puts in; polling it after its end fails the test.
pub(super) struct Source<T>(Rc<RefCell<Slot<T>>>);

pub(super) struct Hand<T>(Rc<RefCell<Slot<T>>>);

pub(super) fn source<T>() -> (Hand<T>, Source<T>) {
    let slot =
        Slot { queue: VecDeque::new(), ended: false, end_was_seen: false, dropped: false, waker: None };
    let slot = Rc::new(RefCell::new(slot));
    (Hand(slot.clone()), Source(slot))
}

impl<T> Hand<T> {
    pub(super) fn give(&self, item: T) {
        let mut slot = self.0.borrow_mut();
        slot.queue.push_back(item);
        slot.waker.take().into_iter().for_each(Waker::wake);
    }

    pub(super) fn end(&self) {
        let mut slot = self.0.borrow_mut();
        slot.ended = true;
        slot.waker.take().into_iter().for_each(Waker::wake);
    }

    pub(super) fn is_dropped(&self) -> bool {
        self.0.borrow().dropped
    }

    /// How many items nobody has taken yet.
    pub(super) fn left(&self) -> usize {
        self.0.borrow().queue.len()
    }
}

impl<T> Stream for Source<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut slot = self.0.borrow_mut();
        assert!(!slot.end_was_seen, "a source was polled after its end");
        if let Some(item) = slot.queue.pop_front() {
            return Poll::Ready(Some(item));
        }
        if slot.ended {
            slot.end_was_seen = true;
            return Poll::Ready(None);
        }
        slot.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl<T> Drop for Source<T> {
    fn drop(&mut self) {
        self.0.borrow_mut().dropped = true;
    }
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A consumer: takes all that is ready, and polls only when it was woken.
pub(super) struct Consumer<S> {
    stream: Pin<Box<S>>,
    woken: Arc<Woken>,
    pub(super) ended: bool,
}

impl<S: Stream> Consumer<S> {
    pub(super) fn new(stream: S) -> Self {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        Self { stream: Box::pin(stream), woken, ended: false }
    }

    pub(super) fn get(&self) -> &S {
        &self.stream
    }

    /// Everything that can be had now.
    pub(super) fn take(&mut self) -> Vec<S::Item> {
        std::iter::from_fn(|| self.take_one()).collect()
    }

    /// The next item if there is one now.
    pub(super) fn take_one(&mut self) -> Option<S::Item> {
        let waker = Waker::from(self.woken.clone());
        while !self.ended && self.woken.0.swap(false, Ordering::SeqCst) {
            match self.stream.as_mut().poll_next(&mut Context::from_waker(&waker)) {
                Poll::Ready(Some(item)) => {
                    self.woken.0.store(true, Ordering::SeqCst);
                    return Some(item);
                }
                Poll::Ready(None) => self.ended = true,
                Poll::Pending => {}
            }
        }
        None
    }
}

/// What happens to the two sources of an operator, one at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// Nothing yet; the operator is polled.
    Start,
    A(i32),
    B(i32),
    EndA,
    EndB,
}

/// What the model says to a step: the items, and whether the stream ends with them.
pub(super) type Reply<T> = (Vec<T>, bool);

/// Any interleaving of two sources of small numbers, each of which may end.
pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..4).prop_map(Step::A),
        8 => (0..4).prop_map(Step::B),
        1 => Just(Step::EndA),
        1 => Just(Step::EndB),
    ];
    prop::collection::vec(step, 0..24).prop_map(|mut steps| {
        let (mut a_ended, mut b_ended) = (false, false);
        steps.retain(|step| match step {
            Step::A(_) => !a_ended,
            Step::B(_) => !b_ended,
            Step::EndA => !std::mem::replace(&mut a_ended, true),
            Step::EndB => !std::mem::replace(&mut b_ended, true),
            Step::Start => false,
        });
        steps
    })
}

/// Runs the steps through the operator and the model, and compares after each step.
pub(super) fn follows<S>(
    steps: &[Step],
    operator: impl FnOnce(Source<i32>, Source<i32>) -> S,
    mut model: impl FnMut(Step) -> Reply<S::Item>,
) where
    S: Stream<Item: Debug + PartialEq>,
{
    let (a, source_a) = source();
    let (b, source_b) = source();
    let mut consumer = Consumer::new(operator(source_a, source_b));
    for (index, &step) in [Step::Start].iter().chain(steps).enumerate() {
        match step {
            Step::Start => {}
            Step::A(item) => a.give(item),
            Step::B(item) => b.give(item),
            Step::EndA => a.end(),
            Step::EndB => b.end(),
        }
        let got = (consumer.take(), consumer.ended);
        assert_eq!(got, model(step), "after step {index} ({step:?}) of {steps:?}");
        if consumer.ended {
            return;
        }
    }
}

/// The numbers of one source, in bursts: the items of a burst are there together.
pub(super) fn bursts() -> impl Strategy<Value = Vec<Vec<i32>>> {
    prop::collection::vec(prop::collection::vec(0..5, 0..4), 0..8)
}

/// All that the operator makes of the bursts and the end after them.
pub(super) fn through<T, S: Stream>(bursts: &[Vec<T>], operator: impl FnOnce(Source<T>) -> S) -> Vec<S::Item>
where
    T: Clone,
{
    let (hand, source) = source();
    let mut consumer = Consumer::new(operator(source));
    let mut got = consumer.take();
    for burst in bursts {
        for item in burst {
            hand.give(item.clone());
        }
        got.extend(consumer.take());
    }
    hand.end();
    got.extend(consumer.take());
    assert!(consumer.ended, "the source has ended, but not the operator");
    got
}
