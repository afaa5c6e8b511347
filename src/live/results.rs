//! A sink of what is to be published.

use super::Part;
use super::live::Shared;
use futures::Sink;
use serde::Serialize;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

/// A sink of what is to be published; made by [`Live::results`](super::Live::results).
///
/// What can't be written as JSON is published as an error in its place.
pub struct Results<T> {
    live: Weak<Shared>,
    make: Make<T>,
    parts: Vec<Part>,
}

type Make<T> = Box<dyn FnMut(T) -> Part + Send>;

/// The live server is gone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the live server is gone")]
pub struct LiveGone;

impl Results<Part> {
    /// Of parts as elements make them of jobs.
    pub(super) fn parts(live: Weak<Shared>) -> Self {
        Self { live, make: Box::new(|part| part), parts: Vec::new() }
    }
}

impl<T: Serialize> Results<T> {
    pub(super) fn new(live: Weak<Shared>, name: &str) -> Self {
        let name: Arc<str> = name.into();
        let make = move |item: T| match serde_json::to_value(item) {
            Ok(data) => Part::new(name.clone(), data),
            Err(error) => Part::failed(name.clone(), format!("an item can't be written as JSON: {error}")),
        };
        Self { live, make: Box::new(make), parts: Vec::new() }
    }
}

impl<T> Results<T> {
    /// Waits while the pipeline they go through is full.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), LiveGone>> {
        let Some(live) = self.live.upgrade() else { return Poll::Ready(Err(LiveGone)) };
        live.station.poll_send(&mut self.parts, cx).map(Ok)
    }
}

impl<T> Unpin for Results<T> {}

impl<T> Sink<T> for Results<T> {
    type Error = LiveGone;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), LiveGone>> {
        // As many as an element emits at a time.
        if self.parts.len() < 256 { Poll::Ready(Ok(())) } else { self.poll_send(cx) }
    }

    fn start_send(mut self: Pin<&mut Self>, item: T) -> Result<(), LiveGone> {
        let me = &mut *self;
        me.parts.push((me.make)(item));
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), LiveGone>> {
        self.poll_send(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), LiveGone>> {
        self.poll_flush(cx)
    }
}

impl<T> fmt::Debug for Results<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Results").finish_non_exhaustive()
    }
}
