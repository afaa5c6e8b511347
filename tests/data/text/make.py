"""Writes what NLTK and scikit-learn make of texts and words: `tokens.json`, `stems.txt`, `hashes.json`.

Run with nltk==3.10.4 (and its data `punkt_tab` for English, in a directory that NLTK_DATA names), scikit-learn==1.9.1:

    python make.py UTTERANCES.tsv [seed [how_many [folder]]]

UTTERANCES.tsv has an utterance and a tab in each line: CLINC150, of which README.md says more, and which file it was. Another
seed and number make other texts, for a longer comparison than what is committed.
"""

import json
import random
import sys
from pathlib import Path

from nltk.stem import LancasterStemmer
from nltk.tokenize import NLTKWordTokenizer, sent_tokenize, word_tokenize
from sklearn.feature_extraction import FeatureHasher
from sklearn.feature_extraction.text import HashingVectorizer

WRITTEN = [
    # each rule, and what is near it
    "", " ", "\n", ".", "?", "!", "...", "\"", "'", "''", "``", "`", "--", "-", "don't", "Don't stop.", "I can't, won't, shan't.",
    "cannot", "I CANNOT!", "Cannots cannot_ cannot2 scannot", "gonna gotta gimme lemme wanna", "I'm gonna.", "wanna!", "Wanna go? I wanna.",
    "d'ye see", "more'n that", "'tis so", "It 'tis, 'Twas", "'twas the night", "\t'tis", "whaddya whatcha",
    "\"Hello,\" she said.", "He said \"no\".", "(\"quoted\")", "[\"a\"] {\"b\"} <\"c\">", "a \"b\" 'c' ''d''", "x\"y\"z", "“curly” ‘single’ «guillemets» „low“",
    "it's Joe's and the boys' bikes", "I'd've they'll WE'LL We're YOU'RE I'VE", "rock 'n' roll", "'em 'cause 'bout 's 'd", "'Sup 'Tis", "o'clock O'Neil's",
    "1,000,000.50", "a,b", "a, b", "5:30", "time: now", "x:y", "end:", "end,", "end:\n", "end,,", ",", ":", "::", "a:,b", "$5.00, 5% & #1 @me; ok",
    "wait... what", "wait..", "wait.... no", ". . .", "a . . . b.", "so. . .", "2012–2015 — yes ― no ‒", "a--b---c", "*bold* **very**", "a*b",
    "(a) [b] {c} <d>", "e.g. this", "i.e., that", "U.S.A.", "in the U.S.", "Mr. Smith went.", "at 5 p.m. Can I?", "at 5 p.m. can I?", "at 9 a.m. The shop opens.",
    "Inc. said", "No. 5", "5. Five", "I am 5. You are 6.", "5. He goes", "J. Bach wrote", "by J. bach", "See A. B. C. Davis.", "ends with (parens.)", "He left. (She stayed.) They ate.",
    "\"Yes.\" \"No.\"", "Sent1.) Sent2.", "What?! Really!", "Hm... Yes. no... yes", "http://a.b/c?d=e&f.", "me@example.org.", "v1.2.3.", "3.5.", "A.", "I.", "X. Y.",
    "end.\"", "end.' ", "end.)", "end.”", "end.» ", "end. ’", "end.]}\n", "end.\" \"", "tab\tand\u00a0nbsp", "line\nbreak. Next\n\nparagraph", "\n\nleading", "trailing. \n",
    "\x1cseparated\x1fcan't\x1f", "é à ñ ÜBER Straße", "naïve café's", "日本語。テスト", "emoji 😀! 👍🏽.", "हिन्दी है।", "a\u0301 can\u0301not cannot\u0301", "gı\u0131mme GİMME 'tıs  'tİs",
    "ſ'ſ it'ſ 'ſx", "½ can½not ²", "x²cannot cannot²", "_cannot cannot_", "\u200dcannot\u200d", "!!!", "???", "?!?!", "!)", "?\" she", ".'", ".''", "a.b.c", "a.b. C", "a?b", "a?\"b\"",
    "a. b", "a. B", "etc. And", "etc. and", "Jan. 5", "on Tues. We", "Calif. The", "the U.S. He", "b. Stewart", "I. Toussie", "5. Who", "##number##. who", "0,5. Review", "-5. review",
    "Fig. 3.2, p. 4", "ph.d. students. PhD.", "x.-ltd. The", "semi-co. But", "so.... But", "so... but", "so... If", "so… If", "'", "' '", "'a", "'a'", "''a''", "a'", "a' b", "a'b'c", "(')", "'('",
    "n't", "can 't", "N'T isN'T isn'T", "'S 's x'S", "she'll 'll", "\"'", "'\"", "\"\"", "\"\"a\"\"", "``a''", "`a`", "'''", "''''", "'''a'''",
]
PIECES = (
    "I you we They he the The can cannot can't CAN'T don't gonna wanna 'tis 'em Mr. Dr. p.m. U.S. e.g. etc. Inc. J. A. B. I. 5 5. 3.14 1,000 $5 50% yes no No Yes "
    "help volunteer hours It's it's we'll He'd In However but But Who review Stewart bach Smith short-term Sales sales administrators abound Abound ltd. co. a.m. "
    "é ñ ß İ ı ſ ² ½ 日 😀 \u0301 \u200d _ x-ltd. m.b.a. sept. Tues. wash."
).split()
MARKS = [". ", "? ", "! ", ", ", ": ", "; ", " ", " ", " ", "  ", "\n", "\t", "", "", "\"", " \"", "\" ", "'", " '", "' ", "''", "``", "...", "... ", "..", ". . . ", "--", "-", "–", "—",
         "(", ")", "[", "]", "{", "}", "<", ">", "*", "&", "@", "#", "%", "$", "“", "”", "‘", "’", "«", "»", "„", ".)", ".\"", ".'", ".’ ", "?!", "!!", "\x1c", "\u00a0", "\x85"]

