//! Names of elements, loops and levels, and the path made of them.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Names that can't be uids, because paths and routes use them as words.
pub(crate) const RESERVED: [&str; 6] = ["app", "elements", "k", "levels", "loops", "self"];

/// Longest uid, in bytes.
pub(crate) const LONGEST: usize = 128;

/// Why a name can't be a uid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UidError {
    /// The name is empty.
    #[error("a uid is empty: give it at least one character, or take a generated one")]
    Empty,
    /// The name has a character that paths, channels or URLs give a meaning to, or starts with a digit or `-`.
    #[error(
        "`{uid}` can't be a uid because of {character:?}: it starts with a letter or `_`, and goes on with letters, digits, `_`, `-` or `:`"
    )]
    Character {
        /// The name.
        uid: String,
        /// The first character that doesn't fit.
        character: char,
    },
    /// The name has a meaning of its own in paths and routes.
    #[error("`{uid}` is a reserved name: choose another one, for instance `my_{uid}`")]
    Reserved {
        /// The name.
        uid: String,
    },
    /// The name is longer than 128 bytes.
    #[error("a uid of {length} bytes is too long: at most 128 are allowed")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
}

/// Checks a name: a letter or `_`, then letters, digits, `_`, `-` or `:`; not reserved; at most 128 bytes.
///
/// # Errors
/// The first rule that is broken.
pub fn check_uid(uid: &str) -> Result<(), UidError> {
    let mut characters = uid.chars();
    let first = characters.next().ok_or(UidError::Empty)?;
    if uid.len() > LONGEST {
        return Err(UidError::TooLong { length: uid.len() });
    }
    let bad = if first.is_alphabetic() || first == '_' {
        characters.find(|c| !(c.is_alphanumeric() || matches!(c, '_' | '-' | ':')))
    } else {
        Some(first)
    };
    if let Some(character) = bad {
        return Err(UidError::Character { uid: uid.into(), character });
    }
    if RESERVED.contains(&uid) {
        return Err(UidError::Reserved { uid: uid.into() });
    }
    Ok(())
}

/// A generated uid: the prefix, `_` and 8 hexadecimal digits, as PyMAPE makes them (`l_`, `m_`, `a_`, `p_`, `e_`).
#[must_use]
pub fn generate_uid(prefix: &str) -> Arc<str> {
    format!("{prefix}_{:08x}", fastrand::u32(..)).into()
}

/// Where an element is: `loop.element`.
///
/// ```
/// use mape::element::ElementPath;
///
/// let path = ElementPath::new("ambulance", "detect");
/// assert_eq!(path.to_string(), "ambulance.detect");
/// assert_eq!(path.element(), "detect");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ElementPath {
    text: Arc<str>,
    dot: usize,
}

impl ElementPath {
    /// The path of `element` in the loop `owner`.
    #[must_use]
    pub fn new(owner: &str, element: &str) -> Self {
        Self { text: format!("{owner}.{element}").into(), dot: owner.len() }
    }

    /// The uid of the loop.
    #[must_use]
    pub fn owner(&self) -> &str {
        self.text.get(..self.dot).unwrap_or_default()
    }

    /// The uid of the element.
    #[must_use]
    pub fn element(&self) -> &str {
        self.text.get(self.dot + 1..).unwrap_or_default()
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl TryFrom<String> for ElementPath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once('.') {
            Some((owner, element)) if !element.contains('.') => Ok(Self::new(owner, element)),
            _ => Err(format!("`{text}` is not a path of the form `loop.element`")),
        }
    }
}

impl From<ElementPath> for String {
    fn from(path: ElementPath) -> Self {
        path.text.as_ref().into()
    }
}

impl fmt::Display for ElementPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for ElementPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl PartialEq<str> for ElementPath {
    fn eq(&self, other: &str) -> bool {
        *self.text == *other
    }
}

impl PartialEq<&str> for ElementPath {
    fn eq(&self, other: &&str) -> bool {
        *self.text == **other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_that_would_break_a_path_is_refused_with_the_reason() {
        for good in ["detect", "_x", "car-1", "wait:delay", "größe"] {
            assert_eq!(check_uid(good), Ok(()), "{good}");
        }
        assert_eq!(check_uid(""), Err(UidError::Empty));
        assert!(matches!(check_uid("a.b"), Err(UidError::Character { character: '.', .. })));
        assert!(matches!(check_uid("1a"), Err(UidError::Character { character: '1', .. })));
        assert!(matches!(check_uid("car_*"), Err(UidError::Character { character: '*', .. })));
        assert!(matches!(check_uid("loops"), Err(UidError::Reserved { .. })));
        assert!(matches!(check_uid(&"x".repeat(129)), Err(UidError::TooLong { length: 129 })));
    }
}
