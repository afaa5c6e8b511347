//! The engine.

use super::adopting::OURS;
use super::metered::Metered;
use super::ready::Ready;
use super::report::{Begin, Report, Told};
use super::run_id::uuid;
use super::timers::Timers;
use super::turner::{LEASE, Turner};
use super::{
    Ended, Error, Invocation, Names, Place, Run, RunId, RunningWorker, Tasks, Worker, Workflows, keys,
    lanes::Lanes, process,
};
use crate::app::{App, Loop};
use crate::element::{Element, LinkOptions, StartPolicy, Subscription};
use crate::event::GroupName;
use crate::flow::{Graph, Workflow};
use crate::knowledge::{Filter, Notice, Transaction};
use futures::{Stream, StreamExt, future, stream};
use parking_lot::Mutex;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Turns the runs of a backend, and hosts tasks. Cheap to clone.
///
/// It is a loop of the app: the elements `tasks.…` carry tasks out, and `workflows.turn` takes what they emit, what the
/// log says, and what is due, lets each run go a [`step`](super::step()), keeps that, and hands on what follows. All that
/// has come in meanwhile is one change of a run, whether that is one ending or a hundred.
///
/// Every engine of a backend goes on with the runs that none has in hand: those of an engine that has given no sign of
/// life for three seconds, has [closed](Self::close), or whose process is gone from this machine (Linux).
#[derive(Clone)]
pub struct Engine {
    app: App,
    workflows: Workflows,
    tasks: Arc<Tasks>,
    id: Arc<str>,
    kinds: Arc<Vec<Element<Invocation, Ended>>>,
    turn: Element<Report, RunId>,
    loops: Arc<[Loop; 2]>,
    /// Those who carry out what is announced, in this process.
    workers: Arc<Mutex<Vec<RunningWorker>>>,
}

/// How often an engine gives a sign of life.
const TICK: Duration = Duration::from_secs(1);

impl Engine {
    /// An engine on the backend of this app that hosts these tasks. It makes the loops `tasks` and `workflows`.
    ///
    /// # Errors
    ///
    /// [`Error::Spawn`] if two tasks get the same uid, [`Error::App`] if the app has such loops; what the backend says.
    ///
    /// # Cancel safety
    ///
    /// Elements may have been made; remove the loops before another is started.
    pub async fn start(app: &App, tasks: Tasks) -> Result<Self, Error> {
        Self::with(tasks).start(app).await
    }

    /// An engine that hosts these tasks, to be told how before it starts.
    pub fn with(tasks: Tasks) -> Starting {
        Starting { tasks, names: Names::default(), is_compatible: false }
    }

    /// Starts a run of a flow.
    ///
    /// # Errors
    ///
    /// Nothing is started then: [`Error::Flow`] with all that is wrong with the text, [`Error::UnknownTask`],
    /// [`Error::Policy`], [`Error::Parameters`], [`Error::Input`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it is started; with an id of one's own it can be
    /// [started again](Self::run_as) without harm.
    pub async fn run(&self, flow: &str, input: Value) -> Result<Run, Error> {
        let graph = Workflow::parse(flow).into_graph()?;
        let id = RunId::random(graph.name());
        self.begin(id, graph, Some(flow.into()), input).await
    }

    /// Starts a run of a graph.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    ///
    /// # Cancel safety
    ///
    /// As [`run`](Self::run).
    pub async fn run_graph(&self, graph: impl Into<Arc<Graph>>, input: Value) -> Result<Run, Error> {
        let graph = graph.into();
        let id = RunId::random(graph.name());
        self.begin(id, graph, None, input).await
    }

    /// Starts a run under an id of one's own, or goes on with it: the same flow with the same input under the same id
    /// is the same run, however often it is started.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run), and [`Error::Exists`] if the run of that id is another one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it is started.
    pub async fn run_as(&self, id: RunId, flow: &str, input: Value) -> Result<Run, Error> {
        let graph = Arc::new(Workflow::parse(flow).into_graph()?);
        match self.begin(id.clone(), graph.clone(), Some(flow.into()), input.clone()).await {
            Err(Error::Exists { .. }) => {}
            other => return other,
        }
        let given = super::input::checked(input)?;
        if !self.workflows.load(&id).await?.is(&graph, given.as_ref()) {
            return Err(Error::Exists { id });
        }
        self.attach(id).await
    }

