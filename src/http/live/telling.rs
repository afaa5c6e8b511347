//! What a client is told, as text.

use crate::http::streams::Form;
use crate::live::{ClientHandle, Delivery, Live, Position, Stated};
use serde::Serialize;
use serde_json::json;
use std::borrow::Cow;
use std::io::Write;
use std::sync::Arc;

/// What a client is told first.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Hello<'c> {
    /// Its id, by which it can state interests from elsewhere.
    client: &'c str,
    /// The id by which the members of its groups know it.
    member: &'c str,
    /// Where it is.
    position: Position,
    /// Whether it gets all that it missed.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovered: Option<bool>,
}

impl<'c> Hello<'c> {
    pub(super) fn new(client: &'c ClientHandle, stated: Stated) -> Self {
        Self {
            client: client.id(),
            member: client.public_id(),
            position: stated.position,
            recovered: stated.recovered,
        }
    }
}

/// What it is told, as JSON on one line, and which kind of event that is; parts have none.
pub(super) fn told(delivery: &Delivery) -> (Option<&'static str>, Cow<'_, str>) {
    let (kind, json) = match delivery {
        Delivery::Part(part) => return (None, part.json().into()),
        Delivery::Ended { job, name, parts } => {
            ("end", json!({"job": job, "name": name, "end": true, "parts": parts}))
        }
        Delivery::Missed { count } => ("missed", json!({"missed": count})),
        Delivery::Expired { interest } => ("expired", json!({"interest": interest, "expired": true})),
        Delivery::Presence { group, member, joined } => {
            ("presence", json!({"group": group, "member": member, "joined": joined}))
        }
        Delivery::Closed { reason } => ("closed", json!({"closed": reason})),
    };
    (Some(kind), json.to_string().into())
}

/// Writes what a client is told, a line or an event each.
#[derive(Clone, Debug)]
pub(super) struct Teller {
    form: Form,
    live: Live,
    /// The epoch of the positions that events have, and which one it is.
    epoch: Arc<str>,
    epochs: u64,
}

impl Teller {
    pub(super) fn new(form: Form, live: &Live) -> Self {
        // Before the epoch: then it is looked at once more than needed, and never too late.
        let epochs = live.epochs();
        Self { form, live: live.clone(), epoch: live.position().epoch, epochs }
    }

    pub(super) fn form(&self) -> Form {
        self.form
    }

    /// Writes what the live server tells.
    pub(super) fn tell(&mut self, delivery: &Delivery, to: &mut Vec<u8>) {
        if let Delivery::Part(part) = delivery {
            // Most are parts: they come in one piece.
            to.reserve(part.json().len() + 96);
            if let (Form::Events, Some(offset)) = (self.form, part.offset()) {
                let epochs = self.live.epochs();
                if epochs != self.epochs {
                    (self.epochs, self.epoch) = (epochs, self.live.position().epoch);
                }
                let _ = writeln!(to, "id: {}:{offset}", self.epoch);
            }
        }
        let (kind, json) = told(delivery);
        self.write(kind, &json, to);
    }

    /// Writes something of a kind.
    pub(super) fn event(&self, kind: &'static str, value: &impl Serialize, to: &mut Vec<u8>) {
        let json = serde_json::to_string(value).unwrap_or_default();
        self.write(Some(kind), &json, to);
    }

    /// Writes hello, with the position to come back with.
    pub(super) fn hello(&self, hello: &Hello<'_>, to: &mut Vec<u8>) {
        // What it missed is still to come: until then its own position holds.
        if self.form == Form::Events && hello.recovered != Some(true) {
            let _ = writeln!(to, "id: {}", hello.position);
        }
        self.event("hello", hello, to);
    }

    /// Writes a sign of life.
    pub(super) fn beat(&self) -> &'static [u8] {
        match self.form {
            Form::Events => b":\n\n",
            Form::Lines => b"\n",
        }
    }

    fn write(&self, kind: Option<&str>, json: &str, to: &mut Vec<u8>) {
        if self.form == Form::Events {
            if let Some(kind) = kind {
                to.extend_from_slice(b"event: ");
                to.extend_from_slice(kind.as_bytes());
                to.push(b'\n');
            }
            to.extend_from_slice(b"data: ");
        }
        to.extend_from_slice(json.as_bytes());
        to.extend_from_slice(if self.form == Form::Events { b"\n\n" } else { b"\n" });
    }
}
