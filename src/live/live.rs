//! The live server of a process.

use super::hub::{Hub, check_name};
use super::kind::{self, Kind, Work};
use super::nodes::Node;
use super::outlet::Outlet;
use super::pipeline::{Lot, Station};
use super::results::Results;
use super::{
    Client, ClientHandle, Counts, Error, Job, JobId, Member, Part, Pipelines, Position, Security, Settings,
    Viewer, client, metered,
};
use crate::app::App;
use crate::element::{BoxError, Element, LinkOptions};
use futures::{Stream, StreamExt};
use parking_lot::{Mutex, RwLock};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Weak};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// The live server of a process: jobs in, parts of results out, to whoever is interested. Cheap to clone; it ends with its
/// last handle, and clients are handles.
///
/// ```
/// use futures::StreamExt;
/// use mape::live::{Delivery, Live, Viewer, answering};
/// use mape::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let app = App::new();
/// let live = Live::new(&app);
/// let squares = app.create_loop("jobs")?.execute("squares").each_unordered(8, answering(|job, parts| async move {
///     for n in 1..=job.input_as::<u64>()? {
///         parts.send(n * n).await?; // on its way to the client at once
///     }
///     Ok::<(), BoxError>(())
/// }));
/// live.job("squares", &squares.spawn()?)?;
///
/// let mut client = live.connect(Viewer::default());
/// client.ask("squares", 3)?;
/// client.close_when_done();
/// let mut seen = Vec::new();
/// while let Some(told) = client.next().await {
///     if let Delivery::Part(part) = told {
///         seen.push(part.data().cloned().unwrap());
///     }
/// }
/// assert_eq!(seen, [1, 4, 9]);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Live(pub(super) Arc<Shared>);

pub(super) struct Shared {
    hub: Arc<Hub>,
    /// What it is to others, if it shares with them.
    pub(super) node: Option<Arc<Node>>,
    pub(super) station: Arc<Station>,
    kinds: RwLock<BTreeMap<Arc<str>, Kind>>,
    running: Arc<Mutex<usize>>,
    tasks: Mutex<Vec<AbortHandle>>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.tasks.get_mut().drain(..).for_each(|task| task.abort());
    }
}

