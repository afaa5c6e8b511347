//! What a client says on a WebSocket, and what it is answered.

use super::clients::Holds;
use super::guest::Guest;
use super::jobs::Asked;
use super::stating::{Joining, Wanted};
use crate::hint::nearest;
use crate::http::Problem;
use crate::live::{ClientHandle, JobId, Join, Position};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// What a message can have, besides its id.
const WORDS: [&str; 9] =
    ["ask", "cancel", "interest", "withdraw", "join", "leave", "state", "publish", "ping"];

/// What an interest can have, and a group that is joined.
const INTEREST: [&str; 5] = ["name", "when", "names", "lifetime", "since"];
const JOIN: [&str; 4] = ["group", "info", "presence", "since"];

/// A message.
pub(super) struct Said {
    /// As its sender numbers it.
    id: Option<Value>,
    what: Result<Wish, Problem>,
}

/// What is wanted.
enum Wish {
    Ask(Asked),
    Cancel(JobId),
    Interest(Stating),
    Withdraw(String),
    Join(Group),
    Leave(String),
    State(Several),
    Publish(Publishing),
    Ping(Value),
}

#[derive(Deserialize)]
struct Stating {
    name: String,
    #[serde(flatten)]
    wanted: Wanted,
}

#[derive(Deserialize)]
struct Group {
    group: String,
    #[serde(flatten)]
    joining: Joining,
}

/// Interests and groups together.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Several {
    #[serde(default)]
    interests: Vec<Stating>,
    #[serde(default)]
    groups: Vec<Group>,
    #[serde(default)]
    since: Option<Position>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Publishing {
    name: String,
    data: Value,
}

impl Said {
    pub(super) fn read(message: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(message) {
            Ok(Value::Object(mut map)) => {
                let id = map.remove("id");
                Self { id, what: wish(map) }
            }
            Ok(_) => Self::senseless("a message is an object, such as {\"ping\": 1}"),
            Err(error) => Self::senseless(format!("the message is no JSON: {error}")),
        }
    }

    fn senseless(detail: impl std::fmt::Display) -> Self {
        Self { id: None, what: Err(Problem::bad_request(detail)) }
    }

    /// It is not listened to, whatever it says.
    pub(super) fn refuse(&mut self, why: Problem) {
        self.what = Err(why);
    }

    /// Whether it is nothing that is ever said here.
    pub(super) fn is_senseless(&self) -> bool {
        self.what.is_err()
    }
}

fn wish(map: Map<String, Value>) -> Result<Wish, Problem> {
    let mut pairs = map.into_iter();
    let (Some((word, value)), None) = (pairs.next(), pairs.next()) else {
        let told =
            format!("a message has one of {}, and an `id` if it is to be answered with it", WORDS.join(", "));
        return Err(Problem::bad_request(told));
    };
    Ok(match word.as_str() {
        "ask" => Wish::Ask(read("ask", value)?),
        "cancel" => Wish::Cancel(read("cancel", value)?),
        "interest" => {
            only(&value, "interest", &INTEREST)?;
            Wish::Interest(read("interest", value)?)
        }
        "withdraw" => Wish::Withdraw(read("withdraw", value)?),
        "join" => {
            only(&value, "join", &JOIN)?;
            Wish::Join(read("join", value)?)
        }
        "leave" => Wish::Leave(read("leave", value)?),
        "state" => Wish::State(several(value)?),
        "publish" => Wish::Publish(read("publish", value)?),
        "ping" => Wish::Ping(value),
        _ => return Err(unknown("a message", &word, &WORDS)),
    })
}

/// Of several it is said once since when, for all of them.
fn several(value: Value) -> Result<Several, Problem> {
    let without_since = |known: &[&'static str]| -> Vec<&'static str> {
        known.iter().copied().filter(|key| *key != "since").collect()
    };
    for (list, known) in [("interests", &INTEREST[..]), ("groups", &JOIN[..])] {
        let known = without_since(known);
        for one in value.get(list).and_then(Value::as_array).into_iter().flatten() {
            only(one, list, &known)?;
        }
    }
    read("state", value)
}

fn read<T: DeserializeOwned>(word: &str, value: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| Problem::bad_request(format!("`{word}` has the wrong shape: {error}")))
}

