//! Loading models, and what is told of those that can't be loaded.

use super::onnx::{self, F32, F64, I64, Onnx, TEXT, dims};
use super::{Expected, are_close, data, expected, read};
use mape::infer::{Batch, Error, Kind, Limits, Model, Settings};
use std::time::Duration;

async fn answers_as_expected(model: &Model, expected: &[Expected]) {
    let together = model.run(expected.iter().map(|row| &row.input)).await.unwrap();
    for (row, answer) in expected.iter().zip(&together) {
        assert!(are_close(answer.as_ref().unwrap(), &row.output), "{answer:?} {:?}", row.output);
        let alone = model.run([&row.input]).await.unwrap();
        assert!(are_close(alone[0].as_ref().unwrap(), &row.output));
    }
}

#[tokio::test]
async fn an_onnx_model_answers_as_onnxruntime() {
    for name in ["mlp", "mlp-2"] {
        let model = Model::load(data(&format!("{name}.onnx")), Settings::default()).await.unwrap();
        answers_as_expected(&model, &expected(&format!("{name}.expected.json"))).await;
    }
}

#[tokio::test]
async fn a_frozen_graph_answers_as_tensorflow() {
    let model = Model::load(data("frozen.pb"), Settings::default()).await.unwrap();
    answers_as_expected(&model, &expected("frozen.expected.json")).await;
    assert_eq!(model.describe().kind, Kind::Tensorflow);
    let settings =
        Settings { input: Some("x:0".into()), output: Some("Identity:0".into()), ..Settings::default() };
    let model = Model::load(data("frozen.pb"), settings).await.unwrap();
    assert_eq!(model.describe().output.name, "Identity");
}

#[tokio::test]
async fn a_model_says_what_it_takes_and_gives() {
    let model = Model::load(data("mlp.onnx"), Settings::default()).await.unwrap();
    let described = model.describe();
    assert_eq!((described.input.name.as_str(), described.input.shape.as_slice()), ("bag", &[44][..]));
    assert_eq!((described.output.name.as_str(), described.output.width()), ("scores", 7));
    assert_eq!(described.batch, Batch::Any);
    let told = described.to_string();
    assert!(told.contains("bag [44] f32 -> scores [7] f32, any number of rows"), "{told}");
    let json = serde_json::to_value(described).unwrap();
    assert_eq!(json["input"], serde_json::json!({"name": "bag", "type": "f32", "shape": [44]}));
}

#[tokio::test]
async fn a_tensor_inside_a_model_can_be_its_output() {
    let settings = Settings { output: Some("logits".into()), ..Settings::default() };
    let model = Model::load(data("mlp.onnx"), settings).await.unwrap();
    let row = &expected("mlp.expected.json")[1];
    let logits = model.run([&row.input]).await.unwrap().remove(0).unwrap();
    let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
    let scores: Vec<f64> = logits.iter().map(|logit| logit.exp() / sum).collect();
    assert!(are_close(&scores, &row.output));
}

#[tokio::test]
async fn a_batch_of_one_becomes_any_number_where_the_model_bears_it() {
    let fixed = Onnx::new()
        .input("x", F32, dims![1, 2])
        .output("y", F32, dims![1, 2])
        .floats("by", &[1], &[3.0])
        .node("Mul", &["x", "by"], "y");
    let model = read(&fixed, Settings::default()).await;
    assert_eq!(model.describe().batch, Batch::Any);
    let rows = [[1.0, 2.0], [3.0, 4.0]];
    let answers = model.run(rows.iter().map(|row| &row[..])).await.unwrap();
    assert_eq!(answers, [Ok(vec![3.0, 6.0]), Ok(vec![9.0, 12.0])]);
}

