//! What can be known of an element from outside.

use super::operators::OperatorNames;
use super::site::Site;
use super::{ElementPath, LinkStats, Role, StartPolicy, State};
use crate::stream::meter::Latency;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// All there is to know of an element at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub struct ElementInfo {
    /// Where it is.
    #[cfg_attr(feature = "http", schema(value_type = String))]
    pub path: ElementPath,
    /// Its role.
    pub role: Role,
    /// Where it is in its life.
    pub state: State,
    /// When it starts.
    pub start: StartPolicy,
    /// It emits nothing by construction.
    pub acts_only: bool,
    /// Its in-port.
    pub input: InputInfo,
    /// Its out-port.
    pub output: OutputInfo,
    /// Items that it failed on, and other errors of its own.
    pub errors: u64,
    /// How often its operators were built anew after a failure.
    pub restarts: u32,
    /// How long a batch takes in its operators and its function, or a call of an asynchronous function.
    #[serde(default)]
    pub latency: Latency,
    /// Its parameters.
    pub parameters: BTreeMap<String, Value>,
    /// The methods that it exports.
    pub methods: Vec<String>,
    /// Paths that it declares to send to other than by its links.
    pub destinations: Vec<String>,
}

/// An in-port at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub struct InputInfo {
    /// The type of its items.
    pub item: String,
    /// The operators between the port and the function, in the order in which items pass them.
    #[serde(default)]
    pub operators: Vec<String>,
    /// Items taken so far.
    pub received: u64,
    /// Items thrown away because the element was stopped or not started.
    pub skipped: u64,
    /// Items that full links gave up.
    pub dropped: u64,
    /// Items waiting.
    pub queued: usize,
    /// Links, pushers and streams that lead in.
    pub sources: usize,
}

/// An out-port at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub struct OutputInfo {
    /// The type of its items.
    pub item: String,
    /// The operators between the function and the port, in the order in which items pass them.
    #[serde(default)]
    pub operators: Vec<String>,
    /// Items emitted so far.
    pub emitted: u64,
    /// Those of them that nobody was there for.
    pub unheard: u64,
    /// Links and subscriptions.
    pub links: Vec<LinkInfo>,
}

/// A link or subscription at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema))]
pub struct LinkInfo {
    /// Its number at its out-port, for [`AnyElement::cut`](super::AnyElement::cut) and
    /// [`set_overflow`](super::AnyElement::set_overflow).
    pub id: u64,
    /// The element it leads to; `None` for a subscription or a sink.
    #[cfg_attr(feature = "http", schema(value_type = Option<String>))]
    pub to: Option<ElementPath>,
    /// It closes a ring on purpose.
    pub feedback: bool,
    /// Its counters.
    pub stats: LinkStats,
    /// How long items wait to be taken by the receiver.
    #[serde(default)]
    pub wait: Latency,
}

impl ElementInfo {
    pub(crate) fn of(site: &Arc<Site>) -> Self {
        let operators = OperatorNames::of((site.pipe)());
        let (input, output) = (site.input(), site.output());
        let input = input.map_or_else(InputInfo::default, |port| {
            let s = port.stats();
            InputInfo {
                item: port.item_type().into(),
                operators: operators.before,
                received: s.received,
                skipped: s.skipped,
                dropped: s.dropped,
                queued: s.queued,
                sources: s.sources,
            }
        });
        let output = output.map_or_else(OutputInfo::default, |port| {
            let (emitted, unheard) = port.emitted();
            let links = port.links().into_iter().map(|link| LinkInfo {
                id: link.id,
                to: link.to.map(|site| site.path()),
                feedback: link.options.feedback,
                stats: link.stats,
                wait: link.waits.map_or_else(Latency::default, |waits| waits.latency()),
            });
            OutputInfo {
                item: port.item_type().into(),
                operators: operators.behind,
                emitted,
                unheard,
                links: links.collect(),
            }
        });
        Self {
            path: site.path(),
            role: site.role,
            state: site.state(),
            start: site.start_policy,
            acts_only: site.acts_only,
            input,
            output,
            errors: site.errors.load(Ordering::Relaxed),
            restarts: site.restarts.load(Ordering::Relaxed),
            latency: site.latency().map_or_else(Latency::default, |latency| latency.latency()),
            parameters: site.declared().parameters.all().collect(),
            methods: site.declared().methods.names(),
            destinations: site.declared().destinations.clone(),
        }
    }
}
