//! A worker as it is told to be.

use super::super::metered::WORKER;
use super::super::task::uid_of;
use super::super::{Ended, Error, Policy, Tasks, keys};
use super::ends::Ends;
use super::hands::Hands;
use super::intake::{Come, Intake, starts};
use super::running::RunningWorker;
use super::{cancels, start};
use crate::app::App;
use crate::element::StartPolicy;
use crate::event::{GroupName, LogName};
use crate::stream::meter::Meter;
use futures::StreamExt;
use serde::de::IgnoredAny;
use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// Carries out tasks of runs whose engine is elsewhere: on another machine, or a program in Python.
///
/// Workers that share a group share its work, and each group gets all of it: name a group after what its workers do. A
/// worker takes the events `start-task` whose task is one of its [`Tasks`], and answers each with `end-task`.
///
/// ```
/// use mape::prelude::*;
/// use mape::workflow::{Invocation, Task, Tasks, Worker};
/// use serde_json::json;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), BoxError> {
/// let app = App::new();
/// let double = Task::new("double", |invocation: Invocation| async move {
///     Ok(json!({"n": invocation.input()["n"].as_i64().unwrap_or(0) * 2}))
/// });
/// let worker = Worker::new("doublers", Tasks::new().with(double)).concurrency(4).start(&app).await?;
/// # let log = app.logs().log("workflows:run");
/// # let start = mape::event::Event::new("start-task").with("name", "double").with("base", "double").with("index", 2);
/// # let start = start.with("workflow", "workflow:m-1").with("parameters", json!({})).with("input", json!({"n": 21}));
/// # let start = log.append(start).await?;
/// # let mut entries = std::pin::pin!(log.follow(start));
/// # let end = entries.next().await.unwrap()?.event?;
/// # assert_eq!((end.kind().as_deref(), end.get("output")), (Some("end-task"), Some(json!({"n": 42}))));
/// worker.drain().await; // or: on a signal to end
/// # Ok(()) }
/// ```
///
/// It is a loop of the app, `worker_GROUP`: the element `start-task` takes what the group gives, an element for each
/// kind of task carries it out, as in an [`Engine`](super::super::Engine), and `end-task` writes what has ended.
///
/// What a policy of a flow says (`timeout`, `retry`) is the engine's; one that a [`Task`](super::super::Task) itself
/// states is not known to an engine elsewhere, and is reported at the start.
///
/// # Delivery
///
/// A task is begun **at least once** and ended **once**: its output, its `end-task`, the receipt and the
/// acknowledgement are one transaction, which does nothing if another worker has the task by now. A worker gives a sign
/// of life for what it has in hand every third of its [lease](Self::lease), so a task may take any time; one whose
/// worker died begins elsewhere when the lease has ended. A failure ends the task at once: whether it is tried again is
/// the engine's matter. During an outage of the backend tasks go on, and their ends are written afterwards.
///
/// Source: the task listeners of `littleflow_redis`, which claim a task that takes longer than a minute, leave what is
/// not theirs pending for ever, and repeat what fails without end.
#[derive(Clone, Debug)]
#[must_use = "a worker does nothing until it is started"]
pub struct Worker {
    group: GroupName,
    tasks: Arc<Tasks>,
    log: LogName,
    concurrency: NonZeroUsize,
    lease: Duration,
    attempts: u64,
    receipts: bool,
}

impl Worker {
    /// How many tasks are in hand at once unless another number is asked for.
    pub const CONCURRENCY: NonZeroUsize = NonZeroUsize::new(16).unwrap();
    /// The lease unless another is asked for.
    pub const LEASE: Duration = Duration::from_secs(3);
    /// How many times a task is begun unless another number is asked for.
    pub const ATTEMPTS: u64 = 5;

    /// A worker of this group with these tasks, on the log `workflows:run`.
    pub fn new(group: impl Into<GroupName>, tasks: Tasks) -> Self {
        Self {
            group: group.into(),
            tasks: Arc::new(tasks),
            log: keys::LOG.into(),
            concurrency: Self::CONCURRENCY,
            lease: Self::LEASE,
            attempts: Self::ATTEMPTS,
            receipts: false,
        }
    }

