//! A function that takes another type than the operators before it yield.
use mape::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = App::new();
    let car = app.create_loop("car")?;
    car.monitor::<u64>("detect").map(|speed: String| speed.len()).spawn()?;
    Ok(())
}
