//! Whether a sentence ends within a few words.

use super::english::{Seen, is_abbreviation, often_begins, seen};
use super::split::is_mark;
use crate::text::characters::{is_number, is_space, is_word};
use std::borrow::Cow;

/// Whether one of the words but the last ends a sentence.
pub(super) fn parts_sentences(context: &str) -> bool {
    let lines = context.split('\n').filter(|line| !line.chars().all(is_space));
    let mut words = lines.flat_map(Words).map(Word::new);
    let Some(mut word) = words.next() else { return false };
    for next in words {
        if word.ends_before(&next) {
            return true;
        }
        word = next;
    }
    false
}

/// A word with what it says by itself.
struct Word<'a> {
    text: &'a str,
    /// Written small, or [`NUMBER`].
    kind: Cow<'a, str>,
    /// It ends a sentence, as far as it is known by itself.
    ends: bool,
    abbreviation: bool,
    dots: bool,
}

const NUMBER: &str = "##number##";

impl<'a> Word<'a> {
    fn new(text: &'a str) -> Self {
        let small = text.to_lowercase();
        let mut word =
            Self { text, kind: Cow::Borrowed(NUMBER), ends: false, abbreviation: false, dots: false };
        if matches!(text, "." | "?" | "!") {
            word.ends = true;
        } else if text.len() > 1 && text.bytes().all(|byte| byte == b'.') {
            word.dots = true;
        } else if text.ends_with('.') && !text.ends_with("..") {
            let stem = small.strip_suffix('.').unwrap_or(&small);
            let last = stem.rsplit('-').next().unwrap_or(stem);
            word.abbreviation = is_abbreviation(stem) || is_abbreviation(last);
            word.ends = !word.abbreviation;
        }
        if !is_number(&small) {
            word.kind = Cow::Owned(small);
        }
        word
    }

    /// The kind without a full stop at its end.
    fn stem(&self) -> &str {
        self.kind.strip_suffix('.').filter(|stem| !stem.is_empty()).unwrap_or(&self.kind)
    }

    /// The kind without the full stop of a sentence.
    fn own(&self) -> &str {
        if self.ends { self.stem() } else { &self.kind }
    }

    /// A letter and a full stop.
    fn is_initial(&self) -> bool {
        let mut characters = self.text.chars();
        let letter = characters
            .next()
            .is_some_and(|first| is_word(first) && !is_number(first.encode_utf8(&mut [0; 4])));
        letter && characters.as_str() == "."
    }

    fn is_capital(&self) -> bool {
        self.text.chars().next().is_some_and(char::is_uppercase)
    }

    /// Whether a sentence ends here, now that it is known what follows.
    fn ends_before(&self, next: &Word<'_>) -> bool {
        if !self.text.ends_with('.') {
            return self.ends;
        }
        let initial = self.is_initial();
        let (begins, seen) = next.begins_a_sentence();
        let shortened = (self.abbreviation || self.dots) && !initial;
        if shortened && (begins == Some(true) || (next.is_capital() && often_begins(next.own()))) {
            return true;
        }
        if initial || self.stem() == NUMBER {
            if begins == Some(false) {
                return false;
            }
            // A name after its initial.
            if begins.is_none() && initial && next.is_capital() && !seen.small {
                return false;
            }
        }
        self.ends
    }

    /// What the way it is written says about whether it begins a sentence, if anything.
    fn begins_a_sentence(&self) -> (Option<bool>, Seen) {
        let seen = seen(self.own());
        let small = || self.text.chars().next().is_some_and(char::is_lowercase);
        let begins = if matches!(self.text, ";" | ":" | "," | "." | "!" | "?") {
            Some(false)
        } else if self.is_capital() && seen.small && !seen.capital_inside {
            Some(true)
        } else if small() {
            Some(false)
        } else {
            None
        };
        (begins, seen)
    }
}

/// The words of a line, with full stops left at their ends.
struct Words<'a>(&'a str);

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.0.trim_start();
        let first = rest.chars().next()?;
        let length = match run(rest) {
            Some(length) => length,
            None if begins_a_word(first) => word(rest, first.len_utf8()),
            None => first.len_utf8(),
        };
        let (word, after) = rest.split_at_checked(length)?;
        self.0 = after;
        Some(word)
    }
}

fn word(text: &str, first: usize) -> usize {
    let inside = text.char_indices().map(|(at, _)| at).filter(|at| *at >= first);
    inside.clone().find(|at| text.get(*at..).is_none_or(ends_a_word)).unwrap_or(text.len())
}

fn begins_a_word(character: char) -> bool {
    !matches!(
        character,
        '(' | '"' | '`' | '{' | '[' | ':' | ';' | '&' | '#' | '*' | '@' | ')' | '}' | ']' | '-' | ','
    )
}

fn ends_a_word(rest: &str) -> bool {
    let ends = |rest: &str| match rest.chars().next() {
        Some(next) => next.is_whitespace() || is_mark(next) || begins_a_run(rest),
        None => true,
    };
    ends(rest) || rest.strip_prefix(',').is_some_and(ends)
}

/// The length of dashes, of dots, or of dots with a space between, that stand for one mark.
fn run(text: &str) -> Option<usize> {
    for mark in ['-', '.'] {
        let length = text.len() - text.trim_start_matches(mark).len();
        if length > 1 {
            return Some(length);
        }
    }
    // Two dots with a space after each, or more, and a dot.
    let (mut rest, mut dots, mut length) = (text, 0, 0);
    while let Some(after) = rest.strip_prefix('.') {
        dots += 1;
        length = text.len() - after.len();
        let mut characters = after.chars();
        if !characters.next().is_some_and(char::is_whitespace) {
            break;
        }
        rest = characters.as_str();
    }
    (dots > 2).then_some(length)
}

fn begins_a_run(text: &str) -> bool {
    text.starts_with("--") || text.starts_with("..") || (text.starts_with('.') && spaced_dots(text))
}

fn spaced_dots(text: &str) -> bool {
    let mut characters = text.chars();
    (0..2).all(|_| characters.next() == Some('.') && characters.next().is_some_and(char::is_whitespace))
        && characters.next() == Some('.')
}
