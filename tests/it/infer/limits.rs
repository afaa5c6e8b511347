//! Models that fail, panic or take too long.

use super::onnx::{self, F32, F64, I64, Onnx, SLOW_WIDTH, dims};
use super::{counted, data, named, read};
use crate::suite::eventually;
use mape::infer::{Batch, Error, Limits, Model, Models, Settings};
use prost::Message;
use std::time::{Duration, Instant};
use tract_tensorflow::tfpb::tensorflow::attr_value::Value;
use tract_tensorflow::tfpb::tensorflow::{DataType, GraphDef};

/// A model that takes more than 100 ms for many rows.
async fn slow(name: &str, late: usize) -> Models {
    let limits = Limits { batch_time: Duration::from_millis(100), late, ..Limits::default() };
    let models = Models::new();
    models.add(name, None, read(&onnx::slow(24), Settings { limits, ..Settings::default() }).await).unwrap();
    models
}

fn many() -> Vec<Vec<f32>> {
    vec![vec![0.5; SLOW_WIDTH]; 2000]
}

fn few() -> Vec<Vec<f32>> {
    vec![vec![0.5; SLOW_WIDTH]]
}

#[tokio::test]
async fn a_batch_that_takes_too_long_fails_and_the_next_goes_on_beside_it() {
    let models = slow("beside", 1).await;
    let error = models.judge("beside", &many()).await.unwrap_err();
    assert!(matches!(error, Error::Late { rows: 2000, .. }), "{error}");
    assert!(error.is_transient());
    assert_eq!(models.get("beside").unwrap().versions[0].late, 1);
    let verdicts = models.judge("beside", &few()).await.unwrap();
    assert!(verdicts[0].is_ok());
    assert_eq!(counted("beside").of("late"), 1);
    eventually("the late run has ended", || async { models.get("beside").unwrap().versions[0].late == 0 })
        .await;
    assert!(models.judge("beside", &few()).await.unwrap()[0].is_ok());
}

#[tokio::test]
async fn no_more_runs_than_allowed_are_late_at_once() {
    let models = slow("allowed", 0).await;
    assert!(matches!(models.judge("allowed", &many()).await, Err(Error::Late { .. })));
    let error = models.judge("allowed", &few()).await.unwrap_err();
    assert!(matches!(error, Error::Busy { with: "late batches", .. }), "{error}");
    assert!(error.is_transient());
    assert_eq!((counted("allowed").of("late"), counted("allowed").of("busy")), (1, 1));
    eventually("the late run has ended", || async { models.judge("allowed", &few()).await.is_ok() }).await;
}

#[tokio::test]
async fn a_late_run_holds_up_others_no_longer_than_more_are_late_than_allowed() {
    let models = slow("let-go", 1).await;
    let longer: Vec<Vec<f32>> = many().into_iter().cycle().take(4000).collect();
    assert!(matches!(models.judge("let-go", &many()).await, Err(Error::Late { .. })));
    assert!(matches!(models.judge("let-go", &longer).await, Err(Error::Late { .. })));
    assert!(matches!(models.judge("let-go", &few()).await, Err(Error::Busy { .. })));
    eventually("one is late no more", || async { models.judge("let-go", &few()).await.is_ok() }).await;
    assert_eq!(models.get("let-go").unwrap().versions[0].late, 1, "the other still is");
}

#[tokio::test]
async fn a_batch_that_nobody_waits_for_any_more_has_its_turn_no_longer_than_another() {
    let models = slow("given-up", 1).await;
    let mut dropped = models.judge("given-up", &many());
    assert!(futures::poll!(&mut dropped).is_pending());
    drop(dropped);
    assert!(models.judge("given-up", &few()).await.unwrap()[0].is_ok());
    assert_eq!(models.get("given-up").unwrap().versions[0].late, 1);
    eventually("it has ended", || async { models.get("given-up").unwrap().versions[0].late == 0 }).await;
    assert!(models.judge("given-up", &few()).await.unwrap()[0].is_ok());
}

