//! Hierarchical control: a loop above other loops sets their goals and leaves the means to them.
//!
//! Each of two cars has a loop with a PID controller that keeps a speed, ten times a second. A convoy loop above them
//! looks twice a second. It has a schedule for the countach, and a PID controller of its own that holds the panda's
//! distance; its effectors are the lower loops: it calls their method `cruise_control`.
//!
//! ```text
//!     level convoy      channel cruise_*.report ──▶ view ──┬──▶ schedule ───────┬──▶ channel cruise_NAME.calls
//!                                                          └──▶ hold_distance ──┘
//!     level cars        channel cruise_NAME.calls ──▶ calls ── cruise_control(km/h)
//!                                                                    ▼
//!                                                     speed ──────▶ pid ──▶ pedals ──┬──▶ report ──▶ channel
//!                                                       ▲                            │
//!                                                       └────────────────────────────┘
//! ```
//!
//! What is called is named in a message from another machine, so a car answers only to the method that it exports, with
//! a speed that its parameter accepts.
//!
//! ```text
//! cargo run --example hierarchical_control                                             # all in this process
//! cargo run --example hierarchical_control -- --backend redis://127.0.0.1:6379 --role convoy     # one of three
//! ```
//!
//! With `influxdb.url` in the configuration, each writes what comes of it:
//!
//! | measurement | tags | fields |
//! |---|---|---|
//! | `convoy` | | `distance_m` |
//! | `cruise` | `car` | `speed_kmh`, `target_kmh`; `pedal`, from -1, full brake, to 1, full throttle |

mod party;
mod pid;
mod rounds;

use std::future::ready;
use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::sync::Arc;

use mape::channel::Topics;
use mape::edge::influxdb::Point;
use mape::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::party::{Party, Program};
use crate::pid::Pid;
use crate::rounds::Rounds;

const PROGRAM: Program = Program {
    name: "hierarchical_control",
    about: "A convoy loop steers the cruise controls of two cars",
    roles: &["convoy", "countach", "panda"],
    backend: "memory:",
};

const TICK_S: f64 = 0.1;
/// The upper loop looks once in so many ticks of the lower ones.
const LOOK: u32 = 5;
/// How long they drive, in looks.
const DRIVE: u32 = 400;
/// The countach's speeds: from which look on, and how many km/h.
const SCHEDULE: [(u32, f64); 4] = [(0, 50.0), (100, 90.0), (200, 110.0), (300, 60.0)];
const SPEEDS_KMH: RangeInclusive<f64> = 0.0..=140.0;
/// What the panda keeps behind the countach.
const DISTANCE_M: f64 = 40.0;

/// How a car moves.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Motion {
    tick: u32,
    position_m: f64,
    speed_mps: f64,
}

impl Motion {
    fn kmh(&self) -> f64 {
        self.speed_mps * 3.6
    }
}

/// The managed system.
#[derive(Debug)]
struct Car {
    motion: Motion,
    /// What full throttle gives, in metres per second in a second.
    engine: f64,
}

impl Car {
    /// Drives for a tick: -1 is full brake, 1 full throttle.
    fn drive(&mut self, pedal: f64) -> Motion {
        let Motion { tick, position_m, speed_mps } = self.motion;
        let forward = if pedal > 0.0 { pedal * self.engine } else { pedal * 7.0 };
        let drag = 0.1 + 0.0006 * speed_mps * speed_mps;
        let speed_mps = (speed_mps + (forward - drag) * TICK_S).max(0.0);
        self.motion = Motion { tick: tick + 1, position_m: position_m + speed_mps * TICK_S, speed_mps };
        self.motion
    }
}

/// What a car tells the loop above.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Report {
    car: String,
    motion: Motion,
}

/// A call on its way to another machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Order {
    method: String,
    argument: Value,
}

impl Order {
    fn cruise(kmh: f64) -> Self {
        Self { method: "cruise_control".to_owned(), argument: kmh.into() }
    }
}

/// Both cars at one moment.
#[derive(Clone, Debug)]
struct View {
    look: u32,
    countach: Motion,
    panda: Motion,
}

impl View {
    fn distance_m(&self) -> f64 {
        self.countach.position_m - self.panda.position_m
    }
}

/// The speed that the countach should have by now.
fn scheduled_kmh(look: u32) -> f64 {
    SCHEDULE.iter().rfind(|(from, _)| *from <= look).map_or(0.0, |(_, kmh)| *kmh)
}

fn main() -> ExitCode {
    PROGRAM.run(|party| async move {
        match party.role {
            "convoy" => convoy(party).await,
            "countach" => cruise(party, DISTANCE_M, 3.5).await,
            _ => cruise(party, 0.0, 3.0).await,
        }
    })
}

