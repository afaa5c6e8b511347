//! The operators as methods on every stream.

use super::{Backoff, Notification, ops};
use futures::Stream;
use std::fmt::Debug;
use std::hash::Hash;
use std::time::Duration;

/// ReactiveX operators over any [`Stream`].
pub trait Operators: Stream {
    // --- combining -------------------------------------------------------------------------------------------

    /// Pairs of the latest items of both streams, a new pair for each new item.
    ///
    /// ```text
    /// self   1-----2--------|
    /// other  ---a-----b-|
    ///        ---1a-2a-2b----|
    /// ```
    ///
    /// See [`CombineLatest`](ops::CombineLatest).
    fn combine_latest<B>(self, other: B) -> ops::CombineLatest<Self, B>
    where
        Self: Sized,
        Self::Item: Clone,
        B: Stream,
        B::Item: Clone,
    {
        ops::CombineLatest::new(self, other)
    }

    /// A function of the latest items of both streams, called for each new item.
    ///
    /// ```text
    /// self   1------2---------|
    /// other  ---10-----20-|
    ///        ---11--12-22-----|   with |a, b| a + b
    /// ```
    ///
    /// See [`CombineLatestWith`](ops::CombineLatestWith).
    fn combine_latest_with<B, F, T>(self, other: B, join: F) -> ops::CombineLatestWith<Self, B, F>
    where
        Self: Sized,
        B: Stream,
        F: FnMut(&Self::Item, &B::Item) -> T,
    {
        ops::CombineLatestWith::new(self, other, join)
    }

    /// The given items first, then the stream.
    ///
    /// ```text
    /// self   ---3--4--|
    ///        12-3--4--|   with [1, 2]
    /// ```
    ///
    /// See [`StartWith`](ops::StartWith).
    fn start_with<I>(self, first: I) -> ops::StartWith<Self, I::IntoIter>
    where
        Self: Sized,
        I: IntoIterator<Item = Self::Item>,
    {
        ops::StartWith::new(self, first.into_iter())
    }

    /// Each item with the latest of the other stream.
    ///
    /// ```text
    /// self   ---1-----2--3--|
    /// other  -a----b----------
    ///        ---1a----2b-3b-|
    /// ```
    ///
    /// See [`WithLatestFrom`](ops::WithLatestFrom).
    fn with_latest_from<B>(self, other: B) -> ops::WithLatestFrom<Self, B>
    where
        Self: Sized,
        B: Stream,
        B::Item: Clone,
    {
        ops::WithLatestFrom::new(self, other)
    }

    /// The stream that is first to give an item or end; the other is dropped.
    ///
    /// ```text
    /// self   -----1--2--|
    /// other  --7----8-----9--|
    ///        --7----8-----9--|
    /// ```
    ///
    /// For many streams: [`race_all`](crate::stream::race_all).
    ///
    /// See [`RaceWith`](ops::RaceWith).
    #[doc(alias = "amb")]
    fn race_with<B>(self, other: B) -> ops::RaceWith<Self, B>
    where
        Self: Sized,
        B: Stream<Item = Self::Item>,
    {
        ops::RaceWith::new(self, other)
    }

    /// Pairs by position until both have ended; `None` stands for what the shorter one lacks.
    ///
    /// ```text
    /// self   1--2--3--|
    /// other  -a-b|
    ///        -1a2b-3---|
    /// ```
    ///
    /// See [`ZipLongest`](ops::ZipLongest).
    fn zip_longest<B>(self, other: B) -> ops::ZipLongest<Self, B>
    where
        Self: Sized,
        B: Stream,
    {
        ops::ZipLongest::new(self, other)
    }

    /// The stream, then the given items.
    ///
    /// ```text
    /// self   1--2--|
    ///        1--2--34|   with [3, 4]
    /// ```
    ///
    /// See [`EndWith`](ops::EndWith).
    fn end_with<I>(self, last: I) -> ops::EndWith<Self, I::IntoIter>
    where
        Self: Sized,
        I: IntoIterator<Item = Self::Item>,
    {
        ops::EndWith::new(self, last.into_iter())
    }

