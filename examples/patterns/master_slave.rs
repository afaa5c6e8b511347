//! Master and slaves: cars only monitor and execute, one master analyses and plans for all of them.
//!
//! A road with average-speed enforcement. Each car measures its speed eight times on a section of the road; the master
//! averages them, car by car, and tells each car what follows: over +30 % it may do 30 km/h on the next section, over
//! +60 % it has to stop.
//!
//! ```text
//!     car_NAME.mon ──▶ channel car_NAME.mon ──▶ avg ──▶ penalty ──▶ post ──▶ channel car_NAME.exec
//!      ▲                                      8 of a car      └──▶ ledger               │
//!      └──────── eight more seconds of driving ────────── car_NAME.exec ◀───────────────┘
//! ```
//!
//! Where the master's answer goes is written in the message: a car puts the path of its own `exec` on it. Messages never
//! change; `avg` and `penalty` make new ones, so `post` and `ledger` see the same.
//!
//! ```text
//! cargo run --example master_slave                                              # all in this process
//! cargo run --example master_slave -- --backend redis://127.0.0.1:6379 --role master     # one of four
//! ```

mod car;
mod party;

use std::collections::HashMap;
use std::process::ExitCode;

use mape::channel::{ChannelSink, Channels, Topics};
use mape::edge::influxdb::Point;
use mape::element::ElementPath;
use mape::prelude::*;
use serde::{Deserialize, Serialize};

use crate::car::Car;
use crate::party::{Party, Program};

const PROGRAM: Program = Program {
    name: "master_slave",
    about: "A master enforces the average speed of three cars",
    roles: &["master", "veyron", "countach", "panda"],
    backend: "memory:",
};

/// How many speeds make an average.
const WINDOW: usize = 8;
/// How many sections of the road each car drives.
const SECTIONS: usize = 4;
const ALLOWED_KMH: f64 = 150.0;

/// What the master says of one section.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Verdict {
    average_kmh: f64,
    /// What the car may do at most on the next section; none: what everybody may.
    penalty_kmh: Option<f64>,
}

impl Verdict {
    fn on(average_kmh: f64, allowed_kmh: f64) -> Self {
        let too_fast_kmh = average_kmh - allowed_kmh;
        let penalty_kmh = match too_fast_kmh / allowed_kmh {
            excess if excess > 0.6 => Some(0.0),
            excess if excess > 0.3 => Some(30.0),
            _ => None,
        };
        Self { average_kmh, penalty_kmh }
    }
}

fn main() -> ExitCode {
    PROGRAM.run(|party| async move {
        match party.role {
            "master" => master(party).await,
            "veyron" => slave(party, 300.0).await,
            "countach" => slave(party, 210.0).await,
            _ => slave(party, 90.0).await,
        }
    })
}

/// Analyzes and plans for all cars.
async fn master(party: Party) -> anyhow::Result<()> {
    let enforcement = party.app.create_loop("speed_enforcement")?;

    // Each car has a window of its own. The average goes on as the window's first message, with the same destination.
    let path = ElementPath::new(enforcement.uid(), "avg");
    let avg = enforcement
        .analyze("avg")
        .ops_in(|speeds| {
            let source = |speed: &Message<f64>| speed.src().cloned();
            speeds.group_and_pipe(source, None, |_, of_one_car| of_one_car.buffer_count(WINDOW))
        })
        .each(move |window: Vec<Message<f64>>, out| {
            let sum: f64 = window.iter().map(Message::value).sum();
            if let Some(first) = window.first() {
                out.emit(first.hop_with(&path, sum / window.len() as f64));
            }
        })
        .spawn()?;

    let threshold = Parameter::new("speed_threshold", ALLOWED_KMH).within(30.0..=200.0);
    let allowed = threshold.clone();
    let penalty = enforcement
        .plan("penalty")
        .parameter(&threshold)
        .map_message(move |average_kmh: &f64| Verdict::on(*average_kmh, allowed.get()))
        .spawn()?;

    let post = enforcement.execute("post").handler(Post::by(party.app.channels())).spawn()?;

    let clerk = party.clone();
    let ledger = enforcement
        .execute("ledger")
        .map(move |verdict: Message<Verdict>| {
            let car = verdict.src().map_or("nobody", ElementPath::owner);
            let Verdict { average_kmh, penalty_kmh } = *verdict.value();
            let excess = match penalty_kmh {
                Some(kmh) => format!(", {:+.0} %: {kmh} km/h", (average_kmh / ALLOWED_KMH - 1.0) * 100.0),
                None => String::new(),
            };
            clerk.say(format_args!("{car:<12}  {average_kmh:>3.0} km/h on average{excess}"));
            penalty_kmh.is_some()
        })
        .spawn()?;

    avg.link(&penalty)?;
    penalty.link(&post)?;
    penalty.link(&ledger)?;
    avg.feed(party.hear("car_*.mon").await?);
    let (mut posted, mut entered) = (post.subscribe(), ledger.subscribe());
    party.meet("start").await?;

    let mut penalties = 0;
    for _ in 0..SECTIONS * (PROGRAM.roles.len() - 1) {
        posted.next().await;
        penalties += u32::from(entered.next().await == Some(true));
    }
    party.say(format_args!("{penalties} penalties"));
    Ok(())
}

