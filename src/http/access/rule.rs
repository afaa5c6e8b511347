//! What a path asks for.

use super::Role;
use axum::http::Method;
use percent_encoding::percent_decode_str;

/// Requests that ask for another role than their method does.
///
/// Of the rules that fit, the first counts. `*` in a path stands for one part of it, `**` at its end for all that
/// follows, none included.
///
/// ```
/// use mape::http::{Role, Rule};
///
/// let rule = Rule::new("/loops/*/elements/**", Role::Admin).methods(["POST"]);
/// assert!(rule.fits("POST", "/loops/car/elements/detect"));
/// assert!(!rule.fits("GET", "/loops/car/elements/detect"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    path: String,
    methods: Vec<String>,
    /// None: anyone may.
    role: Option<Role>,
}

impl Rule {
    /// All requests to a path.
    pub fn new(path: impl Into<String>, role: Role) -> Self {
        Self { path: path.into(), methods: Vec::new(), role: Some(role) }
    }

    /// All requests to a path, which then need no token: for a page of the program's own, and for a webhook of its own that
    /// looks at the [signature](crate::edge::Signature::verify) itself.
    pub fn open(path: impl Into<String>) -> Self {
        Self { path: path.into(), methods: Vec::new(), role: None }
    }

    /// Only those with one of these methods.
    #[must_use]
    pub fn methods<M: Into<String>>(mut self, methods: impl IntoIterator<Item = M>) -> Self {
        self.methods = methods.into_iter().map(|method| method.into().to_ascii_uppercase()).collect();
        self
    }

    /// Whether it is about such a request.
    #[must_use]
    pub fn fits(&self, method: &str, path: &str) -> bool {
        // Whoever may not see an answer may not have it made either.
        let method = if method == "HEAD" { "GET" } else { method };
        (self.methods.is_empty() || self.methods.iter().any(|one| one == method)) && is_like(path, &self.path)
    }

    pub(super) fn role(&self) -> Option<Role> {
        self.role
    }

    /// Why it can never fit, or fits what it should not.
    pub(super) fn defect(&self) -> Option<String> {
        if !self.path.starts_with('/') {
            return Some(format!("the path `{}` does not begin with `/`", self.path));
        }
        let inner = self.path.strip_suffix("/**").unwrap_or(&self.path);
        inner
            .contains("**")
            .then(|| format!("`**` stands only at the end of a path, not as in `{}`", self.path))
    }
}

fn is_like(path: &str, pattern: &str) -> bool {
    // Each part by itself, however it is written: an encoded `/` parts nothing.
    let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    let parts = |text: &str| text.split('/').filter(|part| !part.is_empty()).map(decoded).collect::<Vec<_>>();
    let (mut path, mut pattern) = (parts(path), parts(pattern));
    if pattern.last().is_some_and(|last| last == "**") {
        pattern.pop();
        path.truncate(pattern.len());
    }
    path.len() == pattern.len() && path.iter().zip(&pattern).all(|(part, like)| like == "*" || like == part)
}

/// What a request asks for by itself; `None`: nothing, anybody may do it.
pub(super) fn needed(method: &Method, path: &str) -> Option<Role> {
    const OPEN: [&str; 3] = ["/health", "/ready", "/console/login"];
    // The token of a callback is in its path.
    let is_callback = path.starts_with("/callbacks/") && method == Method::POST;
    if OPEN.contains(&path) || path.starts_with("/console/assets/") || is_callback {
        return None;
    }
    // Links, and what elements share.
    let is_wiring = path.ends_with("/links") || path.contains("/links/");
    let is_restart =
        path == "/workflows/restore" || (path.starts_with("/workflows/") && path.ends_with("/restart"));
    // Whoever asks for a job has something done.
    let is_job = path.starts_with("/live/jobs/");
    Some(match *method {
        Method::GET | Method::HEAD | Method::OPTIONS if is_restart || is_job => Role::Operate,
        Method::GET | Method::HEAD | Method::OPTIONS => Role::Read,
        // It begins nothing.
        Method::POST if path == "/flows/check" || path == "/console/start/check" => Role::Read,
        // What a client states for itself.
        Method::PUT | Method::DELETE if is_interest(path) => Role::Read,
        Method::DELETE if path.starts_with("/live/clients/") => Role::Operate,
        // What is tried beside a model makes no difference to anybody.
        Method::DELETE if is_shadow(path) => Role::Operate,
        Method::DELETE => Role::Admin,
        _ if is_wiring || path.starts_with("/knowledge/") => Role::Admin,
        _ => Role::Operate,
    })
}

/// Whether it is the version that is tried beside a model.
fn is_shadow(path: &str) -> bool {
    let below = path.strip_prefix("/models/").and_then(|path| path.split_once('/'));
    below.is_some_and(|(_, below)| below == "shadow")
}

/// Whether it is an interest of a client of the live server.
fn is_interest(path: &str) -> bool {
    let below = path.strip_prefix("/live/clients/").and_then(|path| path.split_once('/'));
    below.is_some_and(|(_, below)| below.starts_with("interests/"))
}
