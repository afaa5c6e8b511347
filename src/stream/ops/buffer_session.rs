//! `buffer_session`: the items between two silences.

use super::alarm::{Alarm, BURST, CAPACITY, after};
use super::metered::Metered;
use futures::Stream;
use pin_project_lite::pin_project;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;

pin_project! {
    /// Stream of [`Operators::buffer_session`](crate::stream::Operators::buffer_session).
    ///
    /// A session ends when nothing came for `gap`; an item that comes exactly then begins the next. A session of more than
    /// [`capacity`](Self::capacity) items (65,536 unless said otherwise) is emitted in parts.
    ///
    /// - **Emits when** no item has come for `gap`, or `capacity` items have; at the end, the rest if there is any.
    /// - **Back-pressures when** downstream does.
    /// - **Completes when** the source completes.
    /// - **Cancels when** downstream cancels; the started list is dropped.
    ///
    /// Memory: one session, at most `capacity` items; one timer, touched when it fires. Source: session windows of the
    /// Dataflow Model (Akidau et al., VLDB 2015); in ReactiveX, `buffer` closed by the debounced source.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use mape::stream::{Operators, testing::{assert_marbles, marbles}};
    /// use std::time::Duration;
    ///
    /// let visits = marbles("a-b-c----d|").buffer_session(Duration::from_millis(3));
    /// assert_marbles(visits, "-------[abc]--([d]|)").await;
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct BufferSession<S: Stream> {
        #[pin]
        source: S,
        #[pin]
        alarm: Alarm,
        gap: Duration,
        capacity: usize,
        items: Vec<S::Item>,
        metered: Metered,
        ended: bool,
    }
}

impl<S: Stream> BufferSession<S> {
    pub(crate) fn new(source: S, gap: Duration) -> Self {
        Self {
            source,
            alarm: Alarm::default(),
            gap,
            capacity: CAPACITY,
            items: Vec::new(),
            metered: Metered::new("buffer_session"),
            ended: false,
        }
    }

    /// How many items a list holds at most (0 counts as 1).
    pub fn capacity(mut self, items: usize) -> Self {
        self.capacity = items.max(1);
        self
    }
}

impl<S: Stream> Stream for BufferSession<S> {
    type Item = Vec<S::Item>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Vec<S::Item>>> {
        let mut this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        if this.alarm.as_mut().poll(cx).is_ready() {
            this.metered.queued(0);
            return Poll::Ready(Some(mem::take(this.items)));
        }
        let mut burst = 0;
        while burst < BURST {
            match this.source.as_mut().poll_next(cx) {
                Poll::Ready(Some(item)) => {
                    this.items.push(item);
                    this.metered.queued(this.items.len());
                    if this.items.len() >= *this.capacity {
                        this.alarm.clear();
                        this.metered.queued(0);
                        return Poll::Ready(Some(mem::take(this.items)));
                    }
                    burst += 1;
                }
                Poll::Ready(None) => {
                    *this.ended = true;
                    let rest = mem::take(this.items);
                    this.metered.queued(0);
                    return Poll::Ready((!rest.is_empty()).then_some(rest));
                }
                Poll::Pending if burst == 0 => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        this.alarm.as_mut().set(after(Instant::now(), *this.gap));
        if burst == BURST {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        ready!(this.alarm.poll(cx));
        this.metered.queued(0);
        Poll::Ready(Some(mem::take(this.items)))
    }
}
