//! What a client wants to see.

use crate::channel::Pattern;
use crate::condition::Condition;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// What a client wants to see: parts of these names, for which a condition holds, for so long.
///
/// ```
/// use mape::condition::Condition;
/// use mape::live::Interest;
/// use std::time::Duration;
/// // "Everything from any job that contains joe@doe.com for the next 10 seconds":
/// let interest = Interest::when(Condition::parse("** contains joe@doe.com")?).lasting(Duration::from_secs(10));
/// // Prices from anywhere that changed much:
/// let interest = Interest::named(["prices*"]).and_when(Condition::parse("change gt 0.1")?);
/// # Ok::<(), mape::condition::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Interest {
    /// Of any name, if there are none.
    pub(super) names: Vec<Pattern>,
    pub(super) condition: Option<Arc<Condition>>,
    pub(super) lifetime: Option<Duration>,
}

impl Interest {
    /// In everything.
    #[must_use]
    pub fn all() -> Self {
        Self { names: Vec::new(), condition: None, lifetime: None }
    }

    /// In parts of any name whose data fulfil a condition.
    #[must_use]
    pub fn when(condition: impl Into<Arc<Condition>>) -> Self {
        Self::all().and_when(condition)
    }

    /// In parts whose name, that of their job or their group, matches one of these patterns.
    #[must_use]
    pub fn named<P: Into<Pattern>>(names: impl IntoIterator<Item = P>) -> Self {
        Self { names: names.into_iter().map(Into::into).collect(), ..Self::all() }
    }

    /// The same, if the data fulfil a condition; it takes the place of one stated before.
    #[must_use]
    pub fn and_when(mut self, condition: impl Into<Arc<Condition>>) -> Self {
        self.condition = Some(condition.into());
        self
    }

    /// The same for so long; otherwise for as long as the client is there.
    #[must_use]
    pub fn lasting(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// The condition, if there is one.
    #[must_use]
    pub fn condition(&self) -> Option<&Arc<Condition>> {
        self.condition.as_ref()
    }

    /// The patterns of names; none stands for any name.
    #[must_use]
    pub fn names(&self) -> &[Pattern] {
        &self.names
    }

    /// How long it lasts; `None`: as long as the client is there.
    #[must_use]
    pub fn lifetime(&self) -> Option<Duration> {
        self.lifetime
    }

    pub(super) fn matches_name(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|pattern| pattern.matches(name))
    }

    /// Whether it is about a name in particular: who is interested in anything wants no job of a certain name.
    pub(super) fn means(&self, name: &str) -> bool {
        let is_any = |pattern: &Pattern| pattern.as_str().bytes().all(|byte| byte == b'*');
        self.names.iter().any(|pattern| !is_any(pattern) && pattern.matches(name))
    }

    /// Whether it has patterns that several names may match.
    pub(super) fn has_globs(&self) -> bool {
        self.names.iter().any(|pattern| literal(pattern.as_str()).is_none())
    }

    /// The names that are given as such.
    pub(super) fn literals(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.names.iter().filter_map(|pattern| literal(pattern.as_str()))
    }
}

/// The only name that a pattern matches, if there is one.
fn literal(pattern: &str) -> Option<Cow<'_, str>> {
    if !pattern.contains(['*', '?', '[', '\\']) {
        return Some(pattern.into());
    }
    let mut name = String::with_capacity(pattern.len());
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            '*' | '?' | '[' => return None,
            '\\' => name.push(rest.next().unwrap_or('\\')),
            _ => name.push(c),
        }
    }
    Some(name.into())
}