    /// A run that exists, in whatever hands: this engine goes on with it if nobody else does.
    ///
    /// # Errors
    ///
    /// [`Error::NoRun`]; [`Error::UnknownTask`] if nobody has it in hand, and it has tasks that are not hosted here.
    ///
    /// # Cancel safety
    ///
    /// Yes.
    pub async fn attach(&self, id: RunId) -> Result<Run, Error> {
        let is_over = self.workflows.status(&id).await?.is_over();
        if !is_over && !self.workflows.is_in_hand(&id).await? {
            self.tasks.check(&self.workflows.load(&id).await?.definition)?;
        }
        self.tell(Told::Changed(id.clone())).await?;
        Ok(Run::of(id, &self.workflows, None))
    }

    async fn begin(
        &self,
        id: RunId,
        graph: impl Into<Arc<Graph>>,
        text: Option<Arc<str>>,
        input: Value,
    ) -> Result<Run, Error> {
        let definition = Arc::new(self.tasks.define(graph)?);
        let input = super::input::checked(input)?;
        let (answer, answered) = oneshot::channel();
        let context = super::traced::begins(&id);
        let begin = Begin { id: id.clone(), definition, text, input, context, answer };
        self.tell(Told::Begin(Mutex::new(Some(begin)))).await?;
        let origin = answered.await.map_err(|_| Error::EngineGone)??;
        Ok(Run::of(id, &self.workflows, Some(origin)))
    }

    async fn tell(&self, told: Told) -> Result<(), Error> {
        self.turn.push(told.into()).await.map_err(|_| Error::EngineGone)
    }

    /// The runs of the backend.
    #[must_use]
    pub fn workflows(&self) -> &Workflows {
        &self.workflows
    }

    /// The tasks it hosts.
    #[must_use]
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// The app it is in.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The elements of its tasks, in the order of [`tasks`](Self::tasks).
    #[must_use]
    pub fn elements(&self) -> &[Element<Invocation, Ended>] {
        &self.kinds
    }

    /// The groups of the log that it is a member of.
    #[must_use]
    pub fn groups(&self) -> Vec<GroupName> {
        let names = self.workflows.names();
        let workers = self.workers.lock();
        let compatible = (!workers.is_empty()).then(|| names.lifecycle.clone());
        let workers = workers.iter().map(|worker| worker.group().name().clone());
        std::iter::once(names.ending.clone()).chain(compatible).chain(workers).collect()
    }

    /// The ports of one step of a run: those of its task's element, filtered.
    ///
    /// Nothing if the run has no task at that index that is hosted here.
    ///
    /// # Errors
    ///
    /// [`Error::NoRun`].
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn step(&self, id: &RunId, index: u32) -> Result<Option<StepPorts>, Error> {
        let loaded = self.workflows.load(id).await?;
        let node = loaded.definition.graph().node(Place::node(index).index());
        let name = node.and_then(|node| super::definition::task_of(node.kind()));
        let element = name.and_then(|name| self.kinds.get(self.tasks.position(name)?));
        let Some((name, element)) = name.zip(element) else { return Ok(None) };
        let (workflows, element) = (self.workflows.clone(), element.clone());
        Ok(Some(StepPorts { id: id.clone(), index, name: name.to_owned(), element, workflows }))
    }

    /// The ports of the step that a path names: the run, `/`, and the index of the step, as
    /// [`Invocation::key`](super::Invocation::key) writes it.
    ///
    /// Nothing if there is no such step hosted here, as [`step`](Self::step).
    ///
    /// # Errors
    ///
    /// [`Error::NoRun`].
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn step_at(&self, path: &str) -> Result<Option<StepPorts>, Error> {
        let (run, index) = path.rsplit_once('/').unwrap_or((path, ""));
        let Ok(index) = index.parse() else { return Ok(None) };
        self.step(&run.into(), index).await
    }

