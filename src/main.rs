//! The `mape` program.
fn main() {}
