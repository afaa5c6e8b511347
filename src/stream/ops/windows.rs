//! `window_*`: a stream for each stretch of items.

use super::alarm::{Alarm, BURST, after, next_tick};
use super::lane::{LANE_CAPACITY, Lane, Pushed, Reader, WhenFull};
use super::metered::Metered;
use futures::Stream;
use futures::task::AtomicWaker;
use parking_lot::Mutex;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use tokio::time::Instant;

/// Stream of [`Operators::window_count`](crate::stream::Operators::window_count), `window_time`,
/// `window_count_or_time` and `window_session`: the windows, each when it opens.
///
/// Windows of a fixed time open and close on a grid from the first poll, items or not; the others open with their first
/// item. At most one is open. An item that comes exactly when a window closes belongs to the next.
///
/// Reading a window moves the source on, and so does polling this stream: windows can be read one after another as they
/// come, or beside one another in tasks of their own.
/// **A window that nobody reads** holds up the source when [`capacity`](Self::capacity) items wait in it, until it is
/// read, dropped or closed by time. **The items of a dropped window** are dropped until it closes. **When this stream is
/// dropped**, the open window goes on to its end, and nothing follows.
///
/// - **Emits when** a window opens.
/// - **Back-pressures when** the open window is full, or the next one was not asked for.
/// - **Completes when** the source completes.
/// - **Cancels when** downstream cancels and all windows are dropped.
///
/// Memory: `capacity` items (1,024 unless said otherwise) a window that is kept, one timer. Source:
/// [ReactiveX Window](https://reactivex.io/documentation/operators/window.html); RxPY `window_with_count`,
/// `window_with_time`, `window_with_time_or_count`, where windows not read are without bounds.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// use futures::StreamExt;
/// use mape::stream::{Operators, testing::{assert_marbles, marbles}};
/// use std::time::Duration;
///
/// let counts = marbles("a-bc-----d|").window_time(Duration::from_millis(3)).then(|window| window.count());
/// assert_marbles(counts, "---2--1--0(1|)").await;
/// # }
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct Windows<S: Stream> {
    shared: Arc<Shared<S>>,
}

/// When a window closes.
#[derive(Clone, Copy, Debug)]
enum Cut {
    Count(usize),
    Time(Duration),
    CountOrTime(usize, Duration),
    Session(Duration),
}

struct Shared<S: Stream> {
    cutter: Mutex<Cutter<S>>,
    relay: Arc<Relay>,
    waker: Waker,
}

/// Wakes whoever may move the source on: it cannot know which of the two is still looked after.
#[derive(Debug, Default)]
struct Relay {
    windows: AtomicWaker,
    window: AtomicWaker,
}

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.windows.wake();
        self.window.wake();
    }
}

struct Cutter<S: Stream> {
    source: Pin<Box<S>>,
    alarm: Pin<Box<Alarm>>,
    cut: Cut,
    capacity: usize,
    metered: Metered,
    start: Option<Instant>,
    open: Option<Arc<Lane<S::Item>>>,
    count: usize,
    opened: Option<Reader<S::Item>>,
    held: Option<S::Item>,
    wanted: bool,
    ended: bool,
}

impl<S: Stream> Windows<S> {
    pub(crate) fn count(source: S, n: usize) -> Self {
        Self::new(source, Cut::Count(n))
    }

    pub(crate) fn time(source: S, period: Duration) -> Self {
        Self::new(source, Cut::Time(period.max(Duration::from_millis(1))))
    }

    pub(crate) fn count_or_time(source: S, n: usize, time: Duration) -> Self {
        Self::new(source, Cut::CountOrTime(n, time))
    }

    pub(crate) fn session(source: S, gap: Duration) -> Self {
        Self::new(source, Cut::Session(gap))
    }

    fn new(source: S, cut: Cut) -> Self {
        let relay = Arc::new(Relay::default());
        let cutter = Cutter {
            source: Box::pin(source),
            alarm: Box::pin(Alarm::default()),
            cut,
            capacity: LANE_CAPACITY,
            metered: Metered::new("windows"),
            start: None,
            open: None,
            count: 0,
            opened: None,
            held: None,
            wanted: true,
            ended: false,
        };
        let waker = Waker::from(Arc::clone(&relay));
        Self { shared: Arc::new(Shared { cutter: Mutex::new(cutter), relay, waker }) }
    }

