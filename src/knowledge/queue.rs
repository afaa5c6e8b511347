//! Queues: each item goes to exactly one taker.

use super::codec::{decode, encode};
use super::place::Place;
use super::{Data, End, Error, Fact, Items, ListCommand, Pop, Reply, SortedCommand, TypedChanges};
use serde::Serialize;
use std::borrow::Borrow;
use std::marker::PhantomData;

/// First in, first out.
///
/// ```
/// # use mape::{backend::Backend, knowledge::{Error, Knowledge, Scope}};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
/// # let k = Knowledge::new(Backend::memory().store(), Scope::App);
/// let work = k.queue::<u32>("work");
/// work.push(&1).await?;
/// work.push(&2).await?;
/// assert_eq!(work.pop().await?, 1);
/// # Ok(()) }
/// ```
pub struct Queue<T> {
    pub(super) place: Place,
    pub(super) of: PhantomData<fn() -> T>,
}

/// Last in, first out.
#[doc(alias = "LifoQueue")]
pub struct Stack<T> {
    pub(super) place: Place,
    pub(super) of: PhantomData<fn() -> T>,
}

/// Lowest number first.
///
/// It is a sorted set: an item is in it once, pushing it again gives it another priority, and items of equal priority
/// come in the order of their bytes. For work that may repeat, put an id into the item.
pub struct PriorityQueue<T> {
    pub(super) place: Place,
    pub(super) of: PhantomData<fn() -> T>,
}

collection!(Queue<T>);
collection!(Stack<T>);
collection!(PriorityQueue<T>);

/// What queues and stacks share: they push at the back of a list and differ in the end from which they take.
macro_rules! on_a_list {
    ($name:ident, $end:expr, $pop:expr) => {
        impl<T: Fact> $name<T> {
            /// Puts an item in; how many there are then.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future leaves open whether it happens.
            pub async fn push<Q: Serialize + ?Sized>(&self, item: &Q) -> Result<u64, Error>
            where
                T: Borrow<Q>,
            {
                let item = self.data(item)?;
                self.place.run(ListCommand::Push(End::Back, item.into())).await?.count(self.key())
            }

            /// Puts several items in, one after the other, as one, in one round trip; how many there are then.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future leaves open whether it happens.
            pub async fn extend<Q>(&self, items: impl IntoIterator<Item = &Q>) -> Result<u64, Error>
            where
                Q: Serialize + ?Sized + 'static,
                T: Borrow<Q>,
            {
                let items =
                    Items::Many(items.into_iter().map(|item| self.data(item)).collect::<Result<_, _>>()?);
                self.place.run(ListCommand::Push(End::Back, items)).await?.count(self.key())
            }

            /// Takes the next item, waiting until there is one.
            ///
            /// Each item goes to exactly one taker. Bound the wait with `tokio::time::timeout`.
            ///
            /// # Cancel safety
            ///
            /// Yes: dropping the future takes no item.
            pub async fn pop(&self) -> Result<T, Error> {
                let popped = self.place.store.pop(self.key(), $pop).await?;
                decode(self.key(), &popped.item)
            }

            /// Takes the next item if there is one.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future leaves open whether an item was taken, and loses it then.
            pub async fn try_pop(&self) -> Result<Option<T>, Error> {
                let reply = self.place.run(ListCommand::Pop($end)).await?.non_nil();
                reply.map(|reply| decode(self.key(), &reply.data(self.key())?)).transpose()
            }

            /// The item that would be taken next.
            ///
            /// # Cancel safety
            ///
            /// Yes: it only reads.
            pub async fn peek(&self) -> Result<Option<T>, Error> {
                let index = if $end == End::Front { 0 } else { -1 };
                let reply = self.place.run(ListCommand::Get(index)).await?.non_nil();
                reply.map(|reply| decode(self.key(), &reply.data(self.key())?)).transpose()
            }

            /// How many items wait.
            ///
            /// # Cancel safety
            ///
            /// Yes: it only reads.
            pub async fn len(&self) -> Result<u64, Error> {
                self.place.run(ListCommand::Len).await?.count(self.key())
            }

            /// Whether no item waits.
            ///
            /// # Cancel safety
            ///
            /// Yes: it only reads.
            pub async fn is_empty(&self) -> Result<bool, Error> {
                Ok(self.len().await? == 0)
            }

            /// The changes from now on: `new` for an item put in, `old` for one taken.
            ///
            /// # Delivery
            ///
            /// In order; a watcher that is too slow is told how many it missed.
            ///
            /// # Cancel safety
            ///
            /// Yes: dropping the future watches nothing.
            pub async fn watch(&self) -> Result<TypedChanges<T>, Error> {
                Ok(TypedChanges::new(
                    self.place.store.watch(self.place.filter()).await?,
                    super::typed::values,
                ))
            }

            /// An item as the store keeps it, for a [`Transaction`](super::Transaction), which puts it in by
            /// [`rpush`](super::Transaction::rpush).
            pub fn data<Q: Serialize + ?Sized>(&self, item: &Q) -> Result<Data, Error>
            where
                T: Borrow<Q>,
            {
                encode::<T, Q>(self.key(), item)
            }
        }
    };
}
on_a_list!(Queue, End::Front, Pop::Front);
on_a_list!(Stack, End::Back, Pop::Back);

impl<T: Fact> PriorityQueue<T> {
    /// Puts an item in, or gives it another priority; whether it is new.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens; pushing again does no harm.
    pub async fn push<Q: Serialize + ?Sized>(&self, item: &Q, priority: f64) -> Result<bool, Error>
    where
        T: Borrow<Q>,
    {
        let item = (self.data(item)?, priority);
        Ok(self.place.run(SortedCommand::Add(item.into())).await?.count(self.key())? > 0)
    }

    /// Takes the item of the lowest number, with that number, waiting until there is one.
    ///
    /// Each item goes to exactly one taker. Bound the wait with `tokio::time::timeout`.
    ///
    /// # Cancel safety
    ///
    /// Yes: dropping the future takes no item.
    pub async fn pop(&self) -> Result<(T, f64), Error> {
        let popped = self.place.store.pop(self.key(), Pop::Min).await?;
        Ok((decode(self.key(), &popped.item)?, popped.score.unwrap_or_default()))
    }

    /// Takes the item of the lowest number if there is one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether an item was taken, and loses it then.
    pub async fn try_pop(&self) -> Result<Option<(T, f64)>, Error> {
        self.read(self.place.run(SortedCommand::PopMin).await?)
    }

    /// The item that would be taken next.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn peek(&self) -> Result<Option<(T, f64)>, Error> {
        self.read(self.place.run(SortedCommand::Range(0, 0)).await?)
    }

    /// How many items wait.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn len(&self) -> Result<u64, Error> {
        self.place.run(SortedCommand::Len).await?.count(self.key())
    }

    /// Whether no item waits.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len().await? == 0)
    }

    /// The changes from now on: `field` is the item, `old` and `new` are its priorities.
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

    /// An item as the store keeps it, for a [`Transaction`](super::Transaction), which puts it in by
    /// [`zadd`](super::Transaction::zadd).
    pub fn data<Q: Serialize + ?Sized>(&self, item: &Q) -> Result<Data, Error>
    where
        T: Borrow<Q>,
    {
        encode::<T, Q>(self.key(), item)
    }

    fn read(&self, reply: Reply) -> Result<Option<(T, f64)>, Error> {
        let first = reply.scored(self.key())?.into_iter().next();
        first.map(|(item, score)| Ok((decode(self.key(), &item)?, score))).transpose()
    }
}