    /// How many tasks it works on at a time, at least one. It takes no more from the group than that, so that what it
    /// cannot begin falls to others; after an outage, and of kinds that have a lower
    /// [`limit`](super::super::Task::limit), some may wait in hand.
    pub fn concurrency(mut self, tasks: usize) -> Self {
        self.concurrency = NonZeroUsize::new(tasks).unwrap_or(NonZeroUsize::MIN);
        self
    }

    /// How long after its last sign of life what it has in hand begins elsewhere. All workers of a group should have the
    /// same. What blocks the runtime for longer, such as a long calculation in the thread of a
    /// [`sync`](super::super::Task::sync) task, keeps it from giving one.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// How many times a task is begun, at least once: if none of the workers that had it lived to end it, it goes to the
    /// dead letters (the log `LOG:dead`) and ends as failed.
    pub fn attempts(mut self, attempts: u64) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// Appends a receipt with each acknowledgement of a task, in the form of `rqse`, as one with it: for logs that a
    /// receipt listener keeps short.
    pub fn receipts(mut self) -> Self {
        self.receipts = true;
        self
    }

    /// Another log than `workflows:run`.
    pub fn log(mut self, log: impl Into<LogName>) -> Self {
        self.log = log.into();
        self
    }

    /// Starts it in this app: when the answer is there, it is a member of its group, which is made if there is none.
    /// A new group begins with what is still in the log.
    ///
    /// # Errors
    ///
    /// [`Error::App`] if the app has a worker of this group; what the backend says.
    ///
    /// # Cancel safety
    ///
    /// The loop may have been made; remove it before another is started.
    pub async fn start(self, app: &App) -> Result<RunningWorker, Error> {
        for task in self.tasks.iter().filter(|task| task.policy != Policy::default()) {
            tracing::warn!(group = %self.group, task = task.name(),
                "a task of a worker states a policy; engines elsewhere do not know it: state it in the flow");
        }
        let log = app.backend().events().log(&self.log);
        let group = log.group(&self.group).select([start::KIND]).lease(self.lease);
        // What is tried too often is ended as failed, which is not all that a group knows to do.
        let group = group.attempts(u64::MAX).in_hand(self.concurrency);
        group.create().await?;
        let cancels = cancels::follow(&log, &group).await?;
        let source = group.source::<IgnoredAny>().await?;
        let left = source.left();
        let hands = Hands::new(self.tasks.iter(), self.concurrency.get(), self.receipts);
        let of = app.create_loop(&uid_of(&format!("worker_{}", self.group)))?;
        let (stop, stopped) = watch::channel(false);
        let (gone, taken) = oneshot::channel();
        let running = RunningWorker {
            app: app.clone(),
            of: of.clone(),
            group: group.clone(),
            tasks: self.tasks.clone(),
            hands: hands.clone(),
            stop,
            taken,
            left: Box::pin(left),
            ended: false,
        };

        let ends = Arc::new(Ends {
            store: app.backend().store(),
            group,
            hands: hands.clone(),
            receipts: self.receipts,
            meters: self
                .tasks
                .iter()
                .map(|task| (task.name().to_owned(), Meter::new(&WORKER, task.name())))
                .collect(),
            is_open: app.backend().is_open(),
        });
        let end = of
            .execute::<Ended>(END)
            .ops_in(|ended| ended.ready_chunks(TOGETHER))
            .act_async(move |ended| {
                let ends = ends.clone();
                async move { ends.write(ended).await }
            })
            .spawn()?;
        let mut uids = HashSet::from([TAKE.to_owned(), END.to_owned()]);
        for (task, ready) in self.tasks.iter().zip(hands.ready()) {
            let mut uid = task.uid();
            // `sleep` and `sleep:*`, say.
            while !uids.insert(uid.clone()) {
                uid.push('-');
            }
            let element = task.spawn_as(&of, &uid)?;
            element.link(&end)?;
            element.feed(ready.stream());
        }
        let intake = Intake { tasks: self.tasks, hands, attempts: self.attempts, receipts: self.receipts };
        let take = of
            .monitor::<Come>(TAKE)
            .start_policy(StartPolicy::AtOnce)
            .act(move |come| intake.take(come))
            .spawn()?;
        take.feed(cancels.map(Come::Cancel));
        take.feed(starts(source, stopped, gone));
        Ok(running)
    }
}

/// The elements that are named after the events that they read and write.
const TAKE: &str = start::KIND;
const END: &str = "end-task";
/// How many ends share a transaction at most.
const TOGETHER: usize = 256;