    /// Lets go of all runs, so that another engine goes on with them at once, and takes its elements out of the app.
    /// What its tasks do ends here, and is done again elsewhere.
    ///
    /// # Errors
    ///
    /// What the backend says; another engine goes on after three seconds then.
    ///
    /// # Cancel safety
    ///
    /// Yes: the elements are gone at once.
    pub async fn close(self) -> Result<(), Error> {
        let workers = std::mem::take(&mut *self.workers.lock());
        for worker in workers {
            worker.drain_within(Duration::ZERO).await;
        }
        for of in self.loops.iter() {
            for element in of.elements() {
                of.remove(element.path().element());
            }
            self.app.remove_loop(of.uid());
        }
        let key = keys::engine(&self.id);
        self.workflows.store().run(&key, crate::knowledge::KeyCommand::Delete.into()).await?;
        Ok(())
    }
}

/// An engine before it starts.
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is started"]
pub struct Starting {
    tasks: Tasks,
    names: Names,
    is_compatible: bool,
}

/// The namespaces of tasks that workers of littleflow carry out, each in the group of its name.
const ANNOUNCED: [&str; 3] = ["wait", "request", "redis"];

impl Starting {
    /// As programs in Python on `littleflow_redis` expect it of a worker: every event is answered by a receipt, runs are
    /// listed by the group `lifecycle`, and the tasks `wait:*`, `request:*` and `redis:*` are announced in the log and
    /// carried out by workers of this process in the groups `wait`, `request` and `redis`.
    ///
    /// Without it, these tasks are carried out where the run is, and nothing is answered: that is faster, and enough for
    /// task workers of any kind. It is needed beside a worker, a client or a receipt listener in Python.
    pub fn compatible(mut self) -> Self {
        self.is_compatible = true;
        self
    }

    /// Under other names than littleflow's.
    pub fn named(mut self, names: Names) -> Self {
        self.names = names;
        self
    }

    /// Starts it on the backend of this app. It makes the loops `tasks` and `workflows`.
    ///
    /// # Errors
    ///
    /// As [`Engine::start`].
    ///
    /// # Cancel safety
    ///
    /// As [`Engine::start`].
    pub async fn start(self, app: &App) -> Result<Engine, Error> {
        let (hosts, own) = (app.create_loop("tasks")?, app.create_loop("workflows")?);
        let id = Arc::<str>::from(uuid());
        let (tasks, apart) =
            if self.is_compatible { self.tasks.split(ANNOUNCED) } else { (self.tasks, Vec::new()) };
        let tasks = Arc::new(tasks);
        let workflows = Workflows::new(app.backend()).named(self.names);
        // Before it has anything in hand, so that nobody takes that for abandoned.
        let sign = Transaction::new().set_for(keys::engine(&id), process::this(), LEASE);
        workflows.store().commit(sign).await?;
        let ready: Vec<Arc<Ready>> = tasks.iter().map(|_| Arc::default()).collect();
        let timers = Arc::<Timers>::default();
        let turner = Turner {
            metered: Metered::new(&id),
            engine: id.clone(),
            workflows: workflows.clone(),
            tasks: tasks.clone(),
            woken: vec![false; ready.len()],
            ready: ready.clone(),
            timers: timers.clone(),
            runs: HashMap::default(),
            touched: Vec::new(),
            beginning: Vec::new(),
            lanes: Lanes::default(),
            refused: HashSet::new(),
            over: HashSet::new(),
            fresh: HashSet::new(),
            crossed_at: None,
            receipts: self.is_compatible,
            is_listed_by_others: false,
            foreign_engine: None,
        };
        let turn = own
            .analyze::<Report>("turn")
            .start_policy(StartPolicy::AtOnce)
            .ops_in(|reports| reports.ready_chunks(TOGETHER))
            .handler(turner)
            .spawn()?;
        let mut kinds = Vec::new();
        for (task, ready) in tasks.iter().zip(&ready) {
            let element = task.spawn(&hosts)?;
            element.link_ops(&turn, LinkOptions::default(), |ended| ended.map(Report::Task))?;
            element.feed(ready.stream());
            kinds.push(element);
        }
        turn.feed(timers.stream().map(|timer| Told::Due(timer).into()));
        turn.feed(changes(app).await?);
        turn.feed(events(&workflows, &id, self.is_compatible).await?);
        let mut workers = Vec::new();
        if self.is_compatible {
            super::lifecycle::spawn(&own, &workflows, &id).await?;
            for (space, tasks) in apart {
                let worker = Worker::new(space, tasks).log(&workflows.names().log).receipts();
                // A wait may be longer than the lives of any number of engines.
                let worker = worker.attempts(u64::MAX);
                workers.push(worker.concurrency(ANNOUNCED_AT_ONCE).start(app).await?);
            }
        }
        turn.feed(ticks());
        Ok(Engine {
            app: app.clone(),
            workflows,
            tasks,
            id,
            kinds: Arc::new(kinds),
            turn,
            loops: Arc::new([hosts, own]),
            workers: Arc::new(Mutex::new(workers)),
        })
    }
}

