//! The first loop: an ambulance that drives faster, with its siren on, while there is an emergency.
//!
//! ```text
//!  radio ──▶ detect ──▶ policy ──▶ exec ──▶ speed, siren
//!            Monitor    Plan       Execute
//! ```
//!
//! `cargo run --example first_loop` plays two seconds of it.
#![expect(clippy::print_stdout, reason = "a first program prints")]

use mape::prelude::*;
use std::time::Duration;

/// What the plan asks of the ambulance. Anything that is `Clone + Send` can travel from element to element.
#[derive(Clone)]
enum Command {
    Speed(u32),
    Siren(bool),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let app = App::new();
    let ambulance = app.create_loop("ambulance")?;

    // Monitor: what is the case? The radio repeats itself, and only news should get through, so an operator stands
    // before the function.
    let detect = ambulance
        .monitor("detect")
        .ops_in(|radio| radio.distinct_until_changed())
        .map(|emergency: bool| emergency)
        .spawn()?;

    // Plan: what should be done? One item in, as many out as it takes. The speed is a parameter, with bounds: it has
    // a name, and can be changed while the loop runs.
    let emergency_speed = Parameter::new("emergency_speed", 180).within(80..=200);
    let policy = ambulance
        .plan("policy")
        .parameter(&emergency_speed)
        .each(move |emergency: bool, out| {
            out.emit(Command::Speed(if emergency { emergency_speed.get() } else { 80 }));
            out.emit(Command::Siren(emergency));
        })
        .spawn()?;

    // Execute: do it. A real ambulance would be driven here; this one prints, and emits nothing.
    let exec = ambulance
        .execute("exec")
        .act(|command: Command| match command {
            Command::Speed(kmh) => println!("          Speed: {kmh} km/h"),
            Command::Siren(on) => println!("          Siren is {}", if on { "ON" } else { "OFF" }),
        })
        .spawn()?;

    // Links carry what one element emits to the next. That the types agree is checked by the compiler.
    detect.link(&policy)?;
    policy.link(&exec)?;

    // A Monitor waits until it is started, so that nothing is lost while the rest is being linked.
    detect.start()?;

    radio(&detect, &[false, false, true, true, false]).await?;

    // Whoever has the app finds an element by its path. A value out of bounds would be refused with a reason.
    println!("-- from now on, 130 km/h has to do");
    app.get("ambulance.policy")?.set_parameter("emergency_speed", 130)?;

    radio(&detect, &[true, true, false]).await?;

    // Everything finishes what it has, in the order of the links; whoever can't in a second is named and ended.
    let shutdown = app.shutdown(Duration::from_secs(1)).await;
    println!("{}", if shutdown.is_clean() { "-- all has ended" } else { "-- something hangs" });
    Ok(())
}

/// Pushes messages into the Monitor, one every quarter of a second.
async fn radio(detect: &Element<bool, bool>, messages: &[bool]) -> Result<(), BoxError> {
    for &emergency in messages {
        println!("{}", if emergency { "emergency!" } else { "all quiet" });
        detect.push(emergency).await?;
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    Ok(())
}
