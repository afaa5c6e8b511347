//! From outputs to verdicts.

use super::onnx::{self, F32, Onnx, dims};
use super::{counted, data, expected, named, read};
use mape::infer::{Error, Model, Models, Settings, UNKNOWN, Verdict};
use serde_json::json;

const CLASSES: [&str; 7] = ["goodbye", "greeting", "hours", "interested", "opentoday", "payments", "thanks"];

fn classes(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn every_row_has_a_verdict_with_the_class_of_the_highest_score() {
    let models = Models::new();
    let settings = Settings { classes: classes(&CLASSES), ..Settings::default() };
    models.load("interests", Some("1.0"), data("mlp.onnx"), settings).await.unwrap();
    let expected = expected("mlp.expected.json");
    let verdicts = models.judge("interests", expected.iter().map(|row| &row.input)).await.unwrap();
    assert_eq!(verdicts.len(), expected.len());
    for (verdict, row) in verdicts.into_iter().zip(&expected) {
        let verdict: Verdict = verdict.unwrap();
        let best = (0..7).max_by(|a, b| row.output[*a].total_cmp(&row.output[*b])).unwrap();
        assert_eq!(verdict.class(), CLASSES[best]);
        assert!((verdict.score() - row.output[best]).abs() < 1e-5);
        assert_eq!(verdict.scores().len(), 7);
        assert_eq!((verdict.model(), verdict.version()), ("interests", "1.0"));
    }
    assert_eq!(counted("interests").of("rows"), expected.len() as u64);
}

#[tokio::test]
async fn a_score_below_the_threshold_is_unknown_and_goes_on_with_its_scores() {
    let settings = Settings { classes: classes(&["no", "yes"]), threshold: 0.6, ..Settings::default() };
    let models = named(&onnx::scaled(2, 1.0), settings).await;
    let verdicts = models.judge("m", &[vec![0.4, 0.6], vec![0.41, 0.59], vec![0.9, 0.1]]).await.unwrap();
    let verdicts: Vec<Verdict> = verdicts.into_iter().map(Result::unwrap).collect();
    // What f32 makes of 0.6 is a little more.
    assert_eq!(verdicts[0].class(), "yes");
    assert_eq!((verdicts[1].class(), verdicts[1].is_unknown()), (UNKNOWN, true));
    assert!((verdicts[1].score() - 0.59).abs() < 1e-6 && verdicts[1].scores().len() == 2);
    assert_eq!(verdicts[2].class(), "no");
    // Written down and read, they are the same.
    let written = serde_json::to_value(&verdicts[2]).unwrap();
    let scores = json!([verdicts[2].scores()[0], verdicts[2].scores()[1]]);
    let expected = json!({"class": "no", "score": scores[0], "scores": scores, "model": "m", "version": "1"});
    assert_eq!(written, expected);
    for verdict in verdicts {
        let read: Verdict = serde_json::from_value(json!(verdict)).unwrap();
        assert_eq!((&read, read.is_unknown()), (&verdict, verdict.is_unknown()));
    }
}

#[tokio::test]
async fn of_many_classes_there_are_all_scores() {
    let models = named(&onnx::scaled(20, 1.0), Settings::default()).await;
    let row: Vec<f64> = (0..20).map(f64::from).collect();
    let verdicts = models.judge("m", std::slice::from_ref(&row)).await.unwrap();
    let verdict = verdicts[0].as_ref().unwrap();
    assert_eq!((verdict.class(), verdict.score(), verdict.scores()), ("19", 19.0, &row[..]));
    assert_eq!(&serde_json::from_value::<Verdict>(json!(verdict)).unwrap(), verdict);
}

#[tokio::test]
async fn a_bag_without_a_known_word_is_unknown_and_not_classified() {
    let settings = Settings { classes: classes(&CLASSES), blank_is_unknown: true, ..Settings::default() };
    let models = Models::new();
    models.load("blank", None, data("mlp.onnx"), settings).await.unwrap();
    let mut rows = vec![vec![0.0; 44]; 3];
    rows[1][5] = 1.0;
    let verdicts = models.judge("blank", &rows).await.unwrap();
    let verdicts: Vec<Verdict> = verdicts.into_iter().map(Result::unwrap).collect();
    for blank in [&verdicts[0], &verdicts[2]] {
        assert_eq!((blank.class(), blank.score(), blank.scores().len()), (UNKNOWN, 0.0, 0));
    }
    assert!(!verdicts[1].is_unknown());
    assert_eq!(counted("blank").of("unknown"), 2);
    let models = Models::new();
    models.load("asked", None, data("mlp.onnx"), Settings::default()).await.unwrap();
    assert_eq!(models.judge("asked", &rows).await.unwrap()[0].as_ref().unwrap().scores().len(), 7);
}

#[tokio::test]
async fn without_names_classes_are_numbers_and_of_equal_scores_the_first_wins() {
    let models = named(&onnx::scaled(3, 1.0), Settings::default()).await;
    let verdicts = models.judge("m", &[vec![0.0, 2.0, 2.0], vec![-3.0, -2.0, -1.0]]).await.unwrap();
    assert_eq!(verdicts[0].as_ref().unwrap().class(), "1");
    // A threshold of 0 believes no negative score.
    assert!(verdicts[1].as_ref().unwrap().is_unknown());
}

#[tokio::test]
async fn one_output_with_two_names_is_the_score_of_the_second() {
    let settings = Settings { classes: classes(&["no", "yes"]), ..Settings::default() };
    let models = named(&onnx::scaled(1, 1.0), settings).await;
    let verdicts = models.judge("m", &[vec![0.25], vec![0.75]]).await.unwrap();
    let verdicts: Vec<Verdict> = verdicts.into_iter().map(Result::unwrap).collect();
    assert_eq!(
        (verdicts[0].class(), verdicts[0].score(), verdicts[0].scores()),
        ("no", 0.75, &[0.75, 0.25][..])
    );
    assert_eq!((verdicts[1].class(), verdicts[1].score()), ("yes", 0.75));
}

#[tokio::test]
async fn as_many_names_as_outputs_are_asked_for() {
    let settings = Settings { classes: classes(&["a", "b"]), ..Settings::default() };
    let error = Model::load(data("mlp.onnx"), settings).await.unwrap_err();
    assert!(matches!(error, Error::Classes { outputs: 7, classes: 2, .. }), "{error}");
}

#[tokio::test]
async fn a_verdict_is_written_and_read_as_json() {
    let models = named(&onnx::scaled(2, 1.0), Settings::default()).await;
    let verdict = models.judge("m", &[vec![0.25, 0.75]]).await.unwrap().remove(0).unwrap();
    let json = serde_json::to_value(&verdict).unwrap();
    let whole = serde_json::json!(
        {"class": "1", "score": 0.75, "scores": [0.25, 0.75], "model": "m", "version": "1"}
    );
    assert_eq!(json, whole);
    assert_eq!(serde_json::from_value::<Verdict>(json).unwrap(), verdict);
}

#[tokio::test]
async fn rows_without_a_verdict_are_counted_by_why() {
    let models = Models::new();
    models.add("why", None, read(&onnx::logarithm(1), Settings::default()).await).unwrap();
    let rows = [vec![1.0], vec![-1.0], vec![f64::NAN], vec![]];
    let verdicts = models.judge("why", &rows).await.unwrap();
    assert_eq!(verdicts.iter().filter(|verdict| verdict.is_ok()).count(), 1);
    let counted = counted("why");
    assert_eq!((counted.of("rows"), counted.of("refused"), counted.of("unanswered")), (4, 2, 1));
    assert_eq!(counted.of("batches"), 1);
}

#[tokio::test]
async fn an_unknown_model_is_told_with_those_that_there_are() {
    let models = named(&onnx::scaled(1, 1.0), Settings::default()).await;
    models.add("interests", None, read(&onnx::scaled(1, 1.0), Settings::default()).await).unwrap();
    let error = models.judge("interest", &[vec![1.0]]).await.unwrap_err();
    let told =
        "there is no model called `interest` (did you mean `interests`?); there are `interests` and `m`";
    assert_eq!(error.to_string(), told);
    assert!(!error.is_transient());
    let flat =
        Onnx::new().input("x", F32, dims!["N", 1]).output("y", F32, dims!["N", 1]).node("Neg", &["x"], "y");
    let model = read(&flat, Settings::default()).await;
    for name in ["", "a/b", &"x".repeat(201)] {
        assert!(matches!(models.add(name, None, model.clone()), Err(Error::Name { .. })));
        assert!(matches!(models.add("m", Some(name), model.clone()), Err(Error::Name { .. })));
    }
}
