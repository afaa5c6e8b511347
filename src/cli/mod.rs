//! The program's commands, one a file.
//!
//! A command takes what all commands know ([`Global`]) and its own arguments, writes to an [`Output`] and returns a
//! result; [`run`] reports an error on standard error and chooses the exit code:
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done; also when whoever read the output went away |
//! | 1 | the command failed |
//! | 2 | wrong arguments, configuration or name of a backend: nothing was started |

mod arguments;
mod backend;
mod builtin;
mod channel;
mod config_check;
mod config_explain;
mod events;
mod flow;
mod infer;
#[cfg(feature = "inference")]
mod infer_lines;
mod knowledge;
mod live;
mod live_server;
mod log;
mod log_output;
mod loops;
mod model;
mod model_output;
mod output;
mod push;
mod queue;
mod queue_arguments;
mod queue_output;
mod queue_workers;
mod receipts;
mod receipts_archive;
mod report;
mod run;
mod run_elsewhere;
mod run_flow;
mod schedule;
mod serve;
mod served_models;
mod service;
mod signal;
mod simulate;
mod staying;
mod tap;
mod top;
mod usage;
mod version;
mod worker;
mod workflow;
mod workflow_arguments;

pub(crate) use arguments::Arguments;
pub(crate) use run::run;

use arguments::Global;
use log_output::note;
use output::Output;
use usage::Usage;