/// Sends each message to the channel that is its destination.
#[derive(Debug)]
struct Post {
    channels: Channels,
    sinks: HashMap<String, ChannelSink<Message<Verdict>>>,
}

impl Post {
    fn by(channels: Channels) -> Self {
        Self { channels, sinks: HashMap::new() }
    }
}

impl Handler for Post {
    type In = Message<Verdict>;
    type Out = ();

    async fn on_item(&mut self, verdict: Message<Verdict>, out: &Emitter<()>) -> Result<(), BoxError> {
        let to = verdict.dst().ok_or("a verdict without a destination")?.to_owned();
        let sink = self.sinks.entry(to.clone()).or_insert_with(|| self.channels.sink(to));
        sink.send(verdict).await?;
        out.emit(()).await;
        Ok(())
    }
}

/// A car that measures its speed, and does what it is told.
async fn slave(party: Party, wish_kmh: f64) -> anyhow::Result<()> {
    let uid = format!("car_{}", party.role);
    let car_loop = party.app.create_loop(&uid)?;

    let (from, to) = (ElementPath::new(&uid, "mon"), ElementPath::new(&uid, "exec"));
    let mon = car_loop
        .monitor("mon")
        .map(move |car: Car| Message::new(car.speed_kmh).from(&from).to(to.as_str()))
        .spawn()?;

    let (mut now_kmh, driver) = (wish_kmh, party.clone());
    let exec = car_loop
        .execute("exec")
        .map(move |verdict: Message<Verdict>| {
            let kmh = verdict.value().penalty_kmh.unwrap_or(ALLOWED_KMH).min(wish_kmh);
            if kmh.total_cmp(&now_kmh).is_ne() {
                let by = verdict.hops().last().map_or("nobody", |hop| hop.element.as_str());
                driver.say(format_args!("{kmh} km/h instead of {now_kmh}, by order of {by}"));
                now_kmh = kmh;
            }
            kmh
        })
        .spawn()?;

    // The next section, as fast as is allowed.
    let mut car = Car::at(0.0, wish_kmh);
    let drive = car_loop
        .execute("drive")
        .each(move |kmh: f64, out| {
            for _ in 0..WINDOW {
                out.emit(car.drive(kmh));
            }
        })
        .spawn()?;

    write(&party, &drive)?;
    exec.link_ops(&drive, LinkOptions::new(), |limits| limits.take(SECTIONS - 1))?;
    drive.link(&mon)?;
    party.app.publish(&mon)?;
    exec.feed(party.hear(Topics::names([exec.path().as_str()])).await?);
    party.meet("start").await?;

    // Nothing has been said of the first section: as fast as the driver likes.
    let (verdicts, cars) = (exec.subscribe(), drive.subscribe());
    mon.start()?;
    drive.push(wish_kmh).await?;
    verdicts.take(SECTIONS).count().await;
    if let Some(Car { second, position_m, .. }) = cars.take(WINDOW * SECTIONS).last_item().await {
        party.say(format_args!("drove {position_m:.0} m in {second} s"));
    }
    Ok(())
}

/// Writes where a car is and how fast, if anybody says where to.
fn write(party: &Party, drive: &Element<f64, Car>) -> anyhow::Result<()> {
    let role = party.role;
    let cars = party.meter(move |car: Car| {
        let point = Point::new("slave_car").tag("car", role).field("speed_kmh", car.speed_kmh);
        (car.second.into(), point.field("position_m", car.position_m))
    });
    if let Some(cars) = cars {
        drive.link_sink(cars, LinkOptions::new())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn penalties_begin_above_30_and_60_percent() {
        let penalty = |average_kmh| Verdict::on(average_kmh, 100.0).penalty_kmh;
        assert_eq!(
            [90.0, 130.0, 131.0, 160.0, 161.0].map(penalty),
            [None, None, Some(30.0), Some(30.0), Some(0.0)]
        );
    }
}
