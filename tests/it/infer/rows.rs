//! Rows that are not in order.

use super::onnx::{self, F32, F64, Onnx, dims};
use super::read;
use mape::infer::{Batch, ElementType, RowError, Settings};

#[tokio::test]
async fn a_bad_row_fails_alone_and_is_named_with_its_column() {
    let model = read(&onnx::scaled(2, 2.0), Settings::default()).await;
    let rows: Vec<Vec<f64>> = vec![
        vec![1.0, 2.0],
        vec![1.0],
        vec![],
        vec![0.0, f64::NAN],
        vec![f64::INFINITY, 0.0],
        vec![3.0, 4.0],
        vec![1.0, 1e300],
        vec![1.0, 2.0, 3.0],
    ];
    let answers = model.run(&rows).await.unwrap();
    assert_eq!(answers[0], Ok(vec![2.0, 4.0]));
    assert_eq!(answers[1], Err(RowError::Width { row: 1, found: 1, wanted: 2 }));
    assert_eq!(answers[2], Err(RowError::Empty { row: 2, wanted: 2 }));
    let error = answers[3].clone().unwrap_err();
    assert_eq!(error.to_string(), "row 3 has NaN in column 1: a row is made of finite numbers");
    assert_eq!(error.row(), 3);
    assert_eq!(answers[4], Err(RowError::NotFinite { row: 4, column: 0, value: f64::INFINITY }));
    assert_eq!(answers[5], Ok(vec![6.0, 8.0]));
    assert_eq!(answers[6], Err(RowError::Type { row: 6, column: 1, value: 1e300, wanted: ElementType::F32 }));
    assert_eq!(answers[7], Err(RowError::Width { row: 7, found: 3, wanted: 2 }));
}

#[tokio::test]
async fn rows_of_f32_are_the_same_rows() {
    let model = read(&onnx::scaled(2, 2.0), Settings::default()).await;
    let rows: Vec<Vec<f32>> = vec![vec![1.0, 2.0], vec![f32::NAN, 0.0], vec![0.5, 0.25]];
    let answers = model.run(&rows).await.unwrap();
    assert_eq!(answers[0], Ok(vec![2.0, 4.0]));
    assert!(matches!(answers[1], Err(RowError::NotFinite { row: 1, column: 0, .. })));
    assert_eq!(answers[2], Ok(vec![1.0, 0.5]));
    let double =
        Onnx::new().input("x", F64, dims!["N", 2]).output("y", F64, dims!["N", 2]).node("Neg", &["x"], "y");
    let model = read(&double, Settings::default()).await;
    assert_eq!(model.run(&rows[..1]).await.unwrap(), [Ok(vec![-1.0, -2.0])]);
}

#[tokio::test]
async fn no_rows_have_no_answers_and_bad_rows_alone_do_not_run() {
    let model = read(&onnx::scaled(2, 2.0), Settings::default()).await;
    assert_eq!(model.run::<[&[f64]; 0]>([]).await.unwrap(), []);
    let answers = model.run(&[vec![f64::NAN, 0.0], vec![0.0]]).await.unwrap();
    assert!(answers.iter().all(Result::is_err));
}

#[tokio::test]
async fn numbers_that_are_none_of_the_models_type_are_refused() {
    let model = read(&onnx::division(), Settings::default()).await;
    let answers = model.run(&[vec![7.0], vec![0.5], vec![1e300], vec![-10.0]]).await.unwrap();
    assert_eq!(answers[0], Ok(vec![14.0]));
    assert_eq!(answers[1], Err(RowError::Type { row: 1, column: 0, value: 0.5, wanted: ElementType::I64 }));
    assert!(matches!(answers[2], Err(RowError::Type { row: 2, .. })));
    assert_eq!(answers[3], Ok(vec![-10.0]));
    let told = answers[1].clone().unwrap_err().to_string();
    assert_eq!(told, "row 1 has 0.5 in column 0, which is no number of type i64");
}

#[tokio::test]
async fn a_row_that_the_model_answers_with_nan_fails_alone() {
    let model = read(&onnx::logarithm(2), Settings::default()).await;
    let answers =
        model.run(&[vec![1.0, 1.0], vec![1.0, -1.0], vec![0.0, 1.0], vec![1.0, 1.0]]).await.unwrap();
    assert_eq!((&answers[0], &answers[3]), (&Ok(vec![0.0, 0.0]), &Ok(vec![0.0, 0.0])));
    assert!(
        matches!(answers[1], Err(RowError::Answer { row: 1, column: 1, value }) if value.is_nan()),
        "{answers:?}"
    );
    assert!(
        matches!(answers[2], Err(RowError::Answer { row: 2, column: 0, value }) if value == f64::NEG_INFINITY)
    );
}

#[tokio::test]
async fn memory_that_is_used_again_shows_no_rows_of_former_batches() {
    let model = read(&onnx::scaled(2, 1.0), Settings::default()).await;
    for round in 0_u8..20 {
        let rows: Vec<Vec<f64>> = (0..5).map(|row| vec![f64::from(round), f64::from(row)]).collect();
        let answers = model.run(&rows).await.unwrap();
        assert_eq!(answers, rows.into_iter().map(Ok).collect::<Vec<_>>());
        let mixed =
            [vec![f64::NAN, 0.0], vec![f64::from(round), 1.0], vec![], vec![2.0, 2.0], vec![3.0, 3.0]];
        let answers = model.run(&mixed).await.unwrap();
        assert_eq!(answers[1], Ok(vec![f64::from(round), 1.0]));
        assert_eq!((&answers[3], &answers[4]), (&Ok(vec![2.0, 2.0]), &Ok(vec![3.0, 3.0])));
    }
}

#[tokio::test]
async fn a_model_that_mixes_rows_is_shown_zeros_for_those_that_are_not_there() {
    let mixes = Onnx::new()
        .input("x", F32, dims![4, 2])
        .output("y", F32, dims![4, 2])
        .node_with("ReduceMean", &["x"], "mean", &[("axes", &[0]), ("keepdims", &[1])])
        .node("Sub", &["x", "mean"], "y");
    let model = read(&mixes, Settings::default()).await;
    assert_eq!(model.describe().batch, Batch::Fixed(4));
    // The one before leaves its rows in the memory that is used again.
    assert_eq!(model.run(&vec![vec![8.0, 8.0]; 4]).await.unwrap(), vec![Ok(vec![0.0, 0.0]); 4]);
    let answers = model.run(&[vec![4.0, 4.0], vec![f64::NAN, 0.0]]).await.unwrap();
    assert_eq!(answers[0], Ok(vec![3.0, 3.0]));
    assert!(matches!(answers[1], Err(RowError::NotFinite { row: 1, column: 0, .. })));
    assert_eq!(model.run(&[vec![4.0, 0.0]]).await.unwrap(), [Ok(vec![3.0, 0.0])]);
}