#[tokio::test]
async fn batches_that_nobody_waits_for_are_late_as_others_are() {
    let models = slow("all-given-up", 0).await;
    let mut dropped = models.judge("all-given-up", &many());
    assert!(futures::poll!(&mut dropped).is_pending());
    drop(dropped);
    let error = models.judge("all-given-up", &few()).await.unwrap_err();
    assert!(matches!(error, Error::Busy { with: "late batches", .. }), "{error}");
    eventually("it has ended", || async { models.judge("all-given-up", &few()).await.is_ok() }).await;
}

#[test]
fn a_late_run_does_not_hold_up_the_end_of_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let models = runtime.block_on(slow("shutdown", 1));
    // A run of many such batches takes longer than the end of the runtime may.
    let rows: Vec<Vec<f32>> = many().into_iter().cycle().take(4000).collect();
    let late = runtime.block_on(async { models.judge("shutdown", &rows).await });
    assert!(matches!(late, Err(Error::Late { .. })), "{late:?}");
    let began = Instant::now();
    drop(runtime);
    drop(models);
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_panic_in_a_model_fails_its_batch_and_no_other() {
    let models = Models::new();
    models.add("panics", None, read(&onnx::division(), Settings::default()).await).unwrap();
    let error = models.judge("panics", &[vec![5.0], vec![0.0]]).await.unwrap_err();
    assert!(matches!(error, Error::Panicked { rows: 2, .. }), "{error}");
    assert!(error.is_transient() && error.to_string().contains("divide by zero"), "{error}");
    let verdicts = models.judge("panics", &[vec![5.0]]).await.unwrap();
    assert_eq!(verdicts[0].as_ref().unwrap().scores(), [20.0]);
    assert_eq!(counted("panics").of("panicked"), 1);
}

#[tokio::test]
async fn a_batch_with_too_many_rows_is_refused_and_smaller_ones_go_through() {
    let limits = Limits { rows: 3, ..Limits::default() };
    let models = named(&onnx::scaled(1, 1.0), Settings { limits, ..Settings::default() }).await;
    let rows = vec![vec![1.0]; 4];
    let error = models.judge("m", &rows).await.unwrap_err();
    assert!(matches!(error, Error::Batch { rows: 4, limit: 3, .. }) && error.is_transient(), "{error}");
    assert_eq!(models.judge("m", &rows[..3]).await.unwrap().len(), 3);
}

#[tokio::test]
async fn many_batches_at_once_have_their_own_verdicts() {
    let models = named(&onnx::scaled(2, 3.0), Settings::default()).await;
    let batches = (0_u8..100).map(|batch| {
        let models = models.clone();
        tokio::spawn(async move {
            let rows: Vec<Vec<f64>> =
                (0..batch % 7).map(|row| vec![f64::from(batch), f64::from(row)]).collect();
            let verdicts = models.judge("m", &rows).await.unwrap();
            for (row, verdict) in rows.iter().zip(verdicts) {
                assert_eq!(verdict.unwrap().scores(), [3.0 * row[0], 3.0 * row[1]]);
            }
        })
    });
    for batch in batches.collect::<Vec<_>>() {
        batch.await.unwrap();
    }
}

#[tokio::test]
async fn a_batch_that_nobody_waits_for_any_more_does_not_hold_up_the_next() {
    let models = named(&onnx::scaled(1, 2.0), Settings::default()).await;
    for _ in 0..20 {
        let mut dropped = models.judge("m", &vec![vec![1.0]; 100]);
        assert!(futures::poll!(&mut dropped).is_pending());
        drop(dropped);
    }
    assert_eq!(models.judge("m", &[vec![2.0]]).await.unwrap()[0].as_ref().unwrap().scores(), [4.0]);
}

/// So long that a square of it has a terabyte.
const HUGE: i64 = 1 << 20;

/// `y = x + big`, where something makes `big` of numbers in the file.
fn with_big(make: impl FnOnce(Onnx) -> Onnx) -> Vec<u8> {
    let model = Onnx::new().input("x", F32, dims!["N", 1, 1]).output("y", F32, dims!["N", "A", "B"]);
    make(model.floats("one", &[1, 1, 1], &[1.0])).node("Add", &["x", "big"], "y").bytes()
}

