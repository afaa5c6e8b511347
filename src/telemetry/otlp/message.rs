//! What the messages of traces and metrics have in common.

use super::protobuf::{Message, Read, fields};
use serde_json::Value as Json;

/// Who sends: the attributes of everything that a process sends.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub(super) service: String,
    /// Random, one for each start.
    pub(super) instance: String,
}

impl Resource {
    pub(super) fn new(service: &str) -> Self {
        Self { service: service.to_owned(), instance: format!("{:032x}", fastrand::u128(..)) }
    }

    /// A request: one resource with one scope, whose contents `fill` writes.
    pub(super) fn request(&self, fill: impl FnOnce(&mut Message)) -> Vec<u8> {
        const RESOURCE: u32 = 1;
        const SCOPES: u32 = 2;
        const SCOPE: u32 = 1;
        let of_resource = |message: &mut Message| {
            attribute(message, 1, "service.name", &self.service.as_str().into());
            attribute(message, 1, "service.instance.id", &self.instance.as_str().into());
            attribute(message, 1, "process.pid", &std::process::id().into());
            attribute(message, 1, "telemetry.sdk.name", &"mape".into());
            attribute(message, 1, "telemetry.sdk.language", &"rust".into());
            attribute(message, 1, "telemetry.sdk.version", &env!("CARGO_PKG_VERSION").into());
        };
        let request = Message::of(|request| {
            request.message(1, |all| {
                all.message(RESOURCE, of_resource);
                all.message(SCOPES, |scoped| {
                    scoped.message(SCOPE, |scope| {
                        scope.text(1, "mape");
                        scope.text(2, env!("CARGO_PKG_VERSION"));
                    });
                    fill(scoped);
                });
            });
        });
        request.into_bytes()
    }
}

/// An attribute, a `KeyValue`.
pub(super) fn attribute(message: &mut Message, field: u32, key: &str, value: &Json) {
    message.message(field, |pair| {
        pair.text(1, key);
        pair.message(2, |any| match value {
            Json::Bool(value) => any.number(2, u64::from(*value)),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                // Two's complement, as int64 has it.
                (Some(number), _) => any.number(3, number.cast_unsigned()),
                (None, Some(number)) => any.double(4, number),
                (None, None) => {}
            },
            // An empty text is one, too.
            Json::String(text) => any.bytes(1, text.as_bytes()),
            other => any.bytes(1, other.to_string().as_bytes()),
        });
    });
}

/// What a collector says that it has not taken: how many, and why.
pub(super) fn refused(answer: &[u8]) -> Option<(u64, String)> {
    let partial = fields(answer).find_map(|field| match field {
        (1, Read::Bytes(partial)) => Some(partial),
        _ => None,
    })?;
    let (mut count, mut why) = (0, String::new());
    for field in fields(partial) {
        match field {
            (1, Read::Number(rejected)) => count = rejected,
            (2, Read::Bytes(text)) => why = String::from_utf8_lossy(text).into_owned(),
            _ => {}
        }
    }
    (count > 0).then_some((count, why))
}
