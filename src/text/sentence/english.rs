//! What Punkt has to know of English: abbreviations, words that begin sentences, and how common words are written.
//!
//! NLTK's model has learned all that from newspapers. These lists are not taken from it: they are what is commonly known of
//! English, put together for this file, and tried on what NLTK makes of texts. So they have neither what that model has
//! learned beside (initials of people who were in the news), nor `e.g.`, `i.e.` and `etc.`, which it takes for no
//! abbreviations: it, and so this, ends a sentence there.

/// Abbreviations without their last full stop: titles, months, weekdays, states, streets, measures, companies, initials.
/// Those that are common words, too, are left out: `sat`, `sun`, `mar`, `miss`, `ill`, `no`, `a`, `b`, `i`. Sorted.
#[rustfmt::skip]
const ABBREVIATIONS: [&str; 153] = [
    "a.d", "a.m", "adm", "ala", "apr", "ariz", "assn", "aug", "ave", "b.a", "b.sc", "blvd", "bros", "c",
    "calif", "capt", "cie", "cmdr", "co", "col", "colo", "conn", "corp", "cos", "cpl", "ct", "d", "d.c",
    "d.d.s", "dec", "dr", "e", "esq", "f", "f.d.r", "feb", "fla", "fri", "ft", "g", "ga", "gen", "gov", "h",
    "hon", "hr", "hrs", "hwy", "inc", "j.f.k", "j.k", "j.r", "j.r.r", "jan", "jr", "k", "kan", "ky", "l",
    "l.a", "lb", "lbs", "ll.b", "ll.d", "lt", "ltd", "m", "m.a", "m.b.a", "m.d", "m.sc", "maj", "md", "messrs",
    "mfg", "mg", "mich", "minn", "mlle", "mme", "mon", "mont", "mr", "mrs", "ms", "mx", "n", "n.c", "n.d",
    "n.h", "n.j", "n.m", "n.v", "n.y", "neb", "nebr", "nev", "nov", "oct", "okla", "ore", "oz", "p", "p.m",
    "pa", "ph.d", "pres", "prof", "pvt", "r", "r.i", "rd", "rep", "reps", "rev", "s", "s.a", "s.c", "s.d",
    "s.p.a", "sen", "sep", "sept", "sgt", "sq", "sr", "st", "supt", "t", "tenn", "tex", "thu", "thur", "thurs",
    "tue", "tues", "u.k", "u.n", "u.s", "u.s.a", "u.s.s.r", "v", "va", "vs", "vt", "w", "w.va", "wash", "wed",
    "wis", "wyo", "yr", "yrs",
];

/// Words that often begin a sentence. Sorted.
#[rustfmt::skip]
const STARTERS: [&str; 48] = [
    "according", "although", "among", "and", "both", "but", "despite", "even", "furthermore", "he", "hence",
    "here", "however", "i", "if", "in", "indeed", "instead", "it", "many", "meanwhile", "moreover", "most",
    "nevertheless", "nonetheless", "nor", "otherwise", "she", "similarly", "since", "so", "some", "that",
    "the", "then", "there", "therefore", "these", "they", "this", "those", "though", "thus", "we", "when",
    "while", "yet", "you",
];

/// Common words that are written small inside a sentence: names and titles seldom have them. Sorted.
#[rustfmt::skip]
const SMALL: [&str; 102] = [
    "almost", "along", "already", "although", "always", "anybody", "anyone", "anything", "because", "besides",
    "cannot", "could", "did", "does", "done", "either", "else", "enough", "ever", "everybody", "everyone",
    "everything", "except", "furthermore", "hence", "her", "hers", "herself", "him", "himself", "however",
    "indeed", "instead", "into", "itself", "maybe", "meanwhile", "mine", "moreover", "myself", "neither",
    "nevertheless", "nobody", "none", "nor", "nothing", "often", "otherwise", "ours", "ourselves", "perhaps",
    "please", "quite", "rather", "really", "same", "seem", "several", "should", "so", "somebody", "someone",
    "something", "sometimes", "soon", "sorry", "still", "such", "than", "thank", "thanks", "them",
    "themselves", "then", "therefore", "these", "those", "though", "thus", "together", "tomorrow", "unless",
    "until", "upon", "us", "very", "wait", "were", "whatever", "whenever", "whether", "which", "whom", "whose",
    "within", "without", "would", "yes", "yesterday", "yet", "your", "yourself",
];

/// Common words that are also written with a capital inside a sentence, in names and titles. Sorted.
#[rustfmt::skip]
const EITHER: [&str; 161] = [
    "a", "about", "above", "after", "again", "against", "all", "alone", "also", "am", "among", "an", "and",
    "another", "any", "are", "around", "as", "ask", "at", "away", "back", "be", "been", "before", "behind",
    "being", "below", "between", "both", "but", "by", "call", "can", "come", "day", "do", "down", "during",
    "each", "even", "every", "few", "find", "first", "for", "from", "give", "go", "good", "great", "had",
    "has", "have", "he", "help", "here", "his", "how", "i", "if", "in", "is", "it", "its", "just", "keep",
    "kind", "know", "last", "late", "later", "least", "less", "let", "like", "little", "long", "look", "made",
    "make", "many", "may", "me", "might", "more", "most", "much", "must", "my", "near", "need", "never", "new",
    "next", "no", "not", "now", "of", "off", "okay", "on", "once", "one", "only", "or", "other", "others",
    "our", "out", "over", "own", "people", "put", "right", "said", "say", "second", "see", "she", "show",
    "since", "some", "sure", "take", "tell", "that", "the", "their", "there", "they", "thing", "think", "this",
    "three", "through", "time", "to", "today", "too", "toward", "two", "under", "up", "use", "want", "was",
    "way", "we", "well", "what", "when", "where", "while", "who", "whole", "why", "will", "with", "wonder",
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
