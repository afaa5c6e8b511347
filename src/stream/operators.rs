//! The operators as methods on every stream.

use super::ops;
use futures::Stream;

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

    // --- sharing and errors ----------------------------------------------------------------------------------

    /// Items and end as [`Notification`]s, the last one `Completed`.
    ///
    /// ```text
    /// self   1--2----|
    ///        1--2----C|
    /// ```
    ///
    /// See [`Materialize`](ops::Materialize).
    ///
    /// [`Notification`]: crate::stream::Notification
    fn materialize(self) -> ops::Materialize<Self>
    where
        Self: Sized,
    {
        ops::Materialize::new(self)
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

    // --- time ------------------------------------------------------------------------------------------------

    // --- buffers, windows, groups ----------------------------------------------------------------------------

    // --- folding ---------------------------------------------------------------------------------------------
}

impl<S: Stream + ?Sized> Operators for S {}
