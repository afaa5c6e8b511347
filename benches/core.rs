//! In-process figures (Criterion).
fn main() {}
