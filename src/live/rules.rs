//! Who may see and do what, as a declaration.

use super::{Delivered, Security, Viewer};
use crate::channel::Pattern;
use crate::condition::Condition;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// What clients may see and do, as a list of rules. A name that no rule is about is open to everybody; what a rule is
/// about is open only to those whom one of them lets.
///
/// ```
/// use mape::live::{Rules, Security, Viewer};
/// use serde_json::json;
/// let rules: Rules = serde_json::from_value(json!([
///     {"names": ["staff*"], "roles": ["admin"]},
///     {"names": ["orders"], "may": ["see"], "own": "/customer/login"},
///     {"names": ["orders"], "may": ["see"], "who": ["clerk"], "when": "sum lt 1000"},
/// ]))?;
/// assert!(!rules.may_join(&Viewer::named("joe").with_role("read"), "staff.breaks"));
/// assert!(rules.may_join(&Viewer::named("ada").with_role("admin"), "staff.breaks"));
/// assert!(rules.may_publish(&Viewer::named("joe"), "orders")); // no rule is about that
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rules(Vec<Rule>);

/// Lets some clients see or do something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Rule {
    /// Patterns of the names of jobs, of groups, of what is published.
    pub names: Vec<Pattern>,
    /// What they may. Default: all.
    #[serde(default = "all")]
    pub may: Vec<Deed>,
    /// The clients of these names, which are those of tokens. Default: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub who: Vec<Arc<str>>,
    /// The clients of these roles. Default: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Arc<str>>,
    /// Only if the data of the part, or the input of the job, fulfil this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// Only if this JSON pointer, such as `/owner/login`, leads to the client's name in the data or the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<String>,
}

/// What a client may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Deed {
    /// See parts.
    See,
    /// Have jobs done.
    Ask,
    /// Be in a group, and see who is.
    Join,
    /// Publish.
    Publish,
}

fn all() -> Vec<Deed> {
    vec![Deed::See, Deed::Ask, Deed::Join, Deed::Publish]
}

/// How many steps the condition of a rule may take.
const STEPS: u64 = 10_000;

impl Rules {
    /// All of them, in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.0.iter()
    }

    fn allow(&self, viewer: &Viewer, deed: Deed, name: &str, data: Option<&Value>) -> bool {
        let mut is_open = true;
        for rule in &self.0 {
            if rule.may.contains(&deed) && rule.names.iter().any(|pattern| pattern.matches(name)) {
                if rule.lets(viewer, data) {
                    return true;
                }
                is_open = false;
            }
        }
        is_open
    }
}

impl Rule {
    /// Why it says nothing, if it does.
    #[must_use]
    pub fn defect(&self) -> Option<&'static str> {
        match () {
            () if self.names.is_empty() => Some("is about no names: give it patterns of them in `names`"),
            () if self.may.is_empty() => Some("lets nobody do anything: leave `may` out for all"),
            () if self.own.as_ref().is_some_and(|own| !own.starts_with('/')) => {
                Some("has an `own` that is no JSON pointer: write it like /customer/login")
            }
            () => None,
        }
    }

    fn lets(&self, viewer: &Viewer, data: Option<&Value>) -> bool {
        let is_one = |known: &[Arc<str>], own: &Option<Arc<str>>| {
            known.is_empty() || own.as_ref().is_some_and(|own| known.contains(own))
        };
        let owns = |pointer: &String| {
            let owner = data.and_then(|data| data.pointer(pointer)?.as_str());
            owner.is_some() && owner == viewer.name.as_deref()
        };
        let holds =
            |when: &Condition| data.is_some_and(|data| when.holds_within(data, STEPS).unwrap_or(false));
        is_one(&self.who, &viewer.name)
            && is_one(&self.roles, &viewer.role)
            && self.own.as_ref().is_none_or(owns)
            && self.when.as_ref().is_none_or(holds)
    }
}

impl Security for Rules {
    fn may_see(&self, viewer: &Viewer, part: &Delivered) -> bool {
        self.allow(viewer, Deed::See, part.name(), part.data())
    }

    fn may_ask(&self, viewer: &Viewer, name: &str, input: &Value) -> bool {
        self.allow(viewer, Deed::Ask, name, Some(input))
    }

    fn may_join(&self, viewer: &Viewer, group: &str) -> bool {
        self.allow(viewer, Deed::Join, group, None)
    }

    fn may_publish(&self, viewer: &Viewer, name: &str) -> bool {
        self.allow(viewer, Deed::Publish, name, None)
    }
}
