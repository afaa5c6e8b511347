//! Logging what passes an element's ports.

use super::{Element, Item};
use std::fmt;
use std::sync::atomic::Ordering;

/// Which ports of an element are logged; PyMAPE's `Element.Debug` flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DebugPorts {
    /// None.
    Off,
    /// What comes in.
    In,
    /// What goes out.
    Out,
    /// Both.
    Both,
}

const WATCHED: u8 = 4;

/// Sets what is logged; the ports are watched from the first time on.
pub(crate) fn watch<I: Item + fmt::Debug, O: Item + fmt::Debug>(element: &Element<I, O>, what: DebugPorts) {
    let flags = match what {
        DebugPorts::Off => 0,
        DebugPorts::In => 1,
        DebugPorts::Out => 2,
        DebugPorts::Both => 3,
    };
    let site = element.site();
    let before = site.debug.swap(flags | WATCHED, Ordering::AcqRel);
    if before & WATCHED != 0 {
        return;
    }
    let of = std::sync::Arc::downgrade(site);
    element.input.watchers.log(Box::new(move |item| {
        if let Some(site) = of.upgrade()
            && site.debug.load(Ordering::Relaxed) & 1 != 0
        {
            tracing::info!(target: "mape::debug", element = %site.path(), port = "in", ?item);
        }
    }));
    let of = std::sync::Arc::downgrade(site);
    element.output.watchers.log(Box::new(move |item| {
        if let Some(site) = of.upgrade()
            && site.debug.load(Ordering::Relaxed) & 2 != 0
        {
            tracing::info!(target: "mape::debug", element = %site.path(), port = "out", ?item);
        }
    }));
}
