//! Through the element: lists of items, each with its verdict.

use super::{ROWS, row};
use futures::stream;
use mape::infer::{Input, Model, Models, RowError, Settings, Verdict, judging};
use mape::prelude::*;
use mape::queue::Done;
use mape_benches::Run;
use std::sync::Arc;
use std::time::Duration;

/// An item, as a delivery of a log is one: it is shared, and a row is in it.
type Item = Arc<Vec<f32>>;

pub(super) struct Judge {
    models: Models,
    items: Vec<Item>,
    batch: usize,
}

impl Judge {
    pub(super) async fn new(bytes: &[u8], batch: usize) -> Self {
        let models = Models::new();
        let model = Model::read("net.onnx", bytes.to_vec(), Settings::default()).await.unwrap();
        models.add("net", None, model).unwrap();
        Self { models, items: (0..ROWS).map(|number| Arc::new(row(number))).collect(), batch }
    }

    /// All items through an element, to who takes their verdicts.
    pub(super) async fn run(&self) -> Run {
        let app = App::new();
        let judge = app
            .create_loop("bench")
            .unwrap()
            .analyze::<Item>("judge")
            .ops_in({
                let batch = self.batch;
                move |s| s.buffer_count_or_time(batch, Duration::from_secs(1))
            })
            .each_ordered(2, judging(&self.models, "net", |row: &Vec<f32>| Input::F32(row)))
            .spawn()
            .unwrap();
        let mut verdicts = judge.subscribe();
        let items = self.items.clone();
        Run::of(ROWS as u64, async move {
            judge.feed(stream::iter(items));
            let mut seen = 0;
            while seen < ROWS {
                let done: Done<Item, Result<Verdict, RowError>> = verdicts.next().await.unwrap();
                assert_eq!(done.result.unwrap().unwrap().scores().len(), 7);
                seen += 1;
            }
        })
        .await
        .wall_only()
    }
}
