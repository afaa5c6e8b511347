//! A lock that ends by itself when its holder is gone.

use super::place::Place;
use super::{Condition, Data, Error, Key, KeyCommand, Operation, Store, Transaction};
use futures::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::warn;

/// Lets one holder at a time do something, in this process or any other on the same store.
///
/// A holder has a **lease**: it is renewed in the background, every third of its length, as long as the [`LockGuard`]
/// lives, and ends by itself when the holder's process is gone. A holder that sleeps through its lease may go on
/// without knowing that another has begun; so each holder gets a **fencing token** that is larger than every one
/// before. Have whatever the lock protects refuse smaller tokens than it has seen, or, if it is knowledge, put the
/// guard into the transaction: [`Transaction::expect_lock`].
///
/// Not reentrant. Those who wait are served in no particular order.
///
/// Source: `create_lock` of `PyMAPE`, without its several masters; fencing after Kleppmann, *How to do distributed
/// locking* (2016).
///
/// ```
/// # use mape::{backend::Backend, knowledge::{Error, Knowledge, Scope}};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Error> {
/// # let k = Knowledge::new(Backend::memory().store(), Scope::App);
/// let bridge = k.lock("bridge");
/// let first = bridge.acquire().await?;
/// assert!(bridge.try_acquire().await?.is_none());
/// let token = first.token();
/// first.release().await?;
/// assert!(bridge.acquire().await?.token() > token);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Lock {
    place: Place,
    lease: Duration,
}

/// How long a store is waited for before asking again, should its notice of the release be lost.
const ASK_AGAIN: Duration = Duration::from_secs(1);

impl Lock {
    /// The lease unless another is asked for.
    pub const LEASE: Duration = Duration::from_secs(10);

    pub(super) fn at(place: Place) -> Self {
        Self { place, lease: Self::LEASE }
    }

    /// With another lease: long enough for a renewal to come late, short enough to wait for after a crash.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// The full name under which it is kept, with the scope's prefix; the last token is beside it at `<key>.fence`.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.place.key
    }

    /// Waits until the lock is free and takes it. Bound the wait with `tokio::time::timeout`.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with time.
    ///
    /// # Cancel safety
    ///
    /// Yes, but on a store that is elsewhere a lock taken at that moment stays until its lease ends.
    pub async fn acquire(&self) -> Result<LockGuard, Error> {
        if let Some(guard) = self.try_acquire().await? {
            return Ok(guard);
        }
        let freed = self.place.filter().operations([Operation::Del, Operation::Expired]);
        let mut freed = self.place.store.watch(freed).await?;
        loop {
            if let Some(guard) = self.try_acquire().await? {
                return Ok(guard);
            }
            // Notices may be lost on the way, so the end of the time is no error but a reason to ask again.
            let _ = timeout(ASK_AGAIN, freed.next()).await;
        }
    }

    /// Takes the lock if it is free.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with time.
    ///
    /// # Cancel safety
    ///
    /// Yes, but on a store that is elsewhere a lock taken at that moment stays until its lease ends.
    pub async fn try_acquire(&self) -> Result<Option<LockGuard>, Error> {
        if self.lease.is_zero() {
            return Err(Error::ZeroLease { key: self.key().clone() });
        }
        let held = Held {
            store: self.place.store.clone(),
            key: self.key().clone(),
            owner: format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)).into(),
            lease: self.lease,
        };
        // Counted before the store is asked: its lease cannot end earlier than ours.
        let until = Instant::now() + self.lease;
        let fence = Key::from(format!("{}.fence", self.key()));
        let taking = Transaction::new()
            .expect_absent(self.key())
            .set_for(self.key(), held.owner.clone(), self.lease)
            .incrby(fence, 1);
        let committed = match self.place.store.commit(taking).await {
            Ok(committed) => committed,
            Err(Error::Conflict(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let token = match committed.replies.into_iter().next_back() {
            Some(reply) => reply.number(self.key())?.unsigned_abs(),
            None => 0,
        };
        Ok(Some(LockGuard::new(held, token, until)))
    }

    /// Whether anyone holds it now.
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn is_held(&self) -> Result<bool, Error> {
        self.place.run(KeyCommand::Exists).await?.flag(self.key())
    }
}

/// The lock is held as long as this lives and its lease is renewed; dropping it releases the lock.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct LockGuard {
    held: Held,
    token: u64,
    until: watch::Receiver<Instant>,
    renewing: JoinHandle<()>,
    released: bool,
}

