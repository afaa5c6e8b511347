//! What can be written on the command line.

use super::service::Port;
use clap::{Args, Parser, Subcommand, ValueEnum};
use mape::config::{Config, Error, Server};
use mape::event::EventId;
use mape::workflow::Names;
use std::fmt;
use std::num::ParseIntError;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// This machine.
const HERE: &str = "127.0.0.1";
/// The log of events about runs, unless said.
const STREAM: &str = "workflows:run";
const BACKEND: &str = "Where channels, knowledge and events live: memory:, file:DIR, redis://HOST:PORT/DB";

const LEVEL: &str =
    "How much is said on standard error: error, warn, info, debug or trace [default: $LOG_LEVEL, else info]";

/// Systems that watch and adapt themselves.
#[derive(Debug, Parser)]
#[command(name = "mape", version, max_term_width = 100, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong arguments, configuration or name of a backend."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// Read this file in place of config.yaml in the working directory
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[arg(long, global = true, value_name = "URL", help = BACKEND)]
    backend: Option<String>,
    /// Write JSON, for programs
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[arg(long, global = true, value_name = "LEVEL", value_parser = level, help = LEVEL)]
    log_level: Option<&'static str>,
    /// What the log on standard error looks like: text for people, json for programs [default: text]
    #[arg(long, global = true, value_name = "FORMAT", value_parser = ["text", "json"])]
    log_format: Option<String>,
    /// The log of events about runs; all on one server have the same [default: workflows:run]
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        default_value = STREAM,
        hide_default_value = true
    )]
    pub(super) stream: String,
    #[command(flatten)]
    redis: Redis,
}

/// A level of the log, also as Python calls it.
fn level(text: &str) -> Result<&'static str, String> {
    Ok(match text.to_lowercase().as_str() {
        "error" | "critical" => "error",
        "warn" | "warning" => "warn",
        "info" => "info",
        "debug" => "debug",
        "trace" => "trace",
        _ => return Err("there are error, warn, info, debug and trace".to_owned()),
    })
}

// No documentation, which clap would take for that of the program.
#[derive(Args)]
#[command(next_help_heading = "Redis, in place of --backend")]
struct Redis {
    #[arg(long, global = true, help = "The host [default: $REDIS_HOST, else 127.0.0.1]")]
    host: Option<String>,
    #[arg(
        long,
        global = true,
        value_parser = PortOption::number,
        help = "The port [default: $REDIS_PORT, else 6379]"
    )]
    port: Option<PortOption>,
    #[arg(long, global = true, value_name = "NAME", help = "Who logs in [default: $REDIS_USERNAME]")]
    username: Option<String>,
    #[arg(long, global = true, help = "The password; others can see options, so better $REDIS_PASSWORD")]
    password: Option<String>,
}

/// What `--port` says: with most commands the port of a server, with some one of an element. To clap they are one
/// option, and so have one type.
#[derive(Clone, Copy, Debug)]
pub(super) enum PortOption {
    Server(u16),
    Element(Port),
}

impl PortOption {
    fn number(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self::Server)
    }

    pub(super) fn side(text: &str) -> Result<Self, &'static str> {
        match text {
            "in" => Ok(Self::Element(Port::In)),
            "out" => Ok(Self::Element(Port::Out)),
            _ => Err("there are in and out"),
        }
    }

    fn of_server(self) -> Option<u16> {
        if let Self::Server(port) = self { Some(port) } else { None }
    }

    /// The port of an element; one of a server is none.
    pub(super) fn of_element(self) -> Port {
        if let Self::Element(port) = self { port } else { Port::In }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    #[command(flatten)]
    Workflow(super::workflow_arguments::WorkflowCommand),
    /// Show or check the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Check, compile, draw and format flows
    #[command(subcommand)]
    Flow(FlowCommand),
    /// Publish on channels and listen to them
    #[command(subcommand)]
    Channel(ChannelCommand),
    /// Show what runs in a service: levels, loops, elements, with their states, counters and rates
    Loops(super::loops::LoopsArguments),
    /// Show what passes a port of an element in a service, as it passes: a line of JSON each, until Ctrl-C
    Tap(super::tap::TapArguments),
    /// Push into a port of an element in a service
    Push(super::push::PushArguments),
    /// Ask a service for jobs and follow what is published there
    #[command(subcommand)]
    Live(super::live::LiveCommand),
    /// Watch a service in the terminal: loops, elements, their rates, queues and errors, workflows, goals
    Top(super::top::TopArguments),
    /// Look into shared knowledge, change and watch it
    #[command(subcommand)]
    Knowledge(KnowledgeCommand),
    /// Append to logs of events, read and follow them
    #[command(subcommand)]
    Log(LogCommand),
    /// Let a model answer rows of standard input
    #[command(long_about = super::infer::LONG)]
    Infer(super::infer::InferArguments),
    /// Look at the models of a service, send versions, make another one live
    #[command(subcommand)]
    Model(super::model::ModelCommand),
    /// Look into task queues, add jobs and wait for them, replay what failed
    #[command(subcommand)]
    Queue(super::queue_arguments::QueueCommand),
    /// Begin flows by the clock
    #[command(subcommand)]
    Schedule(super::schedule::ScheduleCommand),
    /// Take the receipts of a log: write each with what it is for as a line of JSON, then remove both, until Ctrl-C; by
    /// default those on the Redis server of this machine
    Receipts(super::receipts::ReceiptsArguments),
    /// Carry out all tasks but the built-in ones by waiting, and sometimes failing, until Ctrl-C; by default on the Redis
    /// server of this machine
    Simulate(super::simulate::SimulateArguments),
    /// Go on with all runs on a Redis server, until Ctrl-C, as the worker of littleflow does; by default that of this
    /// machine
    Worker(super::worker::WorkerArguments),
    /// Show the version
    Version,
}

