//! The task.

use super::super::super::{Answer, Invocation, Task, TaskError};
use super::super::known::{Known, flag, literal, one_of, text, texts};
use super::super::parameters::{Parameters, filled, wrong};
use super::super::patience::stopped;
use super::answers;
use super::commands::Command;
use super::permission::Permission;
use crate::knowledge::{Data, Key, Native, NativeArg, NativeCommand};
use crate::stream::Backoff;
use crate::workflow::Template;
use crate::workflow::builtin::laid_over;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

const KNOWN: [Known; 4] = [
    Known::raw("args", texts),
    Known::raw("format", flag),
    Known::may("key", text),
    Known::raw("type", |value| one_of(&TYPES, value)),
];
const TYPES: [&str; 2] = ["string", "int"];
/// How many arguments a command may have: as many as a script of the server can hand on.
const MOST: usize = 4000;

/// Does the command that the name of the task names, on the server behind the backend `url`.
pub(in super::super) fn task(native: Option<Arc<dyn Native>>, url: &str, permission: Permission) -> Task {
    let absent = format!("there is no server behind {url}: it needs a backend redis://HOST:PORT");
    let refused = {
        let (is_there, absent, permission) = (native.is_some(), absent.clone(), permission.clone());
        move |name: &str, parameters: &Value| {
            if is_there { early(&permission, name, parameters) } else { Some(format!(": {absent}")) }
        }
    };
    let task = Task::new("redis:*", move |invocation: Invocation| {
        let (native, absent, permission) = (native.clone(), absent.clone(), permission.clone());
        async move {
            let native = native.ok_or_else(|| wrong(&absent))?;
            run(&*native, &permission, &invocation).await
        }
    });
    task.with_known(&KNOWN, refused)
}

/// What is wrong with a command before it is filled in.
fn early(permission: &Permission, name: &str, parameters: &Value) -> Option<String> {
    let command = named(name);
    if let Err(reason) = permission.check(command) {
        return Some(format!(": {reason}"));
    }
    let args = parameters.get("args")?;
    if parameters.get("format") == Some(&Value::Bool(false)) {
        return None;
    }
    literal(args).err().map(|reason| format!(": the parameter `args` is no template: {reason}"))
}

/// The command that the name of a task names.
fn named(task: &str) -> &str {
    task.strip_prefix("redis:").unwrap_or(task)
}

async fn run(
    native: &dyn Native,
    permission: &Permission,
    invocation: &Invocation,
) -> Result<Answer, TaskError> {
    let parameters = Parameters::of(invocation, &KNOWN)?;
    let name = named(invocation.base());
    permission.check(name).map_err(TaskError::for_good)?;
    let args = arguments(&parameters)?;
    if blocks(name, &args) {
        return Err(wrong("BLOCK would hold up the connection; read without it"));
    }
    let key = match parameters.text("key")? {
        Some(key) => key,
        None => args.first().cloned().unwrap_or_else(|| name.to_lowercase()),
    };
    let as_number = parameters.text("type")?.as_deref() == Some("int");
    let known = Command::named(name);
    let command = command(native, permission, known, invocation, args).await?;
    let repeatable = command.once.is_some() || known.is_some_and(|known| !known.writes);
    let reply = carried_out(native, command, repeatable, invocation).await?;
    let reply = match reply {
        Value::Number(number) if known.is_some_and(|known| known.is_flag) && !as_number => {
            Value::Bool(number.as_i64() == Some(1))
        }
        reply if as_number => numbers(reply)?,
        reply => reply,
    };
    if reply.is_null() || reply.is_boolean() {
        return Ok(invocation.shared_input().into());
    }
    let mut added = Map::new();
    added.insert(key, reply);
    Ok(laid_over(invocation.input(), &Value::Object(added), "value").into())
}

