//! In-process figures (Criterion): chains, fan-out, an element's inner pipe, operators, knowledge in memory, and conditions.
//!
//! Groups and functions have fixed names and no parameters, so results lie in `target/criterion/GROUP/FUNCTION`. What
//! each one does and how to read it is in docs/performance.md.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot go on has to stop")]
#![allow(missing_docs, reason = "criterion_group makes an undocumented function")]

#[path = "core/chain4.rs"]
mod chain4;
#[path = "core/conditions.rs"]
mod conditions;
#[path = "core/fanout3.rs"]
mod fanout3;
#[path = "core/group.rs"]
mod group;
#[path = "core/inner_pipe.rs"]
mod inner_pipe;
#[path = "core/interest.rs"]
mod interest;
#[path = "core/knowledge.rs"]
mod knowledge;
#[path = "core/measure.rs"]
mod measure;
#[path = "core/operators.rs"]
mod operators;

criterion::criterion_group!(
    core,
    chain4::all,
    fanout3::all,
    inner_pipe::all,
    operators::all,
    knowledge::all,
    conditions::all
);
criterion::criterion_main!(core);
