//! Variables of the environment that other programs read, too.

use super::node::Node;
use super::{Origin, builder};
use serde_json::Value as Json;
use std::ffi::OsString;

/// The variables.
pub(super) const VARIABLES: [&str; 5] = [
    "LOG_LEVEL",
    "NO_COLOR",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_SERVICE_NAME",
];

/// Those that are there as layers: over the file, and under the variables that are ours alone. An empty one says nothing,
/// nor does a level that we do not know: it may be meant for another program.
pub(super) fn layers(variables: &[(OsString, OsString)]) -> Vec<Node> {
    let text = |name: &str| {
        let (_, value) = variables.iter().find(|(other, _)| other == name)?;
        value.to_str().filter(|text| !text.is_empty())
    };
    let all = VARIABLES.iter().filter_map(|name| {
        let (key, value) = meaning(name, text(name)?)?;
        let origin = Origin::Variable { name: (*name).to_owned() };
        // The keys are right.
        builder::single(key, value, &origin).ok()
    });
    all.collect()
}

/// The key that a variable sets, and to what.
fn meaning(name: &str, text: &str) -> Option<(&'static str, Json)> {
    Some(match name {
        "LOG_LEVEL" => ("telemetry.log", level(text)?.into()),
        "NO_COLOR" => ("telemetry.colors", "never".into()),
        "OTEL_EXPORTER_OTLP_ENDPOINT" => ("telemetry.endpoint", text.into()),
        "OTEL_EXPORTER_OTLP_HEADERS" => ("telemetry.headers", headers(text)),
        _ => ("telemetry.service_name", text.into()),
    })
}

/// A level, also as Python calls it, by name or number.
fn level(text: &str) -> Option<&'static str> {
    Some(match text.trim().to_lowercase().as_str() {
        "error" | "critical" | "fatal" | "40" | "50" => "error",
        "warn" | "warning" | "30" => "warn",
        "info" | "20" => "info",
        "debug" | "10" => "debug",
        "trace" => "trace",
        _ => return None,
    })
}

/// `name=value,name=value`, the values as in a URL.
fn headers(text: &str) -> Json {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    let pairs = pairs.map(|(name, value)| (name.trim().to_owned(), decoded(value.trim()).into()));
    Json::Object(pairs.filter(|(name, _)| !name.is_empty()).collect())
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let pair = after.get(..2).filter(|_| *first == b'%').and_then(|pair| std::str::from_utf8(pair).ok());
        if let Some(byte) = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            bytes.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use crate::config::{Colors, Config};

    fn with(variables: &[(&str, &str)]) -> Config {
        let file = "telemetry:\n  log: warn\n  service_name: mine\n";
        Config::builder().text(file).environment(variables.iter().copied()).build().unwrap()
    }

    #[test]
    fn variables_of_everybody_are_over_the_file_and_under_ours() {
        let config = with(&[("LOG_LEVEL", "DEBUG"), ("OTEL_SERVICE_NAME", "theirs"), ("NO_COLOR", "1")]);
        assert_eq!(
            (config.telemetry.log.as_str(), config.telemetry.service_name.as_str()),
            ("debug", "theirs")
        );
        assert_eq!(config.telemetry.colors, Colors::Never);
        let shown = config.explain().to_string();
        assert!(shown.contains("LOG_LEVEL"), "{shown}");
        let config = with(&[("LOG_LEVEL", "debug"), ("MAPE_TELEMETRY__LOG", "error")]);
        assert_eq!(config.telemetry.log, "error");
    }

    #[test]
    fn levels_are_those_of_python_too_and_others_say_nothing() {
        for (said, meant) in [("WARNING", "warn"), ("30", "warn"), ("CRITICAL", "error"), ("10", "debug")] {
            assert_eq!(with(&[("LOG_LEVEL", said)]).telemetry.log, meant);
        }
        assert_eq!(with(&[("LOG_LEVEL", "chatty"), ("NO_COLOR", "")]).telemetry.log, "warn");
        assert_eq!(with(&[("NO_COLOR", "")]).telemetry.colors, Colors::Auto);
    }

    #[test]
    fn headers_for_a_collector_are_secret() {
        let config = with(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20hunter2, x-team=cars,%=%,"),
        ]);
        let header = |name| config.telemetry.headers.get(name).map(|secret| secret.expose());
        assert_eq!((header("authorization"), header("x-team")), (Some("Basic hunter2"), Some("cars")));
        assert_eq!(config.telemetry.endpoint.as_ref().unwrap().expose(), "http://collector:4318");
        assert!(!config.explain().to_string().contains("hunter2"));
    }
}
