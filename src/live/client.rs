//! Somebody who asks for jobs and states interests.

use super::hub::Hub;
use super::job::Running;
use super::queue::Queue;
use super::{Closed, Delivered, Delivery, Error, Interest, Job, JobId, Join, Live, Member, Position, Viewer};
use crate::event::EventId;
use futures::Stream;
use parking_lot::Mutex;
use serde_json::Value;
use std::collections::VecDeque;
use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};

/// What the hub knows of a client.
pub(super) struct Inner {
    pub(super) key: u64,
    pub(super) id: Arc<str>,
    /// By which others know it.
    pub(super) public: Arc<str>,
    pub(super) viewer: Viewer,
    pub(super) queue: Queue,
    /// The number of the last part that it was handed, so that it gets none twice for several interests.
    pub(super) last: AtomicU64,
    pub(super) jobs: Mutex<Vec<(JobId, Weak<Running>)>>,
    /// How many interests and groups it has.
    pub(super) interests: AtomicUsize,
    /// It is closed when it has neither jobs nor interests.
    closes: AtomicBool,
    /// It has seen at another node what this one has not read yet, up to a place.
    is_ahead: AtomicBool,
    ahead: Mutex<EventId>,
}

impl Inner {
    pub(super) fn new(key: u64, viewer: Viewer, queue: Queue) -> Self {
        Self {
            key,
            // Not to be guessed: who knows it may change its interests.
            id: format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)).into(),
            public: format!("{:016x}", fastrand::u64(..)).into(),
            viewer,
            queue,
            last: AtomicU64::new(0),
            jobs: Mutex::default(),
            interests: AtomicUsize::new(0),
            closes: AtomicBool::new(false),
            is_ahead: AtomicBool::new(false),
            ahead: Mutex::default(),
        }
    }

    /// It has seen all up to a place.
    pub(super) fn set_ahead(&self, of: EventId) {
        *self.ahead.lock() = of;
        self.is_ahead.store(true, Ordering::Release);
    }

    fn has_seen(&self, part: &Delivered) -> bool {
        self.is_ahead.load(Ordering::Acquire)
            && part.offset().is_some_and(|offset| offset <= *self.ahead.lock())
    }

    /// One of its jobs has ended.
    pub(super) fn ended(&self, job: JobId, told: Delivery) {
        self.jobs.lock().retain(|(id, _)| *id != job);
        self.queue.tell(told);
        self.close_if_done();
    }

    /// Takes a job of it out; `None` if there is none.
    pub(super) fn take_out(&self, job: JobId) -> Option<Weak<Running>> {
        let mut jobs = self.jobs.lock();
        let at = jobs.iter().position(|(id, _)| *id == job)?;
        Some(jobs.swap_remove(at).1)
    }

    pub(super) fn close_if_done(&self) {
        if self.closes.load(Ordering::Acquire)
            && self.interests.load(Ordering::Acquire) == 0
            && self.jobs.lock().is_empty()
        {
            self.queue.close(None);
        }
    }
}

/// Somebody who asks for jobs and states interests; a stream of what it is told. When it is dropped, it has gone: what
/// only it wanted is cancelled.
///
/// It derefs to its [`ClientHandle`], which can be cloned, to ask and to state from elsewhere.
///
/// # Cancel safety
/// A pending `next` may be dropped: nothing is lost.
#[must_use = "a client that is dropped has gone"]
pub struct Client {
    handle: ClientHandle,
    /// What was taken at a time and not yet looked at.
    taken: VecDeque<Delivery>,
}

/// A handle to a [`Client`]. Cheap to clone.
#[derive(Clone)]
pub struct ClientHandle {
    live: Live,
    inner: Arc<Inner>,
}

/// What holds for an interest from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stated {
    /// Where the client is now.
    pub position: Position,
    /// Whether all that it missed since the position it gave is on its way to it; `None` if it gave none.
    pub recovered: Option<bool>,
}

impl Client {
    pub(super) fn new(live: Live, inner: Arc<Inner>) -> Self {
        Self { handle: ClientHandle { live, inner }, taken: VecDeque::new() }
    }

    /// The handle, to be kept elsewhere.
    #[must_use]
    pub fn handle(&self) -> ClientHandle {
        self.handle.clone()
    }
}

impl Deref for Client {
    type Target = ClientHandle;
    fn deref(&self) -> &ClientHandle {
        &self.handle
    }
}

impl Stream for Client {
    type Item = Delivery;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Delivery>> {
        let me = &mut *self;
        if me.taken.is_empty() && !ready!(me.handle.inner.queue.poll_take(&mut me.taken, cx)) {
            return Poll::Ready(None);
        }
        Poll::Ready(me.taken.pop_front())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.handle.inner.queue.close(None);
        self.handle.live.hub().leave(&self.handle.inner);
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("viewer", &self.handle.inner.viewer).finish_non_exhaustive()
    }
}

impl ClientHandle {
    pub(super) fn of(live: Live, inner: Arc<Inner>) -> Self {
        Self { live, inner }
    }

    /// Its id, by which [`Live::client`] finds it. It is a secret: who knows it may speak for the client.
    #[must_use]
    pub fn id(&self) -> &Arc<str> {
        &self.inner.id
    }

    /// The id by which the members of its groups know it, which is good for nothing else.
    #[must_use]
    pub fn public_id(&self) -> &Arc<str> {
        &self.inner.public
    }

    /// Its jobs that are under way.
    #[must_use]
    pub fn jobs(&self) -> Vec<JobId> {
        self.inner.jobs.lock().iter().map(|(id, _)| *id).collect()
    }

    /// Who stands behind it.
    #[must_use]
    pub fn viewer(&self) -> &Viewer {
        &self.inner.viewer
    }

