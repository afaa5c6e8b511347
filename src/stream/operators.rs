//! The operators as methods on every stream.

use crate::stream::ops;
use futures::Stream;
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