/// What has to be known to renew and to release.
#[derive(Clone, Debug)]
struct Held {
    store: Arc<dyn Store>,
    key: Key,
    owner: Data,
    lease: Duration,
}

impl LockGuard {
    fn new(held: Held, token: u64, until: Instant) -> Self {
        let (sender, receiver) = watch::channel(until);
        let renewing = tokio::spawn(held.clone().renew(sender));
        Self { held, token, until: receiver, renewing, released: false }
    }

    /// The fencing token: larger than that of every earlier holder.
    #[must_use]
    pub fn token(&self) -> u64 {
        self.token
    }

    /// Whether the lease has not ended, by this process' clock.
    #[must_use]
    pub fn is_held(&self) -> bool {
        Instant::now() < *self.until.borrow()
    }

    /// [`Error::LockLost`] if the lease has ended, by this process' clock.
    pub fn check(&self) -> Result<(), Error> {
        if self.is_held() { Ok(()) } else { Err(self.lost_error()) }
    }

    /// Waits until the lock is lost; for ever as long as renewing succeeds.
    ///
    /// # Cancel safety
    ///
    /// Yes.
    pub async fn lost(&self) -> Error {
        let mut until = self.until.clone();
        loop {
            let end = *until.borrow_and_update();
            tokio::select! {
                changed = until.changed() => if changed.is_err() {
                    // Nobody renews any more.
                    sleep_until(end).await;
                    return self.lost_error();
                },
                () = sleep_until(end) => return self.lost_error(),
            }
        }
    }

    /// Releases the lock and says whether it was still held.
    ///
    /// # Errors
    ///
    /// [`Error::LockLost`] if it was not: what was done under it may not have been alone.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it is released; if not, the lease ends it.
    pub async fn release(mut self) -> Result<(), Error> {
        self.renewing.abort();
        self.released = true;
        match self.held.store.commit(self.held.releasing()).await {
            Ok(_) => Ok(()),
            Err(Error::Conflict(_)) => Err(self.lost_error()),
            Err(error) => Err(error),
        }
    }

    /// What holds in the store as long as this guard holds the lock.
    pub(super) fn condition(&self) -> Condition {
        self.held.condition()
    }

    fn lost_error(&self) -> Error {
        Error::LockLost { key: self.held.key.clone(), token: self.token }
    }
}

impl Held {
    fn condition(&self) -> Condition {
        Condition::Value(self.key.clone(), self.owner.clone())
    }

    fn releasing(&self) -> Transaction {
        Transaction::new().expect(self.condition()).del(&self.key)
    }

    /// Renews the lease until it is lost.
    async fn renew(self, until: watch::Sender<Instant>) {
        loop {
            let begun = Instant::now();
            let end = *until.borrow();
            // The first time and after a success a third of the lease has to pass; after a failure less is left.
            let left = end.saturating_duration_since(begun);
            sleep_until(begun + (left / 2).min(self.lease / 3)).await;
            let new_end = Instant::now() + self.lease;
            let renewal = Transaction::new().expect(self.condition()).expire(&self.key, self.lease);
            match self.store.commit(renewal).await {
                Ok(_) => {
                    until.send_replace(new_end);
                }
                Err(Error::Conflict(_)) => {
                    until.send_replace(begun);
                    return;
                }
                Err(error) if Instant::now() < end => {
                    warn!(key = %self.key, error = &error as &dyn std::error::Error, "a lock could not be renewed");
                }
                Err(_) => return,
            }
        }
    }
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        self.renewing.abort();
        if self.released {
            return;
        }
        // A store that answers at once has released it now; another one is asked in the background, and if there is
        // no runtime any more, the lease ends it.
        if let Err(pending) = self.held.store.commit(self.held.releasing()).now()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(pending);
        }
    }
}
