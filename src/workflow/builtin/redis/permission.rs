//! Which commands a flow may use, and on which keys.

use super::commands::Command;
use crate::hint::nearest;
use std::sync::Arc;

/// What a flow may do on the server.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Permission {
    /// Commands besides those on data; `*` is all of them.
    pub(in super::super) commands: Arc<[String]>,
    /// Whether keys of the engine may be written to.
    pub(in super::super) engine_keys: bool,
}

/// What the keys of the engine begin with.
const OWN: [&str; 3] = ["mape:", "workflow:", "workflows:"];
/// Commands that would hold up all others on the connection.
const BLOCKING: [&str; 12] = [
    "BLMOVE",
    "BLMPOP",
    "BLPOP",
    "BRPOP",
    "BRPOPLPUSH",
    "BZMPOP",
    "BZPOPMAX",
    "BZPOPMIN",
    "MONITOR",
    "WAIT",
    "WAITAOF",
    "SHUTDOWN",
];
/// Commands that would make another connection of it.
const CHANGING: [&str; 20] = [
    "ASKING",
    "AUTH",
    "CLIENT",
    "DISCARD",
    "EXEC",
    "HELLO",
    "MULTI",
    "PSUBSCRIBE",
    "PSYNC",
    "PUNSUBSCRIBE",
    "QUIT",
    "READONLY",
    "READWRITE",
    "RESET",
    "SELECT",
    "SSUBSCRIBE",
    "SUBSCRIBE",
    "SYNC",
    "UNSUBSCRIBE",
    "WATCH",
];

impl Permission {
    /// Why a flow may not use a command.
    pub(super) fn check(&self, name: &str) -> Result<(), String> {
        let is = |other: &str| other.eq_ignore_ascii_case(name);
        if BLOCKING.iter().any(|other| is(other)) {
            return Err(format!(
                "{} is for nobody here, since it holds up the connection; wait with `wait:event`, or use what does not \
                 block, with `retry`",
                name.to_uppercase()
            ));
        }
        if CHANGING.iter().any(|other| is(other)) {
            return Err(format!(
                "{} is for nobody here, since it changes the connection",
                name.to_uppercase()
            ));
        }
        let is_plain =
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
        if !is_plain {
            return Err(format!("`redis:{name}` names no command, such as `redis:get`"));
        }
        if Command::named(name).is_some() || self.commands.iter().any(|named| named == "*" || is(named)) {
            return Ok(());
        }
        let hint = nearest(name, Command::names())
            .map_or_else(String::new, |near| format!(" (did you mean `redis:{}`?)", near.to_lowercase()));
        let all: Vec<&str> = self.commands.iter().map(String::as_str).chain([name]).collect();
        let all = all.join(", ");
        Err(format!(
            "{} is none of the commands that a flow may use without a word{hint}; to allow it, set \
             MAPE_WORKFLOW__REDIS__ALLOW='[{all}]', or `workflow: {{redis: {{allow: [{all}]}}}}` in config.yaml",
            name.to_uppercase()
        ))
    }

    /// Why a command may not write to a key.
    pub(super) fn check_key(&self, key: &str) -> Result<(), String> {
        match OWN.iter().find(|own| key.starts_with(*own)) {
            Some(own) if !self.engine_keys => Err(format!(
                "it may not write to `{key}`, for what begins with `{own}` is the engine's own; choose another name, or \
                 set workflow.redis.engine_keys"
            )),
            _ => Ok(()),
        }
    }
}
