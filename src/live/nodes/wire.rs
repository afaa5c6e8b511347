//! What nodes write into their log, and read there.

use super::outgoing::Own;
use crate::event::{Event, EventId};
use crate::live::hub::check_name;
use crate::live::{Body, Delivered, Job, JobId, Viewer};
use serde_json::Value;
use std::sync::Arc;

/// The log of all nodes.
pub(super) const LOG: &str = "mape:live";
/// The longest JSON of a part, of values, or of an input that is shared.
pub(super) const LARGEST: usize = 4 * 1024 * 1024;
/// The longest name of whoever asked.
const LONGEST_VIEWER: usize = 1000;

/// What a node writes.
pub(super) enum What {
    /// A part of a result, as JSON text: all of it, or values of it.
    Part { own: Own, field: Field, json: String },
    /// A job for another node.
    Ask { to: Arc<str>, job: Job, input: String },
    /// Nobody wants that job any more.
    Cancel { to: Arc<str>, job: JobId },
    /// A job that was taken for another node has ended.
    End { job: JobId },
    /// Something that a node has said was lost on its way here.
    Missed { from: Arc<str> },
}

/// In which field a part has what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Data,
    Error,
    /// Values of it; the node has the rest.
    Values,
}

impl Field {
    fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Error => "error",
            Self::Values => "values",
        }
    }
}

impl What {
    /// How much memory it takes, about.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Part { json, .. } => json.len() + 200,
            Self::Ask { input, .. } => input.len() + 200,
            Self::Cancel { .. } | Self::End { .. } | Self::Missed { .. } => 100,
        }
    }

    pub(super) fn event(&self, node: &str, seq: u64) -> Event {
        let (node, seq) = (quoted(node), seq.to_string());
        let head = |kind| [("kind", kind), ("node", &*node), ("n", &*seq)];
        match self {
            Self::Part { own, field, json } => {
                let name = quoted(&own.name);
                let of_job = own.job.map(|job| (quoted(&job.to_string()), own.nr.to_string()));
                let mut fields = head("\"part\"").to_vec();
                fields.push(("name", &name));
                if let Some((job, nr)) = &of_job {
                    fields.extend([("job", &**job), ("nr", &**nr)]);
                }
                fields.push((field.name(), json));
                Event::of_fields(&fields)
            }
            Self::Ask { to, job, input } => {
                let [to, name, id] = [quoted(to), quoted(job.name()), quoted(&job.id().to_string())];
                let viewer = job.asked_by();
                let [who, role] = [&viewer.name, &viewer.role].map(|text| text.as_deref().map(quoted));
                let mut fields = head("\"ask\"").to_vec();
                fields.extend([("to", &*to), ("name", &name), ("job", &id), ("input", input)]);
                fields.extend(who.as_deref().map(|who| ("who", who)));
                fields.extend(role.as_deref().map(|role| ("role", role)));
                Event::of_fields(&fields)
            }
            Self::Cancel { to, job } => {
                let [to, job] = [quoted(to), quoted(&job.to_string())];
                let mut fields = head("\"cancel\"").to_vec();
                fields.extend([("to", &*to), ("job", &job)]);
                Event::of_fields(&fields)
            }
            Self::End { job } => {
                let job = quoted(&job.to_string());
                let mut fields = head("\"end\"").to_vec();
                fields.push(("job", &job));
                Event::of_fields(&fields)
            }
            Self::Missed { from } => {
                let from = quoted(from);
                let mut fields = head("\"missed\"").to_vec();
                fields.push(("to", &from));
                Event::of_fields(&fields)
            }
        }
    }
}

/// That a node has come.
pub(super) fn hello(node: &str) -> Event {
    Event::of_fields(&[("kind", "\"hello\""), ("node", &quoted(node))])
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// An entry of the log, before what is in it is looked at.
pub(super) struct Read<'e> {
    pub(super) node: Arc<str>,
    /// Its number among those of its node.
    pub(super) seq: u64,
    event: &'e Event,
}

/// What is in it.
pub(super) enum Told {
    Part(Arc<Delivered>),
    /// Values of a part, or nothing if it is an error.
    Values {
        name: Arc<str>,
        job: Option<JobId>,
        nr: u64,
        values: Option<Value>,
    },
    Ask {
        to: Arc<str>,
        name: Arc<str>,
        job: JobId,
        input: Value,
        viewer: Viewer,
    },
    Cancel {
        to: Arc<str>,
        job: JobId,
    },
    End {
        job: JobId,
    },
    /// Something that this node has told was lost on its way.
    Missed {
        to: Arc<str>,
    },
}

impl<'e> Read<'e> {
    /// `None` if it is none of ours; entries without a number, by which nodes say that they are there, are none either.
    pub(super) fn of(event: &'e Event) -> Option<Self> {
        let size: usize = event.fields().map(|(_, json)| json.len()).sum();
        if size > LARGEST + 10_000 {
            return None;
        }
        let node = text(event, "node")?;
        let seq = serde_json::from_str(event.json("n")?).ok()?;
        check_name("a node", &node).ok()?;
        Some(Self { node, seq, event })
    }

    pub(super) fn told(&self, offset: EventId) -> Option<Told> {
        let event = self.event;
        let to = || text(event, "to");
        let job = || event.json("job").and_then(|json| serde_json::from_str::<JobId>(json).ok());
        let name = || text(event, "name").filter(|name| check_name("a part", name).is_ok());
        if event.is("part") {
            let (name, job) = (name()?, job());
            let nr = event.json("nr").and_then(|json| serde_json::from_str(json).ok()).unwrap_or(0);
            if let Some(values) = event.json(Field::Values.name()) {
                let values = serde_json::from_str::<Option<Value>>(values).ok()?;
                return Some(Told::Values { name, job, nr, values });
            }
            let body = match event.json(Field::Data.name()) {
                Some(data) => Body::Data(Arc::new(serde_json::from_str(data).ok()?)),
                None => Body::Error(text(event, Field::Error.name())?),
            };
            return Some(Told::Part(delivered(name, job, nr, Some(offset), body)));
        }
        if event.is("ask") {
            let short = |name| text(event, name).filter(|text| text.len() <= LONGEST_VIEWER);
            let mut viewer = short("who").map_or_else(Viewer::default, Viewer::named);
            viewer.role = short("role");
            let input = serde_json::from_str(event.json("input")?).ok()?;
            return Some(Told::Ask { to: to()?, name: name()?, job: job()?, input, viewer });
        }
        if event.is("cancel") {
            return Some(Told::Cancel { to: to()?, job: job()? });
        }
        if event.is("missed") {
            return Some(Told::Missed { to: to()? });
        }
        event.is("end").then(|| Some(Told::End { job: job()? })).flatten()
    }
}

/// Which node says that it has come, if it says no more.
pub(super) fn is_hello(event: &Event) -> Option<Arc<str>> {
    event.is("hello").then(|| text(event, "node").filter(|node| check_name("a node", node).is_ok())).flatten()
}

pub(super) fn delivered(
    name: Arc<str>,
    job: Option<JobId>,
    nr: u64,
    offset: Option<EventId>,
    body: Body,
) -> Arc<Delivered> {
    let draft = Delivered::new(name, job, nr, body);
    Arc::new(match offset {
        Some(offset) => draft.at(offset),
        None => draft,
    })
}

fn text(event: &Event, field: &str) -> Option<Arc<str>> {
    serde_json::from_str::<String>(event.json(field)?).ok().map(Arc::from)
}
