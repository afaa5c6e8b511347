//! What pages load: it is in the program.

use super::super::Problem;
use super::super::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::LazyLock;

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

macro_rules! assets {
    ($($name:literal: $kind:expr),* $(,)?) => { [$(($name, $kind, include_str!(concat!("assets/", $name)))),*] };
}

const ALL: [(&str, &str, &str); 12] = assets! {
    "console.css": STYLE,
    "picture.css": STYLE,
    "mark.svg": "image/svg+xml",
    "actions.js": SCRIPT,
    "channels.js": SCRIPT,
    "console.js": SCRIPT,
    "knowledge.js": SCRIPT,
    "live.js": SCRIPT,
    "loops.js": SCRIPT,
    "picture.js": SCRIPT,
    "regions.js": SCRIPT,
    "start.js": SCRIPT,
};

/// The tag of all of them: modules name each other, and belong together.
static TAG: LazyLock<String> = LazyLock::new(|| {
    let mut digest = Sha256::new();
    for (name, _, text) in ALL {
        digest.update(name);
        digest.update(text);
    }
    let mut tag = String::from("\"");
    for byte in digest.finalize().iter().take(8) {
        // Writing to a text cannot fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag + "\""
});

pub(super) async fn get(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some((_, kind, text)) = ALL.iter().find(|(known, ..)| *known == name) else {
        return Problem::not_found(format!("the console has no `{name}`")).into_response();
    };
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    let caching = [(header::ETAG, TAG.as_str()), (header::CACHE_CONTROL, "no-cache")];
    if known.is_some_and(|known| known.split(',').any(|tag| tag.trim() == *TAG)) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(header::CONTENT_TYPE, *kind)], *text).into_response()
}
