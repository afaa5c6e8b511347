//! The two ports of an element and its stopped pipe, without their types.

use super::link::LinkStats;
use super::queue::Fault;
use super::site::Site;
use super::{AnyElement, LinkError, LinkOptions};
use crate::stream::meter::Histogram;
use std::any::Any;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

/// A stopped pipe, ready to be run.
pub(crate) trait Launch: Send {
    fn launch(self: Box<Self>, runtime: &Handle) -> AbortHandle;
}

/// The in-port, without its type.
pub(crate) trait Inputs: Any + Send + Sync {
    /// Takes items, or skips what comes (and, with `clear`, what is queued).
    fn set_intake(&self, intake: Intake);
    /// Ends once its present links have; pushes are refused.
    fn finish(&self);
    /// Lets go of everything; senders find it gone.
    fn close(&self);
    fn reopen(&self);
    /// Every source is asked again, also those that wait for the element to start.
    fn ask_all(&self);
    /// A source came that nobody has looked at yet.
    fn has_news(&self) -> bool;
    /// Takes in nothing more, unless a source came that nobody has looked at yet and `unless_news` is set: then true.
    fn shut(&self, unless_news: bool) -> bool;
    /// The element has completed.
    fn complete(&self);
    fn stats(&self) -> PortStats;
    fn item_type(&self) -> &'static str;
}

/// What an in-port does with what arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intake {
    Open,
    Muted,
    /// Works off what is queued, skips what comes, then ends.
    Draining,
}

/// What an in-port has seen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PortStats {
    pub(crate) received: u64,
    pub(crate) skipped: u64,
    pub(crate) dropped: u64,
    pub(crate) queued: usize,
    pub(crate) sources: usize,
}

/// One link as its sender's port sees it.
pub(crate) struct LinkView {
    pub(crate) id: u64,
    pub(crate) to: Option<Arc<Site>>,
    pub(crate) options: LinkOptions,
    pub(crate) stats: LinkStats,
    pub(crate) waits: Option<Arc<Histogram>>,
}

/// The out-port, without its type.
pub(crate) trait Outputs: Any + Send + Sync {
    fn links(&self) -> Vec<LinkView>;
    fn link(self: Arc<Self>, to: &AnyElement, options: LinkOptions) -> Result<u64, LinkError>;
    fn relink(self: Arc<Self>, id: u64, to: &AnyElement) -> Result<u64, LinkError>;
    fn cut(&self, id: u64) -> bool;
    fn set_overflow(&self, id: u64, overflow: super::Overflow) -> bool;
    /// Ends every subscription and link; links to elements can be reopened.
    fn complete(&self);
    fn reopen(&self);
    fn forget(&self);
    /// Items emitted, and how many of them nobody heard.
    fn emitted(&self) -> (u64, u64);
    fn raise(&self, fault: Fault);
    fn item_type(&self) -> &'static str;
}
