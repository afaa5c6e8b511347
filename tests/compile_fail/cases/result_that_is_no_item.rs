//! A function whose result cannot be cloned.
use mape::prelude::*;

struct Reading(u64);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = App::new();
    let car = app.create_loop("car")?;
    car.monitor("detect").map(|speed: u64| Reading(speed)).spawn()?;
    Ok(())
}
