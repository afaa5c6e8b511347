//! Texts that are rows of a model with a vocabulary.

use super::{counted, data, expected, named, onnx, read};
use mape::infer::{Error, Given, Input, Limits, Model, Models, RowError, Settings};
use mape::text::Vocabulary;
use serde::Deserialize;

fn volunteers(name: &str) -> String {
    format!("{}/examples/data/volunteers/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn classes() -> Vec<String> {
    serde_json::from_str(&std::fs::read_to_string(volunteers("classes.json")).unwrap()).unwrap()
}

fn settings() -> Settings {
    let vocabulary = Vocabulary::open(volunteers("vocabulary.json")).unwrap();
    Settings { vocabulary: Some(vocabulary), classes: classes(), ..Settings::default() }
}

/// The comments, in the order of their file.
fn comments() -> Vec<String> {
    let file = std::fs::read_to_string(volunteers("comments.tsv")).unwrap();
    file.lines().skip(1).map(|line| line.split('\t').nth(3).unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_thousand_texts_have_the_classes_that_onnxruntime_gives_them() {
    let models = Models::new();
    models.load("texts", None, volunteers("interest.onnx"), settings()).await.unwrap();
    let given = std::fs::read_to_string(data("comments.classes.txt")).unwrap();
    let given: Vec<char> = given.chars().filter(|class| !class.is_whitespace()).collect();
    assert_eq!(given.len(), 1000);
    let (comments, names) = (comments(), classes());
    let mut unknown = 0;
    for (texts, given) in comments[..1000].chunks(256).zip(given.chunks(256)) {
        let verdicts = models.judge("texts", texts).await.unwrap();
        assert_eq!(verdicts.len(), texts.len());
        for ((text, verdict), class) in texts.iter().zip(verdicts).zip(given) {
            let verdict = verdict.unwrap();
            if let Some(class) = class.to_digit(10) {
                assert_eq!(verdict.class(), names[usize::try_from(class).unwrap()], "{text}");
            } else {
                assert!(verdict.is_unknown() && verdict.scores().is_empty(), "{text}");
                unknown += 1;
            }
        }
    }
    assert_eq!((unknown, counted("texts").of("unknown")), (26, 26));
}

#[tokio::test]
async fn both_versions_of_the_example_score_texts_as_onnxruntime() {
    #[derive(Deserialize)]
    struct Asked {
        text: String,
        bag: Vec<usize>,
        interest: Scores,
        #[serde(rename = "interest-2")]
        second: Scores,
    }
    #[derive(Deserialize)]
    struct Scores {
        scores: Vec<f64>,
    }
    let texts = std::fs::read_to_string(volunteers("expected.json")).unwrap();
    let texts: Vec<Asked> = serde_json::from_str(&texts).unwrap();
    for version in ["interest", "interest-2"] {
        let model = Model::load(volunteers(&format!("{version}.onnx")), settings()).await.unwrap();
        let answers = model.run(texts.iter().map(|text| &text.text)).await.unwrap();
        for (text, answer) in texts.iter().zip(answers) {
            let scores = if version == "interest" { &text.interest.scores } else { &text.second.scores };
            assert!(super::are_close(&answer.unwrap(), scores), "{} {:?}", text.text, text.bag);
        }
    }
}

#[tokio::test]
async fn texts_that_are_too_long_or_for_a_model_without_words_fail_alone() {
    let limits = Limits { text_bytes: 100, ..Limits::default() };
    let model = Model::load(volunteers("interest.onnx"), Settings { limits, ..settings() }).await.unwrap();
    let long = "yes ".repeat(26);
    let answers = model.run(["yes", &long, "no"]).await.unwrap();
    assert_eq!(answers[1], Err(RowError::Long { row: 1, bytes: 104, limit: 100 }));
    assert!(answers[0].is_ok() && answers[2].is_ok());
    let bare = Model::load(data("mlp.onnx"), Settings::default()).await.unwrap();
    let row = &expected("mlp.expected.json")[1].input;
    let answers = bare.run([Input::from("yes"), Input::from(row)]).await.unwrap();
    assert_eq!(answers[0], Err(RowError::Text { row: 0 }));
    assert!(answers[1].is_ok());
    let error =
        Model::load(data("mlp.onnx"), Settings { classes: Vec::new(), ..settings() }).await.unwrap_err();
    assert!(matches!(error, Error::Vocabulary { inputs: 44, words: 349, .. }), "{error}");
}

#[tokio::test]
async fn texts_and_rows_are_read_from_json_and_judged_together() {
    let model = Model::load(volunteers("interest.onnx"), settings()).await.unwrap();
    let zeros = serde_json::to_string(&vec![0; 349]).unwrap();
    let lines = format!("[\"yes please\", {zeros}, {{\"input\": {zeros}, \"id\": 7}}]");
    let given: Vec<Given> = serde_json::from_str(&lines).unwrap();
    assert_eq!(given[0], Given::Text("yes please".to_owned()));
    let answers = model.run(&given).await.unwrap();
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().len() == 10));
    assert_eq!(answers[1], answers[2]);
    assert!(serde_json::from_str::<Given>("[1, null]").is_err());
}

#[tokio::test]
async fn a_version_with_other_words_is_refused() {
    let of = |words: [&str; 2]| Settings {
        vocabulary: Some(Vocabulary::new(words).unwrap()),
        ..Settings::default()
    };
    let models = named(&onnx::scaled(2, 1.0), of(["help", "hour"])).await;
    assert_eq!(models.describe("m").unwrap().words, 2);
    models.add("m", None, read(&onnx::scaled(2, 2.0), of(["help", "hour"])).await).unwrap();
    let other = read(&onnx::scaled(2, 2.0), of(["hour", "help"])).await;
    let error = models.add("m", None, other).unwrap_err();
    assert!(error.to_string().contains("its words are others than those of `1`"), "{error}");
}

#[tokio::test]
async fn a_version_without_words_is_refused_where_the_live_one_takes_texts() {
    let words = |words: Option<Vocabulary>| Settings { vocabulary: words, ..Settings::default() };
    let vocabulary = Vocabulary::new(["help", "hour"]).unwrap();
    let models = named(&onnx::scaled(2, 1.0), words(Some(vocabulary.clone()))).await;
    let error = models.add("m", None, read(&onnx::scaled(2, 2.0), words(None)).await).unwrap_err();
    assert!(error.to_string().contains("it has no words, so it takes no texts as `1` does"), "{error}");
    // What takes texts, too, takes all that the live one does.
    let models = named(&onnx::scaled(2, 1.0), words(None)).await;
    models.add("m", None, read(&onnx::scaled(2, 2.0), words(Some(vocabulary))).await).unwrap();
}
