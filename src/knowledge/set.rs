//! A set.

use super::codec::{decode, encode};
use super::place::Place;
use super::{Data, Error, Fact, Items, SetCommand, TypedChanges};
use serde::Serialize;
use std::borrow::Borrow;
use std::marker::PhantomData;

/// Different members under one name, in no order.
///
/// Members are the same if they are written the same: for a type whose JSON may differ for equal values, such as one
/// with a `HashMap` inside, choose a key that is plain.
///
/// ```
/// # use mape::{backend::Backend, knowledge::{Error, Knowledge, Scope}};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
/// # let k = Knowledge::new(Backend::memory().store(), Scope::App);
/// let cars = k.set::<String>("cars");
/// assert!(cars.add("panda").await?);
/// assert!(!cars.add("panda").await?);
/// assert_eq!(cars.members::<Vec<_>>().await?, ["panda"]);
/// # Ok(()) }
/// ```
pub struct Set<T> {
    pub(super) place: Place,
    pub(super) of: PhantomData<fn() -> T>,
}

collection!(Set<T>);

impl<T: Fact> Set<T> {
    /// Adds a member; whether it is new.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens; adding again does no harm.
    pub async fn add<Q: Serialize + ?Sized>(&self, member: &Q) -> Result<bool, Error>
    where
        T: Borrow<Q>,
    {
        let member = self.data(member)?;
        Ok(self.place.run(SetCommand::Add(member.into())).await?.count(self.key())? > 0)
    }

    /// Adds several members as one, in one round trip; how many are new.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens; adding again does no harm.
    pub async fn extend<Q>(&self, members: impl IntoIterator<Item = &Q>) -> Result<u64, Error>
    where
        Q: Serialize + ?Sized + 'static,
        T: Borrow<Q>,
    {
        let members = members.into_iter().map(|member| self.data(member)).collect::<Result<_, _>>()?;
        self.place.run(SetCommand::Add(Items::Many(members))).await?.count(self.key())
    }

    /// Removes a member; whether it was there.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens; removing again does no harm.
    pub async fn remove<Q: Serialize + ?Sized>(&self, member: &Q) -> Result<bool, Error>
    where
        T: Borrow<Q>,
    {
        let member = self.data(member)?;
        Ok(self.place.run(SetCommand::Remove(member.into())).await?.count(self.key())? > 0)
    }

    /// Whether it is a member.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn contains<Q: Serialize + ?Sized>(&self, member: &Q) -> Result<bool, Error>
    where
        T: Borrow<Q>,
    {
        self.place.run(SetCommand::Has(self.data(member)?)).await?.flag(self.key())
    }

    /// How many members there are.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn len(&self) -> Result<u64, Error> {
        self.place.run(SetCommand::Len).await?.count(self.key())
    }

    /// Whether there is no member.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len().await? == 0)
    }

    /// All members, in no order, into any collection.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn members<C: FromIterator<T>>(&self) -> Result<C, Error> {
        let members = self.place.run(SetCommand::Members).await?.list(self.key())?;
        members.iter().map(|member| decode(self.key(), member)).collect()
    }

    /// Takes any one member out.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether a member was taken, and loses it then.
    pub async fn take_any(&self) -> Result<Option<T>, Error> {
        let reply = self.place.run(SetCommand::Pop).await?.non_nil();
        reply.map(|reply| decode(self.key(), &reply.data(self.key())?)).transpose()
    }

    /// The changes of its members from now on: `new` for one that came, `old` for one that went.
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

    /// A member as the store keeps it, for a [`Transaction`](super::Transaction).
    pub fn data<Q: Serialize + ?Sized>(&self, member: &Q) -> Result<Data, Error>
    where
        T: Borrow<Q>,
    {
        encode::<T, Q>(self.key(), member)
    }
}
