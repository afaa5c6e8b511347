//! Members ordered by score.

use super::codec::{decode, encode};
use super::place::Place;
use super::{Data, Error, Fact, Items, Reply, SortedCommand, TypedChanges};
use serde::Serialize;
use std::borrow::Borrow;
use std::marker::PhantomData;
use std::ops::RangeInclusive;

/// Different members, each with a score, under one name; ordered by score, and by their bytes where scores are equal.
///
/// A score is any number but NaN, infinities included.
///
/// ```
/// # use mape::{backend::Backend, knowledge::{Error, Knowledge, Scope}};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
/// # let k = Knowledge::new(Backend::memory().store(), Scope::App);
/// let fastest = k.sorted_set::<String>("fastest");
/// fastest.add("panda", 92.5).await?;
/// fastest.add("ambulance", 130.0).await?;
/// assert_eq!(fastest.range(-1, -1).await?, [("ambulance".to_owned(), 130.0)]);
/// # Ok(()) }
/// ```
pub struct SortedSet<T> {
    pub(super) place: Place,
    pub(super) of: PhantomData<fn() -> T>,
}

collection!(SortedSet<T>);

impl<T: Fact> SortedSet<T> {
    /// Gives a member its score; whether the member is new.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens; doing it again does no harm.
    pub async fn add<Q: Serialize + ?Sized>(&self, member: &Q, score: f64) -> Result<bool, Error>
    where
        T: Borrow<Q>,
    {
        let pair = (self.data(member)?, score);
        Ok(self.place.run(SortedCommand::Add(pair.into())).await?.count(self.key())? > 0)
    }

    /// Gives several members their scores as one, in one round trip; how many are new.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens; doing it again does no harm.
    pub async fn extend(&self, members: impl IntoIterator<Item = (T, f64)>) -> Result<u64, Error> {
        let members = members.into_iter().map(|(member, score)| Ok((self.data(&member)?, score)));
        let members = Items::Many(members.collect::<Result<_, Error>>()?);
        self.place.run(SortedCommand::Add(members)).await?.count(self.key())
    }

    /// Adds `by` to the member's score (from 0 if it is new), as one, and returns the sum.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn increment<Q: Serialize + ?Sized>(&self, member: &Q, by: f64) -> Result<f64, Error>
    where
        T: Borrow<Q>,
    {
        self.place.run(SortedCommand::Increment(self.data(member)?, by)).await?.score(self.key())
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
        Ok(self.place.run(SortedCommand::Remove(member.into())).await?.count(self.key())? > 0)
    }

    /// The member's score.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn score<Q: Serialize + ?Sized>(&self, member: &Q) -> Result<Option<f64>, Error>
    where
        T: Borrow<Q>,
    {
        let reply = self.place.run(SortedCommand::Score(self.data(member)?)).await?.non_nil();
        reply.map(|reply| reply.score(self.key())).transpose()
    }

    /// The member's place, counted from 0 at the lowest score.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn rank<Q: Serialize + ?Sized>(&self, member: &Q) -> Result<Option<u64>, Error>
    where
        T: Borrow<Q>,
    {
        let reply = self.place.run(SortedCommand::Rank(self.data(member)?)).await?.non_nil();
        reply.map(|reply| reply.count(self.key())).transpose()
    }

    /// How many members there are.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn len(&self) -> Result<u64, Error> {
        self.place.run(SortedCommand::Len).await?.count(self.key())
    }

    /// Whether there is no member.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len().await? == 0)
    }

    /// The members from place `first` to `last`, both included; negative places count from -1 at the highest score.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn range(&self, first: i64, last: i64) -> Result<Vec<(T, f64)>, Error> {
        self.read(self.place.run(SortedCommand::Range(first, last)).await?)
    }

    /// The members whose score is in this range.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn range_by_score(&self, scores: RangeInclusive<f64>) -> Result<Vec<(T, f64)>, Error> {
        self.read(self.place.run(SortedCommand::RangeByScore(*scores.start(), *scores.end())).await?)
    }

    /// Takes the member with the lowest score.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether a member was taken, and loses it then.
    pub async fn pop_min(&self) -> Result<Option<(T, f64)>, Error> {
        Ok(self.read(self.place.run(SortedCommand::PopMin).await?)?.pop())
    }

    /// Takes the member with the highest score.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether a member was taken, and loses it then.
    pub async fn pop_max(&self) -> Result<Option<(T, f64)>, Error> {
        Ok(self.read(self.place.run(SortedCommand::PopMax).await?)?.pop())
    }

    /// The changes of its members from now on: `field` is the member, `old` and `new` are its scores.
    ///
    /// # Delivery
    ///
    /// In order; a watcher that is too slow is told how many it missed.
    ///
    /// # Cancel safety
    ///
    /// Yes: dropping the future watches nothing.
    pub async fn watch(&self) -> Result<TypedChanges<f64, T>, Error> {
        Ok(TypedChanges::new(self.place.store.watch(self.place.filter()).await?, super::typed::scores))
    }

    /// A member as the store keeps it, for a [`Transaction`](super::Transaction).
    pub fn data<Q: Serialize + ?Sized>(&self, member: &Q) -> Result<Data, Error>
    where
        T: Borrow<Q>,
    {
        encode::<T, Q>(self.key(), member)
    }

    fn read(&self, reply: Reply) -> Result<Vec<(T, f64)>, Error> {
        let scored = reply.scored(self.key())?;
        scored.iter().map(|(member, score)| Ok((decode(self.key(), member)?, *score))).collect()
    }
}