    /// The stream, or the given item if it has none.
    ///
    /// ```text
    /// self   -----|
    ///        -----0|   with 0
    /// ```
    ///
    /// See [`DefaultIfEmpty`](ops::DefaultIfEmpty).
    fn default_if_empty(self, default: Self::Item) -> ops::DefaultIfEmpty<Self>
    where
        Self: Sized,
    {
        ops::DefaultIfEmpty::new(self, default)
    }

    /// The stream, or the other one if it has no item.
    ///
    /// ```text
    /// self   ---|
    /// other     1--2--|
    ///        ---1--2--|
    /// ```
    ///
    /// See [`SwitchIfEmpty`](ops::SwitchIfEmpty).
    fn switch_if_empty<B>(self, other: B) -> ops::SwitchIfEmpty<Self, B>
    where
        Self: Sized,
        B: Stream<Item = Self::Item>,
    {
        ops::SwitchIfEmpty::new(self, other)
    }

    /// Whether both streams give equal items in the same order, and equally many.
    ///
    /// ```text
    /// self   1--2--3|
    /// other  1-2-----4--
    ///        --------false
    /// ```
    ///
    /// See [`SequenceEqual`](ops::SequenceEqual).
    fn sequence_equal<B>(self, other: B) -> ops::SequenceEqual<Self, B>
    where
        Self: Sized,
        Self::Item: PartialEq<B::Item>,
        B: Stream,
    {
        ops::SequenceEqual::new(self, other)
    }

    // --- flattening ------------------------------------------------------------------------------------------

    /// The items of the stream that the function makes of the latest item; an earlier one is dropped.
    ///
    /// ```text
    /// self   A------B---------|
    /// f(A)   --1--2--3
    /// f(B)          --4--5-|
    ///        --1--2---4--5----|
    /// ```
    ///
    /// See [`SwitchMap`](ops::SwitchMap).
    #[doc(alias = "flat_map_latest")]
    fn switch_map<U, F>(self, f: F) -> ops::SwitchMap<Self, U, F>
    where
        Self: Sized,
        U: Stream,
        F: FnMut(Self::Item) -> U,
    {
        ops::SwitchMap::new(self, f)
    }

    /// The items of the latest inner stream; an earlier one is dropped.
    ///
    /// ```text
    /// self   A------B---------|
    /// A      --1--2--3
    /// B             --4--5-|
    ///        --1--2---4--5----|
    /// ```
    ///
    /// See [`SwitchLatest`](ops::SwitchLatest).
    fn switch_latest(self) -> ops::SwitchLatest<Self>
    where
        Self: Sized,
        Self::Item: Stream,
    {
        ops::SwitchLatest::new(self)
    }

    /// The items of the stream that the function makes of an item; items that come while it runs are dropped.
    ///
    /// ```text
    /// self   A------B----C----|
    /// f(A)   --1--2--3|
    /// f(C)               --4|
    ///        --1--2--3-----4--|
    /// ```
    ///
    /// See [`ExhaustMap`](ops::ExhaustMap).
    #[doc(alias = "flat_map_first")]
    fn exhaust_map<U, F>(self, f: F) -> ops::ExhaustMap<Self, U, F>
    where
        Self: Sized,
        U: Stream,
        F: FnMut(Self::Item) -> U,
    {
        ops::ExhaustMap::new(self, f)
    }

    /// The items of an inner stream; inner streams that come while it runs are dropped.
    ///
    /// ```text
    /// self   A------B----C----|
    /// A      --1--2--3|
    /// C                  --4|
    ///        --1--2--3-----4--|
    /// ```
    ///
    /// See [`ExhaustAll`](ops::ExhaustAll).
    #[doc(alias = "exclusive")]
    fn exhaust_all(self) -> ops::ExhaustAll<Self>
    where
        Self: Sized,
        Self::Item: Stream,
    {
        ops::ExhaustAll::new(self)
    }

