//! `group_by`: a stream for each key.

use super::alarm::{Alarm, BURST, after};
use super::idle_map::{IdleMap, MAX_GROUPS};
use super::lane::{LANE_CAPACITY, Lane, Pushed, Reader, WhenFull};
use super::metered::Metered;
use futures::Stream;
use pin_project_lite::pin_project;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

/// How long one group may hold up the others before it is reported.
const STUCK: Duration = Duration::from_secs(10);

pin_project! {
    /// Stream of [`Operators::group_by`](crate::stream::Operators::group_by): the groups, each when its first item comes.
    ///
    /// **This stream moves the items**: while it is not polled, no group gets any, so give each [`Group`] to a task, or
    /// use [`group_and_pipe`](crate::stream::Operators::group_and_pipe), which does it all. Dropping it ends the groups
    /// once they have read what waits.
    ///
    /// **A group ends** when no item of its key has come for `idle`, when there are more than
    /// [`max_groups`](Self::max_groups) (then the one silent for longest ends), and when the source ends. A later item of
    /// the key opens a new group.
    ///
    /// **A slow group** that [`capacity`](Self::capacity) items wait for holds up all others: nothing is lost, and a
    /// warning is logged each 10 s it takes. With [`shed_when_full`](Self::shed_when_full) it loses its oldest
    /// items instead, counted in [`Group::shed`]. **A dropped group** never holds anything up: further items of its key
    /// are dropped until it would have ended.
    ///
    /// - **Emits when** an item comes whose key has no group.
    /// - **Back-pressures when** a group is full (see above), or downstream does.
    /// - **Completes when** the source completes.
    /// - **Cancels when** downstream cancels; the groups end.
    ///
    /// Memory: `max_groups` (65,536 unless said otherwise) times twice `capacity` (1,024) items, allocated when needed; a
    /// group read to its end leaves nothing. Source:
    /// [ReactiveX GroupBy](https://reactivex.io/documentation/operators/groupby.html); RxPY `group_by`,
    /// `group_by_until`, where groups never end, or are ended by a stream.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// use futures::StreamExt;
    /// use mape::stream::{Operators, testing::marbles};
    /// use std::time::Duration;
    ///
    /// let groups = marbles("aAbBa{100}a|").group_by(char::to_ascii_lowercase, Duration::from_millis(50));
    /// let mut seen: Vec<_> = groups
    ///     .map(|group| (*group.key(), group.collect::<String>()))
    ///     .map(|(key, items)| tokio::spawn(async move { (key, items.await) }))
    ///     .buffer_unordered(10)
    ///     .map(Result::unwrap)
    ///     .collect()
    ///     .await;
    /// seen.sort();
    /// assert_eq!(seen, [('a', "a".into()), ('a', "aAa".into()), ('b', "bB".into())]);
    /// # }
    /// ```
    #[must_use = "streams do nothing unless polled"]
    pub struct GroupBy<S: Stream, K, F> {
        #[pin]
        source: S,
        #[pin]
        expiry: Alarm,
        #[pin]
        stuck: Alarm,
        key: F,
        groups: IdleMap<K, Arc<Lane<S::Item>>>,
        limits: Limits,
        metered: Metered,
        held: Option<(K, S::Item)>,
        ended: bool,
    }

    impl<S: Stream, K, F> PinnedDrop for GroupBy<S, K, F> {
        fn drop(this: Pin<&mut Self>) {
            this.project().groups.drain().for_each(|lane| lane.close());
        }
    }
}

/// What keeps an operator with groups within bounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) groups: usize,
    pub(super) capacity: usize,
    pub(super) full: WhenFull,
}

impl Default for Limits {
    fn default() -> Self {
        Self { groups: MAX_GROUPS, capacity: LANE_CAPACITY, full: WhenFull::Wait }
    }
}

impl<S: Stream, K: Hash + Eq + Clone, F> GroupBy<S, K, F> {
    pub(crate) fn new(source: S, key: F, idle: Option<Duration>) -> Self {
        Self {
            source,
            expiry: Alarm::default(),
            stuck: Alarm::default(),
            key,
            groups: IdleMap::new(idle),
            limits: Limits::default(),
            metered: Metered::new("group_by"),
            held: None,
            ended: false,
        }
    }

    /// How many groups live at once at most (0 counts as 1).
    pub fn max_groups(mut self, groups: usize) -> Self {
        self.limits.groups = groups.max(1);
        self
    }