    /// Has a job done; its parts come to the client, and then its end.
    ///
    /// # Errors
    /// [`Error::UnknownKind`], [`Error::Busy`], [`Error::Forbidden`], [`Error::Gone`].
    pub fn ask(&self, name: &str, input: impl Into<Value>) -> Result<JobId, Error> {
        self.live.ask(&self.inner, name, input.into())
    }

    /// Takes a job back: it is cancelled unless somebody else wants it. `false` if it is none of this client's.
    pub fn cancel(&self, job: JobId) -> bool {
        let Some(running) = self.inner.take_out(job) else { return false };
        if let Some(running) = running.upgrade() {
            self.hub().give_up(self.inner.key, Job::from(running));
        }
        self.inner.close_if_done();
        true
    }

    /// States an interest, in place of the one of the same name. With the position of the last part that it has seen, what
    /// it missed comes first, if it is still known.
    ///
    /// # Errors
    /// [`Error::Interests`], [`Error::Name`], [`Error::Names`], [`Error::Patterns`], [`Error::Gone`].
    pub fn state(&self, name: &str, interest: Interest, since: Option<&Position>) -> Result<Stated, Error> {
        self.hub().state(&self.inner, vec![(name.into(), interest)], Vec::new(), since)
    }

    /// States several interests by their names, all or none of them; what was missed comes once, whichever of them it
    /// fulfils.
    ///
    /// # Errors
    /// As of [`state`](Self::state).
    pub fn state_all<N: Into<Arc<str>>>(
        &self,
        interests: impl IntoIterator<Item = (N, Interest)>,
        since: Option<&Position>,
    ) -> Result<Stated, Error> {
        self.state_and_join(interests, [], since)
    }

    /// States several interests by their names and joins several groups, all or none of them; what was missed comes once,
    /// whichever of them it is for, in the order in which it was published. So nothing is skipped by who breaks off
    /// meanwhile and comes back with the position of the last part that it got.
    ///
    /// # Errors
    /// As of [`state`](Self::state) and [`join`](Self::join).
    pub fn state_and_join<N: Into<Arc<str>>>(
        &self,
        interests: impl IntoIterator<Item = (N, Interest)>,
        joins: impl IntoIterator<Item = Join>,
        since: Option<&Position>,
    ) -> Result<Stated, Error> {
        let joins: Vec<_> = joins.into_iter().collect();
        for Join { group, .. } in &joins {
            if !self.live.security().may_join(&self.inner.viewer, group) {
                return Err(self.forbidden(format!("join the group `{group}`")));
            }
        }
        let interests = interests.into_iter().map(|(name, interest)| (name.into(), interest)).collect();
        self.hub().state(&self.inner, interests, joins, since)
    }

    /// Withdraws an interest; `false` if there is none of that name.
    pub fn withdraw(&self, name: &str) -> bool {
        let was = self.hub().withdraw(&self.inner, name);
        self.inner.close_if_done();
        was
    }

    /// Becomes a member of a group: gets what is published under its name, and is told who comes and goes if it wants
    /// to. Others are shown `info`, 4 KiB of JSON at most.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Info`], and as of [`state`](Self::state).
    pub fn join(
        &self,
        group: &str,
        info: impl Into<Value>,
        wants_presence: bool,
        since: Option<&Position>,
    ) -> Result<Stated, Error> {
        let join = Join::new(group).with_info(info).with_presence(wants_presence);
        self.state_and_join::<Arc<str>>([], [join], since)
    }

    /// Leaves a group; `false` if it was not in it.
    pub fn leave(&self, group: &str) -> bool {
        let was = self.hub().leave_group(&self.inner, group);
        self.inner.close_if_done();
        was
    }

    /// Who is in a group.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn members(&self, group: &str) -> Result<Vec<Member>, Error> {
        if !self.live.security().may_join(&self.inner.viewer, group) {
            return Err(self.forbidden(format!("see who is in the group `{group}`")));
        }
        Ok(self.live.members(group))
    }

    /// Publishes under a name, for the members of that group and whoever is interested.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Name`].
    pub fn publish(&self, name: &str, data: impl Into<Value>) -> Result<(), Error> {
        if !self.live.security().may_publish(&self.inner.viewer, name) {
            return Err(self.forbidden(format!("publish as `{name}`")));
        }
        self.live.publish(name, data)
    }

    /// Closes it, behind what waits for it, as soon as all its jobs have ended and it has no interests.
    pub fn close_when_done(&self) {
        self.inner.closes.store(true, Ordering::Release);
        self.inner.close_if_done();
    }

    /// Closes it behind what waits for it.
    pub fn close(&self, reason: Option<Closed>) {
        self.inner.queue.close(reason);
    }

    /// How many parts wait for it.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.inner.queue.len()
    }

    fn hub(&self) -> &Hub {
        self.live.hub()
    }

    fn forbidden(&self, what: String) -> Error {
        Error::Forbidden { who: self.inner.viewer.to_string(), what }
    }
}

impl fmt::Debug for ClientHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHandle").field("viewer", &self.inner.viewer).finish_non_exhaustive()
    }
}

/// Whether this client was not handed this part yet, and may see it; marks it as handed. Errors of its own jobs it may
/// see whatever the security says.
pub(super) fn takes(
    client: &Inner,
    number: u64,
    part: &Delivered,
    security: &dyn super::Security,
    is_own: bool,
) -> bool {
    let may_see = || (is_own && part.error().is_some()) || security.may_see(&client.viewer, part);
    client.last.load(Ordering::Relaxed) != number && !client.has_seen(part) && may_see() && {
        client.last.store(number, Ordering::Relaxed);
        true
    }
}
