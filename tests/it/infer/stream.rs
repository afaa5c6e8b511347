//! Models as elements: nothing is lost by what they do.

use super::onnx::{self, scaled};
use super::{counted, read};
use crate::suite::eventually;
use futures::{SinkExt, StreamExt};
use mape::event::{Delivery, EventId};
use mape::infer::{Input, Limits, Models, Settings, Verdict, judging};
use mape::prelude::{App, LinkOptions, Operators};
use mape::queue::{Answers, Done};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Numbers {
    id: usize,
    row: Vec<f64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Judged {
    id: usize,
    scores: Vec<f64>,
    version: String,
}

/// A log whose rows are judged by the model into another log.
struct World {
    app: App,
    models: Models,
}

impl World {
    async fn new(name: &str, model: &onnx::Onnx, settings: Settings) -> Self {
        let models = Models::new();
        models.add(name, None, read(model, settings).await).unwrap();
        Self { app: App::new(), models }
    }

    async fn append(&self, rows: impl IntoIterator<Item = Vec<f64>>) {
        self.append_from(0, rows).await;
    }

    async fn append_from(&self, first: usize, rows: impl IntoIterator<Item = Vec<f64>>) {
        let mut sink = self.app.logs().log("rows").sink("row");
        for (id, row) in rows.into_iter().enumerate() {
            sink.feed(Numbers { id: first + id, row }).await.unwrap();
        }
        sink.flush().await.unwrap();
    }

    async fn judge(&self, name: &str) {
        self.judge_in_batches(name, 16, Duration::from_millis(5)).await;
    }

    /// Waits so long for a batch to be full.
    async fn judge_in_batches(&self, name: &str, of: usize, within: Duration) {
        let judge = self
            .app
            .create_loop("rows")
            .unwrap()
            .analyze::<Delivery<Numbers>>("judge")
            .ops_in(move |s| s.buffer_count_or_time(of, within))
            .each_ordered(2, judging(&self.models, name, |numbers: &Numbers| Input::F64(&numbers.row)))
            .ops_out(|s| s.map(Done::flatten))
            .ops_out(|s| {
                s.map(|done: Done<Delivery<Numbers>, Verdict>| {
                    let id = done.item.id;
                    done.map(|verdict| Judged {
                        id,
                        scores: verdict.scores().to_vec(),
                        version: verdict.version().to_string(),
                    })
                })
            })
            .spawn()
            .unwrap();
        judge
            .link_sink(Answers::new(&self.app.logs().log("verdicts"), "verdict"), LinkOptions::new())
            .unwrap();
        let source = self.app.logs().log("rows").group("judges").source::<Numbers>().await.unwrap();
        judge.feed(source.filter_map(|delivery| async { delivery.ok() }));
    }

    /// Each row that was judged, once there are so many.
    async fn verdicts(&self, many: usize) -> BTreeMap<usize, Judged> {
        let log = self.app.logs().log("verdicts");
        eventually("all are judged", || async { log.info().await.unwrap().len == many as u64 }).await;
        let events = log.range(EventId::MIN, EventId::MAX, many + 1).await.unwrap();
        let verdicts = events.into_iter().map(|entry| entry.event.unwrap().read::<Judged>().unwrap());
        let verdicts: BTreeMap<_, _> = verdicts.map(|judged| (judged.id, judged)).collect();
        assert_eq!(verdicts.len(), many, "none is there twice");
        verdicts
    }

    /// What is in the dead letters, with the reason, once there are so many.
    async fn dead(&self, many: usize) -> BTreeMap<u64, String> {
        let log = self.app.logs().log("rows").dead_letters();
        eventually("all are dead", || async { log.info().await.unwrap().len == many as u64 }).await;
        let letters = log.range(EventId::MIN, EventId::MAX, many).await.unwrap();
        let told = letters.into_iter().map(|letter| {
            let letter = letter.event.unwrap();
            let reason = letter.get("dead").unwrap()["reason"].as_str().unwrap().to_owned();
            (letter.get("id").unwrap().as_u64().unwrap(), reason)
        });
        told.collect()
    }
}

#[tokio::test]
async fn a_row_that_is_not_in_order_goes_to_the_dead_letters_alone() {
    let world = World::new("in order", &scaled(2, 2.0), Settings::default()).await;
    world.judge("in order").await;
    world.append((0_u8..10).map(|n| if n == 3 { vec![1.0] } else { vec![f64::from(n), 0.0] })).await;
    let verdicts = world.verdicts(9).await;
    assert!(verdicts.iter().all(|(id, judged)| (judged.scores[0] - 2.0 * f64::from(u8::try_from(*id).unwrap())).abs() < 1e-6));
    let dead = world.dead(1).await;
    assert_eq!(dead[&3], "row 0 has 1 numbers, and 2 are a row");
}

#[tokio::test]
async fn a_row_that_the_model_panics_at_is_found_and_all_others_are_judged() {
    let world = World::new("poisoned", &onnx::division(), Settings::default()).await;
    world.judge("poisoned").await;
    world.append([1.0, 2.0, 0.0, 4.0, 5.0, 10.0, 20.0, 25.0].map(|n| vec![n])).await;
    let verdicts = world.verdicts(7).await;
    assert_eq!(verdicts[&7].scores, [4.0]);
    let dead = world.dead(1).await;
    assert!(dead[&2].contains("panicked at a batch of 1 rows"), "{dead:?}");
}

#[tokio::test]
async fn a_batch_that_is_late_is_divided_and_every_row_judged_once() {
    // So many at once take too long; what that is has to be found out, for machines differ. It may have been busier then
    // than later.
    const BATCH: usize = 64;
    let model = read(&onnx::slow(48), Settings::default()).await;
    let rows: Vec<Vec<f64>> = vec![vec![0.5; onnx::SLOW_WIDTH]; BATCH];
    let mut took = Duration::MAX;
    for _ in 0..3 {
        let began = std::time::Instant::now();
        model.run(&rows).await.unwrap();
        took = took.min(began.elapsed());
    }
    let limits = Limits { batch_time: took / 10, ..Limits::default() };
    let settings = Settings { limits, ..Settings::default() };
    let world = World::new("late", &onnx::slow(48), settings).await;
    world.append(rows.into_iter().cycle().take(2 * BATCH)).await;
    // Batches are full, and a row that was late by itself waits no longer for others than this when it is tried again.
    world.judge_in_batches("late", BATCH, Duration::from_secs(1)).await;
    let (log, dead) = (world.app.logs().log("verdicts"), world.app.logs().log("rows").dead_letters());
    // Where the machine is busy, a single row may be late, too: it is told, not lost.
    eventually("each has its end", || async {
        log.info().await.unwrap().len + dead.info().await.unwrap().len == 2 * BATCH as u64
    })
    .await;
    assert!(counted("late").of("late") > 0);
}

#[tokio::test]
async fn while_there_is_no_model_what_comes_waits_for_one() {
    let world = World::new("waiting", &scaled(2, 2.0), Settings::default()).await;
    world.models.remove("waiting").unwrap();
    world.judge("waiting").await;
    world.append((0_u8..10).map(|n| vec![f64::from(n), 0.0])).await;
    let group = || async { world.app.logs().log("rows").group("judges").info().await.unwrap().unwrap() };
    eventually("they are on their way", || async { group().await.pending == 10 }).await;
    world.models.add("waiting", Some("late"), read(&scaled(2, 3.0), Settings::default()).await).unwrap();
    let verdicts = world.verdicts(10).await;
    assert!(verdicts.values().all(|judged| judged.version == "late"));
    assert_eq!(world.app.logs().log("rows").dead_letters().info().await.unwrap().len, 0);
}

#[tokio::test]
async fn versions_are_swapped_while_a_log_is_judged_and_no_row_is_lost() {
    let world = World::new("flowing", &scaled(2, 2.0), Settings::default()).await;
    world.models.add("flowing", None, read(&scaled(2, 3.0), Settings::default()).await).unwrap();
    world.judge("flowing").await;
    let log = world.app.logs().log("verdicts");
    for turn in 0_u16..40 {
        let there = log.info().await.unwrap().len;
        world.append_from(50 * usize::from(turn), (0..50).map(|n| vec![f64::from(50 * turn + n), 0.0])).await;
        eventually("some more are judged", || async { log.info().await.unwrap().len > there }).await;
        world.models.swap("flowing", if turn % 2 == 0 { "2" } else { "1" }).unwrap();
    }
    let verdicts = world.verdicts(2000).await;
    let mut versions = std::collections::BTreeSet::new();
    for (id, judged) in verdicts {
        let by = if judged.version == "1" { 2.0 } else { 3.0 };
        assert!((judged.scores[0] - by * f64::from(u16::try_from(id).unwrap())).abs() < 1e-3);
        versions.insert(judged.version);
    }
    assert_eq!(versions.len(), 2);
}