#[tokio::test]
async fn a_batch_that_the_model_relies_on_stays_fixed() {
    // The shape [1, 4] is written into the model.
    let one = Onnx::new()
        .input("x", F32, dims![1, 2, 2])
        .output("y", F32, dims![1, 4])
        .whole("shape", &[2], &[1, 4])
        .node("Reshape", &["x", "shape"], "y");
    let model = read(&one, Settings::default()).await;
    assert_eq!(model.describe().batch, Batch::Fixed(1));
    let rows: Vec<Vec<f32>> = vec![vec![1.0; 4], vec![2.0; 4], vec![3.0; 4]];
    let answers = model.run(&rows).await.unwrap();
    assert_eq!(answers, [Ok(vec![1.0; 4]), Ok(vec![2.0; 4]), Ok(vec![3.0; 4])]);

    let four = Onnx::new()
        .input("x", F32, dims![4, 2])
        .output("y", F32, dims![4, 2])
        .whole("shape", &[2], &[4, 2])
        .node("Reshape", &["x", "shape"], "y");
    let model = read(&four, Settings::default()).await;
    assert_eq!(model.describe().batch, Batch::Fixed(4));
    for rows in [1_u8, 4, 5, 9] {
        let rows: Vec<Vec<f32>> = (0..rows).map(|row| vec![f32::from(row); 2]).collect();
        let answers = model.run(&rows).await.unwrap();
        assert_eq!(answers.len(), rows.len());
        for (row, answer) in rows.iter().zip(answers) {
            assert_eq!(answer, Ok(vec![f64::from(row[0]); 2]));
        }
    }
}

#[tokio::test]
async fn a_model_that_mixes_the_rows_of_a_batch_gets_them_one_by_one() {
    let mixing = Onnx::new()
        .input("x", F32, dims!["N", 2])
        .output("y", F32, dims!["N", 2])
        .node_with("ReduceMean", &["x"], "mean", &[("axes", &[0]), ("keepdims", &[1])])
        .node("Sub", &["x", "mean"], "y");
    let model = read(&mixing, Settings::default()).await;
    assert_eq!(model.describe().batch, Batch::Fixed(1));
    let rows = [vec![1.0, 2.0], vec![5.0, 9.0]];
    assert_eq!(model.run(&rows).await.unwrap(), [Ok(vec![0.0, 0.0]), Ok(vec![0.0, 0.0])]);
}

#[tokio::test]
async fn a_model_without_a_batch_runs_row_by_row() {
    let bare = Onnx::new().input("x", F64, dims![3]).output("y", F64, dims![3]).node("Neg", &["x"], "y");
    let model = read(&bare, Settings::default()).await;
    assert_eq!(model.describe().batch, Batch::Fixed(1));
    let rows = [vec![1.0, 2.0, 3.0], vec![0.1, 0.2, 0.3]];
    assert_eq!(model.run(&rows).await.unwrap(), [Ok(vec![-1.0, -2.0, -3.0]), Ok(vec![-0.1, -0.2, -0.3])]);
}

#[tokio::test]
async fn an_open_shape_of_a_row_is_asked_for_and_taken_from_the_settings() {
    let open = || {
        Onnx::new().input("x", F32, dims!["N", "width"]).output("y", F32, dims!["N", "width"]).node(
            "Neg",
            &["x"],
            "y",
        )
    };
    let error = Model::read("open.onnx", open().bytes(), Settings::default()).await.unwrap_err();
    assert!(error.to_string().contains("say the shape of a row by `shape`"), "{error}");
    let model = read(&open(), Settings { shape: Some(vec![3]), ..Settings::default() }).await;
    assert_eq!((model.describe().input.width(), model.describe().output.width()), (3, 3));
    let error =
        Model::load(data("mlp.onnx"), Settings { shape: Some(vec![43]), ..Settings::default() }).await;
    assert!(matches!(error, Err(Error::Shape { role: "input", .. })), "{error:?}");
}

