//! What Punkt has to know of English: abbreviations, words that begin sentences, and how common words are written.

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

/// Common words that are written small inside a sentence. Sorted.
#[rustfmt::skip]
const SMALL: [&str; 83] = [
    "above", "almost", "along", "already", "always", "anybody", "anyone", "anything", "ask", "behind",
    "being", "between", "call", "cannot", "does", "done", "either", "else", "enough", "ever", "except",
    "her", "here", "hers", "herself", "him", "himself", "indeed", "instead", "into", "least", "mine",
    "moreover", "myself", "need", "neither", "nevertheless", "nor", "nothing", "okay", "ours", "ourselves",
    "please", "put", "right", "same", "seem", "so", "someone", "sometimes", "soon", "sorry", "still",
    "such", "thank", "thanks", "them", "themselves", "therefore", "think", "though", "through", "thus",
    "together", "tomorrow", "unless", "upon", "us", "very", "wait", "were", "whenever", "whether", "which",
    "whole", "whom", "within", "without", "yes", "yesterday", "yet", "your", "yourself",
];

/// Common words that are also written with a capital inside a sentence, in names and titles. Sorted.
#[rustfmt::skip]
const EITHER: [&str; 175] = [
    "a", "about", "after", "again", "against", "all", "alone", "also", "although", "am", "among", "an",
    "and", "another", "any", "are", "around", "as", "at", "away", "back", "be", "because", "been", "before",
    "below", "both", "but", "by", "can", "come", "could", "day", "did", "do", "down", "during", "each",
    "even", "every", "everybody", "everyone", "everything", "few", "find", "first", "for", "from", "give",
    "go", "good", "great", "had", "has", "have", "he", "help", "his", "how", "however", "if", "in", "is",
    "it", "its", "itself", "just", "keep", "kind", "know", "last", "late", "later", "less", "let", "like",
    "little", "long", "look", "made", "make", "many", "may", "maybe", "me", "meanwhile", "might", "more",
    "most", "much", "must", "my", "near", "never", "new", "next", "no", "nobody", "none", "not", "now",
    "of", "off", "often", "on", "once", "one", "only", "or", "other", "others", "our", "out", "over", "own",
    "people", "perhaps", "quite", "rather", "really", "said", "say", "second", "see", "several", "she",
    "should", "show", "since", "some", "somebody", "something", "sure", "take", "tell", "than", "that",
    "the", "their", "then", "there", "these", "they", "thing", "this", "those", "three", "time", "to",
    "today", "too", "toward", "two", "under", "until", "up", "use", "want", "was", "way", "we", "well",
    "what", "whatever", "when", "where", "while", "who", "whose", "why", "will", "with", "wonder", "would",
    "you",
];

/// How a word is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// With a small first letter.
    pub(super) small: bool,
    /// Also with a capital, inside a sentence.
    pub(super) capital_inside: bool,
}

/// Whether it is an abbreviation, written small and without its last full stop.
pub(super) fn is_abbreviation(word: &str) -> bool {
    ABBREVIATIONS.binary_search(&word).is_ok()
}

pub(super) fn often_begins(word: &str) -> bool {
    STARTERS.binary_search(&word).is_ok()
}

/// How a word, written small, is written; nothing is known of most.
pub(super) fn seen(word: &str) -> Seen {
    let capital_inside = EITHER.binary_search(&word).is_ok();
    Seen { small: capital_inside || SMALL.binary_search(&word).is_ok(), capital_inside }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_searched_by_halves_is_sorted() {
        assert!(ABBREVIATIONS.is_sorted() && STARTERS.is_sorted() && SMALL.is_sorted() && EITHER.is_sorted());
    }

    #[test]
    fn a_common_word_is_known_and_a_name_is_not() {
        assert_eq!(seen("they"), Seen { small: true, capital_inside: SMALL.binary_search(&"they").is_err() });
        assert_eq!(seen("smith"), Seen::default());
        assert_eq!(seen(""), Seen::default());
    }
}
