//! A parameter of a type that can't be told to the outside.
use mape::prelude::*;

#[derive(Clone, Debug, PartialEq)]
struct Gains(f64, f64);

fn main() {
    let _gains = Parameter::new("gains", Gains(0.5, 0.1));
}
