//! What the messages of traces and metrics have in common.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1;
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

    pub(super) fn message(&self) -> v1::Resource {
        let attributes = vec![
            attribute("service.name", &self.service.as_str().into()),
            attribute("service.instance.id", &self.instance.as_str().into()),
            attribute("process.pid", &std::process::id().into()),
            attribute("telemetry.sdk.name", &"mape".into()),
            attribute("telemetry.sdk.language", &"rust".into()),
            attribute("telemetry.sdk.version", &env!("CARGO_PKG_VERSION").into()),
        ];
        v1::Resource { attributes, ..Default::default() }
    }
}

pub(super) fn scope() -> InstrumentationScope {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    InstrumentationScope { name: "mape".to_owned(), version, ..Default::default() }
}

pub(super) fn attribute(key: &str, value: &Json) -> KeyValue {
    let value = match value {
        Json::Bool(value) => Value::BoolValue(*value),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Value::IntValue(number),
            (None, number) => Value::DoubleValue(number.unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::StringValue(text.clone()),
        other => Value::StringValue(other.to_string()),
    };
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..Default::default() }
}

/// What a collector says that it has not taken: how many, and why.
pub(super) fn refused(count: i64, why: String) -> Option<(u64, String)> {
    u64::try_from(count).ok().filter(|count| *count > 0).map(|count| (count, why))
}
