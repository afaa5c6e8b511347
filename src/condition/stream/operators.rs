//! The operators as methods on every stream.

use super::{Classify, FilterBy, RouteBy};
use crate::condition::{Condition, Conditions};
use futures::Stream;
use serde::Serialize;

/// Conditions on any [`Stream`] whose items can be written as JSON.
///
/// Each item is written as JSON to be judged. A stream of `serde_json::Value` does without that by futures' `filter`
/// and [`Condition::holds`]. An item that cannot be written fulfils nothing, with a warning in the log.
pub trait ConditionOperators: Stream {
    /// The items that fulfil a condition.
    ///
    /// ```text
    /// self   1--5--2--7--|
    ///        ---5-----7--|   with a condition that 5 and 7 fulfil
    /// ```
    ///
    /// See [`FilterBy`].
    #[doc(alias = "rxop")]
    fn filter_by(self, condition: Condition) -> FilterBy<Self>
    where
        Self: Sized,
        Self::Item: Serialize,
    {
        FilterBy::new(self, condition)
    }

    /// Each item with the names of all conditions that it fulfils.
    ///
    /// ```text
    /// self   7--------12-------------|
    ///        7[odd]---12[even,large]-|   with odd, even and large
    /// ```
    ///
    /// See [`Classify`].
    #[doc(alias = "rxop")]
    #[doc(alias = "qualify")]
    fn classify(self, conditions: Conditions) -> Classify<Self>
    where
        Self: Sized,
        Self::Item: Serialize,
    {
        Classify::new(self, conditions)
    }

    /// Each item with the name of the first condition that it fulfils: where it is to go.
    ///
    /// ```text
    /// self   7------12------5--|
    ///        a:7----b:12----5--|   with `a` for 7, `b` for 12
    /// ```
    ///
    /// See [`RouteBy`].
    fn route_by(self, conditions: Conditions) -> RouteBy<Self>
    where
        Self: Sized,
        Self::Item: Serialize,
    {
        RouteBy::new(self, conditions)
    }
}

impl<S: Stream + ?Sized> ConditionOperators for S {}