impl Live {
    /// One with the default settings, in which everybody may do everything.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn new(app: &App) -> Self {
        Self::with(app, Settings::default(), ())
    }

    /// One with these settings, whose clients may do what `security` lets them. On a server, such as `redis:`, it is a
    /// [node](Self::shared) among others.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn with(app: &App, settings: Settings, security: impl Security) -> Self {
        Self::build(app, settings, Box::new(security), app.backend().is_open())
    }

    pub(super) fn build(app: &App, settings: Settings, security: Box<dyn Security>, is_node: bool) -> Self {
        let hub = Arc::new(Hub::new(settings, security));
        let node = is_node.then(|| Arc::new(Node::new(app, hub.clone())));
        let live = Self(Arc::new(Shared {
            hub: hub.clone(),
            node: node.clone(),
            station: Arc::new(Station::new(hub.clone(), Outlet::new(hub.clone(), node))),
            kinds: RwLock::default(),
            running: Arc::default(),
            tasks: Mutex::default(),
        }));
        live.join_others();
        live.own(async move {
            loop {
                match hub.expire() {
                    Some(at) => tokio::select! {
                        () = tokio::time::sleep_until(at) => {}
                        () = hub.sooner.notified() => {}
                    },
                    None => hub.sooner.notified().await,
                }
            }
        });
        let station = live.0.station.clone();
        live.own(async move { station.run().await });
        live
    }

    /// Lets an element do the jobs of a name. It takes jobs and emits parts that it [makes](Job::part) of them;
    /// [`answering`](super::answering) makes such a function. An element may do jobs of several names. It is started.
    ///
    /// A job on which it fails ends with a part that says why.
    ///
    /// # Errors
    /// [`Error::KindTaken`], [`Error::Name`], [`Error::Link`].
    pub fn job(&self, name: &str, element: &Element<Job, Part>) -> Result<(), Error> {
        self.register(name, element)
    }

    /// The same with an element that takes lists of jobs, such as one that asks a service for many things at a time:
    /// [`answering_lists`](super::answering_lists) makes its function. A list has one job, unless a
    /// [pipeline](super::Stage::Batch) collects more.
    ///
    /// # Errors
    /// As of [`job`](Self::job).
    pub fn job_lists(&self, name: &str, element: &Element<Vec<Job>, Part>) -> Result<(), Error> {
        self.register(name, element)
    }

    fn register<W: Work>(&self, name: &str, element: &Element<W, Part>) -> Result<(), Error> {
        check_name("a kind of jobs", name)?;
        let mut kinds = self.0.kinds.write();
        if let Some(kind) = kinds.get(name) {
            return Err(Error::KindTaken { name: name.to_owned(), by: kind.element.path().to_string() });
        }
        let failed = |reason: BoxError| Error::Link {
            name: name.to_owned(),
            path: element.path().to_string(),
            reason: reason.to_string(),
        };
        let any = element.any().clone();
        let station = Arc::downgrade(&self.0.station);
        if !kinds.values().any(|kind| kind.element == any) {
            element
                .link_sink(Results::<Part>::parts(Arc::downgrade(&self.0)), LinkOptions::new())
                .map_err(|error| failed(error.into()))?;
            self.own(kind::tell_of_failures::<W>(any.clone(), station.clone()));
            if !any.state().is_active() {
                any.start().map_err(|error| failed(error.into()))?;
            }
        }
        #[expect(clippy::disallowed_methods, reason = "at most as many jobs are in it as may be under way")]
        let (jobs, waiting) = mpsc::unbounded_channel();
        self.own(kind::hand_over(waiting, element.clone(), station));
        let name: Arc<str> = name.into();
        kinds.insert(name.clone(), Kind { element: any, jobs });
        if let Some(node) = &self.0.node {
            node.does(&name);
        }
        Ok(())
    }

    /// The names of the jobs that can be asked for, with the paths of the elements that do them.
    #[must_use]
    pub fn kinds(&self) -> Vec<(Arc<str>, String)> {
        self.0
            .kinds
            .read()
            .iter()
            .map(|(name, kind)| (name.clone(), kind.element.path().to_string()))
            .collect()
    }

    /// A sink that publishes items under a name, for whoever is interested: for [`Element::link_sink`], or a stream that is
    /// forwarded to it.
    #[must_use]
    pub fn results<T: Serialize>(&self, name: &str) -> Results<T> {
        Results::new(Arc::downgrade(&self.0), name)
    }

    /// Publishes all that comes from a stream under a name, such as the items of a channel, events, or the changes of
    /// runs of workflows; until that or the live server ends.
    pub fn feed<T: Serialize + Send + 'static>(
        &self,
        name: &str,
        stream: impl Stream<Item = T> + Send + 'static,
    ) {
        let results = self.results(name);
        self.own(async move {
            let forwarded = stream.map(Ok).forward(results).await;
            if let Err(error) = forwarded {
                tracing::debug!(%error, "a stream is published no more");
            }
        });
    }

    /// Publishes under a name, for the members of that group and whoever is interested.
    ///
    /// # Errors
    /// [`Error::Name`]; [`Error::Full`] if it goes through a pipeline that has no room.
    pub fn publish(&self, name: &str, data: impl Into<Value>) -> Result<(), Error> {
        check_name("what is published", name)?;
        self.0.station.publish(Part::new(name, data))
    }

    /// Publishes what every [node](Self::shared) hears by itself, such as the items of a channel that all of them listen
    /// to: for the clients of this node alone, so that nobody gets it twice. At a node it is not kept: who comes back is
    /// told that the gap under this name is not known. If it is no node, as [`publish`](Self::publish).
    ///
    /// # Errors
    /// As of [`publish`](Self::publish).
    pub fn publish_here(&self, name: &str, data: impl Into<Value>) -> Result<(), Error> {
        check_name("what is published", name)?;
        let mut part = Part::new(name, data);
        part.is_local = true;
        self.0.station.publish(part)
    }

    /// A new client.
    pub fn connect(&self, viewer: Viewer) -> Client {
        Client::new(self.clone(), self.hub().enter(viewer))
    }

    /// The client of that id, if it is there.
    #[must_use]
    pub fn client(&self, id: &str) -> Option<ClientHandle> {
        self.hub().find(id).map(|inner| ClientHandle::of(self.clone(), inner))
    }

    /// Who is in a group.
    #[must_use]
    pub fn members(&self, group: &str) -> Vec<Member> {
        self.hub().members(group)
    }

    /// Where it is in what was published.
    #[must_use]
    pub fn position(&self) -> Position {
        self.hub().position()
    }

    /// How much there is now.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let (clients, names) = self.hub().counts();
        Counts { clients, names, jobs: *self.0.running.lock() }
    }

    /// The pipelines that are in force.
    #[must_use]
    pub fn pipelines(&self) -> Arc<Pipelines> {
        self.0.station.declared()
    }

    /// Puts other pipelines in force, as a whole, while jobs run; or nothing changes. What becomes of what is in those before
    /// is told at [`Pipelines`].
    ///
    /// # Errors
    /// [`Error::Pipelines`].
    pub fn set_pipelines(&self, pipelines: Pipelines) -> Result<(), Error> {
        self.0.station.set(pipelines).map_err(Error::Pipelines)
    }

    /// Puts the pipelines that were in force before in force again, and says which; once more takes that back.
    ///
    /// # Errors
    /// [`Error::NothingBefore`].
    pub fn roll_back(&self) -> Result<Arc<Pipelines>, Error> {
        self.0.station.roll_back()
    }

    /// How much there may be of everything.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        self.hub().settings()
    }

    /// Closes all clients behind what waits for them.
    pub fn close(&self) {
        self.say_goodbye();
        self.hub().close();
    }

    pub(super) fn hub(&self) -> &Hub {
        &self.0.hub
    }

    pub(super) fn security(&self) -> &dyn Security {
        self.0.hub.security()
    }

    pub(super) fn ask(&self, client: &Arc<client::Inner>, name: &str, input: Value) -> Result<JobId, Error> {
        if !self.security().may_ask(&client.viewer, name, &input) {
            let who = client.viewer.to_string();
            return Err(Error::Forbidden { who, what: format!("have a job called `{name}` done so") });
        }
        if client.queue.is_closed() {
            return Err(Error::Gone);
        }
        let kinds = self.0.kinds.read();
        let Some((known, kind)) = kinds.get_key_value(name) else {
            drop(kinds);
            return self.ask_elsewhere(client, name, input);
        };
        let (name, to) = (known.clone(), kind.jobs.clone());
        drop(kinds);
        let job = self.0.asked(client, name.clone(), input)?;
        let id = job.id();
        let Some(shared) = self.0.station.ask(&name, Lot::new(job, to))? else { return Ok(id) };
        let mut jobs = client.jobs.lock();
        jobs.retain(|(other, _)| *other != id && *other != shared.id());
        jobs.push((shared.id(), Arc::downgrade(shared.running())));
        drop(jobs);
        let id = shared.id();
        self.0.still_wants(client, shared)?;
        Ok(id)
    }

    /// Starts a task that ends with the live server.
    pub(super) fn own(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.0.tasks.lock();
        tasks.retain(|task| !task.is_finished());
        tasks.push(tokio::spawn(task).abort_handle());
    }
}