/// The answer to a command; an outage is sat out if it is `repeatable` without harm.
async fn carried_out(
    native: &dyn Native,
    command: NativeCommand,
    repeatable: bool,
    invocation: &Invocation,
) -> Result<Value, TaskError> {
    let backoff = Backoff::exponential(Duration::from_millis(50), Duration::from_secs(1));
    let mut failures = 0;
    loop {
        let error = match native.run(command.clone()).await {
            Ok(reply) => return Ok(reply),
            Err(error) => error,
        };
        if !error.is_retryable() {
            return Err(TaskError::for_good(TaskError::from(error).reason()));
        }
        if !repeatable {
            return Err(error.into());
        }
        if failures == 0 {
            tracing::warn!(command = command.name, %error, "a command is not carried out; it is tried again");
        }
        tokio::select! {
            biased;
            () = invocation.cancelled() => return Err(stopped()),
            () = tokio::time::sleep(backoff.wait(failures).unwrap_or_default()) => failures += 1,
        }
    }
}

/// The arguments as texts, filled in unless the flow says otherwise.
fn arguments(parameters: &Parameters<'_>) -> Result<Vec<String>, TaskError> {
    let Some(given) = parameters.get("args") else { return Ok(Vec::new()) };
    let given = if parameters.flag("format", true)? {
        filled(given, &|text| Ok(Template::parse(text)?.fill(&parameters.data())?))
            .map_err(|error| TaskError::for_good(format!("`args`: {}", error.reason())))?
    } else {
        given.clone()
    };
    texts(&given).map_err(|reason| wrong(&format!("the parameter `args` {reason}")))?;
    let items = match given {
        Value::Array(items) => items,
        one => vec![one],
    };
    if items.len() > MOST {
        return Err(wrong(&format!("a command may have {MOST} arguments, and this has {}", items.len())));
    }
    let text = |item| match item {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(items.into_iter().map(text).collect())
}

/// Whether a command that need not block is told to.
fn blocks(name: &str, args: &[String]) -> bool {
    let reads = ["XREAD", "XREADGROUP"].iter().any(|read| read.eq_ignore_ascii_case(name));
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let is = |other: &str| word.eq_ignore_ascii_case(other);
        if is("STREAMS") {
            return false;
        }
        if is("BLOCK") {
            return reads;
        }
        // What belongs to a word is none itself.
        if is("GROUP") {
            words.nth(1);
        } else if is("COUNT") {
            words.next();
        }
    }
    false
}

/// The command, if it may do what it is about to.
async fn command(
    native: &dyn Native,
    permission: &Permission,
    known: Option<Command>,
    invocation: &Invocation,
    args: Vec<String>,
) -> Result<NativeCommand, TaskError> {
    let name = named(invocation.base()).to_uppercase();
    let (writes, once, places, mut keys) = if let Some(known) = known {
        (known.writes, known.writes, known.key_places(&args), Vec::new())
    } else {
        let data: Vec<Data> = args.iter().map(|arg| arg.as_str().into()).collect();
        let traits = native.describe(&name, &data).await?;
        let traits = traits.ok_or_else(|| wrong(&format!("the server knows no command {name}")))?;
        (traits.writes, traits.once, Vec::new(), traits.keys)
    };
    let is_key = |place: &usize| places.contains(place);
    keys.extend(places.iter().filter_map(|place| args.get(*place)).map(|key| Key::from(key.as_str())));
    if writes {
        for key in &keys {
            permission.check_key(key.as_str()).map_err(|reason| wrong(&format!("{name}: {reason}")))?;
        }
    }
    let args = args.into_iter().enumerate().map(|(place, arg)| {
        if is_key(&place) { NativeArg::Key(arg.into()) } else { NativeArg::Data(arg.into()) }
    });
    let once = once.then(|| {
        let step = format!("{}@{}", invocation.step(), invocation.since().micros());
        (answers(invocation.workflow()), Data::from(step))
    });
    let args = args.collect();
    Ok(NativeCommand { name, args, writes: if writes { keys } else { Vec::new() }, once })
}

/// Texts that are whole numbers as such.
fn numbers(reply: Value) -> Result<Value, TaskError> {
    match reply {
        Value::String(text) => text
            .parse::<i64>()
            .map(Value::from)
            .map_err(|_| wrong(&format!("the answer is to be an int, and is {}", Value::from(text)))),
        Value::Array(items) => Ok(Value::Array(items.into_iter().map(numbers).collect::<Result<_, _>>()?)),
        other => Ok(other),
    }
}
