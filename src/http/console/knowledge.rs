//! What elements know.

use super::super::Context;
use super::super::extract::Query;
use super::page::{Trouble, page};
use super::query::ByPattern;
use super::shell::Shell;
use super::words;
use crate::channel::Pattern;
use crate::knowledge::{Cursor, Error, KeyCommand, Kind, ValueCommand};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// More keys are not shown; a narrower pattern shows others.
const MOST: usize = 200;

#[derive(Template)]
#[template(path = "knowledge.html")]
struct Knowledge {
    shell: Shell,
    pattern: String,
    keys: Vec<Key>,
    is_cut: bool,
}

struct Key {
    name: String,
    encoded: String,
    kind: String,
    value: String,
}

pub(super) async fn show(
    State(context): State<Context>,
    shell: Shell,
    Query(ByPattern { pattern }): Query<ByPattern>,
) -> Response {
    let shell = shell.titled("Knowledge").at("knowledge");
    let pattern = pattern.unwrap_or_else(|| "k.*".to_owned());
    match read(&context, &pattern).await {
        Ok((keys, is_cut)) => page(&Knowledge { shell, pattern, keys, is_cut }),
        Err(error) => Trouble::new(shell, StatusCode::SERVICE_UNAVAILABLE, error).into_response(),
    }
}

async fn read(context: &Context, pattern: &str) -> Result<(Vec<Key>, bool), Error> {
    let store = context.app.backend().store();
    let pattern = Pattern::from(pattern);
    let (mut names, mut next) = (Vec::new(), Some(Cursor::default()));
    while let Some(cursor) = next.filter(|_| names.len() <= MOST) {
        let page = store.scan(&pattern, cursor).await?;
        names.extend(page.keys);
        next = page.next;
    }
    names.sort_unstable();
    names.dedup();
    let is_cut = names.len() > MOST;
    names.truncate(MOST);
    let mut keys = Vec::new();
    for name in names {
        let Some(kind) = store.run(&name, KeyCommand::Kind.into()).await?.non_nil() else { continue };
        let kind = kind.kind(&name)?;
        let value = if kind == Kind::Value {
            let reply = store.run(&name, ValueCommand::Get.into()).await?.non_nil();
            reply.and_then(|reply| reply.data(&name).ok()).map(|data| shown(data.as_slice()))
        } else {
            None
        };
        keys.push(Key {
            encoded: words::encoded(&name),
            kind: kind.to_string(),
            value: value.unwrap_or_default(),
            name: name.to_string(),
        });
    }
    Ok((keys, is_cut))
}

fn shown(bytes: &[u8]) -> String {
    match serde_json::from_slice::<Value>(bytes) {
        Ok(value) => words::value(&value, 200),
        Err(_) => words::short(&String::from_utf8_lossy(bytes), 200),
    }
}
