//! What can go wrong with other services.

use std::time::Duration;

/// What goes wrong between this program and another service. No message holds a token, a query, or more of a foreign
/// path than its beginning.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What was given is nowhere that one could post to, or ask.
    #[error("`{given}` is no place to send to: {reason}")]
    Target {
        /// As it was given, without what may be secret.
        given: String,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// A header can't be sent.
    #[error("the header `{name}` can't be sent: {reason}")]
    Header {
        /// Its name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No client could be made of its settings. A retry does not help.
    #[error("HTTP can't be used: {reason}")]
    Client {
        /// Why.
        reason: String,
    },
    /// No answer came. A sink tries again, and a source asks again later.
    #[error("no answer from {place}: {reason}")]
    NoAnswer {
        /// Who was asked.
        place: String,
        /// What happened instead.
        reason: String,
    },
    /// The answer is not what was asked for.
    #[error("{place} answered {status}{}{detail}", if .detail.is_empty() { "" } else { ": " })]
    Answered {
        /// Who was asked.
        place: String,
        /// The status of HTTP.
        status: u16,
        /// What the answer says.
        detail: String,
    },
    /// An answer is longer than allowed; nothing of it is used.
    #[error("the answer of {place} is longer than {longest} bytes")]
    TooLong {
        /// Who was asked.
        place: String,
        /// The longest that is read.
        longest: usize,
    },
    /// One item is longer than allowed. It is left out; the source goes on behind it.
    #[error("an item of {place} is longer than {longest} bytes, and is left out")]
    ItemTooLong {
        /// Where it came from.
        place: String,
        /// The longest that is read.
        longest: usize,
    },
    /// A connection broke off, or the other side ended it: items may have been lost here. The source connects again.
    #[error("the connection to {place} was interrupted: {reason}; items may have been lost")]
    Interrupted {
        /// Who was listened to.
        place: String,
        /// What happened.
        reason: String,
    },
    /// The other side closed a WebSocket and says why: items may have been lost here. The source connects again.
    #[error("{place} closed the connection with code {code}{}{reason}; items may have been lost", if .reason.is_empty() { "" } else { ": " })]
    Disconnected {
        /// Who was listened to.
        place: String,
        /// The code, as RFC 6455 has them: 1001 goes away, 1008 has a policy against it, 4000 and above are its own.
        code: u16,
        /// Its words.
        reason: String,
    },
    /// A file that is followed was cut, replaced or taken away. It is read from its beginning; what was in it before
    /// that and had not been read is lost.
    #[error("{file} was cut or replaced after {read} bytes of it were read: it is read from its beginning")]
    Cut {
        /// Its path.
        file: String,
        /// How much of it was read.
        read: u64,
    },
    /// Something can't be done with a file. The source tries again.
    #[error("{doing} {file}: {reason}")]
    File {
        /// What was to be done.
        doing: &'static str,
        /// Its path.
        file: String,
        /// Why it can't be done.
        reason: String,
    },
    /// An answer is no item of the asked type.
    #[error("reading a {type_name} from {place}: {reason}")]
    Decode {
        /// Who was asked.
        place: String,
        /// The Rust type that was asked for.
        type_name: &'static str,
        /// What is wrong, and where.
        reason: String,
    },
    /// An item can't be written, as serde says.
    #[error("writing a {type_name} for {place}: {reason}")]
    Encode {
        /// Where it was to go.
        place: String,
        /// The Rust type of the item.
        type_name: &'static str,
        /// Why serde refuses it.
        reason: String,
    },
    /// An item was given up: the other side took nothing within the time that it had, or within the attempts.
    #[error("given up for {place}: not delivered within {after:?}")]
    Expired {
        /// Where it was to go.
        place: String,
        /// How long it was tried.
        after: Duration,
    },
    /// The sink was closed. Make another to go on.
    #[error("posting to {place}: the sink is closed; make another to go on")]
    Closed {
        /// Where it posted to.
        place: String,
    },
    /// There is no tokio runtime to work on.
    #[error("{place} can't be used: there is no tokio runtime here")]
    NoRuntime {
        /// Where it was to post to, or to read from.
        place: String,
    },
    /// A path can't be an endpoint.
    #[error("`{path}` can't be an endpoint: {reason}")]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}
