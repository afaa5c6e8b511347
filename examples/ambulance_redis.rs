//! A car and an ambulance on two machines: the car tells of an emergency, the ambulance switches its siren on.
//!
//! ```text
//!     car_panda                                                ambulance
//!     detect ──▶ channel car_panda.detect ── car_*.detect ──▶ policy ──▶ exec ──▶ speed, siren
//! ```
//!
//! The ambulance knows no car by name: it listens to the `detect` of every car there is. With a Redis server:
//!
//! ```text
//! cargo run --example ambulance_redis -- --role ambulance
//! cargo run --example ambulance_redis -- --role car_panda
//! ```
//!
//! Without one, both in this process: `cargo run --example ambulance_redis -- --backend memory:`

#[path = "patterns/party.rs"]
mod party;

use std::process::ExitCode;
use std::time::Duration;

use mape::edge::influxdb::Point;
use mape::prelude::*;

use crate::party::{Party, Program};

const PROGRAM: Program = Program {
    name: "ambulance_redis",
    about: "A car tells an ambulance of emergencies",
    roles: &["car_panda", "ambulance"],
    backend: "redis://127.0.0.1:6379",
};

/// Between what the car tells.
const PAUSE: Duration = Duration::from_millis(250);

/// What the plan asks of the ambulance.
#[derive(Clone)]
enum Command {
    Speed(u32),
    Siren(bool),
}

fn main() -> ExitCode {
    PROGRAM.run(|party| async {
        match party.role {
            "ambulance" => ambulance(party).await,
            _ => car_panda(party).await,
        }
    })
}

/// Tells what it detects.
async fn car_panda(party: Party) -> anyhow::Result<()> {
    let car = party.app.create_loop("car_panda")?;
    let detect = car.monitor("detect").map(|emergency: bool| emergency).spawn()?;
    // On the channel of its path, `car_panda.detect`.
    party.app.publish(&detect)?;
    // And to InfluxDB, if anybody says where that is.
    let mut seconds = -PAUSE.as_secs_f64();
    let seen = party.meter(move |emergency: bool| {
        seconds += PAUSE.as_secs_f64();
        (seconds, Point::new("panda_sees").field("emergency", i64::from(emergency)))
    });
    if let Some(seen) = seen {
        detect.link_sink(seen, LinkOptions::new())?;
    }
    party.meet("start").await?;

    detect.start()?;
    for emergency in [false, false, true, true, false] {
        party.say(if emergency { "emergency!" } else { "all quiet" });
        detect.push(emergency).await?;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// Drives as the cars' emergencies ask it to.
async fn ambulance(party: Party) -> anyhow::Result<()> {
    let ambulance = party.app.create_loop("ambulance")?;

    // Only news is worth a plan.
    let emergency_speed = Parameter::new("emergency_speed", 180).within(80..=200);
    let policy = ambulance
        .plan("policy")
        .parameter(&emergency_speed)
        .ops_in(|emergencies| emergencies.distinct_until_changed())
        .each(move |emergency: bool, out| {
            out.emit(Command::Speed(if emergency { emergency_speed.get() } else { 80 }));
            out.emit(Command::Siren(emergency));
        })
        .spawn()?;

    let driver = party.clone();
    let exec = ambulance
        .execute("exec")
        .act(move |command: Command| match command {
            Command::Speed(kmh) => driver.say(format_args!("speed {kmh} km/h")),
            Command::Siren(on) => driver.say(format_args!("siren {}", if on { "ON" } else { "OFF" })),
        })
        .spawn()?;
    policy.link(&exec)?;

    // A car's end crosses the channel too. This program takes it for its own end; a stream of many cars would go on.
    let cars = party.app.channels().source::<bool>("car_*.detect").await?;
    let until_it_ends = cars.received().map(|received| received.notification).try_dematerialize();
    let driver = party.clone();
    policy.feed(until_it_ends.skip_errors(move |error| driver.say(error)));
    let ended = exec.subscribe();
    party.meet("start").await?;
    ended.count().await;
    Ok(())
}
