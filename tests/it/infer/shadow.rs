//! A version that is tried beside the live one.

use super::onnx::{self, F32, Onnx, SLOW_WIDTH, dims, scaled};
use super::{counted, read};
use crate::suite::eventually;
use futures::{FutureExt, StreamExt};
use mape::infer::{Error, Limits, Models, Settings};
use std::time::Duration;

/// `y = x` with the columns turned around, for rows of two.
fn turned() -> Onnx {
    Onnx::new()
        .input("x", F32, dims!["N", 2])
        .output("y", F32, dims!["N", 2])
        .floats("turn", &[2, 2], &[0.0, 1.0, 1.0, 0.0])
        .node("MatMul", &["x", "turn"], "y")
}

async fn with_shadow(name: &str, live: &Onnx, shadow: &Onnx, tolerance: Option<f64>) -> Models {
    let models = Models::new();
    models.add(name, Some("live"), read(live, Settings::default()).await).unwrap();
    models.add(name, Some("new"), read(shadow, Settings::default()).await).unwrap();
    models.shadow(name, Some("new"), tolerance).unwrap();
    models
}

/// Waits until the shadow has been through with so many rows.
async fn seen(models: &Models, name: &str, rows: u64) {
    eventually("the shadow has seen the rows", || async {
        let shadow = models.get(name).unwrap().shadow.unwrap();
        shadow.agreed + shadow.disagreed + shadow.skipped == rows
    })
    .await;
}

#[tokio::test]
async fn a_shadow_judges_the_same_batches_and_tells_where_it_differs() {
    let models = with_shadow("tells", &scaled(2, 1.0), &turned(), None).await;
    let mut disagreements = models.disagreements("tells").unwrap();
    let rows = [vec![0.9, 0.1], vec![0.5, 0.5], vec![0.2, 0.8]];
    let verdicts = models.judge("tells", &rows).await.unwrap();
    // What goes out is what the live version says.
    assert!(verdicts.iter().all(|verdict| verdict.as_ref().unwrap().version() == "live"));
    seen(&models, "tells", 3).await;
    let first = disagreements.next().await.unwrap();
    assert!((first.input[0] - 0.9).abs() < 1e-6 && (first.difference - 0.8).abs() < 1e-6, "{first:?}");
    assert_eq!((first.live.class(), first.live.version()), ("0", "live"));
    assert_eq!((first.shadow.class(), first.shadow.version()), ("1", "new"));
    let second = disagreements.next().await.unwrap();
    assert!((second.input[0] - 0.2).abs() < 1e-6);
    assert!(disagreements.next().now_or_never().is_none());
    let counted = counted("tells");
    assert_eq!((counted.of("agreed"), counted.of("disagreed"), counted.of("batches")), (1, 2, 1));
    assert!(serde_json::to_string(&first).unwrap().contains("\"difference\":0."));
}

#[tokio::test]
async fn with_a_tolerance_scores_are_compared_too() {
    let models = with_shadow("tolerance", &scaled(2, 1.0), &scaled(2, 1.1), Some(0.05)).await;
    models.judge("tolerance", &[vec![0.1, 0.2], vec![0.1, 0.9]]).await.unwrap();
    seen(&models, "tolerance", 2).await;
    let shadow = models.get("tolerance").unwrap().shadow.unwrap();
    assert_eq!((shadow.agreed, shadow.disagreed), (1, 1));
    models.shadow("tolerance", Some("new"), None).unwrap();
    models.judge("tolerance", &[vec![0.1, 0.2], vec![0.1, 0.9]]).await.unwrap();
    seen(&models, "tolerance", 2).await;
    assert_eq!(models.get("tolerance").unwrap().shadow.unwrap().agreed, 2);
    assert!(matches!(models.shadow("tolerance", Some("new"), Some(-1.0)), Err(Error::Setting { .. })));
    assert!(matches!(models.shadow("tolerance", Some("live"), None), Err(Error::InUse { .. })));
}

