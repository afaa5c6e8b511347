//! What can be written on the command line about workflows.

use clap::{Args, Subcommand, ValueEnum};
use mape::workflow::{Place, RunId};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum WorkflowCommand {
    /// Run a flow and wait for its output; with --id also one that was begun before; on a server, leave it to the engines
    /// there unless --wait or --tasks is given
    Run(RunArguments),
    /// Serve the API and the console, and go on with all runs of a backend, those to come included, until Ctrl-C; by default
    /// those of `file:./mape-data`
    Serve(ServeArguments),
    /// List runs, newest first
    List {
        /// At most this many
        #[arg(long, value_name = "N", default_value_t = 50)]
        count: usize,
        /// Leave out the newest
        #[arg(long, value_name = "N", default_value_t = 0)]
        skip: usize,
    },
    /// Show how far a run is
    Inspect {
        /// The run, with or without `workflow:` before it
        id: RunId,
        /// Also the steps that are no tasks, and all outputs
        #[arg(long)]
        all: bool,
    },
    /// End a run: its tasks are cancelled; a second time does not wait for them
    Terminate {
        /// The run
        id: RunId,
    },
    /// Let nothing start any more in a run
    Pause {
        /// The run
        id: RunId,
    },
    /// Let a paused run go on
    Resume {
        /// The run
        id: RunId,
    },
    /// Let a run go on that failed or was terminated
    Restart {
        /// The run
        id: RunId,
        /// Do this task again, by name or index, with all that follows from it
        #[arg(long, value_name = "TASK")]
        from: Option<String>,
    },
    /// Write a run with its history, as JSON
    Archive {
        /// The run
        id: RunId,
        /// Into this file in place of standard output
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Make a run of an archive; if it is not finished, it is terminated, and can be restarted
    Restore {
        /// What `archive` wrote
        file: PathBuf,
    },
    /// Copy a run with its history; one that is not finished is terminated, and can be restarted
    Fork {
        /// The run
        id: RunId,
    },
    /// Delete a run that is over, with all that is kept of it
    Delete {
        /// The run
        id: RunId,
    },
    /// Send an event that flows may wait for
    Event {
        /// Its kind
        kind: String,
        /// Its fields, as a JSON object or @FILE
        #[arg(long, value_name = "JSON")]
        data: Option<String>,
    },
    /// Say that a task has ended whose work is done elsewhere
    End {
        /// The run
        id: RunId,
        /// The task
        name: String,
        /// Its index in the flow; in an iteration with the part, such as 3.2, as `inspect` shows it
        #[arg(value_parser = place)]
        index: Place,
        /// Its output, as JSON or @FILE
        #[arg(long, value_name = "JSON", conflicts_with = "failure")]
        output: Option<String>,
        /// It failed, for this reason
        #[arg(long, value_name = "REASON")]
        failure: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// The file with the flow; may be left out with --id of a run that exists
    #[arg(required_unless_present = "id")]
    pub(super) flow: Option<PathBuf>,
    /// The input, as a JSON object or array, or @FILE
    #[arg(long, short, value_name = "JSON")]
    pub(super) input: Option<String>,
    /// Who answers the tasks of the flow, in place of the built-in ones
    #[arg(long, value_enum)]
    pub(super) tasks: Option<TaskSet>,
    /// The id of the run; with that of one that exists, it goes on
    #[arg(long, alias = "workflow-id", value_parser = run_id)]
    pub(super) id: Option<RunId>,
    /// Leave it to an engine that runs elsewhere on the backend, as it is on a server
    #[arg(long, conflicts_with_all = ["wait", "tasks"])]
    pub(super) detach: bool,
    /// Wait until it is over, also on a server, where others go on with it
    #[arg(long)]
    pub(super) wait: bool,
}

/// Who answers tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum TaskSet {
    /// Every task gives its input
    Echo,
    /// Every task gives its input after a moment
    Simulate,
    /// The built-in tasks, and also programs: those that workflow.exec.allow names
    Exec,
}

fn place(text: &str) -> Result<Place, String> {
    text.parse()
        .map_err(|_| "write the number of a step as `mape inspect` shows it, such as 3 or 3.2".to_owned())
}

/// The name of a run, such as can stand in a line.
fn run_id(text: &str) -> Result<RunId, String> {
    let name = RunId::from(text);
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control();
    match name.short() {
        "" => Err("it is empty".to_owned()),
        short if short.len() > 200 => Err("it is longer than 200 bytes".to_owned()),
        short if !short.chars().all(is_plain) => Err("it has spaces or control characters".to_owned()),
        _ => Ok(name),
    }
}

/// What `mape serve` is told.
#[derive(Debug, Args)]
pub(super) struct ServeArguments {
    /// Where the API and the console are; port 0 takes a free one. Without it `rest.address`, 127.0.0.1:6060 by default
    #[arg(long, value_name = "HOST:PORT")]
    pub(super) listen: Option<String>,
    /// Serve no API and no console
    #[arg(long, conflicts_with = "listen")]
    pub(super) no_http: bool,
    /// Serve the API and the console alone: engines elsewhere go on with the runs
    #[arg(long, conflicts_with_all = ["no_http", "tasks"])]
    pub(super) no_engine: bool,
    /// Offer the flows of this directory, *.flow, to be begun by their names
    #[arg(long, value_name = "DIR")]
    pub(super) flow_dir: Option<PathBuf>,
    /// Let anyone who reaches the address do everything, where it is public and there are no tokens
    #[arg(long)]
    pub(super) allow_anyone: bool,
    /// Who answers the tasks, in place of the built-in ones; exec: these, and programs too
    #[arg(long, value_enum)]
    pub(super) tasks: Option<TaskSet>,
}
