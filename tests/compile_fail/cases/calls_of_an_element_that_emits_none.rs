//! A link of calls from an element that emits something else.
use mape::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = App::new();
    let car = app.create_loop("car")?;
    let follow = car.plan("follow").map(|gap: f64| gap * 2.0).spawn()?;
    let error = car.analyze("error").map(|speed: f64| speed).spawn()?;
    follow.link_calls(&error)?;
    Ok(())
}
