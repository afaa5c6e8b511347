//! What can go wrong with an element.

use super::{ElementPath, ParameterError, State, UidError};
use serde_json::Value;
use std::any::Any;
use std::fmt;
use std::time::Duration;

/// Any error, as element functions return it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An error of one element. It travels downstream in order with the items; the stream goes on.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {kind}")]
pub struct ElementError {
    /// The element in which it happened.
    pub path: ElementPath,
    /// What happened.
    #[source]
    pub kind: ErrorKind,
}

/// What happened in an element.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Its function returned an error for an item; the next item goes on.
    #[error("failed: {0}")]
    Failed(BoxError),
    /// Its function or one of its operators panicked on an item; the next item goes on.
    #[error("panicked: {0}")]
    Panicked(String),
    /// An error was pushed into one of its ports from outside.
    #[error("was told of an error: {0}")]
    Reported(BoxError),
    /// A call on one of its methods failed.
    #[error(transparent)]
    Call(CallError),
    /// A sink fed by it refused an item or failed; that link is cut.
    #[error("lost the sink it feeds: {0}")]
    SinkLost(BoxError),
}

/// An error that came from outside as a JSON value; inside of [`ErrorKind::Reported`].
///
/// Its text is the value, if that is a text, or its `error`, `message` or `detail`, or else all of it as JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportedValue(Value);

impl ReportedValue {
    /// An error of this value.
    #[must_use]
    pub fn new(value: Value) -> Self {
        Self(value)
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.0
    }
}

impl fmt::Display for ReportedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = ["error", "message", "detail"].iter().find_map(|name| self.0.get(name)?.as_str());
        match self.0.as_str().or(words) {
            Some(text) => f.write_str(text),
            None => write!(f, "{}", self.0),
        }
    }
}

impl std::error::Error for ReportedValue {}

impl ErrorKind {
    pub(crate) fn panicked(payload: &(dyn Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&str>()
            .map(|s| (*s).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "with a value that is no text".into());
        Self::Panicked(text)
    }
}

/// Errors that end up in front of people when a program gives up: their `Debug` is their text, for that is what
/// `main` and `unwrap` print.
macro_rules! debug_is_text {
    ($($error:ty),* $(,)?) => {
        $(impl std::fmt::Debug for $error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        })*
    };
}
pub(crate) use debug_is_text;
debug_is_text!(SpawnError, StartError, LinkError, CallError, TypeMismatch, Unfinished);

/// Why an element could not be made.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// The uid is no good.
    #[error(transparent)]
    Uid(#[from] UidError),
    /// Another element of the loop has the uid.
    #[error("can't add {role} `{path}`: the loop already has {taken_by} of that uid")]
    UidTaken {
        /// The path that both want.
        path: ElementPath,
        /// What was to be made.
        role: String,
        /// What has the uid.
        taken_by: String,
    },
    /// The loop was removed from its app, or the app was shut down.
    #[error("can't add `{path}`: its loop was removed, or its app is shut down; make a new one")]
    LoopGone {
        /// The path of the element.
        path: ElementPath,
    },
    /// A limit was given as zero.
    #[error("can't add `{path}`: {what} must be at least 1")]
    Zero {
        /// The path of the element.
        path: ElementPath,
        /// What is zero.
        what: &'static str,
    },
    /// Two of its parameters have one name, or one is out of its own bounds from the start.
    #[error("can't add `{path}`: {error}")]
    Parameter {
        /// The path of the element.
        path: ElementPath,
        /// What is wrong with the parameter.
        error: ParameterError,
    },
    /// The element has to start at once and could not.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Why an element could not be started.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// It is running.
    #[error("can't start `{path}`: it is running already (use `restart` for fresh operators)")]
    AlreadyRunning {
        /// The element.
        path: ElementPath,
    },
    /// It was disposed of; make a new one.
    #[error("can't start `{path}`: it was disposed of; make a new element")]
    Disposed {
        /// The element.
        path: ElementPath,
    },
    /// There is no tokio runtime to run it.
    #[error(
        "can't start `{path}`: there is no tokio runtime here; make the app inside `#[tokio::main]` or `Runtime::enter`"
    )]
    NoRuntime {
        /// The element.
        path: ElementPath,
    },
}

/// Why an item was not accepted by a port. It gives the item back.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum PushError<T> {
    /// The element is not running, so the item would be skipped. Start it, then push again.
    #[error("can't push into `{path}`: it is {state}; start it first")]
    NotRunning {
        /// The element.
        path: ElementPath,
        /// What it does instead.
        state: State,
        /// The item.
        item: T,
    },
    /// The port is closed for good: the element is disposed of or its app shuts down.
    #[error(
        "can't push into `{path}`: it was disposed of, or its app was shut down or dropped; keep the `App` as long as it is to run"
    )]
    Closed {
        /// The element.
        path: ElementPath,
        /// The item.
        item: T,
    },
    /// The port has no room now; trying again later helps.
    #[error("can't push into `{path}`: its port is full")]
    Full {
        /// The element.
        path: ElementPath,
        /// The item.
        item: T,
    },
}

