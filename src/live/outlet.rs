//! Where parts go that have come through the pipelines.

use super::Part;
use super::hub::Hub;
use super::nodes::Node;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Where parts go that have come through the pipelines: to the clients, or by way of the log that nodes share.
pub(super) struct Outlet {
    hub: Arc<Hub>,
    node: Option<Arc<Node>>,
}

impl Outlet {
    pub(super) fn new(hub: Arc<Hub>, node: Option<Arc<Node>>) -> Self {
        Self { hub, node }
    }

    /// Lets parts go, and then of them: their jobs may end, behind them.
    pub(super) fn deliver(&self, parts: Vec<Part>) {
        self.hand_out(&parts);
        drop(parts);
    }

    /// The same while the parts are kept, and with them their jobs.
    pub(super) fn hand_out(&self, parts: &[Part]) {
        match &self.node {
            Some(node) => node.publish(parts),
            None => self.hub.hand_out(parts),
        }
        parts.iter().for_each(Part::told);
    }

    /// Waits while too much is on its way to other nodes.
    pub(super) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.node.as_ref().map_or(Poll::Ready(()), |node| node.poll_room(cx))
    }
}