    /// The items, those of the streams that the function makes of them, and so on, at most `limit` streams at a time.
    ///
    /// ```text
    /// self   1-----|
    /// f(1)   --2--3|
    /// f(2)     ---4|
    ///        1-2--3-4|   with limit 2
    /// ```
    ///
    /// See [`Expand`](ops::Expand).
    fn expand<U, F>(self, limit: usize, f: F) -> ops::Expand<Self, U, F>
    where
        Self: Sized,
        Self::Item: Clone,
        U: Stream<Item = Self::Item>,
        F: FnMut(Self::Item) -> U,
    {
        ops::Expand::new(self, limit, f)
    }

    // --- sharing and errors ----------------------------------------------------------------------------------

    /// Items and end as [`Notification`]s, the last one `Completed`.
    ///
    /// ```text
    /// self   1--2----|
    ///        1--2----C|
    /// ```
    ///
    /// See [`Materialize`](ops::Materialize).
    fn materialize(self) -> ops::Materialize<Self>
    where
        Self: Sized,
    {
        ops::Materialize::new(self)
    }

    /// Items, errors and end as [`Notification`]s, the last one `Completed`.
    ///
    /// ```text
    /// self   1--x--2--|
    ///        1--x--2--C|
    /// ```
    ///
    /// See [`TryMaterialize`](ops::TryMaterialize).
    fn try_materialize<T, E>(self) -> ops::TryMaterialize<Self>
    where
        Self: Sized + Stream<Item = Result<T, E>>,
    {
        ops::TryMaterialize::new(self)
    }

    /// The items out of [`Notification`]s, up to `Completed`.
    ///
    /// ```text
    /// self   1--2--C--3--|
    ///        1--2--|
    /// ```
    ///
    /// See [`Dematerialize`](ops::Dematerialize).
    fn dematerialize<T>(self) -> ops::Dematerialize<Self>
    where
        Self: Sized + Stream<Item = Notification<T>>,
    {
        ops::Dematerialize::new(self)
    }

    /// The items and errors out of [`Notification`]s, up to `Completed`.
    ///
    /// ```text
    /// self   1--x--2--C|
    ///        1--x--2--|
    /// ```
    ///
    /// See [`TryDematerialize`](ops::TryDematerialize).
    fn try_dematerialize<T, E>(self) -> ops::TryDematerialize<Self>
    where
        Self: Sized + Stream<Item = Notification<T, E>>,
    {
        ops::TryDematerialize::new(self)
    }

    /// A handle that can be cloned and is a stream itself: all subscribers get the items of one run of this stream.
    ///
    /// ```text
    /// self         ---1---2---3---4--|
    /// subscriber   ---1---2---3---4--|
    /// a late one           ---3---4--|
    /// ```
    ///
    /// See [`Share`](ops::Share).
    #[doc(alias = "publish")]
    #[doc(alias = "ref_count")]
    #[doc(alias = "multicast")]
    fn share(self) -> ops::Share<Self>
    where
        Self: Sized,
    {
        ops::Share::new(self, 0)
    }

    /// As [`share`](Self::share), and who comes late gets the last `items` items first.
    ///
    /// ```text
    /// self         ---1---2---3---4--|
    /// subscriber   ---1---2---3---4--|
    /// a late one          2---3---4--|   with 1
    /// ```
    ///
    /// See [`Share`](ops::Share).
    fn replay(self, items: usize) -> ops::Share<Self>
    where
        Self: Sized,
    {
        ops::Share::new(self, items)
    }

