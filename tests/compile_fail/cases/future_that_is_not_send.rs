//! An asynchronous function that holds an `Rc` while it waits.
use mape::prelude::*;
use std::rc::Rc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = App::new();
    let car = app.create_loop("car")?;
    car.monitor("detect")
        .each_async(async |speed: u64, out| {
            let shared = Rc::new(speed);
            out.emit(*shared).await;
            drop(shared);
        })
        .spawn()?;
    Ok(())
}