/// The upper loop: tells both lower ones which speed to keep.
async fn convoy(party: Party) -> anyhow::Result<()> {
    let convoy = party.app.level("convoy")?.create_loop("convoy")?;

    let mut rounds = Rounds::of(2);
    let view = convoy
        .monitor("view")
        .each(move |Report { car, motion }, out| {
            let Some(cars) = rounds.tell(motion.tick / LOOK, &car, motion) else { return };
            if let (Some(countach), Some(panda)) = (cars.get("countach"), cars.get("panda")) {
                out.emit(View { look: motion.tick / LOOK, countach: *countach, panda: *panda });
            }
        })
        .spawn()?;

    let schedule =
        convoy.plan("schedule").map(|view: View| Order::cruise(scheduled_kmh(view.look))).spawn()?;

    let mut pid = Pid::new([4.0, 0.4, 2.0], SPEEDS_KMH, TICK_S * f64::from(LOOK));
    let hold_distance = convoy
        .plan("hold_distance")
        // More speed makes less distance, so both go in with a minus.
        .map(move |view: View| Order::cruise(pid.control(-DISTANCE_M, -view.distance_m())))
        .spawn()?;

    view.link_ops(&schedule, LinkOptions::new(), |views| views.take(DRIVE as usize))?;
    view.link_ops(&hold_distance, LinkOptions::new(), |views| views.take(DRIVE as usize))?;
    schedule.link_sink(party.app.channels().sink("cruise_countach.calls"), LinkOptions::new())?;
    hold_distance.link_sink(party.app.channels().sink("cruise_panda.calls"), LinkOptions::new())?;
    let distances = party.meter(|view: View| {
        let seconds = TICK_S * f64::from(view.look * LOOK);
        (seconds, Point::new("convoy").field("distance_m", view.distance_m()))
    });
    if let Some(distances) = distances {
        view.link_sink(distances, LinkOptions::new())?;
    }
    view.feed(party.hear("cruise_*.report").await?);
    let mut views = view.subscribe();
    party.meet("start").await?;

    view.start()?;
    let mut closest_m = f64::INFINITY;
    while let Some(view) = views.next().await {
        let View { look, countach, panda } = &view;
        let distance_m = view.distance_m();
        closest_m = closest_m.min(distance_m);
        if SCHEDULE.iter().any(|(from, _)| *from == look + 1) || *look == DRIVE {
            let (seconds, countach, panda) = (TICK_S * f64::from(look * LOOK), countach.kmh(), panda.kmh());
            party.say(format_args!(
                "{seconds:>5.1} s  countach {countach:>5.1} km/h, panda {panda:>5.1} km/h, {distance_m:.1} m behind"
            ));
        }
        if *look == DRIVE {
            break;
        }
    }
    party.say(format_args!("never closer than {closest_m:.1} m"));
    Ok(())
}

/// A lower loop: keeps one car at the speed it is told.
async fn cruise(party: Party, position_m: f64, engine: f64) -> anyhow::Result<()> {
    let mut car = Car { motion: Motion { tick: 0, position_m, speed_mps: 0.0 }, engine };
    let parked = car.motion;
    let cruise = party.app.level("cars")?.create_loop(&format!("cruise_{}", party.role))?;

    // A real car's time passes by itself. Here it passes until the upper loop has to look again, so that the drive is
    // the same however long messages take.
    let time = Arc::new(Semaphore::new(0));
    let (passing, more) = (time.clone(), time);
    let speed = cruise
        .monitor("speed")
        .each_async(move |motion: Motion, out: Emitter<Motion>| {
            let passing = passing.clone();
            async move {
                passing.acquire().await?.forget();
                out.emit(motion).await;
                Ok::<(), tokio::sync::AcquireError>(())
            }
        })
        .spawn()?;

    let target = Parameter::new("target_kmh", 0.0).within(SPEEDS_KMH);
    let (told, goal) = (target.clone(), target.clone());
    let mut pid = Pid::new([0.5, 0.1, 0.05], -1.0..=1.0, TICK_S);
    let pid = cruise
        .plan("pid")
        .parameter(&target)
        .export("cruise_control", move |kmh: f64| {
            let set = told.set(kmh);
            more.add_permits(LOOK as usize);
            set
        })
        .map(move |motion: Motion| pid.control(goal.get() / 3.6, motion.speed_mps))
        .spawn()?;

    let pedals = cruise.execute("pedals").map(move |pedal: f64| car.drive(pedal)).spawn()?;
    let me = party.role.to_owned();
    let report =
        cruise.execute("report").map(move |motion: Motion| Report { car: me.clone(), motion }).spawn()?;
    let calls =
        cruise.execute("calls").map(|order: Order| Call::new(&order.method, order.argument)).spawn()?;

    speed.link(&pid)?;
    pid.link(&pedals)?;
    // One motion makes one motion: nothing multiplies on the way round.
    pedals.link_ops(&speed, LinkOptions::new().feedback(), |motions| {
        motions.take_while(|motion| ready(motion.tick < DRIVE * LOOK))
    })?;
    pedals.link_ops(&report, LinkOptions::new(), |motions| {
        motions.filter(|motion| ready(motion.tick % LOOK == 0))
    })?;
    calls.link_calls(&pid)?;

    let (role, told) = (party.role, target.clone());
    let speeds = party.meter(move |motion: Motion| {
        let point = Point::new("cruise").tag("car", role).field("speed_kmh", motion.kmh());
        (TICK_S * f64::from(motion.tick), point.field("target_kmh", told.get()))
    });
    let mut tick = 0;
    let strokes = party.meter(move |pedal: f64| {
        tick += 1;
        (TICK_S * f64::from(tick), Point::new("cruise").tag("car", role).field("pedal", pedal))
    });
    if let (Some(speeds), Some(strokes)) = (speeds, strokes) {
        pedals.link_sink(speeds, LinkOptions::new())?;
        pid.link_sink(strokes, LinkOptions::new())?;
    }

    party.app.publish(&report)?;
    calls.feed(party.hear(Topics::names([calls.path().as_str()])).await?);
    let mut motions = pedals.subscribe();
    party.meet("start").await?;

    speed.start()?;
    speed.push(parked).await?;
    report.push(parked).await?;
    while let Some(motion) = motions.next().await {
        if motion.tick == DRIVE * LOOK {
            let (kmh, told_kmh) = (motion.kmh(), target.get());
            party.say(format_args!(
                "drove {:.0} m; at the end {kmh:.1} km/h, told {told_kmh:.1}",
                motion.position_m - position_m
            ));
            break;
        }
    }
    Ok(())
}