    /// After an error, waits and starts the stream anew, as it was when this was called.
    ///
    /// ```text
    /// self   --1--x
    /// again            --1--2--|
    ///        --1---------1--2--|   after a wait
    /// ```
    ///
    /// Streams that cannot be cloned: [`retry`](crate::stream::retry) with a function that makes them.
    ///
    /// See [`Retry`](ops::Retry).
    fn retry<T, E>(self, backoff: Backoff) -> ops::Retry<impl FnMut() -> Self, Self, ops::OnRetry<E>>
    where
        Self: Clone + Stream<Item = Result<T, E>>,
        E: Debug,
    {
        ops::retry(move || self.clone(), backoff)
    }

    /// At the first error, goes on with the stream that the function makes of it.
    ///
    /// ```text
    /// self   1--2--x--3--|
    /// f(x)         7--8--|
    ///        1--2--7--8--|
    /// ```
    ///
    /// See [`CatchWith`](ops::CatchWith).
    fn catch_with<T, E, G, R, F>(self, f: F) -> ops::CatchWith<Self, R, F>
    where
        Self: Sized + Stream<Item = Result<T, E>>,
        R: Stream<Item = Result<T, G>>,
        F: FnOnce(E) -> R,
    {
        ops::CatchWith::new(self, f)
    }

    /// An item in place of each error.
    ///
    /// ```text
    /// self   1--x--2--|
    ///        1--0--2--|   with |_| 0
    /// ```
    ///
    /// See [`ReplaceErrors`](ops::ReplaceErrors).
    #[doc(alias = "on_error_return")]
    fn replace_errors<T, E, F>(self, f: F) -> ops::ReplaceErrors<Self, F>
    where
        Self: Sized + Stream<Item = Result<T, E>>,
        F: FnMut(E) -> T,
    {
        ops::ReplaceErrors::new(self, f)
    }

    /// The items without the errors, which go to the handler.
    ///
    /// ```text
    /// self   1--x--2--|
    ///        1-----2--|
    /// ```
    ///
    /// See [`SkipErrors`](ops::SkipErrors).
    fn skip_errors<T, E, F>(self, on_error: F) -> ops::SkipErrors<Self, F>
    where
        Self: Sized + Stream<Item = Result<T, E>>,
        F: FnMut(E),
    {
        ops::SkipErrors::new(self, on_error)
    }

    /// Up to and with the first error.
    ///
    /// ```text
    /// self   1--x--2--|
    ///        1--x|
    /// ```
    ///
    /// See [`EndOnError`](ops::EndOnError).
    fn end_on_error<T, E>(self) -> ops::EndOnError<Self>
    where
        Self: Sized + Stream<Item = Result<T, E>>,
    {
        ops::EndOnError::new(self)
    }

    /// Calls the function before the stream is first polled.
    ///
    /// ```text
    /// self   1--2--|
    ///        1--2--|
    ///        f
    /// ```
    ///
    /// See [`OnStart`](ops::OnStart).
    #[doc(alias = "do_on_subscribe")]
    fn on_start<F>(self, f: F) -> ops::OnStart<Self, F>
    where
        Self: Sized,
        F: FnOnce(),
    {
        ops::OnStart::new(self, f)
    }

    /// Calls the function when the stream has ended.
    ///
    /// ```text
    /// self   1--2--|
    ///        1--2--|
    ///              f
    /// ```
    ///
    /// See [`OnEnd`](ops::OnEnd).
    #[doc(alias = "do_on_completed")]
    fn on_end<F>(self, f: F) -> ops::OnEnd<Self, F>
    where
        Self: Sized,
        F: FnOnce(),
    {
        ops::OnEnd::new(self, f)
    }

    /// Calls the function when the stream has ended or is dropped before.
    ///
    /// ```text
    /// self   1--2--3--|
    ///        1--2- dropped
    ///             f
    /// ```
    ///
    /// See [`Finally`](ops::Finally).
    #[doc(alias = "finally_action")]
    fn finally<F>(self, f: F) -> ops::Finally<Self, F>
    where
        Self: Sized,
        F: FnOnce(),
    {
        ops::Finally::new(self, f)
    }

