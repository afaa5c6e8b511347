//! Models in the stream, beside the bare call of what runs them, and beside onnxruntime in Python on one core.
//!
//! `cargo bench -p mape-benches --features inference --bench infer -- [--json] [CASE…]`; what each case does and how to read
//! it is in docs/performance.md.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a benchmark that cannot go on has to stop, and says what is missing"
)]

#[path = "infer/bare.rs"]
mod bare;
#[path = "infer/network.rs"]
mod network;
#[path = "../tests/it/infer/onnx.rs"]
#[expect(dead_code, reason = "the tests have more models")]
mod onnx;
#[path = "infer/ours.rs"]
mod ours;
#[path = "infer/peer.rs"]
mod peer;

use mape_benches::{Comparison, Figure};

/// Rows of a run.
const ROWS: usize = 1 << 16;

/// The row of that number: a bag of words, as 44 numbers of which some are 1.
fn row(number: usize) -> Vec<f32> {
    (0..44).map(|word| if (number * 31 + word * 17).is_multiple_of(9) { 1.0 } else { 0.0 }).collect()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut comparison = Comparison::new("infer");
    for (name, hidden) in [("net", 1024), ("small", 64)] {
        let bytes = network::network(hidden).bytes();
        let rates = ["1", "32", "256"].map(|batch| format!("{name}_{batch}_onnxruntime"));
        let rates: Vec<&str> = rates.iter().map(String::as_str).collect();
        let peer = if comparison.selects(&rates) { peer::rates(name, &bytes) } else { Ok(Vec::new()) };
        if let Err(why) = &peer {
            eprintln!("onnxruntime is not measured: {why}");
        }
        for batch in [1, 32, 256] {
            let case = format!("{name}_{batch}");
            let model = ours::Judge::new(&bytes, batch).await;
            let bare = bare::Bare::new(&bytes, batch);
            if comparison.selects(&[&case]) {
                let aim = if batch == 256 { ">= 0.9" } else { "" };
                comparison.rates(&case, aim, async || model.run().await, async || bare.run()).await;
            }
            let beside = format!("{case}_onnxruntime");
            let theirs = peer.as_ref().ok().and_then(|rates| rates.iter().find(|(of, _)| *of == batch));
            if let (true, Some((_, theirs))) = (comparison.selects(&[&beside]), theirs) {
                let mut runs = Vec::new();
                for _ in 0..5 {
                    runs.push(model.run().await.per_second());
                }
                let value = mape_benches::median(runs);
                comparison.write(&Figure {
                    case: &beside,
                    value: value.round(),
                    unit: "per_second",
                    baseline: theirs.round(),
                    ratio: value / theirs,
                    cpu_ratio: None,
                    aim: "",
                });
            }
        }
    }
}
