//! A function with results to emit that returns one instead.
use mape::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = App::new();
    let car = app.create_loop("car")?;
    let detect = car.monitor("detect").each(|speed: u64, _out: &mut Out<u64>| speed + 1).spawn()?;
    detect.start()?;
    Ok(())
}