#[tokio::test]
async fn a_shadow_that_fails_or_is_slow_neither_fails_nor_delays_verdicts() {
    let models = Models::new();
    let divided = onnx::division();
    let whole = Onnx::new()
        .input("x", onnx::I64, dims!["N", 1])
        .output("y", onnx::I64, dims!["N", 1])
        .whole("by", &[1], &[2])
        .node("Mul", &["x", "by"], "y");
    models.add("failing", Some("live"), read(&whole, Settings::default()).await).unwrap();
    models.add("failing", Some("new"), read(&divided, Settings::default()).await).unwrap();
    models.shadow("failing", Some("new"), None).unwrap();
    let verdicts = models.judge("failing", &[vec![0.0], vec![3.0]]).await.unwrap();
    assert!(verdicts.iter().all(Result::is_ok));
    seen(&models, "failing", 2).await;
    assert_eq!(models.get("failing").unwrap().shadow.unwrap().skipped, 2);

    let quick = scaled(SLOW_WIDTH, 0.5);
    let models = Models::new();
    let limits = Limits { batch_time: Duration::from_secs(5), ..Limits::default() };
    let settings = Settings { limits, ..Settings::default() };
    models.add("slow", Some("live"), read(&quick, settings.clone()).await).unwrap();
    models.add("slow", Some("new"), read(&onnx::slow(12), settings).await).unwrap();
    models.shadow("slow", Some("new"), None).unwrap();
    let rows = vec![vec![0.5_f32; SLOW_WIDTH]; 1000];
    for _ in 0..5 {
        assert_eq!(models.judge("slow", &rows).await.unwrap().len(), 1000);
    }
    let shadow = models.get("slow").unwrap().shadow.unwrap();
    assert!(shadow.skipped >= 3000, "{shadow:?}");
    seen(&models, "slow", 5000).await;
    assert_eq!(counted("slow").of("skipped"), models.get("slow").unwrap().shadow.unwrap().skipped);
}

#[tokio::test]
async fn who_is_too_slow_for_disagreements_loses_the_oldest_and_that_is_counted() {
    let models = with_shadow("dropped", &scaled(2, 1.0), &turned(), None).await;
    let disagreements = models.disagreements("dropped").unwrap();
    let mut shown = 0;
    for batch in 0_u8..15 {
        models.judge("dropped", &vec![vec![1.0 + f64::from(batch), 0.0]; 100]).await.unwrap();
        shown += 100;
        seen(&models, "dropped", shown).await;
    }
    assert_eq!(models.get("dropped").unwrap().shadow.unwrap().disagreed, 1500);
    let mut heard = disagreements.take(1024);
    assert!((heard.next().await.unwrap().input[0] - 5.0).abs() < 1e-6, "the oldest are lost");
    assert_eq!(heard.count().await, 1023);
    assert_eq!(counted("dropped").of("dropped"), 1500 - 1024);
}

#[tokio::test]
async fn a_shadow_that_goes_live_is_a_shadow_no_more() {
    let models = with_shadow("promoted", &scaled(2, 1.0), &turned(), None).await;
    models.swap("promoted", "new").unwrap();
    assert!(models.get("promoted").unwrap().shadow.is_none());
    models.shadow("promoted", Some("live"), None).unwrap();
    models.roll_back("promoted").unwrap();
    assert!(models.get("promoted").unwrap().shadow.is_none());
}

#[tokio::test]
async fn a_shadow_may_take_other_batches_and_other_numbers() {
    let four = Onnx::new()
        .input("x", onnx::F64, dims![4, 2])
        .output("y", onnx::F64, dims![4, 2])
        .whole("shape", &[2], &[4, 2])
        .node("Reshape", &["x", "shape"], "y");
    for (name, live, shadow) in [("padded", scaled(2, 1.0), four.clone()), ("unpadded", four, scaled(2, 1.0))]
    {
        let models = with_shadow(name, &live, &shadow, Some(1e-6)).await;
        models.judge(name, &vec![vec![0.5, 0.25]; 6]).await.unwrap();
        seen(&models, name, 6).await;
        assert_eq!(models.get(name).unwrap().shadow.unwrap().agreed, 6, "{name}");
    }
}
