//! Workers: tasks carried out wherever a program runs, for engines on other machines.
//!
//! The engine appends an event `start-task`, one worker of a group takes it, does the work, and appends `end-task`. The
//! words are those of littleflow, so either side may be a program in Python.
//!
//! | file | what is there |
//! |---|---|
//! | `worker.rs`, `running.rs` | a worker as it is told, and one that runs |
//! | `start.rs`, `end.rs` | the two events |
//! | `intake.rs`, `cancels.rs` | the way in: starts of the group, cancels of the log |
//! | `hands.rs` | what is in hand, what waits, what is in work |
//! | `ends.rs` | the way out: ends that share a transaction |

mod cancels;
mod end;
mod ends;
mod hands;
mod intake;
mod running;
mod start;
#[expect(clippy::module_inception, reason = "the main type of this module")]
mod worker;

pub(super) use hands::Begun;
pub use running::RunningWorker;
pub use worker::Worker;
