//! What can be written on the command line about task queues.

use clap::{Args, Subcommand};
use mape::event::EventId;
use mape::queue::{JobId, JobState, NewJob};
use mape::workflow::duration;
use serde_json::Value as Json;
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub(super) enum QueueCommand {
    /// List the queues of a backend with how much there is in them
    List,
    /// Show a queue: how much there is, and how it works
    Show {
        /// The queue
        queue: String,
    },
    /// Add a job; when its id is written, it is in the backend
    Add(AddArguments),
    /// Add a job and wait until it is done, or dead: then it exits with 1
    Run(RunArguments),
    /// Show jobs in a state, or one wherever it is
    Jobs {
        /// The queue
        queue: String,
        /// Only this one
        job: Option<JobId>,
        /// In which state: waiting, running, delayed, done, dead
        #[arg(long, value_name = "STATE", default_value_t = JobState::Waiting)]
        state: JobState,
        /// At most this many
        #[arg(long, value_name = "N", default_value_t = 50)]
        count: usize,
    },
    /// Take away a job that is not due yet
    Cancel {
        /// The queue
        queue: String,
        /// The job
        job: JobId,
    },
    /// Show jobs in the dead letters with the reason
    Dead {
        /// The queue
        queue: String,
        /// At most this many
        #[arg(long, value_name = "N", default_value_t = 50)]
        count: usize,
    },
    /// Queue dead jobs again, as if they had just been added
    Replay(WhichDead),
    /// Take dead jobs away
    Discard(WhichDead),
    /// Begin no more jobs, in all workers; what is under way goes on
    Pause {
        /// The queue
        queue: String,
    },
    /// End a pause
    Resume {
        /// The queue
        queue: String,
    },
    /// Show what became of jobs: progress, failures, ends
    Outcomes {
        /// The queue
        queue: String,
        /// Go on with those that come, until Ctrl-C
        #[arg(long, short)]
        follow: bool,
        /// From behind this place on; with --follow, and without this, those from now on
        #[arg(long, value_name = "PLACE")]
        after: Option<EventId>,
        /// At most this many [default: 50, or without end with --follow]
        #[arg(long, value_name = "N")]
        count: Option<usize>,
    },
    /// List the schedules of a queue with their next times
    Schedules {
        /// The queue
        queue: String,
    },
    /// Add a job again and again by the calendar, in place of a schedule of that name; workers serve the schedules
    Schedule {
        /// The queue
        queue: String,
        /// The name of the schedule, with which the ids of its jobs begin
        name: String,
        /// Minute, hour, day of the month, month and day of the week, such as '30 2 * * MON-FRI'
        cron: String,
        /// What is to be done, as JSON, or @FILE
        #[arg(value_name = "JSON", default_value = "null")]
        data: String,
        /// The level of priority of its jobs
        #[arg(long, value_name = "LEVEL", default_value_t = 0)]
        priority: u8,
        /// The time zone, such as Europe/Berlin [default: UTC]
        #[arg(long, value_name = "ZONE")]
        tz: Option<String>,
    },
    /// Take a schedule away; jobs that it has added stay
    Unschedule {
        /// The queue
        queue: String,
        /// The schedule
        name: String,
    },
    /// Remove a queue with everything in it
    Remove {
        /// The queue
        queue: String,
    },
}

impl QueueCommand {
    /// The queue that it is about, if it is about one.
    pub(super) fn queue(&self) -> Option<&str> {
        match self {
            Self::List => None,
            Self::Add(add) => Some(&add.queue),
            Self::Run(run) => Some(&run.queue),
            Self::Replay(which) | Self::Discard(which) => Some(&which.queue),
            Self::Show { queue }
            | Self::Jobs { queue, .. }
            | Self::Cancel { queue, .. }
            | Self::Dead { queue, .. }
            | Self::Pause { queue }
            | Self::Resume { queue }
            | Self::Outcomes { queue, .. }
            | Self::Schedules { queue }
            | Self::Schedule { queue, .. }
            | Self::Unschedule { queue, .. }
            | Self::Remove { queue } => Some(queue),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct AddArguments {
    /// The queue
    pub(super) queue: String,
    /// What is to be done, as JSON, or @FILE; - is a job for each line of standard input
    #[arg(value_name = "JSON")]
    pub(super) data: String,
    #[command(flatten)]
    pub(super) how: How,
}

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// The queue
    pub(super) queue: String,
    /// What is to be done, as JSON, or @FILE
    #[arg(value_name = "JSON")]
    pub(super) data: String,
    #[command(flatten)]
    pub(super) how: How,
    /// How long it is waited for; the job goes on [default: any time]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(super) wait: Option<Duration>,
}

#[derive(Debug, Args)]
pub(super) struct How {
    /// Not before this time has passed, such as 5s
    #[arg(long, value_name = "TIME", value_parser = time)]
    delay: Option<Duration>,
    /// The level of priority: 0 is the lowest
    #[arg(long, value_name = "LEVEL", default_value_t = 0)]
    priority: u8,
    /// Only if no job with this key was added, for a while
    #[arg(long)]
    key: Option<String>,
}

impl How {
    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    pub(super) fn job<T>(&self, data: T) -> NewJob<T> {
        let job = NewJob::new(data).priority(self.priority).delay(self.delay.unwrap_or_default());
        match &self.key {
            Some(key) => job.key(key),
            None => job,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct WhichDead {
    /// The queue
    pub(super) queue: String,
    /// The jobs
    #[arg(value_name = "JOB", required_unless_present = "all", conflicts_with = "all")]
    pub(super) jobs: Vec<JobId>,
    /// All of them
    #[arg(long)]
    pub(super) all: bool,
}

fn time(text: &str) -> Result<Duration, &'static str> {
    duration(&Json::from(text)).ok_or("it is no length of time, such as 500ms, 30s or 5m")
}
