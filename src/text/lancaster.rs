//! Words to their stems, as Paice and Husk do it.
//!
//! The rules are those of NLTK's `nltk.stem.lancaster` (Copyright NLTK Project; Apache License 2.0), written anew in Rust.

use super::characters::is_letter;
use std::sync::LazyLock;

/// Longer words, in characters, are left as they are, as NLTK leaves them.
const LONGEST: usize = 1_000;

/// The stem of a word, written small.
///
/// This is NLTK's `LancasterStemmer` as it comes: the algorithm of Chris Paice ("Another Stemmer", SIGIR Forum 24.3,
/// 1990) with its 115 rules, applied to the end of the word until none fits; prefixes stay. What is no word, such as
/// `!`, stays what it is; of `n't` the rules see the letters before the apostrophe, as in NLTK. A word of more than 1,000
/// characters is only written small.
///
/// ```
/// use mape::text::stem;
///
/// assert_eq!(["maximum", "Presumably", "providing", "hours"].map(stem), ["maxim", "presum", "provid", "hour"]);
/// ```
#[must_use]
#[doc(alias = "LancasterStemmer")]
pub fn stem(word: &str) -> String {
    let intact = word.to_lowercase();
    let mut length = intact.chars().count();
    if length > LONGEST {
        return intact;
    }
    let mut word = intact.clone();
    // How many letters the word begins with: the last of them chooses the rules.
    let mut letters = word.chars().take_while(|character| is_letter(*character)).count();
    let mut last = word.chars().nth(letters.wrapping_sub(1));
    while let Some(rule) = last.and_then(|last| fitting(last, &word, &intact, length)) {
        word.truncate(word.len() - rule.remove);
        word.push_str(rule.append);
        length -= rule.remove;
        if letters >= length {
            letters = length + rule.append.len();
            last = word.chars().next_back();
        }
        length += rule.append.len();
        if !rule.goes_on {
            break;
        }
    }
    word
}

/// The first rule that may be applied.
fn fitting(last: char, word: &str, intact: &str, length: usize) -> Option<&'static Rule> {
    let start = RULES.partition_point(|rule| rule.last < last);
    let rules = RULES.get(start..).unwrap_or_default().iter().take_while(|rule| rule.last == last);
    let mut fits = rules.filter(|rule| word.ends_with(&rule.ending) && (!rule.intact || word == intact));
    fits.find(|rule| is_acceptable(word, length.saturating_sub(rule.remove)))
}

/// Whether so many characters of a word make a stem.
fn is_acceptable(word: &str, length: usize) -> bool {
    let mut vowels = word.chars().map(|character| matches!(character, 'a' | 'e' | 'i' | 'o' | 'u' | 'y'));
    if vowels.next() == Some(true) {
        return length >= 2;
    }
    length >= 3 && (vowels.next() == Some(true) || vowels.next() == Some(true))
}

struct Rule {
    last: char,
    ending: String,
    /// Only for a word to which no rule has been applied.
    intact: bool,
    /// How many characters are taken away, all of them of the ending.
    remove: usize,
    append: &'static str,
    goes_on: bool,
}

/// By their last letters; those of one letter are in the order in which they are tried.
static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| WRITTEN.iter().filter_map(|rule| read(rule)).collect());

/// A rule in Paice's notation: the ending from its back, `*` for intact words, how many characters go, what comes in their
/// place, `>` to go on or `.` to stop.
fn read(rule: &'static str) -> Option<Rule> {
    let (what, by) = rule.split_at_checked(rule.find(|part: char| part.is_ascii_digit())?)?;
    let (back, intact) = what.strip_suffix('*').map_or((what, false), |back| (back, true));
    let (append, goes_on) = match by.strip_suffix('>') {
        Some(append) => (append, true),
        None => (by.strip_suffix('.')?, false),
    };
    let (remove, append) = append.split_at_checked(1)?;
    Some(Rule {
        last: back.chars().next()?,
        ending: back.chars().rev().collect(),
        intact,
        remove: remove.parse().ok()?,
        append,
        goes_on,
    })
}

#[rustfmt::skip]
const WRITTEN: [&str; 115] = [
    "ai*2.", "a*1.", "bb1.", "city3s.", "ci2>", "cn1t>", "dd1.", "dei3y>", "deec2ss.", "dee1.", "de2>",
    "dooh4>", "e1>", "feil1v.", "fi2>", "gni3>", "gai3y.", "ga2>", "gg1.", "ht*2.", "hsiug5ct.", "hsi3>",
    "i*1.", "i1y>", "ji1d.", "juf1s.", "ju1d.", "jo1d.", "jeh1r.", "jrev1t.", "jsim2t.", "jn1d.", "j1s.",
    "lbaifi6.", "lbai4y.", "lba3>", "lbi3.", "lib2l>", "lc1.", "lufi4y.", "luf3>", "lu2.", "lai3>", "lau3>",
    "la2>", "ll1.", "mui3.", "mu*2.", "msi3>", "mm1.", "nois4j>", "noix4ct.", "noi3>", "nai3>", "na2>",
    "nee0.", "ne2>", "nn1.", "pihs4>", "pp1.", "re2>", "rae0.", "ra2.", "ro2>", "ru2>", "rr1.", "rt1>",
    "rei3y>", "sei3y>", "sis2.", "si2>", "ssen4>", "ss0.", "suo3>", "su*2.", "s*1>", "s0.", "tacilp4y.",
    "ta2>", "tnem4>", "tne3>", "tna3>", "tpir2b.", "tpro2b.", "tcud1.", "tpmus2.", "tpec2iv.", "tulo2v.",
    "tsis0.", "tsi3>", "tt1.", "uqi3.", "ugo1.", "vis3j>", "vie0.", "vi2>", "ylb1>", "yli3y>", "ylp0.",
    "yl2>", "ygo1.", "yhp1.", "ymo1.", "ypo1.", "yti3>", "yte3>", "ytl2.", "yrtsi5.", "yra3>", "yro3>",
    "yfi3.", "ycn2t>", "yca3>", "zi2>", "zy1s.",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_read_and_takes_away_only_from_its_ending() {
        assert_eq!(RULES.len(), WRITTEN.len());
        assert!(RULES.iter().map(|rule| rule.last).is_sorted());
        assert!(RULES.iter().all(|rule| rule.remove <= rule.ending.len() && rule.ending.is_ascii()));
    }
}
