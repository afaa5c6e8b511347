//! Names of runs.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// The name of a run: that of its flow and a random part, as littleflow makes them; cheap to clone.
///
/// People and programs see the short form, `seq-5b40cbb6-…`; keys and events have the full one, `workflow:seq-5b40cbb6-…`.
/// Both are taken everywhere.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct RunId(Arc<str>);

const PREFIX: &str = "workflow:";

impl RunId {
    /// A new one for a flow of this name.
    #[must_use]
    pub fn random(flow: Option<&str>) -> Self {
        let uuid = uuid();
        match flow {
            Some(name) => format!("{PREFIX}{name}-{uuid}").into(),
            None => uuid.into(),
        }
    }

    /// Without the prefix.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.strip_prefix(PREFIX).unwrap_or(&self.0)
    }

    /// With the prefix, as keys and events have it.
    #[must_use]
    pub fn full(&self) -> &str {
        &self.0
    }
}

/// A random UUID, version 4.
pub(super) fn uuid() -> String {
    let bits = (fastrand::u128(..) & !(0xf << 76) & !(0b11 << 62)) | (4 << 76) | (0b10 << 62);
    let hex = format!("{bits:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

impl From<&str> for RunId {
    fn from(text: &str) -> Self {
        if text.starts_with(PREFIX) { Self(text.into()) } else { Self(format!("{PREFIX}{text}").into()) }
    }
}

impl From<String> for RunId {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.short())
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.short(), f)
    }
}
