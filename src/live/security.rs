//! Who may see and do what.

use super::Delivered;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// Who stands behind a client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Viewer {
    /// By which name it is known, such as that of its token; `None`: nobody asked.
    pub name: Option<Arc<str>>,
    /// What it may do, such as `read`, `operate`, `admin`.
    pub role: Option<Arc<str>>,
}

impl Viewer {
    /// Somebody of that name.
    #[must_use]
    pub fn named(name: impl Into<Arc<str>>) -> Self {
        Self { name: Some(name.into()), role: None }
    }

    /// The same with a role.
    #[must_use]
    pub fn with_role(mut self, role: impl Into<Arc<str>>) -> Self {
        self.role = Some(role.into());
        self
    }
}

impl fmt::Display for Viewer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name.as_deref().unwrap_or("anyone"))
    }
}

/// Decides what a client may see and do. What it does not say no to is allowed.
///
/// It is asked for each part and client, while parts are handed out: it has to be quick, and must not call the live
/// server. What it hides is not counted as missed.
///
/// ```
/// use mape::live::{Delivered, Security, Viewer};
///
/// /// Everyone sees what is theirs.
/// struct Owned;
/// impl Security for Owned {
///     fn may_see(&self, viewer: &Viewer, part: &Delivered) -> bool {
///         part.data().is_none_or(|data| data["owner"].as_str() == viewer.name.as_deref())
///     }
///     fn may_join(&self, viewer: &Viewer, group: &str) -> bool {
///         group != "staff" || viewer.role.as_deref() == Some("admin")
///     }
/// }
/// ```
pub trait Security: Send + Sync + 'static {
    /// Whether it may see this part. Of its own jobs it sees what went wrong without being asked for.
    fn may_see(&self, _viewer: &Viewer, _part: &Delivered) -> bool {
        true
    }

    /// Whether it may have such a job done.
    fn may_ask(&self, _viewer: &Viewer, _name: &str, _input: &Value) -> bool {
        true
    }

    /// Whether it may be a member of this group, and see who else is.
    fn may_join(&self, _viewer: &Viewer, _group: &str) -> bool {
        true
    }

    /// Whether it may publish under this name.
    fn may_publish(&self, _viewer: &Viewer, _name: &str) -> bool {
        true
    }
}

/// Everybody may do everything.
impl Security for () {}
