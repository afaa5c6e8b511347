//! An async closure that changes what it captures; a `Handler` may.
use mape::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = App::new();
    let car = app.create_loop("car")?;
    let mut count = 0;
    car.monitor("detect")
        .each_async(async move |_speed: u64, out| {
            count += 1;
            out.emit(count).await;
        })
        .spawn()?;
    Ok(())
}
