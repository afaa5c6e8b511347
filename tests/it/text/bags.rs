//! Vocabularies and their bags, and both on streams.

use futures::{StreamExt, stream};
use mape::text::{Error, FeatureHasher, Reading, TextOperators, Vocabulary};
use serde::Deserialize;

fn vocabulary() -> Vocabulary {
    Vocabulary::new(["help", "n't", "?", "hour"]).unwrap()
}

#[test]
fn a_word_is_one_however_often_it_comes_and_in_the_order_of_the_vocabulary() {
    let bag = vocabulary().bag("Hours? I don't know the hours. HOURS").unwrap();
    assert_eq!(bag.numbers(), [0.0, 1.0, 1.0, 1.0]);
    assert_eq!((bag.known(), bag.unknown()), (5, 5));
    assert!(!bag.knows_none());
}

#[test]
fn a_text_of_no_known_word_says_so() {
    for text in ["", " \n", "Guten Tag", "😀", "helper's"] {
        let bag = vocabulary().bag(text).unwrap();
        let all_zero = bag.numbers().iter().all(|number| *number == 0.0);
        assert_eq!(bag.knows_none(), all_zero, "{text:?}");
        assert_eq!(bag.numbers().len(), 4);
    }
    assert!(vocabulary().bag("Guten Tag").unwrap().knows_none());
}

#[derive(Deserialize)]
struct Expected {
    text: String,
    bag: Vec<usize>,
}

#[test]
fn bags_are_those_that_the_model_of_the_example_was_trained_with() {
    let folder = format!("{}/examples/data/volunteers", env!("CARGO_MANIFEST_DIR"));
    let vocabulary = Vocabulary::open(format!("{folder}/vocabulary.json")).unwrap();
    let expected = std::fs::read_to_string(format!("{folder}/expected.json")).unwrap();
    let expected: Vec<Expected> = serde_json::from_str(&expected).unwrap();
    assert!(expected.len() > 200, "{} texts", expected.len());
    for Expected { text, bag } in expected {
        let found = vocabulary.bag(&text).unwrap();
        let places: Vec<_> = (0..vocabulary.len()).filter(|place| found.numbers()[*place] != 0.0).collect();
        assert_eq!(places, bag, "{text:?}");
        assert_eq!(found.knows_none(), bag.is_empty(), "{text:?}");
    }
}

#[test]
fn what_is_no_vocabulary_is_refused_with_the_place() {
    let refused = |words: &[&str]| Vocabulary::new(words.iter().copied()).unwrap_err().to_string();
    assert!(refused(&[]).starts_with("making a vocabulary: it has no words"));
    assert!(refused(&["a", ""]).starts_with("making a vocabulary: word 1 is empty"));
    assert!(refused(&["a", "b", "c", "b"]).starts_with("making a vocabulary: `b` is word 1 and word 3"));
    for json in ["", "{}", "[1]", "[\"a\"", "[\"a\"] x", "\"a\"", "[null]"] {
        assert!(matches!(Vocabulary::from_json(json), Err(Error::NoList(_))), "{json:?}");
    }
    assert!(matches!(Vocabulary::from_json("[]"), Err(Error::NoWords)));
}

#[test]
fn a_vocabulary_is_read_from_one_file_which_errors_name() {
    let folder = std::env::temp_dir().join(format!("mape-vocabulary-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("words.json");
    let missing = Vocabulary::open(&path).unwrap_err().to_string();
    assert!(missing.contains("reading the vocabulary") && missing.contains("words.json"), "{missing}");
    std::fs::write(&path, r#"["help", "help"]"#).unwrap();
    let twice = Vocabulary::open(&path).unwrap_err();
    assert!(twice.to_string().contains("words.json"), "{twice}");
    let why = std::error::Error::source(&twice).unwrap().to_string();
    assert!(why.contains("`help` is word 0 and word 1") && !twice.to_string().contains(&why), "{why}");
    std::fs::write(&path, r#"["help", "n't"]"#).unwrap();
    let read = Vocabulary::open(&path).unwrap();
    assert_eq!((read.len(), read.words().collect::<Vec<_>>()), (2, vec!["help", "n't"]));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn words_are_looked_for_in_what_the_reading_makes() {
    let words = Vocabulary::new(["helping", "Helping"]).unwrap();
    assert_eq!(words.bag("Helping").unwrap().numbers(), [0.0, 0.0]);
    assert_eq!(words.clone().read_by(Reading::words()).bag("Helping").unwrap().numbers(), [1.0, 0.0]);
    assert_eq!(words.clone().read_by(Reading::tokens()).bag("Helping").unwrap().numbers(), [0.0, 1.0]);
    let short = words.read_by(Reading::words().at_most(3));
    assert!(matches!(short.bag("Helping"), Err(Error::TooLong { bytes: 7, most: 3 })));
}

#[tokio::test]
async fn on_a_stream_a_text_that_is_too_long_is_an_error_in_its_place() {
    let short = vocabulary().read_by(Reading::stems().at_most(12));
    let texts = stream::iter(["help", "a text that is too long", "hours?"]);
    let bags: Vec<_> = texts.bag_of_words(&short).collect().await;
    assert_eq!(bags[0].as_ref().unwrap().numbers(), [1.0, 0.0, 0.0, 0.0]);
    assert!(matches!(bags[1], Err(Error::TooLong { bytes: 23, most: 12 })));
    assert_eq!(bags[2].as_ref().unwrap().numbers(), [0.0, 0.0, 1.0, 1.0]);
}

#[tokio::test]
async fn operators_make_what_the_functions_make() {
    let texts = || stream::iter(["Don't", "Volunteering!"].map(String::from));
    let made = |all: Vec<Result<Vec<String>, Error>>| all.into_iter().map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(made(texts().tokens().collect().await), [vec!["Do", "n't"], vec!["Volunteering", "!"]]);
    assert_eq!(made(texts().stems().collect().await), [vec!["do", "n't"], vec!["volunt", "!"]]);
    assert_eq!(
        made(texts().read_text_by(Reading::words()).collect().await),
        [vec!["do", "n't"], vec!["volunteering", "!"]]
    );
    let hasher = FeatureHasher::new(16).unwrap();
    let bags: Vec<_> = texts().hashed(hasher).collect().await;
    assert_eq!(bags[1].as_ref().unwrap(), &hasher.bag("Volunteering!").unwrap());
}
