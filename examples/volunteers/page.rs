//! The page, as it is in `page/`.

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// What the page may load and ask: only what is here.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Each file with its type.
const FILES: [(&str, &str, &str); 5] = [
    ("/volunteers", "text/html; charset=utf-8", include_str!("page/volunteers.html")),
    ("/volunteers/file/volunteers.css", "text/css; charset=utf-8", include_str!("page/volunteers.css")),
    ("/volunteers/file/volunteers.js", "text/javascript; charset=utf-8", include_str!("page/volunteers.js")),
    ("/volunteers/file/live.js", "text/javascript; charset=utf-8", include_str!("page/live.js")),
    ("/volunteers/file/signups.js", "text/javascript; charset=utf-8", include_str!("page/signups.js")),
];

pub fn routes() -> Router {
    FILES.into_iter().fold(Router::new(), |router, (path, kind, text)| {
        router.route(path, get(move || async move { file(kind, text) }))
    })
}

fn file(kind: &'static str, text: &'static str) -> Response {
    let heads = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    (StatusCode::OK, heads, text).into_response()
}
