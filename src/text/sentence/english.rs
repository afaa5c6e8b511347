//! What Punkt has learned of English: abbreviations, words that begin sentences, pairs that a full stop does not part,
//! and how words were written.

use std::cmp::Ordering;

/// Abbreviations without their last full stop. Sorted.
#[rustfmt::skip]
const ABBREVIATIONS: [&str; 156] = [
    ". . ", "a.a", "a.c", "a.d", "a.g", "a.h", "a.m", "a.m.e", "a.s", "a.t", "adm", "ala", "ariz", "aug",
    "ave", "b.f", "b.v", "bros", "c", "c.i.t", "c.o.m.b", "c.v", "calif", "chg", "cie", "co", "col", "colo",
    "conn", "corp", "cos", "ct", "d", "d.c", "d.h", "d.w", "dec", "dr", "e", "e.f", "e.h", "e.l", "e.m",
    "f", "f.g", "f.j", "feb", "fla", "fri", "ft", "g", "g.d", "g.f", "g.k", "ga", "gen", "h", "h.c", "h.f",
    "h.m", "i.m.s", "ill", "inc", "j.b", "j.c", "j.j", "j.k", "j.p", "j.r", "jan", "jr", "k", "kan", "ky",
    "l", "l.a", "l.f", "l.p", "lt", "ltd", "m", "m.b.a", "m.d.c", "m.j", "maj", "messrs", "mg", "mich",
    "minn", "mr", "mrs", "ms", "n", "n.c", "n.d", "n.h", "n.j", "n.m", "n.v", "n.y", "nev", "nov", "oct",
    "ok", "okla", "ore", "p", "p.a.m", "p.m", "pa", "ph.d", "prof", "r", "r.a", "r.h", "r.i", "r.j", "r.k",
    "r.t", "rep", "reps", "s", "s.a", "s.a.y", "s.c", "s.g", "s.p.a", "s.s", "sen", "sep", "sept", "sr",
    "st", "sw", "t", "t.j", "tenn", "tues", "u.k", "u.n", "u.s", "u.s.a", "u.s.s.r", "v", "va", "vs", "vt",
    "w", "w.c", "w.r", "w.va", "w.w", "wash", "wed", "wis", "yr",
];

/// Words that often begin a sentence. Sorted.
#[rustfmt::skip]
const STARTERS: [&str; 39] = [
    "according", "although", "among", "both", "but", "despite", "even", "he", "however", "i", "if", "in",
    "indeed", "instead", "it", "many", "meanwhile", "moreover", "most", "nevertheless", "nonetheless",
    "nor", "sales", "separately", "similarly", "since", "so", "some", "the", "there", "these", "they",
    "this", "though", "thus", "under", "when", "while", "yet",
];

/// What comes before a full stop and what follows it within one sentence. Sorted.
#[rustfmt::skip]
const COLLOCATIONS: [(&str, &str); 37] = [
    ("##number##", "abreast"), ("##number##", "aes"), ("##number##", "business"), ("##number##", "cbot"),
    ("##number##", "colgate"), ("##number##", "commodities"), ("##number##", "cooper"),
    ("##number##", "corrections"), ("##number##", "credit"), ("##number##", "dividend"),
    ("##number##", "financing"), ("##number##", "genentech"), ("##number##", "henley"),
    ("##number##", "insider"), ("##number##", "international"), ("##number##", "leisure"),
    ("##number##", "letters"), ("##number##", "notable"), ("##number##", "pay-fone"),
    ("##number##", "pegasus"), ("##number##", "pepper"), ("##number##", "review"), ("##number##", "rj"),
    ("##number##", "wedgestone"), ("##number##", "who"), ("##number##", "zimmer"), ("b", "edelman"),
    ("b", "levine"), ("b", "smith"), ("b", "stewart"), ("b", "wigton"), ("i", "magnin"), ("i", "toussie"),
    ("j", "aron"), ("j", "fialka"), ("j", "walter"), ("o", "ludcke"),
];

/// The words that were seen with a small first letter, one a line and sorted by their bytes, some with a tab and a mark.
const WORDS: &str = include_str!("english_words.txt");

/// How a word was written in the texts that Punkt has learned from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// With a small first letter.
    pub(super) small: bool,
    /// With a capital inside a sentence (marked `^`).
    pub(super) capital_inside: bool,
    /// Never with a capital, and at the beginning of a sentence (marked `?`).
    pub(super) small_at_the_beginning: bool,
}

/// Whether it is an abbreviation, written small and without its last full stop.
pub(super) fn is_abbreviation(word: &str) -> bool {
    ABBREVIATIONS.binary_search(&word).is_ok()
}

pub(super) fn often_begins(word: &str) -> bool {
    STARTERS.binary_search(&word).is_ok()
}

pub(super) fn belong_together(word: &str, next: &str) -> bool {
    COLLOCATIONS.binary_search(&(word, next)).is_ok()
}

/// How a word, written small, was seen. It halves the list, so nothing is built from it and kept.
pub(super) fn seen(word: &str) -> Seen {
    let mut rest = WORDS;
    while !rest.is_empty() {
        let (before, line, after) = middle(rest);
        let (known, mark) = line.split_once('\t').unwrap_or((line, ""));
        match word.cmp(known) {
            Ordering::Less => rest = before,
            Ordering::Greater => rest = after,
            Ordering::Equal => {
                return Seen {
                    small: true,
                    capital_inside: mark == "^",
                    small_at_the_beginning: mark == "?",
                };
            }
        }
    }
    Seen::default()
}

/// A line from about the middle of some whole lines, with those before and after it.
fn middle(lines: &str) -> (&str, &str, &str) {
    let bytes = lines.as_bytes();
    let half = bytes.len() / 2;
    let start = bytes.iter().take(half).rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let end = bytes.iter().skip(half).position(|byte| *byte == b'\n').map_or(bytes.len(), |at| half + at);
    // Both are beside line feeds, so they are between characters.
    let (before, rest) = lines.split_at_checked(start).unwrap_or(("", lines));
    let (line, after) = rest.split_at_checked(end - start).unwrap_or((rest, ""));
    (before, line, after.strip_prefix('\n').unwrap_or(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_searched_by_halves_is_sorted() {
        assert!(ABBREVIATIONS.is_sorted() && STARTERS.is_sorted() && COLLOCATIONS.is_sorted());
        assert!(WORDS.lines().map(|line| line.split('\t').next()).is_sorted());
    }

    #[test]
    fn every_word_is_found_as_it_is_marked() {
        for line in WORDS.lines() {
            let (word, mark) = line.split_once('\t').unwrap_or((line, ""));
            let found = seen(word);
            assert!(found.small, "{word}");
            assert_eq!(
                (found.capital_inside, found.small_at_the_beginning),
                (mark == "^", mark == "?"),
                "{word}"
            );
        }
        for strange in ["", "a-", "zzz", "\t", "the\t", "ǝ"] {
            assert_eq!(seen(strange), Seen::default(), "{strange}");
        }
    }
}
