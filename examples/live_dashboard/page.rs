//! The page, as it is in `page/`.

use axum::Router;

use crate::files;

/// Each file with its type.
const FILES: [(&str, &str, &str); 6] = [
    ("/dashboard", "text/html; charset=utf-8", include_str!("page/dashboard.html")),
    ("/dashboard/dashboard.css", "text/css; charset=utf-8", include_str!("page/dashboard.css")),
    ("/dashboard/dashboard.js", "text/javascript; charset=utf-8", include_str!("page/dashboard.js")),
    ("/dashboard/shown.js", "text/javascript; charset=utf-8", include_str!("page/shown.js")),
    ("/dashboard/lines.js", "text/javascript; charset=utf-8", include_str!("page/lines.js")),
    ("/dashboard/socket.js", "text/javascript; charset=utf-8", include_str!("page/socket.js")),
];

pub fn routes() -> Router {
    files::routes(&FILES)
}
