//! A single value.

use super::codec::{decode, encode};
use super::place::Place;
use super::{Data, Error, Fact, Transaction, TypedChanges, ValueCommand, Version};
use serde::Serialize;
use std::borrow::Borrow;
use std::marker::PhantomData;
use std::time::Duration;

/// One value under a name.
///
/// ```
/// # use mape::{backend::Backend, knowledge::{Error, Knowledge, Scope}};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
/// # let k = Knowledge::new(Backend::memory().store(), Scope::App);
/// let limit = k.value::<f64>("speed_limit");
/// limit.set(&50.0).await?;
/// let raised = limit.update(|old| old.unwrap_or(30.0) + 20.0).await?;
/// assert_eq!((raised, limit.get().await?), (70.0, Some(70.0)));
/// # Ok(()) }
/// ```
pub struct Value<T> {
    pub(super) place: Place,
    pub(super) of: PhantomData<fn() -> T>,
}

collection!(Value<T>);

impl<T: Fact> Value<T> {
    /// The value, or `None` if there is none.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn get(&self) -> Result<Option<T>, Error> {
        let reply = self.place.run(ValueCommand::Get).await?;
        self.read(reply.non_nil().map(|reply| reply.data(self.key())).transpose()?)
    }

    /// The value and the version it has, for [`Transaction::expect_version`].
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn get_versioned(&self) -> Result<(Option<T>, Version), Error> {
        let (data, version) = self.place.run(ValueCommand::GetVersioned).await?.versioned(self.key())?;
        Ok((self.read(data)?, version))
    }

    /// Sets the value; an expiry it had ends.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn set<Q: Serialize + ?Sized>(&self, value: &Q) -> Result<(), Error>
    where
        T: Borrow<Q>,
    {
        let value = self.data(value)?;
        self.place.run(ValueCommand::Set { value, expiry: None }).await?.done(self.key())
    }

    /// Sets the value; it ceases after `expiry`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn set_for<Q: Serialize + ?Sized>(&self, value: &Q, expiry: Duration) -> Result<(), Error>
    where
        T: Borrow<Q>,
    {
        let value = self.data(value)?;
        self.place.run(ValueCommand::Set { value, expiry: Some(expiry) }).await?.done(self.key())
    }

    /// Takes the value away and returns it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether the value was taken, and loses it then.
    pub async fn take(&self) -> Result<Option<T>, Error> {
        let reply = self.place.run(ValueCommand::Take).await?;
        self.read(reply.non_nil().map(|reply| reply.data(self.key())).transpose()?)
    }

    /// Sets the value to `new` if it is `expected` now (`None`: if there is none), as one; whether it was.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn compare_and_set(&self, expected: Option<&T>, new: &T) -> Result<bool, Error>
    where
        T: PartialEq,
    {
        loop {
            // Compared as values and not as bytes: another program may write the same JSON with other spaces.
            let (held, version) = self.get_versioned().await?;
            if held.as_ref() != expected {
                return Ok(false);
            }
            if self.set_if(version, new).await? {
                return Ok(true);
            }
        }
    }

    /// Puts what `f` makes of the old value in its place, as one, and returns it; an expiry the value had ends.
    ///
    /// If another writer comes between reading and writing, `f` is called again with what that one wrote; so it should
    /// do nothing but compute. No increment is lost, however many write.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn update(&self, mut f: impl FnMut(Option<T>) -> T) -> Result<T, Error> {
        loop {
            let (held, version) = self.get_versioned().await?;
            let new = f(held);
            if self.set_if(version, &new).await? {
                return Ok(new);
            }
            // Others run in between, also when the store answers at once.
            tokio::task::yield_now().await;
        }
    }

    async fn set_if(&self, version: Version, new: &T) -> Result<bool, Error> {
        let transaction =
            Transaction::new().expect_version(self.key(), version).set(self.key(), self.data(new)?);
        match self.place.store.commit(transaction).await {
            Ok(_) => Ok(true),
            Err(Error::Conflict(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The changes of this value from now on.
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

    /// A value as the store keeps it, for a [`Transaction`].
    pub fn data<Q: Serialize + ?Sized>(&self, value: &Q) -> Result<Data, Error>
    where
        T: Borrow<Q>,
    {
        encode::<T, Q>(self.key(), value)
    }

    fn read(&self, data: Option<Data>) -> Result<Option<T>, Error> {
        data.map(|data| decode(self.key(), &data)).transpose()
    }
}

impl Value<i64> {
    /// Adds `by` to the counter (from 0 if there is none), as one, and returns the sum.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn increment(&self, by: i64) -> Result<i64, Error> {
        self.place.run(ValueCommand::Increment(by)).await?.number(self.key())
    }
}
