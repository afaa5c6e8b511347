//! Changes of a typed collection.

use super::codec::decode;
use super::{Change, Changes, Data, Error, Fact, Notice, Operation};
use futures::{Stream, StreamExt};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A change of a typed collection: `T` is what it holds, `F` names a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TypedChange<T, F = ()> {
    /// What was done.
    pub operation: Operation,
    /// The field of a hash or member of a sorted set; `None` where the whole is meant.
    pub field: Option<F>,
    /// What was there, as in [`Change::old`].
    pub old: Option<T>,
    /// What is there, as in [`Change::new`].
    pub new: Option<T>,
}

/// How to make a typed change of a change.
pub(super) type Read<T, F> = fn(Change) -> Result<TypedChange<T, F>, Error>;

/// The changes of one typed collection, a [`Stream`]; dropping it ends the watching.
///
/// A change that holds something else than the type is an error in its place, and the stream goes on. It ends when the
/// store is closed.
pub struct TypedChanges<T, F = ()> {
    changes: Changes,
    read: Read<T, F>,
}

impl<T, F> TypedChanges<T, F> {
    pub(super) fn new(changes: Changes, read: Read<T, F>) -> Self {
        Self { changes, read }
    }

    /// How many changes were lost so far because the watcher was slow.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.changes.missed()
    }
}

impl<T, F> Stream for TypedChanges<T, F> {
    type Item = Result<Notice<TypedChange<T, F>>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let read = self.read;
        self.changes.poll_next_unpin(cx).map(|next| {
            next.map(|notice| match notice {
                Notice::Change(change) => read(change).map(Notice::Change),
                Notice::Missed(n) => Ok(Notice::Missed(n)),
                Notice::Interrupted => Ok(Notice::Interrupted),
            })
        })
    }
}

impl<T, F> fmt::Debug for TypedChanges<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TypedChanges").field(&self.changes).finish()
    }
}

/// Of a collection whose parts are its items: the operation and the items are all there is.
pub(super) fn values<T: Fact>(change: Change) -> Result<TypedChange<T>, Error> {
    let read = |data: Option<Data>| data.map(|data| decode(&change.key, &data)).transpose();
    Ok(TypedChange {
        operation: change.operation,
        field: None,
        old: read(change.old)?,
        new: read(change.new)?,
    })
}

/// Of a collection that keeps a `T` for each `F`.
pub(super) fn fields<T: Fact, F: Fact>(mut change: Change) -> Result<TypedChange<T, F>, Error> {
    let field = change.field.take().map(|field| decode(&change.key, &field)).transpose()?;
    let TypedChange { operation, old, new, .. } = values(change)?;
    Ok(TypedChange { operation, field, old, new })
}

/// Of a collection that keeps a score for each `F`.
pub(super) fn scores<F: Fact>(change: Change) -> Result<TypedChange<f64, F>, Error> {
    let field = change.field.map(|field| decode(&change.key, &field)).transpose()?;
    let score = |data: Option<Data>| data.and_then(|data| data.as_str()?.parse().ok());
    Ok(TypedChange { operation: change.operation, field, old: score(change.old), new: score(change.new) })
}
