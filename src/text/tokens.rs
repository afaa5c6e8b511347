//! A text into tokens, by the rules of the Penn Treebank with those that NLTK has added.
//!
//! The rules are those of NLTK's `nltk.tokenize.destructive` (Copyright NLTK Project; Apache License 2.0), written anew in Rust.

use super::characters::{is_letter_or_number, is_space, is_word, pattern};
use super::sentences;
use regex::{Captures, Regex};
use std::borrow::Cow;
use std::sync::LazyLock;

/// The tokens of an English text: words, numbers and marks.
///
/// This is NLTK's `word_tokenize`: [`sentences`], and of each the tokens as in [`tokenise_sentence`]. It never fails and
/// knows no bound; [`Reading`](super::Reading) has one.
///
/// ```
/// use mape::text::tokenise;
///
/// assert_eq!(tokenise("Don't go. It's \"free\"…"), ["Do", "n't", "go", ".", "It", "'s", "``", "free", "''", "…"]);
/// assert_eq!(tokenise("I cannot pay $3.88, gonna ask (them)."), [
///     "I", "can", "not", "pay", "$", "3.88", ",", "gon", "na", "ask", "(", "them", ")", ".",
/// ]);
/// ```
#[must_use]
#[doc(alias = "word_tokenize")]
pub fn tokenise(text: &str) -> Vec<String> {
    sentences(text).into_iter().flat_map(tokenise_sentence).collect()
}

/// The tokens of one sentence, as of NLTK's `NLTKWordTokenizer` or `word_tokenize(…, preserve_line=True)`.
///
/// Only the last full stop is a token of its own; double quotes become ` `` ` and `''`, as in the Treebank; contractions are
/// divided: `do` `n't`, `we` `'ll`, `can` `not`, `gon` `na`, `'t` `is`.
///
/// Each rule is applied to the whole sentence, in order. None of them looks further than to what it replaces, except at
/// the end of the sentence, where there is one match: so each takes a time that grows with the length.
#[must_use]
pub fn tokenise_sentence(sentence: &str) -> Vec<String> {
    let mut text = apply(&*OPENING, sentence.to_owned());
    if let Cow::Owned(changed) = part_opening_quotes(&text) {
        text = changed;
    }
    text = apply(&*INSIDE, text);
    text = apply(&*ENDING, format!(" {text} "));
    for contraction in CONTRACTIONS.iter() {
        if let Cow::Owned(changed) = contraction.part(&text) {
            text = changed;
        }
    }
    text.split(is_space).filter(|token| !token.is_empty()).map(str::to_owned).collect()
}

/// One rule of many: what happens to the whole sentence.
enum Rule {
    /// What fits a pattern is replaced.
    Replace(Regex, &'static str),
    /// A text is replaced.
    Exactly(&'static str, &'static str),
    /// Such characters get a space on both sides.
    Part(fn(char) -> bool),
    /// All white space becomes one space.
    Narrow,
}

fn replace(what: &str, by: &'static str) -> Rule {
    Rule::Replace(pattern(what), by)
}

fn apply(rules: &[Rule], mut text: String) -> String {
    for rule in rules {
        if let Cow::Owned(changed) = rule.apply(&text) {
            text = changed;
        }
    }
    text
}

impl Rule {
    fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self {
            Self::Replace(what, by) => what.replace_all(text, *by),
            Self::Exactly(what, by) if text.contains(what) => Cow::Owned(text.replace(what, by)),
            Self::Part(what) if text.contains(what) => {
                let mut parted = String::with_capacity(text.len() + 16);
                for character in text.chars() {
                    if what(character) {
                        parted.extend([' ', character, ' ']);
                    } else {
                        parted.push(character);
                    }
                }
                Cow::Owned(parted)
            }
            Self::Narrow => {
                let mut narrow = String::with_capacity(text.len());
                for character in text.chars() {
                    if !character.is_whitespace() {
                        narrow.push(character);
                    } else if !narrow.ends_with(' ') {
                        narrow.push(' ');
                    }
                }
                Cow::Owned(narrow)
            }
            Self::Exactly(..) | Self::Part(_) => Cow::Borrowed(text),
        }
    }
}

