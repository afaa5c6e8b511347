//! What became of an item.

/// What became of an item that somebody has to be told of: of a [`Task`](super::Task) or a
/// [`Delivery`](crate::event::Delivery), and what came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done<D, R> {
    /// The item.
    pub item: D,
    /// What came out; or why nothing did.
    pub result: Result<R, String>,
}

impl<D, R> Done<D, R> {
    /// It worked.
    pub fn ok(item: D, result: R) -> Self {
        Self { item, result: Ok(result) }
    }

    /// It did not.
    pub fn failed(item: D, reason: impl Into<String>) -> Self {
        Self { item, result: Err(reason.into()) }
    }

    /// With another result, made of this one.
    pub fn map<S>(self, f: impl FnOnce(R) -> S) -> Done<D, S> {
        Done { item: self.item, result: self.result.map(f) }
    }
}

impl<D, R, E: std::fmt::Display> Done<D, Result<R, E>> {
    /// What came out, if that was a result; else it did not work. For functions that answer with a result for each item of
    /// a list.
    pub fn flatten(self) -> Done<D, R> {
        let result = self.result.and_then(|result| result.map_err(|error| error.to_string()));
        Done { item: self.item, result }
    }
}