    /// The stream, from its beginning, so many times.
    ///
    /// ```text
    /// self   1--2|
    ///        1--21--2|   with 2
    /// ```
    ///
    /// See [`RepeatTimes`](ops::RepeatTimes).
    fn repeat_times(self, times: usize) -> ops::RepeatTimes<Self>
    where
        Self: Sized + Clone,
    {
        ops::RepeatTimes::new(self, times)
    }

    // --- choosing --------------------------------------------------------------------------------------------

    /// Drops every item that is equal to the one before.
    ///
    /// ```text
    /// self   1-1-2-2-1-|
    ///        1---2---1-|
    /// ```
    ///
    /// See [`DistinctUntilChanged`](ops::DistinctUntilChanged).
    fn distinct_until_changed(self) -> ops::DistinctUntilChanged<Self>
    where
        Self: Sized,
        Self::Item: Clone + PartialEq,
    {
        ops::DistinctUntilChanged::new(self)
    }

    /// Drops every item whose key is equal to that of the one before.
    ///
    /// ```text
    /// self   a1-a2-b3-a4-|
    ///        a1----b3-a4-|   with the letter as key
    /// ```
    ///
    /// See [`DistinctUntilChangedBy`](ops::DistinctUntilChangedBy).
    fn distinct_until_changed_by<K, F>(self, key: F) -> ops::DistinctUntilChangedBy<Self, K, F>
    where
        Self: Sized,
        K: PartialEq,
        F: FnMut(&Self::Item) -> K,
    {
        ops::DistinctUntilChangedBy::new(self, key)
    }

    /// Each item with the one before, from the second on.
    ///
    /// ```text
    /// self   1--2--3--|
    ///        ---12-23-|
    /// ```
    ///
    /// See [`Pairwise`](ops::Pairwise).
    fn pairwise(self) -> ops::Pairwise<Self>
    where
        Self: Sized,
        Self::Item: Clone,
    {
        ops::Pairwise::new(self)
    }

    /// Drops every item that is among the last `capacity` different ones.
    ///
    /// ```text
    /// self   1-2-1-3-1-|
    ///        1-2---3---|   with capacity 3
    /// ```
    ///
    /// See [`Distinct`](ops::Distinct).
    fn distinct(self, capacity: usize) -> ops::Distinct<Self>
    where
        Self: Sized,
        Self::Item: Clone + Eq + Hash,
    {
        ops::Distinct::new(self, capacity)
    }

    /// Drops every item whose key is among the last `capacity` different ones.
    ///
    /// ```text
    /// self   a1-b2-a3-c4-|
    ///        a1-b2----c4-|   with the letter as key
    /// ```
    ///
    /// See [`DistinctByKey`](ops::DistinctByKey).
    fn distinct_by_key<K, F>(self, capacity: usize, key: F) -> ops::DistinctByKey<Self, K, F>
    where
        Self: Sized,
        K: Clone + Eq + Hash,
        F: FnMut(&Self::Item) -> K,
    {
        ops::DistinctByKey::new(self, capacity, key)
    }

    /// The last `count` items, when the stream has ended.
    ///
    /// ```text
    /// self   1--2--3--|
    ///        ---------23|   with 2
    /// ```
    ///
    /// See [`TakeLast`](ops::TakeLast).
    fn take_last(self, count: usize) -> ops::TakeLast<Self>
    where
        Self: Sized,
    {
        ops::TakeLast::new(self, count)
    }

    /// All but the last `count` items, each when that many more have come.
    ///
    /// ```text
    /// self   1--2--3--|
    ///        ---1--2--|   with 1
    /// ```
    ///
    /// See [`SkipLast`](ops::SkipLast).
    fn skip_last(self, count: usize) -> ops::SkipLast<Self>
    where
        Self: Sized,
    {
        ops::SkipLast::new(self, count)
    }