static OPENING: LazyLock<[Rule; 4]> = LazyLock::new(|| {
    [
        replace("[«“‘„]|`+", " $0 "),
        replace(r#"^""#, "``"),
        Rule::Exactly("``", " `` "),
        replace(r#"([ (\[{<])(?:"|'')"#, "$1 `` "),
    ]
});

static INSIDE: LazyLock<[Rule; 12]> = LazyLock::new(|| {
    [
        // The last full stop, with what closes after it.
        replace(r#"([^.])(\.)([\])}>"'»”’ ]*)\s*$"#, "$1 $2 $3 "),
        replace(r"([:,])([^\d])", " $1 $2"),
        replace(r"([:,])(\n?)$", " $1 $2"),
        replace(r"\.{2,}", " $0 "),
        Rule::Part(|mark| matches!(mark, ';' | '@' | '#' | '$' | '%' | '&')),
        // The longer dashes.
        Rule::Part(|mark| ('\u{2012}'..='\u{2015}').contains(&mark)),
        replace(r#"([^.])(\.)([\])}>"']*)\s*$"#, "$1 $2$3 "),
        Rule::Part(|mark| matches!(mark, '?' | '!')),
        replace("([^'])' ", "$1 ' "),
        Rule::Part(|mark| mark == '*'),
        Rule::Part(|mark| matches!(mark, ']' | '[' | '(' | ')' | '{' | '}' | '<' | '>')),
        Rule::Exactly("--", " -- "),
    ]
});

static ENDING: LazyLock<[Rule; 6]> = LazyLock::new(|| {
    [
        Rule::Part(|mark| matches!(mark, '»' | '”' | '’')),
        Rule::Exactly("''", " '' "),
        Rule::Exactly("\"", " '' "),
        Rule::Narrow,
        replace("([^' ])('[sS]|'[mM]|'[dD]|') ", "$1 $2 "),
        replace("([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ", "$1 $2 "),
    ]
});

/// A quote that a word begins with is a token, but not that of `'ll` and its like.
fn part_opening_quotes(text: &str) -> Cow<'_, str> {
    let mut changed = String::new();
    let mut done = 0;
    for (at, _) in text.match_indices('\'') {
        let (Some(before), Some(after)) = (text.get(..at), text.get(at + 1..)) else { continue };
        let inside = before.chars().next_back().is_some_and(is_word);
        if !inside && after.chars().next().is_some_and(is_word) && !begins_with_a_clitic(after) {
            changed.push_str(text.get(done..=at).unwrap_or_default());
            changed.push(' ');
            done = at + 1;
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    changed.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(changed)
}

/// `re`, `ve`, `ll`, `m`, `t`, `s`, `d` or `n`, and then no letter.
fn begins_with_a_clitic(text: &str) -> bool {
    let mut letters =
        text.chars().map(|letter| if letter == 'ſ' { 's' } else { letter.to_ascii_lowercase() });
    let (first, second, third) = (letters.next(), letters.next(), letters.next());
    let ends = |after: Option<char>| !after.is_some_and(is_word);
    match (first, second) {
        (Some('m' | 't' | 's' | 'd' | 'n'), after) if ends(after) => true,
        (Some('r' | 'v'), Some('e')) | (Some('l'), Some('l')) => ends(third),
        _ => false,
    }
}

/// Two words that are written as one.
struct Contraction {
    what: Regex,
    /// What may be beside it: nothing that belongs to a word, or white space only.
    after: fn(char) -> bool,
    /// Also before it; else it has a space there of its own.
    before: bool,
}

static CONTRACTIONS: LazyLock<Vec<Contraction>> = LazyLock::new(|| {
    // Python's `re` takes ı and İ for kinds of i.
    let words =
        ["(can)(not)", "(d)('ye)", "(g[iıİ]m)(me)", "(gon)(na)", "(got)(ta)", "(lem)(me)", "(more)('n)"];
    let made =
        |what: &str, before, after| Contraction { what: pattern(&format!("(?i){what}")), after, before };
    let mut all: Vec<_> = words.iter().map(|what| made(what, true, outside as fn(char) -> bool)).collect();
    all.push(made("(wan)(na)", true, is_space));
    all.push(made(" ('t)([iıİ]s)", false, outside));
    all.push(made(" ('t)(was)", false, outside));
    all
});

fn outside(character: char) -> bool {
    !is_letter_or_number(character)
}

impl Contraction {
    fn part<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let replaced = |found: &Captures<'_>| {
            let whole = found.get_match();
            let before = text.get(..whole.start()).and_then(|before| before.chars().next_back());
            let after = text.get(whole.end()..).and_then(|after| after.chars().next());
            let alone = after.is_none_or(self.after) && (!self.before || before.is_none_or(outside));
            match (alone, found.get(1), found.get(2)) {
                (true, Some(first), Some(second)) => format!(" {} {} ", first.as_str(), second.as_str()),
                _ => whole.as_str().to_owned(),
            }
        };
        self.what.replace_all(text, replaced)
    }
}
