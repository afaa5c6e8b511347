//! Texts as rows.

use super::{data, named, onnx, read};
use mape::infer::{Error, Limits, Model, RowError, Settings, UNKNOWN};
use mape::text::Vocabulary;

/// The words of a model of the folder.
fn words() -> Vocabulary {
    let known = ["volunt", "help", "hour"].map(String::from);
    Vocabulary::new(known.into_iter().chain((3..44).map(|n| format!("word{n}")))).unwrap()
}

fn settings() -> Settings {
    Settings { vocabulary: Some(words()), ..Settings::default() }
}

#[tokio::test]
async fn a_text_is_the_row_of_its_bag_of_words() {
    let model = Model::load(data("mlp.onnx"), settings()).await.unwrap();
    assert_eq!(model.describe().words, 44);
    let text = model.run(["Volunteers are HELPING, helping!", "word43"]).await.unwrap();
    let mut rows = vec![vec![0.0_f32; 44]; 2];
    (rows[0][0], rows[0][1], rows[1][43]) = (1.0, 1.0, 1.0);
    assert_eq!(text, model.run(&rows).await.unwrap());
    // Without a verdict, also what says nothing is answered.
    assert_eq!(model.run(["Guten Tag"]).await.unwrap(), model.run(&[vec![0.0; 44]]).await.unwrap());
}

#[tokio::test]
async fn a_text_without_a_known_word_is_unknown() {
    let models = mape::infer::Models::new();
    models.load("texts", None, data("mlp.onnx"), settings()).await.unwrap();
    let verdicts = models.judge("texts", ["Guten Tag", "", "hours"]).await.unwrap();
    let verdicts: Vec<_> = verdicts.into_iter().map(Result::unwrap).collect();
    assert_eq!((&*verdicts[0].class, verdicts[0].scores.len()), (UNKNOWN, 0));
    assert_eq!((&*verdicts[1].class, verdicts[1].scores.len()), (UNKNOWN, 0));
    assert_eq!(verdicts[2].scores.len(), 7);
    assert_eq!(models.get("texts").unwrap().counts["unknown"], 2);
}

#[tokio::test]
async fn a_text_that_is_too_long_or_for_a_model_without_words_has_an_error_of_its_own() {
    let limits = Limits { text_bytes: 10, ..Limits::default() };
    let model = Model::load(data("mlp.onnx"), Settings { limits, ..settings() }).await.unwrap();
    let answers = model.run(["help", "help help help"]).await.unwrap();
    assert!(answers[0].is_ok());
    assert_eq!(answers[1], Err(RowError::Long { row: 1, bytes: 14, limit: 10 }));
    let reason = answers[1].as_ref().unwrap_err().reason();
    assert!(reason.starts_with("the text of it has 14 bytes and may have 10"), "{reason}");
    let plain = read(&onnx::scaled(2, 1.0), Settings::default()).await;
    let answers = plain.run(["help"]).await.unwrap();
    assert_eq!(answers, [Err(RowError::Text { row: 0 })]);
}

#[tokio::test]
async fn a_vocabulary_of_another_length_is_refused_and_so_is_a_version_with_other_words() {
    let vocabulary = Some(Vocabulary::new(["help", "hour"]).unwrap());
    let error =
        Model::load(data("mlp.onnx"), Settings { vocabulary, ..Settings::default() }).await.unwrap_err();
    assert!(matches!(error, Error::Vocabulary { inputs: 44, words: 2, .. }), "{error}");

    let of = |words: [&str; 2]| Settings {
        vocabulary: Some(Vocabulary::new(words).unwrap()),
        ..Settings::default()
    };
    let models = named(&onnx::scaled(2, 1.0), of(["help", "hour"])).await;
    let same = read(&onnx::scaled(2, 2.0), of(["help", "hour"])).await;
    models.add("m", None, same).unwrap();
    let other = read(&onnx::scaled(2, 2.0), of(["hour", "help"])).await;
    let error = models.add("m", None, other).unwrap_err();
    assert!(error.to_string().contains("its words are others than those of `1`"), "{error}");
}
