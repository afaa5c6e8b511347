//! Results that go into a log.

use super::done::Done;
use crate::event::{Delivery, Event, Log};
use futures::Sink;
use serde::Serialize;
use std::convert::Infallible;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Appends results to a log and acknowledges what they came of, each pair as one: for
/// [`Element::link_sink`](crate::element::Element::link_sink), behind [`batches`](super::batches). The fields of a result
/// are those of its event.
///
/// What failed is delivered again, to whoever is next in its group, until its attempts are used up; then it goes to the dead
/// letters with the reason.
///
/// # Delivery
/// Every input has its result in the log exactly once, as long as its consumer keeps its lease until it is told; what was
/// worked on twice is told once.
#[derive(Debug)]
pub struct Answers<T, R> {
    log: Log,
    kind: String,
    attempts: u64,
    pair: PhantomData<fn(T, R)>,
}

impl<T, R> Answers<T, R> {
    /// Into this log, as events of this kind.
    #[must_use]
    pub fn new(log: &Log, kind: &str) -> Self {
        Self { log: log.clone(), kind: kind.to_owned(), attempts: 3, pair: PhantomData }
    }

    /// How many times an input is tried before it goes to the dead letters, at least once; 3 unless said.
    #[must_use]
    pub fn attempts(mut self, attempts: u64) -> Self {
        self.attempts = attempts.max(1);
        self
    }
}

impl<T, R: Serialize> Sink<Done<Delivery<T>, R>> for Answers<T, R> {
    type Error = Infallible;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, done: Done<Delivery<T>, R>) -> Result<(), Infallible> {
        let Done { item, result } = done;
        match result {
            Ok(result) => match Event::of(&result) {
                Ok(event) => {
                    let event = event.of_kind(&self.kind).stamped();
                    let event = item.context().into_iter().fold(event, Event::traced_by);
                    item.acknowledge_with([(self.log.name().clone(), event)]);
                }
                Err(error) => item.bury(&format!("its result can't be an event: {error}")),
            },
            Err(reason) if item.attempt() >= self.attempts => item.bury(&reason),
            Err(_) => item.give_back(None),
        }
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}
