//! Models that fail, panic or take too long.

use super::onnx::{self, SLOW_WIDTH};
use super::{counted, named, read};
use crate::suite::eventually;
use mape::infer::{Error, Limits, Models, Settings};
use std::time::{Duration, Instant};

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
    assert_eq!(verdicts[0].as_ref().unwrap().scores, [20.0]);
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
                assert_eq!(verdict.unwrap().scores, [3.0 * row[0], 3.0 * row[1]]);
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
    assert_eq!(models.judge("m", &[vec![2.0]]).await.unwrap()[0].as_ref().unwrap().scores, [4.0]);
}