# Of these `mape::text` judges otherwise where a sentence ends: README.md says why.
LEFT_OUT = {
    "See A. B. C. Davis.",
    "a. B",
    "on Tues. We",
    "5. Who",
    "0,5. Review",
    "What mpg does this car get on the highway... Fix my language to spanish?",
    "What's up with you.) Yup... Recipe for beef stroganoff.\"",
    "What is the current time right now in hollywood... Remove jake's birthday on march 22.)",
    "Can you disconnect from my phone... Negative for sure Can you play music the beatles.)",
    "50%{Dr.\u2018gonna, we\u001c\u017f... Sales{yes B.\u001c",
    "\u00e9``\u00e9\u00a01,000! abound\u201dcan\u00abdon't... Sales; short-term\u00a0\u0301\u201c",
}


def texts(utterances, drawn, how_many):
    yield from WRITTEN
    yield from (text for text in drawn.sample(utterances, min(how_many // 3, len(utterances))))
    for _ in range(how_many // 6):
        # Utterances as people write them: with capitals and marks.
        some = drawn.sample(utterances, drawn.randint(2, 3))
        yield " ".join(text.capitalize() + drawn.choice([".", "!", "?", "...", "", ".)", ".\""]) for text in some)
    for _ in range(how_many // 2):
        yield "".join(drawn.choice(PIECES) + drawn.choice(MARKS) for _ in range(drawn.randint(1, 9)))


def main(source, seed=9, how_many=1200, folder="."):
    drawn, folder = random.Random(int(seed)), Path(folder)
    utterances = sorted({line.split("\t")[0] for line in Path(source).read_text(encoding="utf-8").splitlines()[1:]})
    line, stemmer = NLTKWordTokenizer(), LancasterStemmer()

    rows, seen, tokens = [], set(), 0
    for text in texts(utterances, drawn, int(how_many)):
        if text in seen or text in LEFT_OUT:
            continue
        seen.add(text)
        found = [[sentence, line.tokenize(sentence)] for sentence in sent_tokenize(text)]
        together = word_tokenize(text)
        assert together == [token for _, words in found for token in words]
        whole = word_tokenize(text, preserve_line=True)
        tokens += len(together)
        row = [text, found, None if whole == together else whole]
        rows.append(json.dumps(row, ensure_ascii=False, separators=(",", ":")))
    (folder / "tokens.json").write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")
    print(len(rows), "texts,", tokens, "tokens")

    words = {token for text in utterances for token in word_tokenize(text)} | {token for text in WRITTEN for token in word_tokenize(text)}
    words |= set("maximum presumably multiply provision owed ear saying crying string meant cement kilometer ness ceed exceed succeeding "
                 "a's don'ting x-ing éing über ÜBERing straßen naïvely aःing ९ing ǅing İng".split())
    words |= {"a" * 999 + "ing", "b" + "a" * 997 + "ed", "e" + "ing" * 333, "x" * 1001, "s" * 1000}
    words = sorted(words)
    stems = "".join(f"{word}\t{stemmer.stem(word)}\n" for word in words)
    (folder / "stems.txt").write_text(stems, encoding="utf-8")
    print(len(words), "words")

    rows = []
    for text in drawn.sample(utterances, 40) + ["", "a", "ab", "abc", "abcd", "abcde", "日本", "é 😀 naïve", "a a a b"]:
        words = [stemmer.stem(token.lower()) for token in word_tokenize(text)]
        for numbers in (1, 7, 64, 1000):
            made = {}
            for name, signs in (("signed", True), ("unsigned", False)):
                hasher = FeatureHasher(n_features=numbers, input_type="string", alternate_sign=signs)
                made[name] = sparse(hasher.transform([words]))
            normal = HashingVectorizer(n_features=numbers, analyzer=lambda text: text, norm="l2")
            made["normalised"] = sparse(normal.transform([words]))
            rows.append(json.dumps({"text": text, "numbers": numbers, **made}, ensure_ascii=False))
    (folder / "hashes.json").write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")
    print(len(rows), "hashed texts")


def sparse(row):
    """Places and numbers other than 0."""
    dense = row.toarray()[0]
    return [[int(place), float(dense[place])] for place in dense.nonzero()[0]]


if __name__ == "__main__":
    main(*sys.argv[1:])
