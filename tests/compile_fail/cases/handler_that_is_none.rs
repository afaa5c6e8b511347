//! A struct given as a handler that is none.
use mape::prelude::*;

struct Counter(u64);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = App::new();
    let car = app.create_loop("car")?;
    car.monitor::<u64>("count").handler(Counter(0)).spawn()?;
    Ok(())
}
