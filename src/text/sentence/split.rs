//! A text into sentences.

use super::context::parts_sentences;
use crate::text::characters::is_space;
use std::iter;
use std::ops::Range;

/// The sentences of an English text, as NLTK's `sent_tokenize` finds them.
///
/// This is Punkt (Kiss and Strunk, "Unsupervised Multilingual Sentence Boundary Detection", 2006), by the rules of NLTK's
/// `nltk.tokenize.punkt` (Apache License 2.0), with lists of its own: some 150 common abbreviations, and how some 260 common
/// words are written. NLTK's English model has learned others from newspapers, and thousands of words: so this may judge
/// otherwise where a full stop follows a rarer abbreviation, or where it follows an abbreviation, an initial, a number or dots
/// and a rarer word comes next (`of plan B. Recipes`). A sentence ends at `.`, `?` or `!`, and at the closing quotes and brackets after
/// it; not after an abbreviation, unless what follows shows that a sentence begins; not within `3.5`. White space between
/// sentences belongs to none. A text without any end is one sentence, and a text of white space has none.
///
/// It takes a time that grows with the length of the text, no faster.
///
/// ```
/// let text = "Dr. Smith comes at 5 p.m. However, Ann (of Mr. Lee Inc.) can't. \"Why?\" Thanks";
/// let sentences = mape::text::sentences(text);
/// assert_eq!(sentences, [
///     "Dr. Smith comes at 5 p.m.",
///     "However, Ann (of Mr. Lee Inc.) can't.",
///     "\"Why?\"",
///     "Thanks",
/// ]);
/// ```
#[must_use]
#[doc(alias = "sent_tokenize")]
pub fn sentences(text: &str) -> Vec<&str> {
    let slices = slices(text);
    let mut sentences = Vec::with_capacity(slices.len());
    // How much of a slice belongs to the sentence before it.
    let mut taken = 0;
    for (index, slice) in slices.iter().enumerate() {
        let start = slice.start + taken;
        let following = slices.get(index + 1);
        let closing = following.and_then(|next| Some((next, closing(text.get(next.clone())?)?)));
        let end = closing.map_or(slice.end, |(next, (marks, _))| next.start + marks);
        taken = closing.map_or(0, |(_, (_, all))| all);
        sentences.extend(text.get(start..end).filter(|sentence| !sentence.is_empty()));
    }
    sentences
}

/// The sentences, with closing marks still at the beginning of the next.
fn slices(text: &str) -> Vec<Range<usize>> {
    let mut slices = Vec::new();
    let mut start = 0;
    for context in contexts(text) {
        if text.get(context.all()).is_some_and(parts_sentences) {
            slices.push(start..context.end.at + 1);
            start = context.end.next.unwrap_or(context.end.at + 1);
        }
    }
    slices.push(start..text.trim_end_matches(is_space).len());
    slices
}

/// A `.`, `?` or `!` that may end a sentence.
#[derive(Clone, Copy)]
struct End {
    at: usize,
    /// Where the word begins that comes after white space; none if a mark follows at once.
    next: Option<usize>,
    /// The end of that word or mark.
    until: usize,
}

/// Such a character with the word before it.
struct Context {
    word: usize,
    end: End,
}

impl Context {
    fn all(&self) -> Range<usize> {
        self.word..self.end.until
    }
}

/// The places that are to be judged, each with the word before and what follows; of several at one word, the last.
fn contexts(text: &str) -> impl Iterator<Item = Context> {
    let mut ends = ends(text);
    let mut previous: Option<Context> = None;
    iter::from_fn(move || {
        for end in ends.by_ref() {
            let (seen, first) = previous.as_ref().map_or((0, 0), |before| (before.end.at, before.word));
            let between = text.get(seen..end.at).unwrap_or_default();
            let space = between.bytes().rposition(|byte| matches!(byte, b' ' | 9..=13)).unwrap_or(0);
            // White space that the text begins with is taken for none, there as here.
            let word = if space > 0 { seen + space + 1 } else { first };
            let done = previous.replace(Context { word, end }).filter(|before| before.end.at <= word);
            if done.is_some() {
                return done;
            }
        }
        previous.take()
    })
}

fn ends(text: &str) -> impl Iterator<Item = End> {
    let marks = text.char_indices().filter(|(_, mark)| matches!(mark, '.' | '?' | '!'));
    marks.filter_map(|(at, _)| {
        let rest = text.get(at + 1..)?;
        let following = rest.chars().next()?;
        if is_mark(following) {
            return Some(End { at, next: None, until: at + 1 + following.len_utf8() });
        }
        let word = rest.trim_start();
        if word.len() == rest.len() || word.is_empty() {
            return None;
        }
        let next = text.len() - word.len();
        let length = word.find(char::is_whitespace).unwrap_or(word.len());
        Some(End { at, next: Some(next), until: next + length })
    })
}

/// What cannot be inside a word.
pub(super) fn is_mark(character: char) -> bool {
    matches!(character, ')' | '"' | ';' | '}' | ']' | '*' | ':' | '@' | '\'' | '(' | '{' | '[' | '?' | '!')
        || matches!(character, '‘' | '’' | '“' | '”' | '«' | '»')
}

/// The length of the closing marks that a slice begins with, alone and with the white space after them.
fn closing(slice: &str) -> Option<(usize, usize)> {
    let rest = slice.trim_start_matches(|mark| {
        matches!(mark, '"' | '\'' | ')' | ']' | '}' | '‘' | '’' | '“' | '”' | '«' | '»')
    });
    let marks = slice.len() - rest.len();
    let after = rest.trim_start();
    let ends = rest.is_empty() || after.len() < rest.len() || rest.starts_with("--");
    (marks > 0 && ends).then(|| (marks, slice.len() - after.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_judged_is_at_most_three_times_the_text() {
        let shapes =
            ["a.", "a. ", ". ", ".\n", "?\"", "a?b! ", "... ", ". . ", ".'x", "a.b c. D", "(. )", "x.\t\t"];
        for shape in shapes {
            let text = shape.repeat(2_000);
            let judged: usize = contexts(&text).map(|context| context.all().len()).sum();
            assert!(judged <= 3 * text.len(), "{shape:?}: {judged} of {}", text.len());
        }
    }
}
