//! A marble text, read and written.

use super::Error;
use std::collections::BTreeMap;
use std::fmt;

/// What happens in which frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) marks: BTreeMap<u64, Vec<Mark>>,
    pub(super) end: Option<u64>,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Item(String),
    Error,
}

/// Runs of empty frames longer than this are written `{n}`.
const LONG_GAP: u64 = 60;

impl Script {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let unbalanced = |bracket| Error::Unbalanced { text: text.into(), bracket };
        let mut script = Self::default();
        let mut frame = 0_u64;
        let mut together = false;
        let mut chars = text.chars().filter(|c| !c.is_whitespace());
        while let Some(c) = chars.next() {
            if script.end.is_some() && c != ')' {
                return Err(Error::AfterEnd { text: text.into() });
            }
            match c {
                '(' if together => return Err(unbalanced('(')),
                '(' => together = true,
                ')' if !together => return Err(unbalanced(')')),
                ')' => together = false,
                '-' => {}
                '|' => script.end = Some(frame),
                '#' => script.mark(frame, Mark::Error),
                '[' => {
                    let label = until(&mut chars, ']').ok_or_else(|| unbalanced('['))?;
                    script.mark(frame, Mark::Item(label));
                }
                '{' => {
                    let frames = until(&mut chars, '}').ok_or_else(|| unbalanced('{'))?;
                    let n: u64 =
                        frames.parse().map_err(|_| Error::NotFrames { text: text.into(), frames })?;
                    frame += n;
                    continue;
                }
                ']' | '}' => return Err(unbalanced(c)),
                item => script.mark(frame, Mark::Item(item.into())),
            }
            frame += u64::from(!together);
        }
        if together { Err(unbalanced('(')) } else { Ok(script) }
    }

    pub(super) fn mark(&mut self, frame: u64, mark: Mark) {
        self.marks.entry(frame).or_default().push(mark);
    }

    /// The last frame in which something happens.
    pub(super) fn last_frame(&self) -> u64 {
        let last_mark = self.marks.keys().next_back().copied().unwrap_or(0);
        last_mark.max(self.end.unwrap_or(0))
    }
}

fn until(chars: &mut impl Iterator<Item = char>, bracket: char) -> Option<String> {
    let mut label = String::new();
    for c in chars {
        if c == bracket {
            return Some(label);
        }
        label.push(c);
    }
    None
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut next = 0;
        let end_alone = self.end.filter(|end| !self.marks.contains_key(end));
        for (&frame, marks) in &self.marks {
            gap(f, next, frame)?;
            let ends = self.end == Some(frame);
            let brackets = marks.len() > 1 || ends;
            f.write_str(if brackets { "(" } else { "" })?;
            for mark in marks {
                write!(f, "{mark}")?;
            }
            f.write_str(if ends { "|" } else { "" })?;
            f.write_str(if brackets { ")" } else { "" })?;
            next = frame + 1;
        }
        if let Some(end) = end_alone {
            gap(f, next, end)?;
            f.write_str("|")?;
        }
        Ok(())
    }
}

fn gap(f: &mut fmt::Formatter<'_>, from: u64, to: u64) -> fmt::Result {
    let frames = to.saturating_sub(from);
    if frames > LONG_GAP {
        return write!(f, "{{{frames}}}");
    }
    (0..frames).try_for_each(|_| f.write_str("-"))
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error => f.write_str("#"),
            Self::Item(label) => {
                let mut chars = label.chars();
                match (chars.next(), chars.next()) {
                    (Some(c), None) if !"-#|()[]{}".contains(c) && !c.is_whitespace() => write!(f, "{c}"),
                    _ => write!(f, "[{label}]"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_written_as_it_was_read() {
        for text in ["", "a", "--a-b-(cd)-|", "(a|)", "|", "[ab]-[]-#(#|)", "a{250}b{61}|"] {
            assert_eq!(Script::parse(text).unwrap().to_string(), text);
        }
        assert!(Script::parse("a{3}b ({5}").unwrap_err().to_string().contains("`(`"));
        assert_eq!(Script::parse("a - {3} b --").unwrap().to_string(), "a----b");
    }

    #[test]
    fn a_text_that_cannot_be_read_says_why() {
        for (text, why) in [
            ("a)", "`)` has no partner"),
            ("(a", "`(` has no partner"),
            ("[a", "`[` has no partner"),
            ("a]", "`]` has no partner"),
            ("|a", "follows `|`"),
            ("{x}", "not a number"),
        ] {
            let message = Script::parse(text).unwrap_err().to_string();
            assert!(message.contains(why), "{text}: {message}");
        }
    }
}