#[tokio::test]
async fn a_model_that_asks_for_more_memory_than_it_may_hold_is_refused_before_it_has_it() {
    let square = |model: Onnx| model.whole("shape", &[3], &[1, HUGE, HUGE]);
    let models: [(&str, Vec<u8>); 7] = [
        ("ConstantOfShape", with_big(|model| square(model).node("ConstantOfShape", &["shape"], "big"))),
        ("Expand", with_big(|model| square(model).node("Expand", &["one", "shape"], "big"))),
        ("Expand of rows", with_big(|model| square(model).node("Expand", &["x", "shape"], "big"))),
        ("Tile", with_big(|model| square(model).node("Tile", &["one", "shape"], "big"))),
        (
            "Pad",
            with_big(|model| {
                let model = model.whole("pads", &[6], &[0, 0, 0, 0, HUGE, HUGE]);
                model.node("Pad", &["one", "pads"], "big")
            }),
        ),
        (
            "Range",
            with_big(|model| {
                let model =
                    model.whole("from", &[], &[0]).whole("to", &[], &[HUGE * 1000]).whole("by", &[], &[1]);
                let model = model.node("Range", &["from", "to", "by"], "range");
                model.node_with("Cast", &["range"], "big", &[("to", &[1])])
            }),
        ),
        (
            "a shape that is computed",
            with_big(|model| {
                let model = model.whole("a", &[3], &[1, 1 << 10, 1 << 10]).node("Mul", &["a", "a"], "shape");
                model.node("ConstantOfShape", &["shape"], "big")
            }),
        ),
    ];
    for (what, bytes) in models {
        let error = Model::read("huge.onnx", bytes, Settings::default()).await.expect_err(what);
        let Error::Memory { bytes, limit, .. } = error else { panic!("{what}: {error}") };
        assert!(bytes > 1 << 32 && limit == 1 << 30, "{what}: {bytes}");
        assert!(error.to_string().contains("huge.onnx would hold"), "{what}: {error}");
        assert!(!error.is_transient());
    }
}

fn frozen() -> GraphDef {
    GraphDef::decode(std::fs::read(data("frozen.pb")).unwrap().as_slice()).unwrap()
}

#[tokio::test]
async fn a_frozen_graph_that_says_few_numbers_are_many_is_refused_before_they_are_so() {
    for values in [vec![], vec![1.0], vec![1.0, 2.0]] {
        let mut graph = frozen();
        let mut tensors =
            graph.node.iter_mut().flat_map(|node| node.attr.values_mut()).filter_map(
                |value| match &mut value.value {
                    Some(Value::Tensor(tensor)) if tensor.dtype() == DataType::DtFloat => Some(tensor),
                    _ => None,
                },
            );
        let tensor = tensors.next().unwrap();
        tensor.tensor_content.clear();
        tensor.float_val = values;
        tensor.tensor_shape.as_mut().unwrap().dim[0].size = HUGE * HUGE;
        let error = Model::read("huge.pb", graph.encode_to_vec(), Settings::default()).await.unwrap_err();
        assert!(matches!(error, Error::Memory { .. }), "{error}");
    }
}

