//! Task queues on the event log: jobs wait their turn, an element does them, and none is lost.
//!
//! A [`Queue`] has a name and [`Settings`]: how many jobs are done at a time, how many in a second, how often one is tried.
//! Whoever adds a job gets its [`JobId`]; an element takes [`Task`]s and answers with what became of them. Any number of
//! processes may add and work; what one that dies had in hand goes to another when its lease ends.
//!
//! ```
//! use mape::prelude::*;
//! use mape::queue::{Queues, Settings, Task, working};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), BoxError> {
//! let app = App::new();
//! let replies = Queues::new(&app).open("reply", Settings { concurrency: 4, ..Settings::default() }).await?;
//! let send = app.create_loop("queues")?.execute("reply").each_unordered(4, working(|task: Task<String>| async move {
//!     Ok::<usize, BoxError>(task.len()) // what comes out is the result of the job
//! }));
//! let worker = replies.work(&send.spawn()?).await?;
//!
//! let job = replies.add(&"thank you".to_owned()).await?;
//! assert_eq!(replies.outcome(&job.id).await?.result::<usize>()?, 9);
//! worker.stop(std::time::Duration::from_secs(5)).await;
//! # Ok(()) }
//! ```
//!
//! # Delivery
//!
//! At least once: a job is done when its outcome and its acknowledgement are in the backend, which is one step. A worker
//! that dies before that leaves it to another, so what a job does to the outside should bear being done twice: give what it
//! calls the id of the job as idempotency key.
//!
//! # What is stored
//!
//! Jobs are events of a log for each level of priority, `mape:queue:NAME` and `mape:queue:NAME:p1` upwards, read by the
//! group `workers`; outcomes and progress are the log `mape:queue:NAME:outcomes`; jobs for later and schedules are in a
//! sorted set and a hash; what failed too often is in the dead letters of its log.

mod answers;
mod batch;
mod dead;
mod declared;
mod dispatch;
mod done;
mod error;
mod flow;
mod found;
mod job;
mod keys;
mod later;
mod levels;
pub(crate) mod metered;
mod outcome;
mod pace;
#[expect(clippy::module_inception, reason = "the main type of this module")]
mod queue;
mod queues;
mod rate;
mod settings;
mod settling;
mod several;
mod stats;
mod task;
mod worker;

pub use answers::Answers;
pub(crate) use batch::divided;
pub use batch::{NotNow, batches};
pub use dead::DeadJob;
pub use declared::Declared;
pub use done::Done;
pub use error::Error;
pub use flow::doing;
pub use found::{JobInfo, JobState, NoJobState};
pub use job::{Added, JobId, NewJob};
pub use later::{Delayed, Schedule};
pub use outcome::{Ending, Outcome};
pub use pace::Pace;
pub use queue::Queue;
pub use queues::Queues;
pub use settings::{Rate, Settings};
pub use stats::Stats;
pub use task::{Task, working};
pub use worker::Worker;