    /// Drops items until the future is ready.
    ///
    /// ```text
    /// self   1--2--3--4--|
    /// until  ----ready
    ///        ------3--4--|
    /// ```
    ///
    /// See [`SkipUntil`](ops::SkipUntil).
    fn skip_until<U>(self, until: U) -> ops::SkipUntil<Self, U>
    where
        Self: Sized,
        U: Future,
    {
        ops::SkipUntil::new(self, until)
    }

    /// Up to and with the first item for which the test is false.
    ///
    /// ```text
    /// self   1--2--3--1--|
    ///        1--2--3|   while n < 3
    /// ```
    ///
    /// See [`TakeWhileInclusive`](ops::TakeWhileInclusive).
    fn take_while_inclusive<F>(self, keep_on: F) -> ops::TakeWhileInclusive<Self, F>
    where
        Self: Sized,
        F: FnMut(&Self::Item) -> bool,
    {
        ops::TakeWhileInclusive::new(self, keep_on)
    }

    /// No item, only the end.
    ///
    /// ```text
    /// self   1--2--|
    ///        ------|
    /// ```
    ///
    /// See [`IgnoreItems`](ops::IgnoreItems).
    #[doc(alias = "ignore_elements")]
    fn ignore_items(self) -> ops::IgnoreItems<Self>
    where
        Self: Sized,
    {
        ops::IgnoreItems::new(self)
    }

    /// The first item that passes the test, as a future.
    ///
    /// ```text
    /// self   1--2--3--|
    ///        ---Some(2)   with n > 1
    /// ```
    ///
    /// See [`FindFirst`](ops::FindFirst).
    #[doc(alias = "first")]
    fn find_first<F>(self, test: F) -> ops::FindFirst<Self, F>
    where
        Self: Sized,
        F: FnMut(&Self::Item) -> bool,
    {
        ops::FindFirst::new(self, test)
    }

    /// The position, from 0, of the first item that passes the test, as a future.
    ///
    /// ```text
    /// self   1--2--3--|
    ///        ---Some(1)   with n > 1
    /// ```
    ///
    /// See [`FindPosition`](ops::FindPosition).
    #[doc(alias = "find_index")]
    fn find_position<F>(self, test: F) -> ops::FindPosition<Self, F>
    where
        Self: Sized,
        F: FnMut(&Self::Item) -> bool,
    {
        ops::FindPosition::new(self, test)
    }

    /// The item at a position, from 0, as a future.
    ///
    /// ```text
    /// self   a--b--c--|
    ///        ---Some(b)   with 1
    /// ```
    ///
    /// See [`NthItem`](ops::NthItem).
    #[doc(alias = "element_at")]
    fn nth_item(self, position: usize) -> ops::NthItem<Self>
    where
        Self: Sized,
    {
        ops::NthItem::new(self, position)
    }

    /// The last item, as a future.
    ///
    /// ```text
    /// self   1--2--3--|
    ///        ---------Some(3)
    /// ```
    ///
    /// See [`LastItem`](ops::LastItem).
    #[doc(alias = "last")]
    fn last_item(self) -> ops::LastItem<Self>
    where
        Self: Sized,
    {
        ops::LastItem::new(self)
    }

    /// Whether the stream ends without an item, as a future.
    ///
    /// ```text
    /// self   ---1--|
    ///        ---false
    /// ```
    ///
    /// See [`EndsEmpty`](ops::EndsEmpty).
    #[doc(alias = "is_empty")]
    fn ends_empty(self) -> ops::EndsEmpty<Self>
    where
        Self: Sized,
    {
        ops::EndsEmpty::new(self)
    }

    /// The one and only item, as a future; an error if there is none or a second.
    ///
    /// ```text
    /// self   ---7--|
    ///        ------Ok(7)
    /// ```
    ///
    /// See [`Single`](ops::Single).
    fn single(self) -> ops::Single<Self>
    where
        Self: Sized,
    {
        ops::Single::new(self)
    }

    // --- time ------------------------------------------------------------------------------------------------