#[tokio::test]
async fn what_a_full_batch_holds_inside_a_model_is_limited() {
    // Two layers of 64 MiB for 1000 rows at once, while what goes in and out is small.
    const WIDTH: usize = 16 << 10;
    let wide = Onnx::new()
        .input("x", F32, dims!["N", 1])
        .output("y", F32, dims!["N", 1])
        .floats("in", &[1, WIDTH], &vec![0.5; WIDTH])
        .floats("out", &[WIDTH, 1], &vec![0.5; WIDTH])
        .node("MatMul", &["x", "in"], "hidden")
        .node("Softmax", &["hidden"], "shares")
        .node("MatMul", &["shares", "out"], "y");
    let within = |rows, run_bytes| Settings {
        limits: Limits { rows, run_bytes, ..Limits::default() },
        ..Settings::default()
    };
    let error = Model::read("wide.onnx", wide.bytes(), within(1000, 100_000_000)).await.unwrap_err();
    let Error::Memory { rows: 1000, bytes, limit: 100_000_000, .. } = error else { panic!("{error}") };
    assert!((130_000_000..200_000_000).contains(&bytes), "{bytes}");
    // One of them alone would do.
    let error = Model::read("wide.onnx", wide.bytes(), within(1000, 60_000_000)).await.unwrap_err();
    assert!(matches!(error, Error::Memory { bytes: 65_536_000, .. }), "{error:?}");
    let model = Model::read("wide.onnx", wide.bytes(), within(500, 100_000_000)).await.unwrap();
    let answers = model.run(&vec![vec![1.0]; 500]).await.unwrap();
    assert!(
        answers.iter().all(|answer| (answer.as_ref().unwrap()[0] - 0.5).abs() < 1e-3),
        "{:?}",
        answers[0]
    );
}

#[tokio::test]
async fn what_a_file_asks_for_while_it_is_read_is_limited() {
    let made = Onnx::new()
        .input("x", F32, dims!["N", 1])
        .output("y", F32, dims!["N", 1])
        .node_with("ConstantLike", &[], "big", &[("shape", &[HUGE, HUGE])])
        .node("Add", &["x", "big"], "y");
    let error = Model::read("huge.onnx", made.bytes(), Settings::default()).await.unwrap_err();
    assert!(matches!(error, Error::Memory { .. }), "{error}");

    let many = (0..20).fold(Onnx::new().input("x", F32, dims!["N", 1]), |model, n| {
        model.node_with("ConstantLike", &[], &format!("big{n}"), &[("shape", &[1000, 10_000])])
    });
    let many = many.output("y", F32, dims!["N", 1]).node("Neg", &["x"], "y");
    let error = Model::read("many.onnx", many.bytes(), Settings::default()).await.unwrap_err();
    assert!(matches!(error, Error::Memory { .. }), "{error}");

    let deep = "(".repeat(100_000).leak();
    let deep = Onnx::new().input("x", F32, vec!["N".into(), (&*deep).into()]).output("y", F32, dims!["N", 1]);
    let deep = deep.node("Neg", &["x"], "y");
    // It is not read at all.
    let error = Model::read("deep.onnx", deep.bytes(), Settings::default()).await.unwrap_err();
    assert!(error.to_string().contains("say the shape"), "{error}");

    let mut graph = frozen();
    graph.node.last_mut().unwrap().input.push("x:1000000000000".to_owned());
    let error = Model::read("many.pb", graph.encode_to_vec(), Settings::default()).await.unwrap_err();
    assert!(error.to_string().contains("has an input with a number of 1000 or more"), "{error}");
}

#[tokio::test]
async fn a_shape_that_is_longer_the_fewer_rows_there_are_is_seen() {
    let shrinking = Onnx::new()
        .input("x", F32, dims!["N", 1])
        .output("y", F32, dims!["N", 1])
        .whole("first", &[1], &[0])
        .whole("most", &[1], &[4096])
        .whole("much", &[1], &[HUGE])
        .node("Shape", &["x"], "shape")
        .node("Gather", &["shape", "first"], "rows")
        .node("Sub", &["most", "rows"], "less")
        .node("Mul", &["less", "much"], "length")
        .node("ConstantOfShape", &["length"], "big")
        .node_with("ReduceMean", &["big"], "mean", &[("axes", &[0]), ("keepdims", &[1])])
        .node("Add", &["x", "mean"], "y");
    let error = Model::read("shrinking.onnx", shrinking.bytes(), Settings::default()).await.unwrap_err();
    assert!(matches!(error, Error::Memory { rows: 1..=3, .. }), "{error}");
}

