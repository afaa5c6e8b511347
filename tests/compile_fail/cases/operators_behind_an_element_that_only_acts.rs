//! Operators behind a function that only acts: there is nothing for them to work on.
use mape::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = App::new();
    let car = app.create_loop("car")?;
    car.execute("brake").act(|force: u64| drop(force)).ops_out(|s| s.distinct_until_changed()).spawn()?;
    Ok(())
}
