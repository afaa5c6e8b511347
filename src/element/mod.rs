//! Monitor, Analyze, Plan, Execute: functions between two typed ports, joined by links.
//!
//! ```text
//! links ─▶ in-port ─▶ ops_in ─▶ function ─▶ ops_out ─▶ out-port ─▶ links
//!          └────────── one stream, turned by one task ──────────┘
//! ```
//!
//! # The contract
//! - **Order.** Items keep their order along every link and through every element (but for `each_unordered` and
//!   `each_keyed`, which say so). Links into one port are merged in turn, a batch each.
//! - **Delivery.** Within a process, a link that waits loses and doubles nothing, also while it is moved or cut. Links
//!   that drop count what they drop: `offered == received + dropped + skipped + queued` at any moment.
//! - **Batches.** An element turns its pipe while there is input, at most 256 results, and hands them on before it
//!   waits: a lone item goes at once, a flood goes in batches. There is no timer and nothing to tune.
//! - **Back-pressure.** A full link that waits holds up its sender, and so the source in the end. One receiver that is
//!   never polled therefore holds up its sender for all: [`LinkStats::blocked`] shows it, and
//!   [`Link::set_overflow`] or [`Link::unlink`] frees the sender. Taps never hold anything up.
//! - **Errors** are values: they travel downstream in order with the items, are [`Event`]s, and leave the input in the
//!   [dead letters](DeadLetter). The next item goes on; see [`OnError`]. An error may overtake items that an
//!   asynchronous function or a timed operator still holds. Of errors that nobody reads, a link keeps the newest 1,024.
//! - **Panics** of functions, keys, operators (also those on links), methods, sinks and copies of items cost the item
//!   that they happen on, and are errors of the element. A stream fed in is over when it panics.
//! - **Completion.** An element completes when all its sources have; the end of one of several ends nothing. It can be
//!   started again, and its links live again with it.
//! - **Rings.** Loops are rings. One in which every link waits can stand still for ever once it is full, so
//!   [`Element::link`] refuses to close it unless a link drops or is declared as
//!   [feedback](LinkOptions::feedback).
//! - **Size.** Every queue is bounded; a link holds up to twice its capacity. Items are cloned for every receiver but
//!   the last, so put large ones into an `Arc`.
//!
//! Source: PyMAPE's elements and ports (in-port, operators, function, operators, out-port; start behaviours), with
//! supervision after Akka and Erlang/OTP, and demand after Reactive Streams. Unlike PyMAPE, ports are bounded, an
//! error never reaches the caller that pushed, and asynchronous functions keep the order.

mod any;
mod asynchronous;
mod batch;
mod builder;
mod call;
mod concurrent;
mod dead_letter;
mod debug;
mod door;
mod driver;
#[allow(clippy::module_inception, reason = "one main type a file; this one's is Element")]
mod element;
mod error;
mod feed;
mod founding;
mod function;
pub(crate) mod handing;
mod handler;
pub(crate) mod host;
mod in_port;
mod info;
mod link;
mod message;
mod operators;
mod out_port;
mod overflow;
mod parameter;
mod port_sink;
pub(crate) mod ports;
mod push;
mod queue;
mod role;
mod router;
mod sides;
pub(crate) mod site;
mod source;
mod state;
mod subscription;
mod supervision;
mod uid;
mod waits;
mod watch;
mod wiring;

pub use any::AnyElement;
pub use asynchronous::Emitter;
pub use builder::{Builder, Complete};
pub use call::{Call, Reply};
pub(crate) use concurrent::CALLS;
pub use dead_letter::DeadLetter;
pub use debug::DebugPorts;
pub use door::Door;
pub use element::Element;
pub(crate) use error::debug_is_text;
pub use error::{
    BoxError, CallError, ElementError, ErrorKind, LinkError, PushError, ReportedValue, SpawnError,
    StartError, TypeMismatch, Unfinished,
};
pub use function::{Out, Outcome};
pub use handler::Handler;
pub use host::Event;
pub use in_port::InPort;
pub use info::{ElementInfo, InputInfo, LinkInfo, OutputInfo};
pub use link::{Link, LinkOptions, LinkStats};
pub use message::{Hop, Message};
pub use overflow::Overflow;
pub use parameter::{Parameter, ParameterError, ParameterValue};
pub use port_sink::PortSink;
pub use role::{Role, StartPolicy};
pub(crate) use router::Directory;
pub use router::NoDestination;
pub use state::State;
pub use subscription::{Signals, Subscription};
pub use supervision::OnError;
pub use uid::{ElementPath, UidError, check_uid, generate_uid};

/// What can travel along links: any value that can be cloned and sent to another thread.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't travel along links",
    label = "`{Self}` is no `Item`",
    note = "what goes into or out of an element is cloned for its receivers and sent to other threads: it needs `Clone`, `Send` and `'static`",
    note = "if it can't be cloned or is large, put it into an `Arc`"
)]
pub trait Item: Clone + Send + 'static {}
impl<T: Clone + Send + 'static> Item for T {}
