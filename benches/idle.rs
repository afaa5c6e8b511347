//! Memory of idle elements.
fn main() {}