    /// Emits an item once no other has come for `quiet`; see [`ops::Debounce`].
    ///
    /// ```text
    /// source        a-b-c-----d|
    /// debounce(3)   -------c---(d|)
    /// ```
    fn debounce(self, quiet: Duration) -> ops::Debounce<Self>
    where
        Self: Sized,
    {
        ops::Debounce::new(self, quiet)
    }

    /// Emits an item, then none for `window`; see [`ops::ThrottleLeading`].
    ///
    /// ```text
    /// source                ab--cd-e-f|
    /// throttle_leading(3)   a---c--e--|
    /// ```
    #[doc(alias = "throttle_first")]
    fn throttle_leading(self, window: Duration) -> ops::ThrottleLeading<Self>
    where
        Self: Sized,
    {
        ops::ThrottleLeading::new(self, window)
    }

    /// Emits the latest item when `window` has passed since the first; see [`ops::ThrottleTrailing`].
    ///
    /// ```text
    /// source                 ab--cd-ef|
    /// throttle_trailing(3)   ---b---d-(f|)
    /// ```
    #[doc(alias = "audit")]
    fn throttle_trailing(self, window: Duration) -> ops::ThrottleTrailing<Self>
    where
        Self: Sized,
    {
        ops::ThrottleTrailing::new(self, window)
    }

    /// Emits an item at once, then the latest each `window`; see [`ops::ThrottleBoth`].
    ///
    /// ```text
    /// source             abc-----d-e|
    /// throttle_both(3)   a--c----d--(e|)
    /// ```
    #[doc(alias = "throttle_latest")]
    fn throttle_both(self, window: Duration) -> ops::ThrottleBoth<Self>
    where
        Self: Sized,
    {
        ops::ThrottleBoth::new(self, window)
    }

    /// Emits the latest item at the end of each `period`; see [`ops::Sample`].
    ///
    /// ```text
    /// source      -abc------de|
    /// sample(3)   ---b--c-----(e|)
    /// ```
    #[doc(alias = "throttle_last")]
    fn sample(self, period: Duration) -> ops::Sample<Self>
    where
        Self: Sized,
    {
        ops::Sample::new(self, period)
    }

    /// Emits the latest item when `trigger` emits; see [`ops::SampleOn`].
    ///
    /// ```text
    /// source       a-b---c-d|
    /// trigger      ---x-x--x------
    /// sample_on    ---b----c(d|)
    /// ```
    fn sample_on<T>(self, trigger: T) -> ops::SampleOn<Self, T>
    where
        Self: Sized,
        T: Stream,
    {
        ops::SampleOn::new(self, trigger)
    }

    /// Emits everything `by` later; see [`ops::Delay`].
    ///
    /// ```text
    /// source     a-bc|
    /// delay(5)   -----a-bc|
    /// ```
    fn delay(self, by: Duration) -> ops::Delay<Self>
    where
        Self: Sized,
    {
        ops::Delay::new(self, by)
    }

    /// Leaves the source alone for `by`, then passes it on; see [`ops::DelayStart`].
    ///
    /// ```text
    /// cold source      a-bc|
    /// delay_start(3)   ---a-bc|
    /// ```
    #[doc(alias = "delay_subscription")]
    fn delay_start(self, by: Duration) -> ops::DelayStart<Self>
    where
        Self: Sized,
    {
        ops::DelayStart::new(self, by)
    }

    /// Emits an `Err` once in each silence of `silence`, items as `Ok`; see [`ops::TimeoutEach`].
    ///
    /// ```text
    /// source            a-b------c|
    /// timeout_each(3)   a-b--#---c|
    /// ```
    fn timeout_each(self, silence: Duration) -> ops::TimeoutEach<Self>
    where
        Self: Sized,
    {
        ops::TimeoutEach::new(self, silence)
    }