/// Refuses keys that there are not.
fn only(value: &Value, word: &str, known: &[&str]) -> Result<(), Problem> {
    let keys = value.as_object().into_iter().flat_map(Map::keys);
    match keys.into_iter().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(unknown(&format!("`{word}`"), key, known)),
        None => Ok(()),
    }
}

fn unknown(what: &str, key: &str, known: &[&str]) -> Problem {
    let hint = match nearest(key, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it has {}", known.join(", ")),
    };
    Problem::bad_request(format!("{what} has no `{key}`: {hint}"))
}

/// Does what a client says; what it is answered.
pub(super) fn answer_to(said: Said, guest: &Guest, client: &ClientHandle) -> String {
    let mut answer = Map::new();
    if let Some(id) = said.id {
        answer.insert("id".to_owned(), id);
    }
    match said.what.and_then(|wish| fulfil(wish, guest, client)) {
        Ok(Value::Object(more)) => {
            answer.insert("ok".to_owned(), true.into());
            answer.extend(more);
        }
        Ok(_) => {
            answer.insert("ok".to_owned(), true.into());
        }
        Err(problem) => {
            answer.insert("error".to_owned(), problem.detail.clone().into());
            answer.insert("status".to_owned(), problem.status.as_u16().into());
            answer.extend(problem.into_more());
        }
    }
    Value::Object(answer).to_string()
}

fn fulfil(wish: Wish, guest: &Guest, client: &ClientHandle) -> Result<Value, Problem> {
    Ok(match wish {
        Wish::Ask(Asked { name, input }) => {
            guest.may_ask(&name)?;
            json!({"job": client.ask(&name, input)?})
        }
        Wish::Cancel(job) => json!({"cancelled": client.cancel(job)}),
        Wish::Interest(Stating { name, wanted }) => {
            let stated = client.state(&name, wanted.interest()?, wanted.since.as_ref())?;
            json!(Holds::of(stated, None))
        }
        Wish::Withdraw(name) => json!({"withdrawn": client.withdraw(&name)}),
        Wish::Join(Group { group, joining }) => {
            guest.may_see_group(&group)?;
            let stated = client.join(&group, joining.info, joining.presence, joining.since.as_ref())?;
            json!(Holds::of(stated, Some(client.members(&group)?)))
        }
        Wish::State(several) => state(several, guest, client)?,
        Wish::Leave(group) => json!({"left": client.leave(&group)}),
        Wish::Publish(Publishing { name, data }) => {
            guest.may_publish(&name)?;
            client.publish(&name, data)?;
            Value::Null
        }
        Wish::Ping(value) => json!({"pong": value}),
    })
}

/// States all, or nothing.
fn state(
    Several { interests, groups, since }: Several,
    guest: &Guest,
    client: &ClientHandle,
) -> Result<Value, Problem> {
    let mut stated = Vec::with_capacity(interests.len());
    for Stating { name, wanted } in interests {
        stated.push((name, wanted.interest()?));
    }
    let mut joins = Vec::with_capacity(groups.len());
    for Group { group, joining } in groups {
        guest.may_see_group(&group)?;
        joins.push((group, joining));
    }
    let names: Vec<_> = joins.iter().map(|(group, _)| group.clone()).collect();
    let joins = joins
        .into_iter()
        .map(|(group, joining)| Join::new(group).with_info(joining.info).with_presence(joining.presence));
    let stated = client.state_and_join(stated, joins, since.as_ref())?;
    let mut answer = json!(Holds::of(stated, None));
    if !names.is_empty() {
        let mut members = Map::new();
        for group in names {
            members.insert(group.clone(), json!(client.members(&group)?));
        }
        if let Some(answer) = answer.as_object_mut() {
            answer.insert("members".to_owned(), members.into());
        }
    }
    Ok(answer)
}
