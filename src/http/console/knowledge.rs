//! What elements know.

use super::super::Context;
use super::super::extract::Query;
use super::super::knowledge::{is_knowledge, within};
use super::page::{Trouble, page};
use super::query::ByPattern;
use super::shell::Shell;
use super::words;
use crate::knowledge::{Cursor, Error, KeyCommand, Reply};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// More keys are not shown; a narrower pattern shows others.
const MOST: usize = 200;
/// The longest value of which all is shown.
const LONGEST: usize = 200;

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
    let pattern = pattern.unwrap_or_else(|| "*".to_owned());
    match read(&context, &pattern).await {
        Ok((keys, is_cut)) => page(&Knowledge { shell, pattern, keys, is_cut }),
        Err(error) => Trouble::new(shell, StatusCode::SERVICE_UNAVAILABLE, error).into_response(),
    }
}

async fn read(context: &Context, pattern: &str) -> Result<(Vec<Key>, bool), Error> {
    let store = context.app.backend().store();
    let pattern = within(pattern);
    let (mut names, mut next) = (Vec::new(), Some(Cursor::default()));
    while let Some(cursor) = next.filter(|_| names.len() <= MOST) {
        let page = store.scan(&pattern, cursor).await?;
        names.extend(page.keys.into_iter().filter(is_knowledge));
        next = page.next;
    }
    names.sort_unstable();
    names.dedup();
    let is_cut = names.len() > MOST;
    names.truncate(MOST);
    let mut keys = Vec::new();
    for name in names {
        let Reply::Kind(kind) = store.run(&name, KeyCommand::Kind.into()).await? else { continue };
        let value = match kind.read_all() {
            Some(all) => words::value(&store.run(&name, all).await?.to_json(), LONGEST),
            None => String::new(),
        };
        let (encoded, kind) = (words::encoded(&name), kind.to_string());
        keys.push(Key { name: name.to_string(), encoded, kind, value });
    }
    Ok((keys, is_cut))
}
