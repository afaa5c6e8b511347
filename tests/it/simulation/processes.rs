//! The processes of a simulation, as they are started and as they go.

use super::ledger::effort;
use super::link::{Link, Wire};
use super::plan::{ENGINES, Fault, PROCESSES, WORKERS, output};
use super::worker::{self, FAR};
use super::world::World;
use futures::FutureExt;
use mape::app::App;
use mape::event::{Event, Log};
use mape::workflow::{Answer, Engine, Invocation, Task, TaskError, Tasks};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::JoinHandle;

/// The processes of a simulation.
pub(super) struct Processes {
    world: Arc<World>,
    links: Vec<Arc<Link>>,
    running: Vec<Running>,
    /// How often each was started.
    times: Vec<u32>,
    /// How many events in a thousand come twice.
    twice: u64,
}

enum Running {
    Nothing,
    /// An engine, which begins in a task of its own since it takes its time.
    Engine(JoinHandle<Option<Engine>>),
    Worker(JoinHandle<()>),
}

fn name(process: usize) -> String {
    match process {
        _ if process < ENGINES => format!("engine{process}"),
        _ if process < ENGINES + WORKERS => format!("worker{}", process - ENGINES),
        _ => "client".to_owned(),
    }
}

impl Processes {
    pub(super) fn start(world: &Arc<World>, twice: u64) -> Self {
        let links = (0..PROCESSES).map(|process| Link::new(world, &name(process))).collect();
        let running = (0..PROCESSES).map(|_| Running::Nothing).collect();
        let times = vec![0; PROCESSES];
        let mut processes = Self { world: world.clone(), links, running, times, twice };
        (0..ENGINES + WORKERS).for_each(|process| processes.launch(process));
        processes
    }

    pub(super) fn link(&self, process: usize) -> &Arc<Link> {
        &self.links[process]
    }

    fn launch(&mut self, process: usize) {
        let link = self.links[process].clone();
        self.running[process] = if process < ENGINES {
            Running::Engine(tokio::spawn(engine(link)))
        } else if self.world.is_open && process == ENGINES {
            Running::Worker(tokio::spawn(worker::work_of_ours(link)))
        } else {
            Running::Worker(tokio::spawn(worker::work(link, self.twice)))
        };
    }

    /// Does what the plan says.
    pub(super) fn suffer(&mut self, fault: Fault) {
        let told = format!("{fault:?}");
        self.world.note(&"plan".into(), "fault", told.as_str());
        match fault {
            Fault::Kill(process) => {
                self.links[process].set(Wire::Dead);
                self.end(process);
            }
            Fault::Close(process) => self.close(process),
            Fault::Start(process) => {
                self.times[process] += 1;
                let name = format!("{}.{}", name(process), self.times[process]);
                self.links[process] = Link::new(&self.world, &name);
                self.launch(process);
            }
            Fault::Hang(process) => self.links[process].set(Wire::Hangs),
            Fault::Cut(process) => self.links[process].set(Wire::Fails),
            Fault::Mend(process) => self.links[process].set(Wire::Up),
            Fault::Flaky(process, permille) => {
                self.links[process].flaky.store(permille, Ordering::Relaxed);
            }
        }
    }

    /// A process is no more, at this moment.
    fn end(&mut self, process: usize) {
        match std::mem::replace(&mut self.running[process], Running::Nothing) {
            Running::Nothing => {}
            Running::Worker(task) => task.abort(),
            Running::Engine(task) if task.is_finished() => {
                if let Some(Ok(Some(engine))) = task.now_or_never() {
                    // Its elements are gone at the first poll; what it would like to say is not heard.
                    drop(engine.close().now_or_never());
                }
            }
            Running::Engine(task) => task.abort(),
        }
    }

    /// A process ends as it should: what it has to say is heard.
    fn close(&mut self, process: usize) {
        let link = self.links[process].clone();
        match std::mem::replace(&mut self.running[process], Running::Nothing) {
            Running::Engine(task) => {
                // It lets go of its runs when it is closed, whenever others hear of it.
                link.gives_up();
                drop(tokio::spawn(async move {
                    if let Ok(Some(engine)) = task.await {
                        drop(engine.close().await);
                    }
                }));
            }
            Running::Worker(task) => task.abort(),
            Running::Nothing => {}
        }
    }

    /// Nobody works elsewhere any more: what a worker writes that has lost its lease is not the engine's to take back.
    pub(super) fn end_workers(&mut self) {
        (ENGINES..ENGINES + WORKERS).for_each(|process| self.end(process));
    }

    /// All of them end as they should, and the way to the backend with them.
    pub(super) async fn close_all(&mut self) {
        for process in 0..PROCESSES {
            match std::mem::replace(&mut self.running[process], Running::Nothing) {
                Running::Engine(task) => {
                    if let Ok(Some(engine)) = task.await {
                        engine.close().await.unwrap();
                    }
                }
                Running::Worker(task) => task.abort(),
                Running::Nothing => {}
            }
        }
    }
}

/// An engine that hosts what is near, and hands over what is far; started again until it starts.
async fn engine(link: Arc<Link>) -> Option<Engine> {
    let backend = link.backend();
    loop {
        let app = App::with_backend(backend.clone());
        let tasks = Tasks::new().with(near(&link));
        let tasks = if link.world.is_open {
            tasks.and_others()
        } else {
            tasks.with(far(&link, backend.events().log(FAR)))
        };
        match Engine::start(&app, tasks).await {
            Ok(engine) => return Some(engine),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// It is written down who begins what.
fn begins(link: &Arc<Link>, invocation: &Invocation) {
    let (run, place, attempt) = (invocation.workflow(), invocation.place(), invocation.attempt());
    let what = format!("{}{place} {}, attempt {attempt}", run.short(), invocation.name());
    link.world.note(&link.name, "begins", what);
    link.world.ledger.begin(link, link.world.at(), run, (place, attempt), false);
}

/// A task that works for a while and gives what all give.
fn near(link: &Arc<Link>) -> Task {
    let link = link.clone();
    Task::new("near:*", move |invocation: Invocation| {
        let link = link.clone();
        async move {
            begins(&link, &invocation);
            let (world, name) = (&link.world, invocation.name());
            tokio::time::sleep(world.draw(effort)).await;
            let (run, place, attempt) = (invocation.workflow(), invocation.place(), invocation.attempt());
            world.ledger.end(run, place, attempt, name).map_err(TaskError::new)?;
            Ok(output(name, invocation.input()))
        }
    })
}

/// A task that is handed over to whoever works elsewhere.
fn far(link: &Arc<Link>, log: Log) -> Task {
    let link = link.clone();
    Task::new("far:*", move |invocation: Invocation| {
        let (link, log) = (link.clone(), log.clone());
        async move {
            begins(&link, &invocation);
            let event = Event::new("start-task")
                .with("name", invocation.name())
                .with("workflow", invocation.workflow().full())
                .with("index", invocation.index())
                .with("part", invocation.place().part)
                .with("attempt", invocation.attempt())
                .with("input", invocation.input().clone());
            while log.append(event.clone()).await.is_err() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Ok(Answer::Later)
        }
    })
}