#[tokio::test]
async fn what_is_no_model_is_told_with_its_file_and_what_was_found() {
    let says = async |name: &str, bytes: &[u8], what: &str| {
        let error = Model::read(name, bytes.to_vec(), Settings::default()).await.unwrap_err();
        let told = error.to_string();
        assert!(told.contains(name) && told.contains(what), "{told} / {what}");
        assert!(!error.is_transient());
    };
    says("a.onnx", b"", "the file is empty").await;
    says("a.pb", b"", "the file is empty").await;
    says("a.onnx", b"this is a text", "can't be read").await;
    says("a.pb", b"this is a text", "can't be read").await;
    says("a.txt", b"this is a text", "name it .onnx").await;
    says("a.onnx", &Onnx::new().bytes(), "has no").await;
    let broken = std::fs::read(data("mlp.onnx")).unwrap();
    says("a.onnx", &broken[..broken.len() / 2], "can't be read").await;
    says("a.onnx", &std::fs::read(data("frozen.pb")).unwrap(), "ONNX").await;
    says("a.pb", &broken, "frozen graph").await;
    let missing = Onnx::new().input("x", F32, dims!["N", 2]).output("y", F32, dims!["N", 2]).node(
        "Add",
        &["x", "z"],
        "y",
    );
    says("a.onnx", &missing.bytes(), "`z`").await;
    let strange = Onnx::new().input("x", F32, dims!["N", 2]).output("y", F32, dims!["N", 2]).node(
        "Frobnicate",
        &["x"],
        "y",
    );
    says("a.onnx", &strange.bytes(), "Frobnicate").await;
    let elsewhere = onnx::scaled(2, 1.0).elsewhere("w", &[2, 2]);
    says("a.onnx", &elsewhere.bytes(), "save the model as one file").await;
    let texts = Onnx::new().input("x", TEXT, dims!["N", 2]).output("y", TEXT, dims!["N", 2]).node(
        "Identity",
        &["x"],
        "y",
    );
    says("a.onnx", &texts.bytes(), "`x`").await;
    let error = Model::load("/nowhere/a.onnx", Settings::default()).await.unwrap_err();
    assert!(matches!(&error, Error::Read { file, .. } if file == "/nowhere/a.onnx"), "{error}");
}

#[tokio::test]
async fn any_bytes_are_refused_without_a_panic_that_escapes() {
    let whole = std::fs::read(data("mlp.onnx")).unwrap();
    for place in (0..whole.len()).step_by(97) {
        let mut bent = whole.clone();
        bent[place] ^= 0xff;
        // Some bent files are models still.
        let _model = Model::read("bent.onnx", bent, Settings::default()).await;
    }
}

#[tokio::test]
async fn a_wrong_name_of_a_tensor_is_told_with_what_there_is() {
    let of = |input: Option<&str>, output: Option<&str>| Settings {
        input: input.map(str::to_owned),
        output: output.map(str::to_owned),
        ..Settings::default()
    };
    let error = Model::load(data("mlp.onnx"), of(Some("bags"), None)).await.unwrap_err().to_string();
    assert!(error.contains("no input called `bags` (did you mean `bag`?); it has `bag`"), "{error}");
    let error = Model::load(data("mlp.onnx"), of(None, Some("score"))).await.unwrap_err().to_string();
    assert!(error.contains("no output called `score` (did you mean `scores`?); it has `scores`"), "{error}");
    let two = Onnx::new()
        .input("a", F32, dims!["N", 2])
        .input("b", F32, dims!["N", 2])
        .output("sum", F32, dims!["N", 2])
        .output("less", F32, dims!["N", 2])
        .node("Add", &["a", "b"], "sum")
        .node("Neg", &["a"], "less")
        .floats("one", &[1], &[1.0])
        .node("Identity", &["one"], "same");
    let error = Model::read("two.onnx", two.bytes(), of(None, None)).await.unwrap_err().to_string();
    assert!(error.contains("two.onnx has 2 inputs: name one of `a` and `b`"), "{error}");
    let error = Model::read("two.onnx", two.bytes(), of(Some("a"), None)).await.unwrap_err().to_string();
    assert!(error.contains("2 outputs: name one of `sum` and `less`"), "{error}");
    let error =
        Model::read("two.onnx", two.bytes(), of(Some("a"), Some("sum"))).await.unwrap_err().to_string();
    assert!(error.contains("also needs the inputs `b`"), "{error}");
    let error =
        Model::read("two.onnx", two.bytes(), of(Some("a"), Some("same"))).await.unwrap_err().to_string();
    assert!(error.contains("does not depend on its input `a`"), "{error}");
    let model = read(&two, of(Some("a"), Some("less"))).await;
    assert_eq!(model.run(&[vec![1.0, 2.0]]).await.unwrap(), [Ok(vec![-1.0, -2.0])]);
}