    /// How many items wait for the reader of a group at most (0 counts as 1); what it took is counted apart.
    pub fn capacity(mut self, items: usize) -> Self {
        self.limits.capacity = items.max(1);
        self
    }

    /// A full group loses its oldest items instead of holding up the others.
    pub fn shed_when_full(mut self) -> Self {
        self.limits.full = WhenFull::ShedOldest;
        self
    }

    /// How many groups live now.
    #[must_use]
    pub fn live_groups(&self) -> usize {
        self.groups.len()
    }
}

impl<S, K, F> Stream for GroupBy<S, K, F>
where
    S: Stream,
    K: Hash + Eq + Clone,
    F: FnMut(&S::Item) -> K,
{
    type Item = Group<K, S::Item>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Group<K, S::Item>>> {
        let mut this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        this.groups.tick();
        if let Some((key, _)) = this.held {
            // A group that an item waits for is not idle.
            this.groups.ask(key);
        }
        end_idle(&mut this.expiry, this.groups, cx, |lane| lane.close());
        for _ in 0..BURST {
            let (key, item) = match this.held.take() {
                Some(held) => held,
                None => match this.source.as_mut().poll_next(cx) {
                    Poll::Ready(Some(item)) => {
                        this.groups.step();
                        ((this.key)(&item), item)
                    }
                    Poll::Ready(None) => {
                        *this.ended = true;
                        this.groups.drain().for_each(|lane| lane.close());
                        return Poll::Ready(None);
                    }
                    Poll::Pending => return Poll::Pending,
                },
            };
            let Some(lane) = this.groups.ask(&key) else {
                if this.groups.len() >= this.limits.groups
                    && let Some(oldest) = this.groups.pop_oldest()
                {
                    oldest.close();
                }
                let (lane, reader) = Lane::new(this.limits.capacity, this.metered);
                lane.push(item, this.limits.full, cx.waker(), None);
                this.groups.insert(key.clone(), lane);
                return Poll::Ready(Some(Group { key, reader }));
            };
            if let Pushed::Full(item) = lane.push(item, this.limits.full, cx.waker(), None) {
                *this.held = Some((key, item));
                report_stuck(this.stuck, cx);
                return Poll::Pending;
            }
            this.stuck.as_mut().clear();
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Ends the groups that are due, and asks to be woken when the next ones are.
pub(super) fn end_idle<K: Hash + Eq + Clone, V>(
    expiry: &mut Pin<&mut Alarm>,
    groups: &mut IdleMap<K, V>,
    cx: &mut Context<'_>,
    mut end: impl FnMut(V),
) {
    loop {
        if expiry.due().is_none() {
            let Some(due) = groups.next_due() else { return };
            expiry.as_mut().set(due);
        }
        if expiry.as_mut().poll(cx).is_pending() {
            return;
        }
        groups.tick();
        while let Some(idle) = groups.pop_idle() {
            end(idle);
        }
    }
}

/// Called while a full group holds up the others.
pub(super) fn report_stuck(mut stuck: Pin<&mut Alarm>, cx: &mut Context<'_>) {
    if stuck.due().is_none() {
        stuck.as_mut().set(after(Instant::now(), STUCK));
    }
    if stuck.poll(cx).is_ready() {
        tracing::warn!(
            waited = ?STUCK,
            "a full group holds up the others: read it, drop it, or use shed_when_full"
        );
    }
}

/// The items of one key, from [`GroupBy`] or
/// [`group_and_pipe`](crate::stream::Operators::group_and_pipe).
///
/// It ends when the group does, after what waits has been read. Dropping it drops what waits and the key's further items.
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Group<K, T> {
    key: K,
    reader: Reader<T>,
}

impl<K, T> Group<K, T> {
    pub(super) fn new(key: K, reader: Reader<T>) -> Self {
        Self { key, reader }
    }

    /// The key of all items.
    pub fn key(&self) -> &K {
        &self.key
    }

    /// How many items were lost because nobody read them in time; always 0 without
    /// [`shed_when_full`](GroupBy::shed_when_full).
    #[must_use]
    pub fn shed(&self) -> u64 {
        self.reader.shed()
    }
}

impl<K, T> Unpin for Group<K, T> {}

impl<K, T> Stream for Group<K, T> {
    type Item = T;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.get_mut().reader.poll_next(cx)
    }
}
