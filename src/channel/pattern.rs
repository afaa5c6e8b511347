//! Redis' glob rules.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A pattern of names with exactly the glob rules of Redis, byte by byte.
///
/// | written | matches |
/// |---|---|
/// | `?` | any one byte |
/// | `*` | any bytes, also none |
/// | `[xy]` | one of these bytes |
/// | `[a-z]` | one byte of the range (either way round) |
/// | `[^x]` | one byte that is none of these |
/// | `\x` | the byte `x` itself |
///
/// As in Redis, nothing is refused: a `[` that is never closed takes all that follows as its set, a `\` at the end
/// stands for itself. The work is bounded by pattern length times name length.
///
/// ```
/// use mape::channel::Pattern;
/// let cars = Pattern::new("car_[a-c]*");
/// assert!(cars.matches("car_b.detect") && !cars.matches("car_x.detect"));
/// assert!(Pattern::literal("why?").matches("why?") && !Pattern::literal("why?").matches("whyx"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(Arc<str>);

impl Pattern {
    /// The pattern written as `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The pattern that matches `name` only, whatever characters are in it.
    #[must_use]
    pub fn literal(name: &str) -> Self {
        let mut text = String::with_capacity(name.len());
        for c in name.chars() {
            if matches!(c, '?' | '*' | '[' | ']' | '\\') {
                text.push('\\');
            }
            text.push(c);
        }
        Self(text.into())
    }

    /// This pattern behind the literal text `prefix`.
    #[must_use]
    pub fn prefixed(&self, prefix: &str) -> Self {
        Self(format!("{}{}", Self::literal(prefix).0, self.0).into())
    }

    /// Whether `name` as a whole matches.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        matches(self.0.as_bytes(), name.as_bytes())
    }

    /// The pattern as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Pattern {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// Goes back to the last `*` only, so that the time is the product of the lengths and not exponential.
fn matches(mut pattern: &[u8], mut name: &[u8]) -> bool {
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        if let Some(rest) = pattern.strip_prefix(b"*") {
            pattern = rest;
            star = Some((rest, name));
            continue;
        }
        if let Some((byte, later)) = name.split_first() {
            if let Some(rest) = one(pattern, *byte) {
                (pattern, name) = (rest, later);
                continue;
            }
        } else if pattern.is_empty() {
            return true;
        }
        // The last star takes one byte more, as long as there is one.
        let Some((rest, from)) = star else { return false };
        let Some((_, later)) = from.split_first() else { return false };
        star = Some((rest, later));
        (pattern, name) = (rest, later);
    }
}

/// The rest of the pattern behind its first part, if that part matches `byte`.
fn one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    match pattern {
        [] => None,
        [b'?', rest @ ..] => Some(rest),
        [b'[', rest @ ..] => {
            let (hit, rest) = class(rest, byte);
            hit.then_some(rest)
        }
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => (*literal == byte).then_some(rest),
    }
}

/// Whether `byte` is in the class that begins behind a `[`, and what follows the class.
fn class(body: &[u8], byte: u8) -> (bool, &[u8]) {
    let (negated, mut body) = match body {
        [b'^', rest @ ..] => (true, rest),
        _ => (false, body),
    };
    let mut hit = false;
    loop {
        body = match body {
            [] => return (hit != negated, body),
            [b']', rest @ ..] => return (hit != negated, rest),
            [b'\\', literal, rest @ ..] => {
                hit |= *literal == byte;
                rest
            }
            [from, b'-', to, rest @ ..] => {
                hit |= (*from.min(to)..=*from.max(to)).contains(&byte);
                rest
            }
            [literal, rest @ ..] => {
                hit |= *literal == byte;
                rest
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_are_those_of_redis() {
        let table = [
            ("car_?.detect", "car_a.detect", true),
            ("car_?.detect", "car_.detect", false),
            ("car_[xy].detect", "car_x.detect", true),
            ("car_[xy].detect", "car_z.detect", false),
            ("car_*", "car_", true),
            ("car_*", "car", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("h[^e]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-c]llo", "hbllo", true),
            ("h[c-a]llo", "hbllo", true),
            (r"a\*c", "a*c", true),
            (r"a\*c", "abc", false),
            (r"a[\]]c", "a]c", true),
            ("a[]c", "ac", false),
            ("a[b", "ab", true),
            ("a[b", "ac", false),
            (r"a\", r"a\", true),
            ("*a*b*c", "xxaxxbxxc", true),
            ("*a*b*c", "xxaxxcxxb", false),
            ("?", "é", false),
            ("??", "é", true),
            ("[a-]", "-", false),
            ("[a-]", "^", true),
        ];
        for (pattern, name, expected) in table {
            assert_eq!(Pattern::new(pattern).matches(name), expected, "{pattern} on {name}");
        }
    }

    #[test]
    fn many_stars_do_not_cost_exponential_time() {
        let pattern = Pattern::new(&"*a".repeat(40));
        assert!(!pattern.matches(&"a".repeat(39)));
        assert!(!pattern.matches(&format!("{}b", "a".repeat(5_000))));
    }
}