    /// How many items wait for the reader of a window at most (0 counts as 1); what it took is counted apart.
    pub fn capacity(self, items: usize) -> Self {
        self.shared.cutter.lock().capacity = items.max(1);
        self
    }
}

impl<S: Stream> Stream for Windows<S> {
    type Item = Window<S>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Window<S>>> {
        let shared = &self.shared;
        let mut cutter = shared.cutter.lock();
        if cutter.opened.is_none() && !cutter.ended {
            shared.relay.windows.register(cx.waker());
            cutter.advance(&shared.waker, None);
        }
        match cutter.opened.take() {
            Some(reader) => Poll::Ready(Some(Window { reader, shared: Arc::clone(shared) })),
            None if cutter.ended => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

impl<S: Stream> Drop for Windows<S> {
    fn drop(&mut self) {
        let mut cutter = self.shared.cutter.lock();
        cutter.wanted = false;
        let opened = cutter.opened.take();
        drop(cutter);
        drop(opened);
    }
}

impl<S: Stream> Cutter<S> {
    /// Moves the source on until it is pending, the open window is full, or a new one waits to be asked for.
    fn advance(&mut self, waker: &Waker, silent: Option<&Waker>) {
        let mut cx = Context::from_waker(waker);
        if let Cut::Time(_) = self.cut
            && self.start.is_none()
        {
            self.open();
        }
        for _ in 0..BURST {
            if self.ended || self.opened.is_some() {
                return;
            }
            if self.alarm.as_mut().poll(&mut cx).is_ready() {
                self.turn();
                continue;
            }
            let item = match self.held.take() {
                Some(item) => item,
                None => match self.source.as_mut().poll_next(&mut cx) {
                    Poll::Ready(Some(item)) => item,
                    Poll::Ready(None) => {
                        self.close();
                        self.ended = true;
                        return;
                    }
                    // The alarm may have been moved since.
                    Poll::Pending if self.alarm.as_mut().poll(&mut cx).is_pending() => return,
                    Poll::Pending => {
                        self.turn();
                        continue;
                    }
                },
            };
            if self.open.is_none() {
                self.open();
            }
            let Some(lane) = &self.open else { return };
            if let Pushed::Full(item) = lane.push(item, WhenFull::Wait, waker, silent) {
                self.held = Some(item);
                return;
            }
            self.count += 1;
            match self.cut {
                Cut::Count(n) | Cut::CountOrTime(n, _) if self.count >= n => self.close(),
                Cut::Session(gap) => self.alarm.as_mut().set(after(Instant::now(), gap)),
                _ => {}
            }
        }
        waker.wake_by_ref();
    }

    /// Time is up for the open window.
    fn turn(&mut self) {
        self.close();
        if let Cut::Time(_) = self.cut {
            self.open();
        }
    }

    fn open(&mut self) {
        if !self.wanted {
            self.ended = true;
            return;
        }
        let now = Instant::now();
        let start = *self.start.get_or_insert(now);
        match self.cut {
            Cut::Time(period) => self.alarm.as_mut().set(next_tick(start, period, now)),
            Cut::CountOrTime(_, time) => self.alarm.as_mut().set(after(now, time)),
            Cut::Count(_) | Cut::Session(_) => {}
        }
        let (lane, reader) = Lane::new(self.capacity, &self.metered);
        (self.open, self.opened, self.count) = (Some(lane), Some(reader), 0);
    }

    fn close(&mut self) {
        self.alarm.as_mut().clear();
        if let Some(lane) = self.open.take() {
            lane.close();
        }
    }
}

/// The items of one window, from [`Windows`].
#[must_use = "streams do nothing unless polled"]
pub struct Window<S: Stream> {
    reader: Reader<S::Item>,
    shared: Arc<Shared<S>>,
}

impl<S: Stream> Unpin for Window<S> {}

impl<S: Stream> Stream for Window<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let Self { reader, shared } = self.get_mut();
        if let Poll::Ready(item) = reader.poll_next(cx) {
            return Poll::Ready(item);
        }
        let mut cutter = shared.cutter.lock();
        if cutter.open.as_ref().is_some_and(|lane| reader.reads(lane)) {
            shared.relay.window.register(cx.waker());
            cutter.advance(&shared.waker, Some(cx.waker()));
        }
        drop(cutter);
        reader.poll_next(cx)
    }
}

impl<S: Stream> fmt::Debug for Windows<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Windows").finish_non_exhaustive()
    }
}

impl<S: Stream> fmt::Debug for Window<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window").finish_non_exhaustive()
    }
}