    /// Ends when no item has come for `silence`; see [`ops::EndAfterSilence`].
    ///
    /// ```text
    /// source                 a-b------c|
    /// end_after_silence(3)   a-b--|
    /// ```
    fn end_after_silence(self, silence: Duration) -> ops::EndAfterSilence<Self>
    where
        Self: Sized,
    {
        ops::EndAfterSilence::new(self, silence)
    }

    /// Emits a stand-in each time nothing was emitted for `silence`; see [`ops::OnIdle`].
    ///
    /// ```text
    /// source            a-b--------c|
    /// on_idle(3, '?')   a-b--?--?--(?c)|
    /// ```
    #[doc(alias = "keep_alive")]
    fn on_idle<F>(self, silence: Duration, stand_in: F) -> ops::OnIdle<Self, F>
    where
        Self: Sized,
        F: FnMut() -> Self::Item,
    {
        ops::OnIdle::new(self, silence, stand_in)
    }

    /// Passes what comes within `time` of the first poll, then ends; see [`ops::TakeFor`].
    ///
    /// ```text
    /// source        a-bc-d|
    /// take_for(3)   a-b|
    /// ```
    #[doc(alias = "take_with_time")]
    fn take_for(self, time: Duration) -> ops::TakeFor<Self>
    where
        Self: Sized,
    {
        ops::TakeFor::new(self, time)
    }

    /// Drops what comes within `time` of the first poll; see [`ops::SkipFor`].
    ///
    /// ```text
    /// source        a-bc-d|
    /// skip_for(3)   ---c-d|
    /// ```
    #[doc(alias = "skip_with_time")]
    fn skip_for(self, time: Duration) -> ops::SkipFor<Self>
    where
        Self: Sized,
    {
        ops::SkipFor::new(self, time)
    }

    /// Emits each item with the time it came; see [`ops::Timestamp`].
    ///
    /// ```text
    /// source      a--b|
    /// timestamp   (12:00:00.000, a)--(12:00:00.003, b)|
    /// ```
    fn timestamp(self) -> ops::Timestamp<Self>
    where
        Self: Sized,
    {
        ops::Timestamp::new(self)
    }

    /// Emits each item with the time since the one before; see [`ops::TimeInterval`].
    ///
    /// ```text
    /// source          -a--b|
    /// time_interval   -(1, a)--(3, b)|
    /// ```
    fn time_interval(self) -> ops::TimeInterval<Self>
    where
        Self: Sized,
    {
        ops::TimeInterval::new(self)
    }

    /// Slows the source down to `n` items each `per`, with at most `n` at once; see [`ops::RateLimit`].
    ///
    /// ```text
    /// source            (abcdef|)
    /// rate_limit(2,6)   (ab)--c--d--e--f--|
    /// ```
    fn rate_limit(self, n: u32, per: Duration) -> ops::RateLimit<Self>
    where
        Self: Sized,
    {
        ops::RateLimit::new(self, n, per)
    }

    // --- buffers, windows, groups ----------------------------------------------------------------------------

    /// Collects each `n` items into a list; see [`ops::BufferCount`].
    ///
    /// ```text
    /// source            a-b-c-d-e|
    /// buffer_count(2)   --[ab]---[cd]--([e]|)
    /// ```
    fn buffer_count(self, n: usize) -> ops::BufferCount<Self>
    where
        Self: Sized,
    {
        ops::BufferCount::new(self, n)
    }

    // --- folding ---------------------------------------------------------------------------------------------

    /// Emits the accumulator after each item that `f` worked into it; see [`ops::ScanWith`].
    ///
    /// ```text
    /// source                            1-2-3-|
    /// scan_with(0, |sum, x| *sum += x)  1-3-6-|
    /// ```
    fn scan_with<A, F>(self, init: A, f: F) -> ops::ScanWith<Self, A, F>
    where
        Self: Sized,
        A: Clone,
        F: FnMut(&mut A, Self::Item),
    {
        ops::ScanWith::new(self, init, f)
    }
}

impl<S: Stream + ?Sized> Operators for S {}
