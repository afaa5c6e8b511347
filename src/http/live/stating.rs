//! Interests, as clients state them.

use super::query::{Pairs, few_enough, unknown};
use crate::channel::Pattern;
use crate::condition::Condition;
use crate::http::Problem;
use crate::live::{Interest, Position};
use crate::workflow::duration;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use utoipa::ToSchema;

/// The most patterns of names in one interest.
const MOST_NAMES: usize = 100;

/// An interest: in parts of these names, of which a condition holds, for so long.
#[derive(Deserialize, ToSchema)]
#[schema(as = LiveInterest)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// The condition, as text or JSON. None: all parts.
    #[serde(default)]
    #[schema(example = "price gt 100")]
    when: Option<Value>,
    /// Patterns of names. None: all names.
    #[serde(default)]
    names: Vec<String>,
    /// How long it lasts, such as `10s` or a number of seconds. Not set: as long as the client is there.
    #[serde(default)]
    #[schema(example = "10s")]
    lifetime: Option<Value>,
    /// The position of the last part that was seen: what was missed since comes first.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "5f3a0c71:0-17")]
    pub(super) since: Option<Position>,
}

/// How a client becomes a member of a group.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = LiveJoining)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Joining {
    /// What others are shown of it.
    pub(super) info: Value,
    /// Whether it is told who comes and who leaves.
    pub(super) presence: bool,
    /// The position of the last part that was seen: what was missed since comes first.
    #[schema(value_type = Option<String>, example = "5f3a0c71:0-17")]
    pub(super) since: Option<Position>,
}

impl Joining {
    /// Reads a body, which may be left out.
    pub(super) fn read(body: &[u8]) -> Result<Self, Problem> {
        if body.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let mut reader = serde_json::Deserializer::from_slice(body);
        let joining = serde_path_to_error::deserialize(&mut reader)
            .map_err(|error| Problem::unprocessable(format!("the body has the wrong shape: {error}")))?;
        reader.end().map_err(|error| Problem::unprocessable(format!("the body is no JSON: {error}")))?;
        Ok(joining)
    }
}

impl Wanted {
    pub(super) fn interest(&self) -> Result<Interest, Problem> {
        let lifetime = self.lifetime.as_ref().map(lifetime).transpose()?;
        let condition = match &self.when {
            None => None,
            Some(Value::String(text)) => Some(Condition::parse(text)),
            Some(json) => Some(Condition::from_json(json)),
        };
        let condition = condition.transpose().map_err(|error| Problem::from(&error))?;
        interest(&self.names, condition, lifetime)
    }
}

/// What `GET /live/stream` asks for.
#[derive(Default)]
pub(super) struct Listening {
    conditions: Vec<Condition>,
    names: Vec<String>,
    pub(super) lifetime: Option<Duration>,
    pub(super) groups: Vec<String>,
    pub(super) since: Option<Position>,
    wants_all: bool,
}

impl Listening {
    pub(super) fn read(pairs: Pairs) -> Result<Self, Problem> {
        few_enough(&pairs)?;
        let mut listening = Self::default();
        for (name, text) in pairs {
            match name.as_str() {
                "interest" => {
                    let condition = if text.trim_start().starts_with(['[', '{']) {
                        match serde_json::from_str(&text) {
                            Ok(json) => Condition::from_json(&json),
                            Err(_) => Condition::parse(&text),
                        }
                    } else {
                        Condition::parse(&text)
                    };
                    listening.conditions.push(condition.map_err(|error| Problem::from(&error))?);
                }
                "names" => listening.names.extend(list(&text)),
                "group" | "groups" => listening.groups.extend(list(&text)),
                "lifetime" => listening.lifetime = Some(lifetime(&text.into())?),
                "since" => listening.since = Some(position(&text)?),
                "all" => listening.wants_all = text.is_empty() || text == "true" || text == "1",
                _ => return Err(unknown(&name, &["interest", "names", "group", "lifetime", "since", "all"])),
            }
        }
        let is_nothing =
            listening.conditions.is_empty() && listening.names.is_empty() && listening.groups.is_empty();
        if is_nothing && !listening.wants_all {
            let told =
                "say what you want to see: interest=CONDITION, names=PATTERN, group=GROUP, or all=true";
            return Err(Problem::unprocessable(told));
        }
        Ok(listening)
    }

    /// The interests, each under its number.
    pub(super) fn interests(self) -> Result<Vec<Interest>, Problem> {
        let Self { conditions, names, lifetime, wants_all, .. } = self;
        if conditions.is_empty() {
            let is_any = wants_all || !names.is_empty();
            return if is_any { Ok(vec![interest(&names, None, lifetime)?]) } else { Ok(Vec::new()) };
        }
        conditions.into_iter().map(|condition| interest(&names, Some(condition), lifetime)).collect()
    }
}

fn interest(
    names: &[String],
    condition: Option<Condition>,
    lifetime: Option<Duration>,
) -> Result<Interest, Problem> {
    if names.len() > MOST_NAMES {
        return Err(Problem::unprocessable(format!(
            "an interest has {MOST_NAMES} patterns of names at most"
        )));
    }
    if names.iter().any(|name| name.is_empty() || name.len() > 200) {
        return Err(Problem::unprocessable("a pattern of names has 1 to 200 bytes"));
    }
    let mut interest = Interest::named(names.iter().map(|name| Pattern::new(name)));
    if let Some(condition) = condition {
        interest = interest.and_when(condition);
    }
    Ok(lifetime.map_or(interest.clone(), |lifetime| interest.lasting(lifetime)))
}

/// A position, as it came with the last part.
pub(super) fn position(text: &str) -> Result<Position, Problem> {
    text.parse().map_err(Problem::unprocessable)
}

fn lifetime(value: &Value) -> Result<Duration, Problem> {
    duration(value).ok_or_else(|| {
        Problem::unprocessable(format!("lifetime: {value} is no length of time; write 500ms, 10s or 5m"))
    })
}

fn list(text: &str) -> impl Iterator<Item = String> {
    text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned)
}
