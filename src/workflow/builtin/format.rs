//! How data are written in a resource.

use super::super::TaskError;
use super::parameters::wrong;
use serde_json::{Value, json};
use std::path::Path;

/// How data are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// One document.
    Json,
    /// A document a line; a list here.
    JsonLines,
    /// YAML of the core schema.
    Yaml,
    /// Anything; `{"text": …}` here.
    Text,
}

impl Format {
    /// By name, or else by the ending of a path or the type of a document.
    pub(super) fn of(stated: Option<&str>, path: &str, kind: &str) -> Result<Self, TaskError> {
        match stated {
            Some("json") => return Ok(Self::Json),
            Some("jsonl") => return Ok(Self::JsonLines),
            Some("yaml") => return Ok(Self::Yaml),
            Some("text") => return Ok(Self::Text),
            Some(other) => {
                return Err(wrong(&format!(
                    "the parameter `format` is json, jsonl, yaml or text, not `{other}`"
                )));
            }
            None => {}
        }
        let ending = Path::new(path).extension().map(|ending| ending.to_string_lossy().to_lowercase());
        Ok(match (ending.as_deref(), kind) {
            (Some("jsonl" | "ndjson"), _) => Self::JsonLines,
            (Some("yaml" | "yml"), _) => Self::Yaml,
            (Some("txt" | "md" | "csv" | "log" | "html" | "xml"), _) => Self::Text,
            (None, kind) if kind.contains("ndjson") => Self::JsonLines,
            (None, kind) if kind.starts_with("text/") => Self::Text,
            _ => Self::Json,
        })
    }

    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::JsonLines => "application/x-ndjson",
            Self::Yaml => "application/yaml",
            Self::Text => "text/plain; charset=utf-8",
        }
    }

    /// The data in a document that is called so.
    pub(super) fn read(self, bytes: &[u8], name: &str) -> Result<Value, TaskError> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            wrong(&format!("{name} is no text: byte {} is not UTF-8", error.valid_up_to().saturating_add(1)))
        })?;
        let fail = |error: &dyn std::fmt::Display| {
            wrong(&format!(
                "{name} cannot be read as {}: {error}; `format: text` takes anything",
                self.kind()
            ))
        };
        match self {
            Self::Json => serde_json::from_str(text).map_err(|error| fail(&error)),
            Self::JsonLines => {
                let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
                let values = lines.map(|(line, number)| {
                    serde_json::from_str(line).map_err(|error| fail(&format!("line {number}: {error}")))
                });
                values.collect::<Result<Vec<Value>, _>>().map(Value::Array)
            }
            Self::Yaml => yaml(text).map_err(|error| fail(&error)),
            Self::Text => Ok(json!({"text": text})),
        }
    }

    /// A document with these data.
    pub(super) fn write(self, value: &Value) -> Result<Vec<u8>, TaskError> {
        let mut text = match (self, value) {
            (Self::Text, Value::Object(object)) => {
                let text = object.get("text").and_then(Value::as_str);
                return text.map(|text| text.as_bytes().to_owned()).ok_or_else(|| {
                    wrong("what is stored as text has to have a `text`; `format: json` takes anything")
                });
            }
            (Self::Text, _) => {
                return Err(wrong("a list cannot be stored as text; `format: json` takes anything"));
            }
            (Self::JsonLines, Value::Array(items)) => {
                items.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
            }
            // JSON is YAML.
            (Self::Json | Self::Yaml, value) => {
                serde_json::to_string_pretty(value).map_err(|error| wrong(&error.to_string()))?
            }
            (Self::JsonLines, value) => value.to_string(),
        };
        if !text.is_empty() {
            text.push('\n');
        }
        Ok(text.into_bytes())
    }
}

/// YAML as literals of flows are read: data of the core schema, without tags, and no larger for its aliases than a
/// document may be.
fn yaml(text: &str) -> Result<Value, String> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_nodes: 1_000_000, max_events: 4_000_000 },
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::Reject,
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 100_000 },
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| error.without_snippet().to_string())
}