#[derive(Debug, Subcommand)]
pub(super) enum ChannelCommand {
    /// Publish one item
    Publish {
        /// The channel, such as `car_panda.detect`
        name: String,
        /// The item, as JSON
        #[arg(value_name = "JSON")]
        value: String,
        /// Without an envelope, for programs that are no mape
        #[arg(long)]
        bare: bool,
    },
    /// Show what is published from now on
    Subscribe {
        /// Channels, by Redis' rules: ? one character, * any, [xy] one of these
        #[arg(value_name = "PATTERN", required = true)]
        patterns: Vec<String>,
        /// End after this many items
        #[arg(long, value_name = "N")]
        count: Option<u64>,
        /// Read plain JSON without envelopes, as programs that are no mape publish it
        #[arg(long)]
        bare: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum KnowledgeCommand {
    /// List keys with what they hold
    List {
        /// Which, by Redis' rules
        #[arg(default_value = "k.*")]
        pattern: String,
    },
    /// Show what a key holds, as JSON
    Get {
        /// The key, such as k.loop.car.speed; without a scope it is the app's
        name: String,
    },
    /// Set a value
    Set {
        /// The key, such as k.loop.car.speed; without a scope it is the app's
        name: String,
        /// The value, as JSON
        #[arg(value_name = "JSON")]
        value: String,
        /// The value is text, kept as it is
        #[arg(long)]
        text: bool,
    },
    /// Show changes from now on
    Watch {
        /// Of which keys, by Redis' rules
        #[arg(default_value = "k.*")]
        pattern: String,
        /// End after this many changes
        #[arg(long, value_name = "N")]
        count: Option<u64>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum LogCommand {
    /// Append an event; its fields apiVersion and at are added where they are missing
    Append {
        /// The log, such as workflows:run
        name: String,
        /// The fields of the event, as a JSON object
        #[arg(value_name = "JSON")]
        event: String,
        /// The kind of the event, if its fields do not say
        #[arg(long)]
        kind: Option<String>,
    },
    /// Show entries
    Read {
        /// The log
        name: String,
        /// From this place on, such as 1795292903818-0
        #[arg(long, value_name = "ID", default_value_t = EventId::MIN, hide_default_value = true)]
        from: EventId,
        /// Up to this place
        #[arg(long, value_name = "ID", default_value_t = EventId::MAX, hide_default_value = true)]
        to: EventId,
        /// At most this many
        #[arg(long, value_name = "N", default_value_t = u64::MAX, hide_default_value = true)]
        count: u64,
    },
    /// Show who reads a log, how far they are, and what they have not acknowledged
    Groups {
        /// The log
        name: String,
    },
    /// Show entries as they come
    Follow {
        /// The log
        name: String,
        /// Those that are there first
        #[arg(long)]
        all: bool,
        /// End after this many entries
        #[arg(long, value_name = "N")]
        count: Option<u64>,
    },
}

/// A FILE that is `-` is standard input.
#[derive(Debug, Subcommand)]
pub(super) enum FlowCommand {
    /// Say everything that is wrong with flows, and how to mend it; exits with 1 if there are errors
    Check {
        /// The flows; - is standard input
        #[arg(value_name = "FILE", required = true)]
        files: Vec<String>,
    },
    /// Show the steps and edges of flows; with --json a line for each flow; exits with 1 if there are errors
    Compile {
        /// The flows; - is standard input
        #[arg(value_name = "FILE", required = true)]
        files: Vec<String>,
    },
    /// Draw flows
    Doc {
        /// The flows; - is standard input
        #[arg(value_name = "FILE", required = true)]
        files: Vec<String>,
        /// The language of the picture
        #[arg(long, value_enum, default_value_t = PictureFormat::Mermaid)]
        format: PictureFormat,
        /// From top to bottom
        #[arg(long)]
        vertical: bool,
        /// Without the documentation of tasks
        #[arg(long)]
        no_docs: bool,
    },
    /// Bring flows into the one layout, in place; what is read from standard input goes to standard output
    Fmt {
        /// The flows; - is standard input
        #[arg(value_name = "FILE", required = true)]
        files: Vec<String>,
        /// Change nothing, and exit with 1 if a flow is laid out in another way
        #[arg(long)]
        check: bool,
        /// Change nothing, and write the result to standard output
        #[arg(long, conflicts_with = "check")]
        stdout: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PictureFormat {
    /// A state diagram of mermaid
    Mermaid,
    /// Graphviz
    Dot,
    /// A drawing
    Svg,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Show every value and where it comes from, without secrets
    Explain,
    /// Say everything that is wrong with the configuration; exits with 2 if anything is
    Check {
        /// This file, as with --config
        file: Option<PathBuf>,
    },
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

impl Arguments {
    /// Reads the arguments of the process; where there is nothing to run, help or a usage error is shown.
    pub(crate) fn read() -> Result<Self, ExitCode> {
        Self::try_parse().map_err(|answer| {
            // Nobody is left to tell if this cannot be written.
            drop(answer.print());
            if answer.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
        })
    }
}

impl Global {
    /// The names that runs have in common.
    pub(super) fn names(&self) -> Names {
        Names { log: self.stream.as_str().into(), ..Names::default() }
    }

    /// The configuration with these options laid over it.
    pub(super) fn load(&self) -> Result<Config, Error> {
        self.load_with(self.config.as_deref(), self.redis.host.clone())
    }

    /// The same of this file.
    pub(super) fn load_file(&self, file: &Path) -> Result<Config, Error> {
        self.load_with(Some(file), self.redis.host.clone())
    }

    /// Whether a file is named by an option.
    pub(super) fn names_a_file(&self) -> bool {
        self.config.is_some()
    }

    /// Whether the options say that the log is for programs.
    pub(super) fn has_json_log(&self) -> bool {
        self.log_format.as_deref() == Some("json")
    }

    /// An option that says where a backend is, and nothing to a command that asks a service.
    pub(super) fn option_of_a_backend(&self) -> Option<&'static str> {
        let Redis { host, port, username, password } = &self.redis;
        let given = [
            ("--backend", self.backend.is_some()),
            ("--host", host.is_some()),
            ("--port", port.and_then(PortOption::of_server).is_some()),
            ("--username", username.is_some()),
            ("--password", password.is_some()),
            ("--stream", self.stream != STREAM),
        ];
        given.into_iter().find(|(_, is_given)| *is_given).map(|(option, _)| option)
    }

    /// The same for a command that works on the Redis server of this machine unless something else is said.
    pub(super) fn load_on_redis(&self) -> Result<Config, Error> {
        let config = self.load()?;
        if config.backend.url.is_some() {
            Ok(config)
        } else {
            self.load_with(self.config.as_deref(), Some(HERE.to_owned()))
        }
    }

    fn load_with(&self, file: Option<&Path>, host: Option<String>) -> Result<Config, Error> {
        let mut builder = Config::builder();
        if let Some(file) = file {
            builder = builder.file(file);
        }
        if let Some(level) = self.log_level {
            builder =
                builder.option("--log-level", "telemetry.log", level).option("--log-level", "debug", false);
        }
        if let Some(format) = &self.log_format {
            builder = builder.option("--log-format", "telemetry.log_format", format);
        }
        let Redis { username, password, .. } = &self.redis;
        let Some(url) = &self.backend else {
            let mut server = Server::default();
            (server.host, server.port) = (host, self.redis.port.and_then(PortOption::of_server));
            (server.username, server.password) = (username.clone(), password.clone());
            return builder.server(server).build();
        };
        builder = builder.option("--backend", "backend.url", url);
        let login =
            [("--username", "backend.username", username), ("--password", "backend.password", password)];
        for (option, key, given) in login {
            if let Some(given) = given {
                builder = builder.option(option, key, given);
            }
        }
        builder.build()
    }
}
