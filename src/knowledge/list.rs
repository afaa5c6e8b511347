//! A list.

use super::codec::{decode, encode};
use super::place::Place;
use super::{Data, End, Error, Fact, Items, ListCommand, TypedChanges};
use serde::Serialize;
use std::borrow::Borrow;
use std::marker::PhantomData;

/// Items in order under one name.
///
/// Indices count from 0 at the front, negative ones from -1 at the back, as in Redis.
pub struct List<T> {
    pub(super) place: Place,
    pub(super) of: PhantomData<fn() -> T>,
}

collection!(List<T>);

impl<T: Fact> List<T> {
    /// Puts an item at the back; the length then.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn push_back<Q: Serialize + ?Sized>(&self, item: &Q) -> Result<u64, Error>
    where
        T: Borrow<Q>,
    {
        self.push(End::Back, self.data(item)?.into()).await
    }

    /// Puts an item at the front; the length then.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn push_front<Q: Serialize + ?Sized>(&self, item: &Q) -> Result<u64, Error>
    where
        T: Borrow<Q>,
    {
        self.push(End::Front, self.data(item)?.into()).await
    }

    /// Puts several items at the back as one, in one round trip; the length then.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn extend<Q>(&self, items: impl IntoIterator<Item = &Q>) -> Result<u64, Error>
    where
        Q: Serialize + ?Sized + 'static,
        T: Borrow<Q>,
    {
        let items = items.into_iter().map(|item| self.data(item)).collect::<Result<_, _>>()?;
        self.push(End::Back, Items::Many(items)).await
    }

    /// Takes the item at the front.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether an item was taken, and loses it then.
    pub async fn pop_front(&self) -> Result<Option<T>, Error> {
        self.pop(End::Front).await
    }

    /// Takes the item at the back.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether an item was taken, and loses it then.
    pub async fn pop_back(&self) -> Result<Option<T>, Error> {
        self.pop(End::Back).await
    }

    /// The item at `index`, or `None` if the list is not that long.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn get(&self, index: i64) -> Result<Option<T>, Error> {
        let reply = self.place.run(ListCommand::Get(index)).await?.non_nil();
        reply.map(|reply| decode(self.key(), &reply.data(self.key())?)).transpose()
    }

    /// Replaces the item at `index`; [`Error::NoSuchIndex`] if the list is not that long.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn set<Q: Serialize + ?Sized>(&self, index: i64, item: &Q) -> Result<(), Error>
    where
        T: Borrow<Q>,
    {
        self.place.run(ListCommand::Set(index, self.data(item)?)).await?.done(self.key())
    }

    /// The items from `first` to `last`, both included; what lies outside of the list is left out.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn range(&self, first: i64, last: i64) -> Result<Vec<T>, Error> {
        let items = self.place.run(ListCommand::Range(first, last)).await?.list(self.key())?;
        items.iter().map(|item| decode(self.key(), item)).collect()
    }

    /// All items in order.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn all(&self) -> Result<Vec<T>, Error> {
        self.range(0, -1).await
    }

    /// Keeps the items from `first` to `last`, both included, such as `trim(-100, -1)` for the latest hundred.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn trim(&self, first: i64, last: i64) -> Result<(), Error> {
        self.place.run(ListCommand::Trim(first, last)).await?.done(self.key())
    }

    /// Removes every item that is written as this one; how many.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn remove<Q: Serialize + ?Sized>(&self, item: &Q) -> Result<u64, Error>
    where
        T: Borrow<Q>,
    {
        self.place.run(ListCommand::Remove(self.data(item)?)).await?.count(self.key())
    }

    /// How many items there are.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn len(&self) -> Result<u64, Error> {
        self.place.run(ListCommand::Len).await?.count(self.key())
    }

    /// Whether there is no item.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len().await? == 0)
    }

    /// The changes of its items from now on: `new` for one that came, `old` for one that went.
    ///
    /// # Delivery
    ///
    /// In order; a watcher that is too slow is told how many it missed.
    ///
    /// # Cancel safety
    ///
    /// Yes: dropping the future watches nothing.
    pub async fn watch(&self) -> Result<TypedChanges<T>, Error> {
        Ok(TypedChanges::new(self.place.store.watch(self.place.filter()).await?, super::typed::values))
    }

    /// An item as the store keeps it, for a [`Transaction`](super::Transaction).
    pub fn data<Q: Serialize + ?Sized>(&self, item: &Q) -> Result<Data, Error>
    where
        T: Borrow<Q>,
    {
        encode::<T, Q>(self.key(), item)
    }

    async fn push(&self, end: End, items: Items<Data>) -> Result<u64, Error> {
        self.place.run(ListCommand::Push(end, items)).await?.count(self.key())
    }

    async fn pop(&self, end: End) -> Result<Option<T>, Error> {
        let reply = self.place.run(ListCommand::Pop(end)).await?.non_nil();
        reply.map(|reply| decode(self.key(), &reply.data(self.key())?)).transpose()
    }
}
