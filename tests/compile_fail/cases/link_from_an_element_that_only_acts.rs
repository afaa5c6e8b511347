//! A link from an element that only acts, and so emits nothing.
use mape::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = App::new();
    let car = app.create_loop("car")?;
    let brake = car.execute("brake").act(|force: u64| drop(force)).spawn()?;
    let record = car.execute("record").act(|force: u64| drop(force)).spawn()?;
    brake.link(&record)?;
    Ok(())
}
