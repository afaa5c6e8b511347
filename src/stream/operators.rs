//! The operators as methods on every stream.

use crate::stream::ops;
use futures::Stream;
use std::hash::Hash;
use std::ops::Add;
use std::time::Duration;

/// ReactiveX operators over any [`Stream`].
pub trait Operators: Stream {
    // --- combining -------------------------------------------------------------------------------------------

    // --- flattening ------------------------------------------------------------------------------------------

    // --- sharing and errors ----------------------------------------------------------------------------------

    // --- choosing --------------------------------------------------------------------------------------------

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