#[tokio::test]
async fn a_model_whose_rows_are_mixed_is_run_row_by_row_however_large_its_batch_would_be() {
    // As many columns as rows: with 40,000 these are 6 GB.
    let mixed = Onnx::new()
        .input("x", F32, dims!["N", 1])
        .output("y", F32, dims!["N", "N"])
        .node_with("Transpose", &["x"], "across", &[("perm", &[1, 0])])
        .node("MatMul", &["x", "across"], "y");
    let limits = Limits { rows: 40_000, batch_bytes: u64::MAX, ..Limits::default() };
    let model =
        Model::read("mixed.onnx", mixed.bytes(), Settings { limits, ..Settings::default() }).await.unwrap();
    assert_eq!(model.describe().batch, Batch::Fixed(1));
    assert_eq!(model.run(&[vec![2.0], vec![3.0]]).await.unwrap(), [Ok(vec![4.0]), Ok(vec![9.0])]);
}

#[tokio::test]
async fn many_values_that_are_made_of_a_few_numbers_are_seen_together() {
    let model = |many: usize| {
        let model = Onnx::new().input("x", F64, dims!["N", 1]).output("y", F64, dims!["N", "M"]);
        let model = model.whole("shape", &[2], &[1, 500_000]);
        let model = (0..many).fold(model, |model, n| {
            let (from, to) = (if n == 0 { "x".to_owned() } else { format!("y{n}") }, format!("y{}", n + 1));
            let (to, big) = (if n + 1 == many { "y" } else { &to }, format!("big{n}"));
            model.node("ConstantOfShape", &["shape"], &big).node("Add", &[&from, &big], to)
        });
        model.bytes()
    };
    // Each has 4 MB, and so has each row of what is made with it.
    let limits = Limits { rows: 3, run_bytes: 60_000_000, ..Limits::default() };
    let settings = Settings { limits, ..Settings::default() };
    let error = Model::read("many.onnx", model(40), settings.clone()).await.unwrap_err();
    assert!(matches!(error, Error::Memory { .. }), "{error}");
    Model::read("few.onnx", model(4), settings).await.unwrap();
}

#[tokio::test]
async fn numbers_of_the_file_and_batches_that_are_not_run_do_not_count() {
    let limited =
        |run_bytes| Settings { limits: Limits { run_bytes, ..Limits::default() }, ..Settings::default() };
    let table = Onnx::new()
        .input("x", I64, dims!["N", 1])
        .output("y", F32, dims!["N", 1])
        .floats("table", &[1_000_000], &vec![0.5; 1_000_000])
        .node("Gather", &["table", "x"], "y");
    let model = Model::read("table.onnx", table.bytes(), limited(200_000)).await.unwrap();
    assert_eq!(model.run(&[vec![3.0]]).await.unwrap(), [Ok(vec![0.5])]);

    // Written for one row, it would hold too much with as many as may come, so it is given one after the other.
    let wide = |batch: onnx::Dim| {
        let (x, y) = (vec![batch, 1.into()], dims![1, 1]);
        Onnx::new()
            .input("x", F32, x)
            .output("y", F32, y)
            .floats("in", &[1, 5000], &vec![0.5; 5000])
            .floats("out", &[5000, 1], &vec![0.5; 5000])
            .node("MatMul", &["x", "in"], "hidden")
            .node("Relu", &["hidden"], "above")
            .node("MatMul", &["above", "out"], "y")
            .bytes()
    };
    let model = Model::read("one.onnx", wide(1.into()), limited(1_000_000)).await.unwrap();
    assert_eq!(model.describe().batch, Batch::Fixed(1));
    assert_eq!(model.run(&[vec![1.0], vec![2.0]]).await.unwrap(), [Ok(vec![1250.0]), Ok(vec![2500.0])]);
}

#[tokio::test]
async fn a_number_that_is_no_length_does_no_harm() {
    // The end of a slice as it is often written.
    let rest = Onnx::new()
        .input("x", F32, dims!["N", 3])
        .output("y", F32, dims!["N", 2])
        .whole("from", &[1], &[1])
        .whole("to", &[1], &[i64::MAX])
        .whole("axis", &[1], &[1])
        .node("Slice", &["x", "from", "to", "axis"], "y");
    let model = read(&rest, Settings::default()).await;
    assert_eq!(model.run(&[vec![1.0, 2.0, 3.0]]).await.unwrap(), [Ok(vec![2.0, 3.0])]);
}
