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
