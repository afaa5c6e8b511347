//! Versions of a model, swapped while items flow.

use super::onnx::scaled;
use super::{counted, data, named, read};
use mape::infer::{Error, Model, Models, Settings};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

#[tokio::test]
async fn the_first_version_is_live_and_others_when_they_are_swapped_in() {
    let models = named(&scaled(1, 2.0), Settings::default()).await;
    assert_eq!(models.add("m", None, read(&scaled(1, 3.0), Settings::default()).await).unwrap(), "2");
    assert_eq!(models.add("m", Some("b"), read(&scaled(1, 4.0), Settings::default()).await).unwrap(), "b");
    let answer = async || {
        let verdict = models.judge("m", &[vec![1.0]]).await.unwrap().remove(0).unwrap();
        (verdict.scores()[0], verdict.version().to_string())
    };
    assert_eq!(answer().await, (2.0, "1".to_owned()));
    assert_eq!(models.swap("m", "2").unwrap(), "1");
    assert_eq!(answer().await, (3.0, "2".to_owned()));
    assert_eq!(models.swap("m", "b").unwrap(), "2");
    assert_eq!(answer().await, (4.0, "b".to_owned()));
    assert_eq!(models.get("m").unwrap().former.as_deref(), Some("2"));
    assert_eq!(models.roll_back("m").unwrap(), "2");
    assert_eq!(models.roll_back("m").unwrap(), "1");
    assert_eq!(answer().await, (2.0, "1".to_owned()));
    assert!(matches!(models.roll_back("m"), Err(Error::NoWayBack { .. })));
}

#[tokio::test]
async fn versions_in_use_stay_and_others_are_retired() {
    let models = named(&scaled(1, 2.0), Settings::default()).await;
    models.add("m", None, read(&scaled(1, 3.0), Settings::default()).await).unwrap();
    assert!(matches!(models.retire("m", "1"), Err(Error::InUse { role: "live", .. })));
    models.shadow("m", Some("2"), None).unwrap();
    assert!(matches!(models.retire("m", "2"), Err(Error::InUse { role: "the shadow", .. })));
    models.shadow("m", None, None).unwrap();
    models.swap("m", "2").unwrap();
    models.retire("m", "1").unwrap();
    // What is gone is no way back.
    assert!(matches!(models.roll_back("m"), Err(Error::NoWayBack { .. })));
    let error = models.swap("m", "1").unwrap_err();
    assert_eq!(error.to_string(), "the model `m` has no version `1`; it has `2`");
    // Numbers are not given again.
    assert_eq!(models.add("m", None, read(&scaled(1, 3.0), Settings::default()).await).unwrap(), "3");
    let again = models.add("m", Some("3"), read(&scaled(1, 3.0), Settings::default()).await);
    assert!(matches!(again, Err(Error::VersionTaken { .. })));
    let listed = models.list();
    assert_eq!((listed.len(), listed[0].live.as_str(), listed[0].versions.len()), (1, "2", 2));
    models.remove("m").unwrap();
    assert!(models.list().is_empty());
    assert!(matches!(models.judge("m", &[vec![1.0]]).await, Err(Error::UnknownModel { .. })));
}

#[tokio::test]
async fn a_version_that_takes_or_gives_something_else_is_refused_with_what_differs() {
    let classes = |names: &[&str]| Settings {
        classes: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Settings::default()
    };
    let models = named(&scaled(2, 2.0), classes(&["a", "b"])).await;
    let error = models.add("m", None, read(&scaled(3, 2.0), Settings::default()).await).unwrap_err();
    let told = error.to_string();
    for part in [
        "takes rows of shape [3], and `1` takes [2]",
        "answers with [3]",
        "its classes are [], and those of `1` are [a, b]",
    ] {
        assert!(told.contains(part), "{told}");
    }
    assert!(matches!(
        models.add("m", None, read(&scaled(2, 2.0), classes(&["b", "a"])).await),
        Err(Error::Differs { .. })
    ));
    assert_eq!(models.get("m").unwrap().versions.len(), 1);
    // The next version of the packaged model fits.
    let models = Models::new();
    models.load("mlp", None, data("mlp.onnx"), Settings::default()).await.unwrap();
    assert_eq!(models.load("mlp", None, data("mlp-2.onnx"), Settings::default()).await.unwrap(), "2");
    models.load("mlp", Some("tf"), data("frozen.pb"), Settings::default()).await.unwrap();
}

