//! The page, as it is in `page/`.

use axum::Router;

use crate::files;

/// Each file with its type.
const FILES: [(&str, &str, &str); 5] = [
    ("/volunteers", "text/html; charset=utf-8", include_str!("page/volunteers.html")),
    ("/volunteers/file/volunteers.css", "text/css; charset=utf-8", include_str!("page/volunteers.css")),
    ("/volunteers/file/volunteers.js", "text/javascript; charset=utf-8", include_str!("page/volunteers.js")),
    ("/volunteers/file/live.js", "text/javascript; charset=utf-8", include_str!("page/live.js")),
    ("/volunteers/file/signups.js", "text/javascript; charset=utf-8", include_str!("page/signups.js")),
];

pub fn routes() -> Router {
    files::routes(&FILES)
}
