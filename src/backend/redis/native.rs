//! Commands in Redis' own words.

use super::explain::failed;
use super::script::Script;
use super::store::{Inner, RedisStore};
use crate::knowledge::{Data, Error, Key, Native, NativeArg, NativeCommand, NativeTraits};
use crate::stream::Answer;
use redis::{Cmd, Value};
use serde_json::{Map, Number, Value as Json};
use std::sync::LazyLock;

static ONCE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/once.lua")));

impl Native for RedisStore {
    fn run(&self, command: NativeCommand) -> Answer<Result<Json, Error>> {
        let inner = self.inner.clone();
        Answer::pending(async move {
            let about = about(&command);
            let answered = match &command.once {
                Some((key, field)) => inner.once(&command, key, field).await,
                None => inner.client.query(inner.native(&command)).await,
            };
            let answer = answered.map_err(|failure| failed(&about, failure))?;
            for key in &command.writes {
                inner.tell_missed(key).await;
            }
            json(answer).map_err(|what| Error::Unexpected {
                key: about,
                expected: "text",
                reply: what.to_owned(),
            })
        })
    }

    fn describe(&self, name: &str, args: &[Data]) -> Answer<Result<Option<NativeTraits>, Error>> {
        let (inner, about) = (self.inner.clone(), Key::from(name));
        let (mut info, mut keys) = (redis::cmd("COMMAND"), redis::cmd("COMMAND"));
        info.arg("INFO").arg(name);
        keys.arg("GETKEYS").arg(name);
        for arg in args {
            keys.arg(arg.as_slice());
        }
        Answer::pending(async move {
            let answer = inner.client.query(info).await.map_err(|failure| failed(&about, failure))?;
            let Some(flags) = flags(answer) else { return Ok(None) };
            let has = |flag: &str| flags.iter().any(|other| other == flag);
            // It refuses those that have none.
            let keys = match inner.client.query(keys).await {
                Ok(Value::Array(keys)) => keys,
                Err(failure) if failure.is_retryable() => return Err(failed(&about, failure)),
                Ok(_) | Err(_) => Vec::new(),
            };
            let prefix = inner.client.prefix();
            let key = |value: &Value| match value {
                Value::BulkString(key) => {
                    let key = String::from_utf8_lossy(key);
                    Some(Key::from(key.strip_prefix(prefix).unwrap_or(&key)))
                }
                _ => None,
            };
            let keys = keys.iter().filter_map(key).collect();
            let once = has("write") && !has("noscript") && !has("blocking");
            Ok(Some(NativeTraits::new(!has("readonly"), once, keys)))
        })
    }
}

impl Inner {
    fn native(&self, command: &NativeCommand) -> Cmd {
        let mut cmd = redis::cmd(&command.name);
        for arg in &command.args {
            cmd.arg(self.argument(arg).as_slice());
        }
        cmd
    }

    /// The command, unless another of the same name was carried out.
    async fn once(
        &self,
        command: &NativeCommand,
        key: &Key,
        field: &Data,
    ) -> Result<Value, super::failure::Failure> {
        let mut keys = vec![Data::from(self.client.key(key))];
        let mut args = vec![field.clone(), Data::from(command.name.as_str())];
        for arg in &command.args {
            let given = self.argument(arg);
            if let NativeArg::Key(_) = arg {
                keys.push(given.clone());
            }
            args.push(given);
        }
        self.client.script(&ONCE, &keys, &args).await
    }

    fn argument(&self, arg: &NativeArg) -> Data {
        match arg {
            NativeArg::Key(key) => Data::from(self.client.key(key)),
            NativeArg::Data(data) => data.clone(),
        }
    }
}

/// What an error names: the key of the command, or itself.
fn about(command: &NativeCommand) -> Key {
    let key = command.args.iter().find_map(|arg| match arg {
        NativeArg::Key(key) => Some(key.clone()),
        NativeArg::Data(_) => None,
    });
    key.unwrap_or_else(|| Key::from(command.name.as_str()))
}

/// The flags of a command, of which one was asked for; nothing if there is no such command.
fn flags(answer: Value) -> Option<Vec<String>> {
    let Value::Array(mut commands) = answer else { return None };
    let Some(Value::Array(parts)) = commands.pop() else { return None };
    let Some(Value::Array(flags) | Value::Set(flags)) = parts.into_iter().nth(2) else { return None };
    let flags = flags.into_iter().filter_map(|flag| match flag {
        Value::SimpleString(flag) => Some(flag),
        Value::BulkString(flag) => String::from_utf8(flag).ok(),
        _ => None,
    });
    Some(flags.collect())
}

/// An answer as JSON, or what it is that cannot be.
fn json(value: Value) -> Result<Json, &'static str> {
    Ok(match value {
        Value::Nil => Json::Null,
        Value::Okay => Json::Bool(true),
        Value::Boolean(flag) => Json::Bool(flag),
        Value::Int(number) => number.into(),
        Value::Double(number) => {
            Number::from_f64(number).map_or_else(|| Json::String(number.to_string()), Json::Number)
        }
        Value::BigNumber(digits) => {
            let digits = String::from_utf8_lossy(&digits);
            digits.parse::<i64>().map_or_else(|_| Json::String(digits.to_string()), Json::from)
        }
        Value::SimpleString(text) if text == "OK" => Json::Bool(true),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Json::String(text),
        Value::BulkString(bytes) => {
            Json::String(String::from_utf8(bytes).map_err(|_| "bytes that are no text")?)
        }
        Value::Array(items) | Value::Set(items) => {
            Json::Array(items.into_iter().map(json).collect::<Result<_, _>>()?)
        }
        Value::Map(pairs) => {
            let mut fields = Map::new();
            for (name, value) in pairs {
                let name = match json(name)? {
                    Json::String(name) => name,
                    other => other.to_string(),
                };
                fields.insert(name, json(value)?);
            }
            Json::Object(fields)
        }
        Value::Attribute { data, .. } => json(*data)?,
        Value::ServerError(_) => return Err("an error among what it answers"),
        _ => return Err("what is no answer to a command"),
    })
}
