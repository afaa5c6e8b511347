//! A condition.

use super::evaluate::{Run, Spent};
use super::path::Path;
use super::tree::{self, Node, Room, Subject};
use super::{Diagnostic, Error, Syntax, json, write};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use std::fmt;
use std::str::FromStr;

/// A condition that values fulfil or not.
///
/// It is read from its text form ([`parse`](Self::parse)), from its JSON form ([`from_json`](Self::from_json)), or by
/// serde from either, and is written as text by `Display` and as JSON by serde. What is written and read again is the
/// same condition.
///
/// What cannot be compared, such as a missing value with a number, does not fulfil a comparison. A condition is at most
/// [`LONGEST_TEXT_BYTES`](Self::LONGEST_TEXT_BYTES) long, has at most [`MOST_PARTS`](Self::MOST_PARTS) parts and
/// [`MOST_WILD_PATHS`](Self::MOST_WILD_PATHS) paths with wildcards, and is at most [`DEEPEST`](Self::DEEPEST) brackets
/// deep.
///
/// Its semantics are those of pycond; the [guide](crate::guide::condition_language) lists what differs.
#[doc(alias = "pycond")]
#[derive(Clone, PartialEq)]
pub struct Condition {
    node: Node,
}

impl Condition {
    /// Bytes of a text, at most.
    pub const LONGEST_TEXT_BYTES: usize = tree::LONGEST_TEXT;
    /// Comparisons, brackets and negations, at most.
    pub const MOST_PARTS: usize = tree::MOST_PARTS;
    /// Values in its lists, at most.
    pub const MOST_VALUES: usize = tree::MOST_VALUES;
    /// Paths with `*` or `**`, at most.
    pub const MOST_WILD_PATHS: usize = tree::MOST_WILD;
    /// Brackets within brackets, at most.
    pub const DEEPEST: usize = tree::DEEPEST;

    /// Reads a text, such as `a.b gt 10 and not c`. A text may hold the JSON form, too.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::parse_with(text, Syntax::new())
    }

    /// Reads a text that is not written as usual.
    pub fn parse_with(text: &str, syntax: Syntax) -> Result<Self, Error> {
        Self::alone(json::from_text(text, syntax)?)
    }

    /// Reads the JSON form, such as `[["a", "gt", 10], "and", "b"]`; a text in its place is read as one.
    pub fn from_json(value: &Value) -> Result<Self, Error> {
        Self::alone(json::read(value)?)
    }

    /// The JSON form.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json::written(&self.node)
    }

    /// Whether a value fulfils it.
    ///
    /// The time grows with the size of the condition times that of the value, at worst.
    #[must_use]
    pub fn holds(&self, value: &Value) -> bool {
        // More steps than anybody can wait for.
        self.judge(value, u64::MAX).unwrap_or(false)
    }

    /// Whether a value fulfils it, found in so many steps at most.
    ///
    /// A step is about one comparison, with 64 bytes of text or one item of a list; it takes some ten nanoseconds.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfSteps`]: it is not known whether the value fulfils it.
    pub fn holds_within(&self, value: &Value, steps: u64) -> Result<bool, Error> {
        self.judge(value, steps).map_err(|Spent| Error::OutOfSteps { steps })
    }

    /// Whether anything that can be written as JSON fulfils it.
    ///
    /// # Errors
    ///
    /// [`Error::NoJson`]: it cannot be written as JSON.
    pub fn holds_for<T: Serialize + ?Sized>(&self, item: &T) -> Result<bool, Error> {
        Ok(self.holds(&as_json(item)?))
    }

    /// The same condition on what lies below a key, or a path of keys.
    ///
    /// ```
    /// # use mape::condition::Condition;
    /// # use serde_json::json;
    /// let condition = Condition::parse("id gt 100")?.below("payload")?;
    /// assert!(condition.holds(&json!({"payload": {"id": 123}})));
    /// # Ok::<(), mape::condition::Error>(())
    /// ```
    #[doc(alias = "prefix")]
    pub fn below(mut self, path: &str) -> Result<Self, Error> {
        let wrong = |message: String| Error::from(Diagnostic::in_text(path, &(0..0), message));
        let above = Path::parse(path).map_err(wrong)?;
        let mut room = Room::new();
        self.node.try_each_atom(&mut |atom| {
            if let Subject::Path(path) = &mut atom.subject {
                *path = path.below(&above).map_err(wrong)?;
                room.path(path).map_err(wrong)?;
            }
            Ok::<(), Error>(())
        })?;
        Ok(self)
    }

    /// The paths that it looks at, each once, as they are written.
    #[must_use]
    #[doc(alias = "keys")]
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.node.each_atom(&mut |atom| {
            if let Subject::Path(path) = &atom.subject {
                paths.push(path.written().unwrap_or_else(|| Value::Array(path.to_list()).to_string()));
            }
        });
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    pub(super) fn node(&self) -> &Node {
        &self.node
    }

    pub(super) fn judge(&self, value: &Value, steps: u64) -> Result<bool, Spent> {
        Run::new(steps).holds(&self.node, value)
    }

    /// That it refers to no others.
    fn alone(node: Node) -> Result<Self, Error> {
        let mut named = None;
        node.each_atom(&mut |atom| {
            if let Subject::Named(name, _) = &atom.subject {
                named.get_or_insert_with(|| name.clone());
            }
        });
        match named {
            None => Ok(Self { node }),
            Some(name) => {
                let message = format!("`:{name}` stands for another condition, and there are no others");
                let help = "name it in a set of conditions, or write `\\:` if the key begins with a colon";
                Err(Diagnostic::in_json("", message).help_with(help).into())
            }
        }
    }
}

/// Anything as JSON.
pub(super) fn as_json<T: Serialize + ?Sized>(item: &T) -> Result<Value, Error> {
    serde_json::to_value(item).map_err(|error| Error::NoJson(error.to_string()))
}

/// The text form; where that has no words for something (constants, objects), the JSON form, which is read as well.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&write::written(&self.node))
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Condition({self})")
    }
}

impl FromStr for Condition {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_json(&Value::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
