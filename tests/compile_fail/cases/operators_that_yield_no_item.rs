//! Operators that yield something that cannot be cloned, so that no element can take it.
use mape::prelude::*;

struct Reading(u64);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = App::new();
    let car = app.create_loop("car")?;
    car.monitor("detect").ops_in(|s| s.map(|speed: u64| Reading(speed))).map(|reading| reading.0).spawn()?;
    Ok(())
}
