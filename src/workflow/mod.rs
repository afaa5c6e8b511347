//! Workflows: flows that run, durably.
//!
//! A flow (see [`flow`](crate::flow)) says which task follows which. An [`Engine`] runs it: it keeps every step of a run
//! before it starts what follows, so that a run goes on after a crash where it was. Where it is kept is the backend's
//! matter: in memory, in a directory, on a server.
//!
//! ```
//! use mape::prelude::*;
//! use mape::workflow::{Engine, Invocation, Task, Tasks};
//! use serde_json::json;
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), BoxError> {
//! let words = Task::sync("words", |invocation: &Invocation| {
//!     let text = invocation.input()["text"].as_str().unwrap_or_default();
//!     Ok(json!({"words": text.split_whitespace().count()}))
//! });
//! let engine = Engine::start(&App::new(), Tasks::new().with(words).with(Task::echo("copy"))).await?;
//! let run = engine.run("{ words copy } → > :end", json!({"text": "one or two"})).await?;
//! assert_eq!(*run.output().await??, json!({"text": "one or two", "words": 3}));
//! # Ok(()) }
//! ```
//!
//! # Tasks are elements
//!
//! A [`Task`] is a name and a function from an [`Invocation`] to an output. A program registers its tasks in [`Tasks`],
//! by exact names or namespaces (`math:*`), and the engine makes an element of each kind: `tasks.NAME`, with `_` in place
//! of `:` ([`Task::uid`]). Its in-port takes invocations, its out-port emits what has [`Ended`]; both can be tapped,
//! linked and pushed like any other's. The ports of one step of a run are those, filtered ([`Engine::step`]).
//!
//! What a task has to keep to:
//!
//! - It answers with an object or array, or `null` or `()` for no output; or it fails with a [`TaskError`], which any
//!   error becomes by `?`. A panic is a failure.
//! - It is done **at least once**. After a crash it is invoked again, with the same input and a higher
//!   [`attempt`](Invocation::attempt); [`key`](Invocation::key) is the same for all attempts at a step.
//! - A length of time counts from [`since`](Invocation::since), so that it does not begin again after a crash.
//! - It is dropped [`Task::GRACE`] after it was [cancelled](Invocation::cancelled).
//! - Work that is done elsewhere is answered by [`Answer::Later`], and ends by [`Workflows::end`].
//! - `timeout`, `retry`, `concurrency` and `iterate` among its parameters are the engine's ([`Policy`]), unless it is
//!   registered with [`own_parameters`](Task::own_parameters).
//! - The resources of a flow (`<uri>`) are the tasks [`LOAD`] and [`STORE`], with `uri` among their parameters.
//!
//! Tasks that wait, ask people, call services, run programs, load and store come with the engine: [`Builtin`].
//!
//! # The heart is pure
//!
//! [`step`](step()) takes a run's [`State`] and a [`Cause`], changes the state and says what is to be done. The causes of
//! a run with their times are its history, and all that is kept: the state, littleflow's vectors, and what is shown are
//! made of it.
//!
//! # Delivery
//!
//! A change of a run, the acknowledgement of the event that caused it, and the event that announces it are one
//! transaction, shared by all that has come in together. Its condition is that no other change has come before, so of two engines on one run only one goes on. An
//! ending names its attempt: one that comes late, twice, or of an attempt that was replaced changes nothing.
//!
//! Source: littleflow and `littleflow_redis`, whose names for states, events and keys are kept. They hold no state but
//! vectors, take a duplicate ending for a new one, and lose waiting tasks in a crash.

mod adopting;
mod advance;
mod archive;
mod builtin;
mod cause;
mod changes;
mod command;
mod definition;
mod duration;
mod effects;
mod engine;
mod error;
mod form;
mod found;
mod history;
mod hosted;
mod incoming;
mod input;
mod inspection;
mod invocation;
mod iteration;
mod keeping;
mod keys;
mod lanes;
mod lifecycle;
mod listing;
mod metered;
mod place;
mod policy;
mod process;
mod ready;
mod record;
mod report;
mod restart;
mod run;
mod run_id;
mod schedule;
mod slot;
mod stall;
mod state;
mod status;
mod step;
mod task;
mod tasks;
mod template;
mod time;
mod timers;
mod trace;
mod traced;
mod turner;
mod untaken;
mod why;
mod wire;
mod worker;
mod workflows;

pub use builtin::{Builtin, NoUrl, Waiting, WaitsFor};
pub use cause::{Cause, Failed, Outcome};
pub use changes::RunChange;
pub use command::Command;
pub use definition::{Definition, LOAD, STORE, WrongPolicy};
pub use duration::duration;
pub use engine::{Engine, Starting, StepPorts};
pub use error::Error;
pub use form::{FormEntry, PythonForm};
pub use found::Found;
pub use hosted::Progress;
pub use inspection::{Inspected, Inspection};
pub use invocation::{Ended, Invocation};
pub use keys::Names;
pub use listing::{Listed, Listing, Search};
pub(crate) use metered::KINDS;
pub use place::Place;
pub use policy::{Concurrency, ItemFailure, Iterate, Policy, PolicyError, Retry};
pub use run::{NoOutput, Run};
pub use run_id::RunId;
pub use schedule::{Cron, Missed, NoCron, Schedule, Schedules};
pub use slot::Phase;
pub use state::State;
pub use status::{Failure, Status};
pub use step::{Unchanged, step};
pub use task::{Answer, Task, TaskError};
pub use tasks::Tasks;
pub use template::{Template, TemplateError};
pub use time::Time;
pub use why::{Wait, WaitKind, Why};
pub use worker::{RunningWorker, Worker};
pub use workflows::Workflows;
