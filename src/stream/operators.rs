//! The operators as methods on every stream.

use super::{Backoff, Notification, ops};
use futures::Stream;
use std::fmt::Debug;
use std::hash::Hash;
use std::ops::Add;
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
    #[doc(alias = "buffer_with_count")]
    fn buffer_count(self, n: usize) -> ops::BufferCount<Self>
    where
        Self: Sized,
    {
        ops::BufferCount::new(self, n)
    }

    /// Collects the latest `n` items into a list, after each `step` items; see [`ops::Sliding`].
    ///
    /// ```text
    /// source        abcde|
    /// sliding(3,1)  --[abc][bcd][cde]|
    /// ```
    fn sliding(self, n: usize, step: usize) -> ops::Sliding<Self>
    where
        Self: Sized,
        Self::Item: Clone,
    {
        ops::Sliding::new(self, n, step)
    }

    /// Collects the items of each `period` into a list, empty ones too; see [`ops::BufferTime`].
    ///
    /// ```text
    /// source           -a-bc-----d|
    /// buffer_time(3)   ---[a]--[bc]--[]-([d]|)
    /// ```
    #[doc(alias = "buffer_with_time")]
    fn buffer_time(self, period: Duration) -> ops::BufferTime<Self>
    where
        Self: Sized,
    {
        ops::BufferTime::new(self, period)
    }

    /// Collects items into lists of at most `n` that wait at most `time`; see [`ops::BufferCountOrTime`].
    ///
    /// ```text
    /// source                      abc-------de-f|
    /// buffer_count_or_time(2,3)   -[ab]---[c]-----[de]--([f]|)
    /// ```
    #[doc(alias = "buffer_with_time_or_count")]
    fn buffer_count_or_time(self, n: usize, time: Duration) -> ops::BufferCountOrTime<Self>
    where
        Self: Sized,
    {
        ops::BufferCountOrTime::new(self, n, time)
    }

    /// Collects the items between two silences of `gap` into a list; see [`ops::BufferSession`].
    ///
    /// ```text
    /// source              a-b-c----d|
    /// buffer_session(3)   -------[abc]--([d]|)
    /// ```
    fn buffer_session(self, gap: Duration) -> ops::BufferSession<Self>
    where
        Self: Sized,
    {
        ops::BufferSession::new(self, gap)
    }

    /// Collects the items between two items of `boundary` into a list; see [`ops::BufferOn`].
    ///
    /// ```text
    /// source      -a-bc-----d|
    /// boundary    --x---x-x----
    /// buffer_on   --[a]---[bc]-[]--([d]|)
    /// ```
    fn buffer_on<B>(self, boundary: B) -> ops::BufferOn<Self, B>
    where
        Self: Sized,
        B: Stream,
    {
        ops::BufferOn::new(self, boundary)
    }

    /// Collects neighbours with equal keys into a list; see [`ops::BufferBy`].
    ///
    /// ```text
    /// source               1-3-2-5|
    /// buffer_by(n % 2)     ----[13]-[2]([5]|)
    /// ```
    #[doc(alias = "buffer_until_changed")]
    fn buffer_by<K, F>(self, key: F) -> ops::BufferBy<Self, K, F>
    where
        Self: Sized,
        K: PartialEq,
        F: FnMut(&Self::Item) -> K,
    {
        ops::BufferBy::new(self, key)
    }

    /// Opens a stream for each `n` items; see [`ops::Windows`].
    ///
    /// ```text
    /// source            a-b-c-|
    /// window_count(2)   x---y-|
    ///                   a-|   the first window
    ///                       c-|
    /// ```
    fn window_count(self, n: usize) -> ops::Windows<Self>
    where
        Self: Sized,
    {
        ops::Windows::count(self, n)
    }

    /// Opens a stream for each `period`, also without items; see [`ops::Windows`].
    ///
    /// ```text
    /// source           -a-bc-|
    /// window_time(3)   x--y--|
    ///                  -a-|
    ///                     bc-|
    /// ```
    fn window_time(self, period: Duration) -> ops::Windows<Self>
    where
        Self: Sized,
    {
        ops::Windows::time(self, period)
    }

    /// Opens a stream that closes after `n` items, or `time` after its first; see [`ops::Windows`].
    ///
    /// ```text
    /// source                      abc----|
    /// window_count_or_time(2,3)   x-y----|
    ///                             a(b|)
    ///                               c--|
    /// ```
    fn window_count_or_time(self, n: usize, time: Duration) -> ops::Windows<Self>
    where
        Self: Sized,
    {
        ops::Windows::count_or_time(self, n, time)
    }

    /// Opens a stream that closes when nothing came for `gap`; see [`ops::Windows`].
    ///
    /// ```text
    /// source              a-b----c|
    /// window_session(3)   x------y|
    ///                     a-b--|
    ///                            c|
    /// ```
    fn window_session(self, gap: Duration) -> ops::Windows<Self>
    where
        Self: Sized,
    {
        ops::Windows::session(self, gap)
    }

    /// Opens a stream for each key, which ends when no item of the key came for `idle`; see [`ops::GroupBy`].
    ///
    /// ```text
    /// source              a-A-b-a---B|
    /// group_by(letter,5)  a---b--------|
    ///                     a-A---a---|
    ///                         b-----B|
    /// ```
    fn group_by<K, F>(self, key: F, idle: impl Into<Option<Duration>>) -> ops::GroupBy<Self, K, F>
    where
        Self: Sized,
        K: Hash + Eq + Clone,
        F: FnMut(&Self::Item) -> K,
    {
        ops::GroupBy::new(self, key, idle.into())
    }

    /// Sends the items of each key through operators of its own and merges the results; see [`ops::GroupAndPipe`].
    ///
    /// ```text
    /// source                          a--a--b--a|
    /// group_and_pipe(letter, count)   a1-a2-b1-a3|
    /// ```
    fn group_and_pipe<K, F, P, U>(
        self,
        key: F,
        idle: impl Into<Option<Duration>>,
        pipe: P,
    ) -> ops::GroupAndPipe<Self, K, F, P, U>
    where
        Self: Sized,
        K: Hash + Eq + Clone,
        F: FnMut(&Self::Item) -> K,
        P: FnMut(&K, ops::Group<K, Self::Item>) -> U,
        U: Stream,
    {
        ops::GroupAndPipe::new(self, key, idle.into(), pipe)
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

    /// All items folded into the first, when the stream has ended; see [`ops::ReduceItems`].
    ///
    /// ```text
    /// source                 2-3-4-|
    /// reduce_items(a * b)    ------24
    /// ```
    fn reduce_items<F>(self, f: F) -> ops::ReduceItems<Self, F>
    where
        Self: Sized,
        F: FnMut(Self::Item, Self::Item) -> Self::Item,
    {
        ops::ReduceItems::new(self, f)
    }

    /// What all items come to, when the stream has ended; see [`ops::Aggregate`].
    ///
    /// ```text
    /// source                1-5-3-|
    /// aggregate::<Max<_>>   ------5
    /// ```
    fn aggregate<A>(self) -> ops::Aggregated<Self, A>
    where
        Self: Sized,
        A: ops::Aggregate<Self::Item>,
    {
        ops::Aggregated::new(self)
    }

    /// The sum of all items, when the stream has ended; see [`ops::Aggregated`].
    ///
    /// ```text
    /// source      1-5-3-|
    /// sum_items   ------9
    /// ```
    #[doc(alias = "sum")]
    fn sum_items(self) -> ops::Aggregated<Self, ops::Sum<Self::Item>>
    where
        Self: Sized,
        Self::Item: Clone + Add<Output = Self::Item>,
    {
        ops::Aggregated::new(self)
    }

    /// The least item, when the stream has ended; see [`ops::Aggregated`].
    ///
    /// ```text
    /// source     1-5-3-|
    /// min_item   ------1
    /// ```
    #[doc(alias = "min")]
    fn min_item(self) -> ops::Aggregated<Self, ops::Min<Self::Item>>
    where
        Self: Sized,
        Self::Item: Clone + PartialOrd,
    {
        ops::Aggregated::new(self)
    }

    /// The greatest item, when the stream has ended; see [`ops::Aggregated`].
    ///
    /// ```text
    /// source     1-5-3-|
    /// max_item   ------5
    /// ```
    #[doc(alias = "max")]
    fn max_item(self) -> ops::Aggregated<Self, ops::Max<Self::Item>>
    where
        Self: Sized,
        Self::Item: Clone + PartialOrd,
    {
        ops::Aggregated::new(self)
    }

    /// The mean of all items, when the stream has ended; see [`ops::Aggregated`].
    ///
    /// ```text
    /// source    1-5-3-|
    /// average   ------3
    /// ```
    #[doc(alias = "mean")]
    fn average(self) -> ops::Aggregated<Self, ops::Average>
    where
        Self: Sized,
        Self::Item: ops::Number,
    {
        ops::Aggregated::new(self)
    }

    /// Emits what all items so far come to, after each; see [`ops::Running`].
    ///
    /// ```text
    /// source              1-5-3-|
    /// running::<Max<_>>   1-5-5-|
    /// ```
    fn running<A>(self) -> ops::Running<Self, A>
    where
        Self: Sized,
        A: ops::Aggregate<Self::Item>,
    {
        ops::Running::new(self)
    }

    /// Emits the sum of all items so far, after each; see [`ops::Running`].
    ///
    /// ```text
    /// source        1-5-3-|
    /// running_sum   1-6-9-|
    /// ```
    fn running_sum(self) -> ops::Running<Self, ops::Sum<Self::Item>>
    where
        Self: Sized,
        Self::Item: Clone + Add<Output = Self::Item>,
    {
        ops::Running::new(self)
    }

    /// Emits the least item so far, after each; see [`ops::Running`].
    ///
    /// ```text
    /// source        5-1-3-|
    /// running_min   5-1-1-|
    /// ```
    fn running_min(self) -> ops::Running<Self, ops::Min<Self::Item>>
    where
        Self: Sized,
        Self::Item: Clone + PartialOrd,
    {
        ops::Running::new(self)
    }

    /// Emits the greatest item so far, after each; see [`ops::Running`].
    ///
    /// ```text
    /// source        1-5-3-|
    /// running_max   1-5-5-|
    /// ```
    fn running_max(self) -> ops::Running<Self, ops::Max<Self::Item>>
    where
        Self: Sized,
        Self::Item: Clone + PartialOrd,
    {
        ops::Running::new(self)
    }

    /// Emits the mean of all items so far, after each; see [`ops::Running`].
    ///
    /// ```text
    /// source            1-5-3-|
    /// running_average   1-3-3-|
    /// ```
    fn running_average(self) -> ops::Running<Self, ops::Average>
    where
        Self: Sized,
        Self::Item: ops::Number,
    {
        ops::Running::new(self)
    }

    /// Emits the standard deviation of all items so far, after each; see [`ops::Running`].
    ///
    /// ```text
    /// source              1-1-4-------|
    /// running_deviation   0-0-1.732---|
    /// ```
    fn running_deviation(self) -> ops::Running<Self, ops::Deviation>
    where
        Self: Sized,
        Self::Item: ops::Number,
    {
        ops::Running::new(self)
    }

    /// Emits how many items came so far, after each; see [`ops::Running`].
    ///
    /// ```text
    /// source          a-b-c-|
    /// running_count   1-2-3-|
    /// ```
    fn running_count(self) -> ops::Running<Self, ops::Count>
    where
        Self: Sized,
    {
        ops::Running::new(self)
    }

    /// Emits what the latest items come to, after each; see [`ops::Moving`].
    ///
    /// ```text
    /// source               1-5-3-2-|
    /// moving::<Max<_>>(2)  1-5-5-3-|
    /// ```
    fn moving<A>(self, span: impl Into<ops::Span>) -> ops::Moving<Self, A>
    where
        Self: Sized,
        A: ops::Aggregate<Self::Item>,
    {
        ops::Moving::new(self, span.into())
    }

    /// Emits the sum of the latest items, after each; see [`ops::Moving`].
    ///
    /// ```text
    /// source          1-5-3-2-|
    /// moving_sum(2)   1-6-8-5-|
    /// ```
    fn moving_sum(self, span: impl Into<ops::Span>) -> ops::Moving<Self, ops::Sum<Self::Item>>
    where
        Self: Sized,
        Self::Item: Clone + Add<Output = Self::Item>,
    {
        ops::Moving::new(self, span.into())
    }

    /// Emits the least of the latest items, after each; see [`ops::Moving`].
    ///
    /// ```text
    /// source          1-5-3-2-|
    /// moving_min(2)   1-1-3-2-|
    /// ```
    fn moving_min(self, span: impl Into<ops::Span>) -> ops::Moving<Self, ops::Min<Self::Item>>
    where
        Self: Sized,
        Self::Item: Clone + PartialOrd,
    {
        ops::Moving::new(self, span.into())
    }

    /// Emits the greatest of the latest items, after each; see [`ops::Moving`].
    ///
    /// ```text
    /// source          1-5-3-2-|
    /// moving_max(2)   1-5-5-3-|
    /// ```
    fn moving_max(self, span: impl Into<ops::Span>) -> ops::Moving<Self, ops::Max<Self::Item>>
    where
        Self: Sized,
        Self::Item: Clone + PartialOrd,
    {
        ops::Moving::new(self, span.into())
    }

    /// Emits the mean of the latest items, after each; see [`ops::Moving`].
    ///
    /// ```text
    /// source              1-5-3-1-|
    /// moving_average(2)   1-3-4-2-|
    /// ```
    fn moving_average(self, span: impl Into<ops::Span>) -> ops::Moving<Self, ops::Average>
    where
        Self: Sized,
        Self::Item: ops::Number,
    {
        ops::Moving::new(self, span.into())
    }

    /// Emits the standard deviation of the latest items, after each; see [`ops::Moving`].
    ///
    /// ```text
    /// source                1-1-3-------|
    /// moving_deviation(2)   0-0-1.414---|
    /// ```
    fn moving_deviation(self, span: impl Into<ops::Span>) -> ops::Moving<Self, ops::Deviation>
    where
        Self: Sized,
        Self::Item: ops::Number,
    {
        ops::Moving::new(self, span.into())
    }

    /// Emits how many items came within a time, after each; see [`ops::Moving`].
    ///
    /// ```text
    /// source            a-b-----c-|
    /// moving_count(3)   1-2-----1-|
    /// ```
    fn moving_count(self, span: impl Into<ops::Span>) -> ops::Moving<Self, ops::Count>
    where
        Self: Sized,
    {
        ops::Moving::new(self, span.into())
    }
}

impl<S: Stream + ?Sized> Operators for S {}
