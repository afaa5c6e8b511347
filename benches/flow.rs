//! Figures of the flow language (Criterion): from a text to its graph, with all that is said about it on the way.
//!
//! `flow_compile/{chain,fan}_N` are N tasks in a row and side by side; `flow_compile/corpus` is all flows of the
//! conformance corpus that the original accepts too, one after the other. Time for each task.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot go on has to stop"
)]
#![allow(missing_docs, reason = "criterion_group makes an undocumented function")]

#[path = "core/group.rs"]
mod group;

use criterion::Criterion;
use mape::flow::Workflow;
use std::hint::black_box;

const CORPUS: &str = include_str!("../tests/it/flow/corpus/agreed.jsonl");

fn tasks(n: usize, between: &str) -> String {
    (0..n).map(|i| format!("t:{i}")).collect::<Vec<_>>().join(between)
}

/// How many tasks the graph of a text has.
fn compiled(text: &str) -> usize {
    let workflow = Workflow::parse(black_box(text));
    workflow.graph().unwrap().nodes().iter().filter(|node| node.task().is_some()).count()
}

fn compile(c: &mut Criterion) {
    for n in [1_000, 10_000] {
        for (name, text) in
            [("chain", tasks(n, " → ")), ("fan", format!("first → {{ {} }} → last", tasks(n - 2, " ")))]
        {
            let mut group = group::group(c, "flow_compile", n as u64);
            group.bench_function(format!("{name}_{n}"), |b| b.iter(|| assert_eq!(compiled(&text), n)));
        }
    }
    let sources: Vec<String> = CORPUS
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["source"].as_str().unwrap().to_owned()
        })
        .collect();
    let whole = || sources.iter().map(|source| compiled(source)).sum::<usize>();
    let expected = whole();
    let mut group = group::group(c, "flow_compile", expected as u64);
    group.bench_function("corpus", |b| b.iter(|| assert_eq!(whole(), expected)));
}

criterion::criterion_group!(flow, compile);
criterion::criterion_main!(flow);
