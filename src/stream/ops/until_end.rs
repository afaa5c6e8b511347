//! A source that is dropped as soon as it ends.

use futures::Stream;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// Unlike `futures::stream::Fuse` it frees what the source held, and it can be cloned.
    #[derive(Clone, Debug)]
    pub(super) struct UntilEnd<S> {
        #[pin]
        source: Option<S>,
    }
}

impl<S> UntilEnd<S> {
    pub(super) const fn new(source: S) -> Self {
        Self { source: Some(source) }
    }

    pub(super) const fn ended() -> Self {
        Self { source: None }
    }

    #[inline]
    pub(super) const fn has_ended(&self) -> bool {
        self.source.is_none()
    }

    /// Drops the source now.
    pub(super) fn end(self: Pin<&mut Self>) {
        self.project().source.set(None);
    }
}

impl<S: Stream> Stream for UntilEnd<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let Some(source) = this.source.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let polled = source.poll_next(cx);
        if let Poll::Ready(None) = polled {
            this.source.set(None);
        }
        polled
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.source.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}