impl Shared {
    /// A job that a client has asked for, which is under way from now on.
    pub(super) fn asked(
        &self,
        client: &Arc<client::Inner>,
        name: Arc<str>,
        input: Value,
    ) -> Result<Job, Error> {
        let limit = self.hub.settings().client_jobs;
        if client.jobs.lock().len() >= limit {
            return Err(Error::Jobs { limit });
        }
        let under_way = self.under_way()?;
        let job = Job::new(name, Arc::new(input), client.viewer.clone());
        job.hold(under_way);
        job.own(client.clone());
        client.jobs.lock().push((job.id(), Arc::downgrade(job.running())));
        self.still_wants(client, job.clone())?;
        Ok(job)
    }

    /// Who goes gives up the jobs it has; who has gone just before it got this one does so here.
    fn still_wants(&self, client: &Arc<client::Inner>, job: Job) -> Result<(), Error> {
        if !client.queue.is_closed() {
            return Ok(());
        }
        client.take_out(job.id());
        self.hub.give_up(client.key, job);
        Err(Error::Gone)
    }

    /// Begins a job that was asked for at another node.
    pub(super) fn begin(&self, job: &Job) -> Result<(), Error> {
        let viewer = job.asked_by();
        if !self.hub.security().may_ask(viewer, job.name(), job.input()) {
            let what = format!("have a job called `{}` done so", job.name());
            return Err(Error::Forbidden { who: viewer.to_string(), what });
        }
        let to = {
            let kinds = self.kinds.read();
            let Some(kind) = kinds.get(job.name()) else { return Err(self.unknown_kind(job.name(), &kinds)) };
            kind.jobs.clone()
        };
        job.hold(self.under_way()?);
        self.station.ask(job.name(), Lot::new(job.clone(), to)).map(drop)
    }

    /// A place among those that may be under way.
    fn under_way(&self) -> Result<UnderWay, Error> {
        UnderWay::begin(self).or_else(|_| {
            self.station.forget_cancelled();
            UnderWay::begin(self)
        })
    }

    /// Nobody does such jobs.
    pub(super) fn no_kind(&self, name: &str) -> Error {
        self.unknown_kind(name, &self.kinds.read())
    }

    fn unknown_kind(&self, name: &str, kinds: &BTreeMap<Arc<str>, Kind>) -> Error {
        let mut known: Vec<_> = kinds.keys().map(ToString::to_string).collect();
        known.extend(self.node.iter().flat_map(|node| node.kinds_elsewhere()));
        known.sort();
        known.dedup();
        let near = crate::hint::nearest(name, known.iter().map(|name| &**name));
        let hint = near.map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
        Error::UnknownKind { name: name.to_owned(), hint, known }
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("kinds", &self.kinds()).finish_non_exhaustive()
    }
}

/// A job's place among those that may be under way.
struct UnderWay {
    running: Arc<Mutex<usize>>,
    hub: Weak<Hub>,
    since: Instant,
}

impl UnderWay {
    fn begin(live: &Shared) -> Result<Self, Error> {
        let limit = live.hub.settings().jobs;
        let mut running = live.running.lock();
        if *running >= limit {
            return Err(Error::Busy { limit });
        }
        *running += 1;
        let meter = &live.hub.meter;
        meter.add(metered::JOBS, 1);
        meter.set(metered::RUNNING, *running as f64);
        Ok(Self { running: live.running.clone(), hub: Arc::downgrade(&live.hub), since: Instant::now() })
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut running = self.running.lock();
        *running -= 1;
        if let Some(hub) = self.hub.upgrade() {
            hub.meter.set(metered::RUNNING, *running as f64);
            hub.meter.record(self.since.elapsed());
        }
    }
}
