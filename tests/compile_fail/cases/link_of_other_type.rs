//! A link from an element that emits `String` to one that takes `u64`.
use mape::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = App::new();
    let car = app.create_loop("car")?;
    let detect = car.monitor("detect").map(|plate: u64| plate.to_string()).spawn()?;
    let policy = car.plan("policy").map(|speed: u64| speed > 80).spawn()?;
    detect.link(&policy)?;
    Ok(())
}