/// How many announced tasks of a namespace are in hand at once: most of them wait.
const ANNOUNCED_AT_ONCE: usize = 4096;
/// How many reports are worked on together at most.
const TOGETHER: usize = 256;

/// What others have changed.
async fn changes(app: &App) -> Result<impl Stream<Item = Report> + Send + use<>, Error> {
    let changes = app.backend().store().watch(Filter::key(keys::CHANGED)).await?;
    Ok(changes.filter_map(|notice| {
        future::ready(match notice {
            Notice::Change(change) => {
                change.new.as_ref().and_then(|id| id.as_str()).map(|id| Told::Changed(id.into()).into())
            }
            Notice::Missed(_) | Notice::Interrupted => Some(Told::Missed.into()),
        })
    }))
}

async fn events(
    workflows: &Workflows,
    engine: &str,
    receipts: bool,
) -> Result<impl Stream<Item = Report> + Send + use<>, Error> {
    let group = workflows.log().group(&workflows.names().ending).consumer(format!("{OURS}{engine}"));
    let group = if receipts { group.receipts() } else { group };
    // What one that is gone had read is taken up as soon as what it had in hand.
    let group = group.lease(LEASE);
    // Whatever its deliveries come to nothing for, the end of a task does not go to the dead letters.
    let group = group.attempts(u64::MAX);
    let events = group.select(["end-task", "control-workflow", "start-workflow"]).source::<Value>().await?;
    Ok(events.filter_map(|event| {
        future::ready(match event {
            Ok(delivery) => Some(Told::Event(delivery).into()),
            Err(error) => {
                tracing::warn!(%error, "an event about a run cannot be read");
                None
            }
        })
    }))
}

fn ticks() -> impl Stream<Item = Report> + Send {
    stream::unfold(None::<tokio::time::Interval>, |interval| async {
        let mut interval = interval.unwrap_or_else(|| tokio::time::interval(TICK));
        interval.tick().await;
        Some((Told::Tick.into(), Some(interval)))
    })
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("id", &self.id).field("tasks", &self.tasks).finish_non_exhaustive()
    }
}

/// The ports of one step of a run.
#[derive(Clone, Debug)]
pub struct StepPorts {
    id: RunId,
    index: u32,
    name: String,
    element: Element<Invocation, Ended>,
    workflows: Workflows,
}

impl StepPorts {
    /// What is invoked at this step from now on; a tap of `capacity` that drops the oldest.
    pub fn tap_in(&self, capacity: usize) -> impl Stream<Item = Invocation> + Send + use<> {
        let (id, index) = (self.id.clone(), self.index);
        let tap: Subscription<Invocation> = self.element.tap_in(capacity);
        tap.filter(move |invocation| {
            future::ready(*invocation.workflow() == id && invocation.index() == index)
        })
    }

    /// What ends at this step from now on; a tap of `capacity` that drops the oldest.
    pub fn tap_out(&self, capacity: usize) -> impl Stream<Item = Ended> + Send + use<> {
        let (id, index) = (self.id.clone(), self.index);
        let tap: Subscription<Ended> = self.element.tap_out(capacity);
        tap.filter(move |ended| {
            future::ready(*ended.invocation.workflow() == id && ended.invocation.index() == index)
        })
    }

    /// Gives the output of this step in place of its task.
    ///
    /// # Errors
    ///
    /// As [`Workflows::end`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves open whether it happens.
    pub async fn push(&self, output: Value) -> Result<(), Error> {
        self.workflows.end(&self.id, &self.name, self.index, Ok(Some(output))).await?;
        Ok(())
    }
}
