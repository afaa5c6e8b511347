//! A map of fields.

use super::codec::{decode, encode};
use super::place::Place;
use super::{Data, Error, Fact, HashCommand, Items, Transaction, TypedChanges};
use serde::Serialize;
use std::borrow::Borrow;
use std::marker::PhantomData;

/// Values by field under one name, in no order.
///
/// ```
/// # use mape::{backend::Backend, knowledge::{Error, Knowledge, Scope}};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
/// # let k = Knowledge::new(Backend::memory().store(), Scope::App);
/// let speeds = k.hash::<String, f64>("speeds");
/// speeds.insert("panda", &48.5).await?;
/// assert_eq!(speeds.get("panda").await?, Some(48.5));
/// # Ok(()) }
/// ```
pub struct Hash<K, V> {
    pub(super) place: Place,
    pub(super) of: PhantomData<fn() -> (K, V)>,
}

collection!(Hash<K, V>);

impl<K: Fact, V: Fact> Hash<K, V> {
    /// The value of `field`.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    #[inline]
    pub async fn get<Q: Serialize + ?Sized>(&self, field: &Q) -> Result<Option<V>, Error>
    where
        K: Borrow<Q>,
    {
        let reply = self.place.run(HashCommand::Get(self.field(field)?)).await?;
        self.read(reply.non_nil().map(|reply| reply.data(self.key())).transpose()?)
    }

    /// The values of several fields, in the order asked, in one round trip.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn get_many<Q>(&self, fields: impl IntoIterator<Item = &Q>) -> Result<Vec<Option<V>>, Error>
    where
        Q: Serialize + ?Sized + 'static,
        K: Borrow<Q>,
    {
        let fields = fields.into_iter().map(|field| self.field(field)).collect::<Result<_, _>>()?;
        let found = self.place.run(HashCommand::GetMany(fields)).await?.options(self.key())?;
        found.into_iter().map(|data| self.read(data)).collect()
    }

    /// Sets the value of `field`; whether the field is new.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn insert<Q, R>(&self, field: &Q, value: &R) -> Result<bool, Error>
    where
        Q: Serialize + ?Sized,
        R: Serialize + ?Sized,
        K: Borrow<Q>,
        V: Borrow<R>,
    {
        let pair = (self.field(field)?, self.data(value)?);
        Ok(self.place.run(HashCommand::Set(pair.into())).await?.count(self.key())? > 0)
    }

    /// Sets several fields as one, in one round trip; how many are new.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn extend(&self, pairs: impl IntoIterator<Item = (K, V)>) -> Result<u64, Error> {
        let pairs = pairs.into_iter().map(|(field, value)| Ok((self.field(&field)?, self.data(&value)?)));
        let pairs = Items::Many(pairs.collect::<Result<_, Error>>()?);
        self.place.run(HashCommand::Set(pairs)).await?.count(self.key())
    }

    /// Removes `field`; whether it was there.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn remove<Q: Serialize + ?Sized>(&self, field: &Q) -> Result<bool, Error>
    where
        K: Borrow<Q>,
    {
        let field = self.field(field)?;
        Ok(self.place.run(HashCommand::Remove(field.into())).await?.count(self.key())? > 0)
    }

    /// Whether `field` is there.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn contains<Q: Serialize + ?Sized>(&self, field: &Q) -> Result<bool, Error>
    where
        K: Borrow<Q>,
    {
        self.place.run(HashCommand::Has(self.field(field)?)).await?.flag(self.key())
    }

    /// How many fields there are.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn len(&self) -> Result<u64, Error> {
        self.place.run(HashCommand::Len).await?.count(self.key())
    }

    /// Whether there is no field.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len().await? == 0)
    }

    /// The fields, in no order.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn keys(&self) -> Result<Vec<K>, Error> {
        let keys = self.place.run(HashCommand::Keys).await?.list(self.key())?;
        keys.iter().map(|field| decode(self.key(), field)).collect()
    }

    /// All fields and values, in no order, into any collection.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn all<C: FromIterator<(K, V)>>(&self) -> Result<C, Error> {
        let pairs = self.place.run(HashCommand::All).await?.pairs(self.key())?;
        let read =
            |(field, value): &(Data, Data)| Ok((decode(self.key(), field)?, decode(self.key(), value)?));
        pairs.iter().map(read).collect()
    }

    /// Puts what `f` makes of the field's old value in its place, as one, and returns it.
    ///
    /// If another writer of this field comes in between, `f` is called again; so it should do nothing but compute.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn update<Q>(&self, field: &Q, mut f: impl FnMut(Option<V>) -> V) -> Result<V, Error>
    where
        Q: Serialize + ?Sized,
        K: Borrow<Q>,
    {
        let field = self.field(field)?;
        loop {
            let held = self.place.run(HashCommand::Get(field.clone())).await?.non_nil();
            let held = held.map(|reply| reply.data(self.key())).transpose()?;
            let new = f(self.read(held.clone())?);
            let transaction = Transaction::new().expect_field(self.key(), field.clone(), held).hset(
                self.key(),
                field.clone(),
                self.data(&new)?,
            );
            match self.place.store.commit(transaction).await {
                Ok(_) => return Ok(new),
                // Others run in between, also when the store answers at once.
                Err(Error::Conflict(_)) => tokio::task::yield_now().await,
                Err(error) => return Err(error),
            }
        }
    }

    /// The changes of its fields from now on: `field` with `old` and `new` value.
    ///
    /// # Delivery
    ///
    /// In order; a watcher that is too slow is told how many it missed.
    ///
    /// # Cancel safety
    ///
    /// Yes: dropping the future watches nothing.
    pub async fn watch(&self) -> Result<TypedChanges<V, K>, Error> {
        Ok(TypedChanges::new(self.place.store.watch(self.place.filter()).await?, super::typed::fields))
    }

    /// A field as the store keeps it, for a [`Transaction`].
    pub fn field<Q: Serialize + ?Sized>(&self, field: &Q) -> Result<Data, Error>
    where
        K: Borrow<Q>,
    {
        encode::<K, Q>(self.key(), field)
    }

    /// A value as the store keeps it, for a [`Transaction`].
    pub fn data<Q: Serialize + ?Sized>(&self, value: &Q) -> Result<Data, Error>
    where
        V: Borrow<Q>,
    {
        encode::<V, Q>(self.key(), value)
    }

    fn read(&self, data: Option<Data>) -> Result<Option<V>, Error> {
        data.map(|data| decode(self.key(), &data)).transpose()
    }
}

impl<K: Fact> Hash<K, i64> {
    /// Adds `by` to the field's counter (from 0 if there is none), as one, and returns the sum.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn increment<Q: Serialize + ?Sized>(&self, field: &Q, by: i64) -> Result<i64, Error>
    where
        K: Borrow<Q>,
    {
        self.place.run(HashCommand::Increment(self.field(field)?, by)).await?.number(self.key())
    }
}