impl<T> PushError<T> {
    /// The item that was not accepted.
    pub fn into_item(self) -> T {
        match self {
            Self::NotRunning { item, .. } | Self::Closed { item, .. } | Self::Full { item, .. } => item,
        }
    }
}

impl<T> fmt::Debug for PushError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, path) = match self {
            Self::NotRunning { path, .. } => ("NotRunning", path),
            Self::Closed { path, .. } => ("Closed", path),
            Self::Full { path, .. } => ("Full", path),
        };
        f.debug_struct(name).field("path", path).finish_non_exhaustive()
    }
}

/// Why two ports could not be linked.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The capacity is zero, so no item could ever pass.
    #[error("a link needs a capacity of at least 1; for \"only the newest\" take `LinkOptions::latest()`")]
    ZeroCapacity,
    /// The elements belong to different apps, which start and stop apart.
    #[error(
        "can't link `{from}` to `{to}`: they belong to different apps; join them by a channel, or make both in one app"
    )]
    AcrossApps {
        /// The sender.
        from: ElementPath,
        /// The receiver.
        to: ElementPath,
    },
    /// The link would close a ring in which every link waits when full: once full, it would stand still for ever.
    #[error(
        "can't link `{}` to `{}`: it closes the ring {}, in which every link waits when full and which can so stand still for ever; let one link drop (`LinkOptions::latest()`), or say `.feedback()` where items can't multiply",
        .ring.first().map_or("?", |p| p.as_str()), .ring.get(1).map_or("?", |p| p.as_str()), ring_text(.ring)
    )]
    WaitingRing {
        /// The elements of the ring, from the sender round to the sender.
        ring: Vec<ElementPath>,
    },
    /// One of the two elements was disposed of.
    #[error("can't link `{from}` to `{to}`: `{gone}` was disposed of; make a new element")]
    Disposed {
        /// The sender.
        from: ElementPath,
        /// The receiver.
        to: ElementPath,
        /// Which of them is gone.
        gone: ElementPath,
    },
    /// The receiver takes other items than the sender emits.
    #[error("can't link `{from}` to `{to}`: the first emits `{emits}`, the second takes `{takes}`")]
    Type {
        /// The sender.
        from: ElementPath,
        /// What it emits.
        emits: &'static str,
        /// The receiver.
        to: ElementPath,
        /// What it takes.
        takes: &'static str,
    },
    /// The link to be moved was cut before.
    #[error("can't move the link from `{from}` to `{to}`: it was cut before")]
    Cut {
        /// The sender.
        from: ElementPath,
        /// The receiver it was to be moved to.
        to: ElementPath,
    },
}

fn ring_text(ring: &[ElementPath]) -> String {
    ring.iter().map(ElementPath::as_str).collect::<Vec<_>>().join(" → ")
}

/// Why a method of an element could not be called, or failed.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The element exports no such method.
    #[error("`{path}` exports no method `{method}`{}", known_text(.known))]
    UnknownMethod {
        /// The element.
        path: ElementPath,
        /// The name asked for.
        method: String,
        /// The names it exports.
        known: Vec<String>,
    },
    /// The arguments are not of the type the method takes.
    #[error("can't call `{path}.{method}`: its argument doesn't fit: {reason}")]
    Argument {
        /// The element.
        path: ElementPath,
        /// The method.
        method: String,
        /// What doesn't fit.
        reason: String,
    },
    /// The reply is not of the type asked for.
    #[error("the reply of `{method}` is of another type: {reason}")]
    Reply {
        /// The method.
        method: String,
        /// What doesn't fit.
        reason: String,
    },
    /// The method ran and failed.
    #[error("`{path}.{method}` failed: {reason}")]
    Failed {
        /// The element.
        path: ElementPath,
        /// The method.
        method: String,
        /// Its error, in words.
        reason: String,
    },
    /// The call was dropped before the element took it.
    #[error("the call of `{method}` was lost before an element answered it")]
    Lost {
        /// The method.
        method: String,
    },
}

fn known_text(known: &[String]) -> String {
    if known.is_empty() { " (it exports none)".into() } else { format!(" (it exports {})", known.join(", ")) }
}

/// An element is asked for with other types than it has.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` takes `{input}` and emits `{output}`, not `{asked_input}` and `{asked_output}`")]
pub struct TypeMismatch {
    /// The element.
    pub path: ElementPath,
    /// What it takes.
    pub input: &'static str,
    /// What it emits.
    pub output: &'static str,
    /// What was asked for as its input.
    pub asked_input: &'static str,
    /// What was asked for as its output.
    pub asked_output: &'static str,
}

/// An element didn't finish in time.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{path}` did not {} within {limit:?}; {}items waiting: {queued}",
    .sink.as_ref().map_or_else(|| "finish".into(), |sink| format!("hand all its items to {sink}")),
    .sink.as_ref().map_or_else(|| format!("it is {state}; "), |_| String::new())
)]
pub struct Unfinished {
    /// The element.
    pub path: ElementPath,
    /// What it was doing.
    pub state: State,
    /// Items still waiting at its in-port; with a `sink`, those that had not gone through that.
    pub queued: usize,
    /// The time it was given.
    pub limit: Duration,
    /// It was a sink that did not take what the element emitted: the place to which it sends, or its type.
    pub sink: Option<String>,
}