#[tokio::test]
async fn there_are_no_more_versions_than_may_be() {
    let models = Models::new();
    let model: Model = read(&scaled(1, 2.0), Settings::default()).await;
    for _ in 0..16 {
        models.add("m", None, model.clone()).unwrap();
    }
    assert!(matches!(models.add("m", None, model.clone()), Err(Error::Many { limit: 16, .. })));
    models.retire("m", "9").unwrap();
    models.add("m", None, model).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_are_swapped_while_items_flow_and_no_batch_has_two() {
    let models = Models::new();
    for version in ["a", "b", "c"] {
        let by = match version {
            "a" => 2.0,
            "b" => 3.0,
            _ => 5.0,
        };
        models.add("swapped", Some(version), read(&scaled(1, by), Settings::default()).await).unwrap();
    }
    let done = Arc::new(AtomicBool::new(false));
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let flows = (0..4).map(|_| {
        let (models, done, seen) = (models.clone(), done.clone(), seen.clone());
        tokio::spawn(async move {
            let mut rows = 0_u64;
            while !done.load(Relaxed) {
                let batch: Vec<Vec<f64>> = (1_u8..=50).map(|row| vec![f64::from(row)]).collect();
                let verdicts = models.judge("swapped", &batch).await.unwrap();
                assert_eq!(verdicts.len(), batch.len());
                let version = verdicts[0].as_ref().unwrap().version().to_string();
                let by = match version.as_str() {
                    "a" => 2.0,
                    "b" => 3.0,
                    _ => 5.0,
                };
                for (row, verdict) in batch.iter().zip(verdicts) {
                    let verdict = verdict.unwrap();
                    assert_eq!((verdict.version(), verdict.scores()[0]), (version.as_str(), by * row[0]));
                    rows += 1;
                }
                seen.lock().unwrap().insert(version);
            }
            rows
        })
    });
    let flows: Vec<_> = flows.collect();
    let (mut swaps, mut judged) = (0, 0);
    // As long as it takes until rows were judged between swaps.
    for turn in 0..100_000 {
        if turn >= 300 && seen.lock().unwrap().len() > 1 {
            break;
        }
        swaps += 1;
        models.swap("swapped", ["b", "c", "a"][turn % 3]).unwrap();
        tokio::task::yield_now().await;
        if turn % 10 == 0 {
            // Items flow between the swaps.
            models.judge("swapped", &[vec![1.0]]).await.unwrap();
            judged += 1;
        }
    }
    done.store(true, Relaxed);
    let mut rows = judged;
    for flow in flows {
        rows += flow.await.unwrap();
    }
    assert!(seen.lock().unwrap().len() > 1, "{seen:?}");
    let counted = counted("swapped");
    assert_eq!((counted.of("swaps"), counted.of("rows")), (swaps, rows));
    assert_eq!(counted.of("failed") + counted.of("refused") + counted.of("busy") + counted.of("late"), 0);
}

#[tokio::test]
async fn a_batch_under_way_ends_on_the_version_that_it_began_with() {
    let models = named(&scaled(1, 2.0), Settings::default()).await;
    models.add("m", None, read(&scaled(1, 3.0), Settings::default()).await).unwrap();
    let begun = models.judge("m", &[vec![1.0]]);
    models.swap("m", "2").unwrap();
    models.retire("m", "1").unwrap();
    assert_eq!(begun.await.unwrap()[0].as_ref().unwrap().scores(), [2.0]);
    let begun = models.judge("m", &[vec![1.0]]);
    models.remove("m").unwrap();
    assert_eq!(begun.await.unwrap()[0].as_ref().unwrap().scores(), [3.0]);
}

#[tokio::test]
async fn what_does_not_load_or_fit_changes_nothing_and_is_counted() {
    let models = Models::new();
    models.add("unfit", None, read(&scaled(2, 2.0), Settings::default()).await).unwrap();
    assert!(models.load("unfit", None, "/nowhere/m.onnx", Settings::default()).await.is_err());
    assert!(models.load("other", None, "/nowhere/m.onnx", Settings::default()).await.is_err());
    let wrong = Model::read("m.onnx", b"nothing".to_vec(), Settings::default()).await;
    assert!(wrong.is_err());
    assert!(models.add("unfit", None, read(&scaled(3, 2.0), Settings::default()).await).is_err());
    assert_eq!(counted("unfit").of("load_failures"), 2);
    assert_eq!(models.get("unfit").unwrap().versions.len(), 1);
    assert_eq!(
        models.judge("unfit", &[vec![1.0, 2.0]]).await.unwrap()[0].as_ref().unwrap().scores(),
        [2.0, 4.0]
    );
}