#[tokio::test]
async fn whole_numbers_and_their_labels_are_read() {
    let wholes = Onnx::new()
        .input("x", I64, dims!["N", 1])
        .output("y", I64, dims!["N", 1])
        .whole("by", &[1], &[3])
        .node("Mul", &["x", "by"], "y");
    let model = read(&wholes, Settings::default()).await;
    let rows = [vec![7.0], vec![-1_000_000_007.0]];
    assert_eq!(model.run(&rows).await.unwrap(), [Ok(vec![21.0]), Ok(vec![-3_000_000_021.0])]);
    // The place of the largest is a whole number for each row, without a dimension of its own.
    let label = Onnx::new().input("x", F32, dims!["N", 3]).output("y", I64, dims!["N"]).node_with(
        "ArgMax",
        &["x"],
        "y",
        &[("axis", &[1]), ("keepdims", &[0])],
    );
    let model = read(&label, Settings::default()).await;
    let rows = [vec![0.0, 5.0, 1.0], vec![9.0, 5.0, 1.0]];
    assert_eq!(model.run(&rows).await.unwrap(), [Ok(vec![1.0]), Ok(vec![0.0])]);
}

#[tokio::test]
async fn a_model_that_fails_when_it_is_tried_is_not_put_to_use() {
    let out_of_reach = Onnx::new()
        .input("x", I64, dims!["N", 1])
        .output("y", F32, dims!["N", 1])
        .floats("table", &[1], &[0.5])
        .node("Gather", &["table", "x"], "y");
    let error = Model::read("lookup.onnx", out_of_reach.bytes(), Settings::default()).await.unwrap_err();
    assert!(matches!(error, Error::WarmUp { .. }), "{error}");
    assert!(error.to_string().contains("lookup.onnx is not put to use"), "{error}");
}

#[tokio::test]
async fn files_and_batches_that_are_too_large_are_refused() {
    let within = |limits| Settings { limits, ..Settings::default() };
    let small = Limits { file_bytes: 1000, ..Limits::default() };
    let error = Model::load(data("mlp.onnx"), within(small)).await.unwrap_err();
    assert!(matches!(error, Error::Large { bytes: 1929, limit: 1000, .. }), "{error}");
    let bytes = std::fs::read(data("mlp.onnx")).unwrap();
    let error = Model::read("mlp.onnx", bytes, within(small)).await.unwrap_err();
    assert!(matches!(error, Error::Large { .. }), "{error}");
    let few = Limits { batch_bytes: 100_000, ..Limits::default() };
    let error = Model::load(data("mlp.onnx"), within(few)).await.unwrap_err().to_string();
    assert!(error.contains("limit the rows to 431"), "{error}");
    let never = Limits { batch_time: Duration::ZERO, ..Limits::default() };
    let error = Model::load(data("mlp.onnx"), within(never)).await.unwrap_err();
    assert!(matches!(error, Error::Setting { .. }), "{error}");
    let error = Model::load(data("mlp.onnx"), Settings { threshold: f64::NAN, ..Settings::default() }).await;
    assert!(matches!(error, Err(Error::Setting { .. })), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn where_time_stands_still_a_model_still_has_its_time() {
    let model = Model::load(data("mlp.onnx"), Settings::default()).await.unwrap();
    for row in expected("mlp.expected.json") {
        assert!(are_close(model.run([&row.input]).await.unwrap()[0].as_ref().unwrap(), &row.output));
    }
}
