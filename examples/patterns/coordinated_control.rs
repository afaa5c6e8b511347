//! Coordinated control: every car has a whole loop, and the loops' Analyze elements agree on what is the case.
//!
//! One car's sensor may be wrong, so one alarm is none. When two of three cars see an emergency, all of them slow down
//! and switch their hazard lights on, also the one that sees nothing; when no car sees one any more, all go on.
//!
//! ```text
//!                           car_*_safety.assess: what the other cars make of it
//!                                     ▼
//!     detect ──▶ assess ───────────▶ agree ──▶ safety_policy ──▶ drive      one such loop in every car
//!      ▲           └─▶ channel car_NAME_safety.assess              │
//!      └──────────────────── the next second ──────────────────────┘
//! ```
//!
//! There is no master: each car counts for itself, by the same rule and on the same votes, and so they agree.
//!
//! ```text
//! cargo run --example coordinated_control                                         # all cars in this process
//! cargo run --example coordinated_control -- --backend redis://127.0.0.1:6379 --role veyron     # one of three
//! ```
//!
//! With `influxdb.url` in the configuration, each car writes what comes of it:
//!
//! | measurement | tags | fields |
//! |---|---|---|
//! | `coordinated_car` | `car` | `speed_kmh`; `sees_emergency`, `emergency` and `hazard_lights`, each 0 or 1; `cars` that see one |

mod car;
mod party;
mod rounds;

use std::future::ready;
use std::process::ExitCode;

use mape::edge::influxdb::Point;
use mape::element::ElementPath;
use mape::prelude::*;
use serde::{Deserialize, Serialize};

use crate::car::Car;
use crate::party::{Party, Program};
use crate::rounds::Rounds;

const PROGRAM: Program = Program {
    name: "coordinated_control",
    about: "Three cars agree on whether there is an emergency",
    roles: &["veyron", "countach", "panda"],
    backend: "memory:",
};

/// How long they drive, in seconds.
const DRIVE: u32 = 60;
const SAFETY_KMH: f64 = 30.0;

/// A car's usual speed, and from which second to which its sensor says that there is an emergency.
fn script(role: &str) -> (f64, &'static [(u32, u32)]) {
    match role {
        "veyron" => (120.0, &[(24, 43)]),
        "countach" => (110.0, &[(22, 45)]),
        // Its sensor is easily alarmed.
        _ => (90.0, &[(5, 9), (20, 40)]),
    }
}

/// What one car makes of one second.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Vote {
    second: u32,
    emergency: bool,
}

/// What all of them make of it.
#[derive(Clone, Debug, PartialEq)]
struct Verdict {
    second: u32,
    emergency: bool,
    /// How many cars see one.
    cars: usize,
}

/// Agrees that there is an emergency when enough cars see one, and that there is none when none does.
///
/// In between it stays with what it was, so that one car's doubts don't make all of them brake and speed up in turns.
fn is_emergency(was: bool, cars: usize, threshold: usize) -> bool {
    cars >= threshold || (was && cars > 0)
}

fn main() -> ExitCode {
    PROGRAM.run(drive)
}

/// One car with its loop, from start to end.
async fn drive(party: Party) -> anyhow::Result<()> {
    let (usual_kmh, alarms) = script(party.role);
    let mut car = Car::at(0.0, usual_kmh);
    let first = car;
    let safety = party.app.create_loop(&format!("car_{}_safety", party.role))?;

    let detect = safety
        .monitor("detect")
        .map(move |car: Car| (car.second, alarms.iter().any(|(from, to)| (*from..*to).contains(&car.second))))
        .spawn()?;

    // A message says where it comes from, so that votes can be told apart.
    let (path, driver, mut saw) = (ElementPath::new(safety.uid(), "assess"), party.clone(), false);
    let assess = safety
        .analyze("assess")
        .map(move |(second, emergency): (u32, bool)| {
            if emergency != saw {
                saw = emergency;
                driver.say(format_args!("{second:>3} s  sees {} emergency", if saw { "an" } else { "no" }));
            }
            Message::new(Vote { second, emergency }).from(&path)
        })
        .spawn()?;

    // How many cars have to see it is a parameter: a lonely road may need less.
    let threshold = Parameter::new("emergency_car_threshold", 2).within(1..=PROGRAM.roles.len());
    let (needed, mut rounds, mut emergency) = (threshold.clone(), Rounds::of(PROGRAM.roles.len()), false);
    let agree = safety
        .analyze("agree")
        .parameter(&threshold)
        .each(move |vote: Message<Vote>, out| {
            let Vote { second, emergency: sees } = *vote.value();
            let Some(all) = rounds.tell(second, vote.src().map_or("", ElementPath::owner), sees) else {
                return;
            };
            let cars = all.into_values().filter(|sees| *sees).count();
            emergency = is_emergency(emergency, cars, needed.get());
            out.emit(Verdict { second, emergency, cars });
        })
        .spawn()?;

    let (mut slow, driver) = (false, party.clone());
    let safety_policy = safety
        .plan("safety_policy")
        .map(move |Verdict { second, emergency, cars }| {
            let kmh = if emergency { SAFETY_KMH } else { usual_kmh };
            if emergency != slow {
                slow = emergency;
                let lights = if slow { "ON" } else { "OFF" };
                driver.say(format_args!(
                    "{second:>3} s  {cars} of {} cars: {kmh} km/h, hazard lights {lights}",
                    PROGRAM.roles.len()
                ));
            }
            kmh
        })
        .spawn()?;

    let drive = safety.execute("drive").map(move |kmh: f64| car.drive(kmh)).spawn()?;

    detect.link(&assess)?;
    assess.link(&agree)?;
    agree.link(&safety_policy)?;
    safety_policy.link(&drive)?;
    // One car makes one vote, one verdict, one limit, one car: nothing multiplies on the way round.
    let (again, mut cars) = (LinkOptions::new().feedback(), drive.subscribe());
    drive.link_ops(&detect, again, |cars| cars.take_while(|car| ready(car.second < DRIVE)))?;

    write(&party, &detect, &agree, &drive)?;

    // To the others and from them. Whoever comes first waits for the rest.
    party.app.publish(&assess)?;
    let (mine, others) = (assess.path(), party.hear::<Message<Vote>>("car_*_safety.assess").await?);
    agree.feed(others.filter(move |vote| ready(vote.src() != Some(&mine))));
    party.meet("start").await?;

    detect.start()?;
    detect.push(first).await?;
    let mut slowest_kmh = f64::INFINITY;
    while let Some(Car { second, position_m, speed_kmh }) = cars.next().await {
        slowest_kmh = slowest_kmh.min(speed_kmh);
        if second == DRIVE {
            party.say(format_args!("drove {position_m:.0} m, never slower than {slowest_kmh} km/h"));
            break;
        }
    }
    Ok(())
}

/// Writes what a car sees, what it agrees to and how fast it is, if anybody says where.
fn write(
    party: &Party,
    detect: &Element<Car, (u32, bool)>,
    agree: &Element<Message<Vote>, Verdict>,
    drive: &Element<f64, Car>,
) -> anyhow::Result<()> {
    let role = party.role;
    let point = move || Point::new("coordinated_car").tag("car", role);
    let speeds = party.meter(move |car: Car| (car.second.into(), point().field("speed_kmh", car.speed_kmh)));
    let alarms = party.meter(move |(second, sees): (u32, bool)| {
        (second.into(), point().field("sees_emergency", i64::from(sees)))
    });
    let verdicts = party.meter(move |Verdict { second, emergency, cars }| {
        let emergency = i64::from(emergency);
        let point = point().field("emergency", emergency).field("hazard_lights", emergency);
        (second.into(), point.field("cars", cars as u64))
    });
    if let (Some(speeds), Some(alarms), Some(verdicts)) = (speeds, alarms, verdicts) {
        drive.link_sink(speeds, LinkOptions::new())?;
        detect.link_sink(alarms, LinkOptions::new())?;
        agree.link_sink(verdicts, LinkOptions::new())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alarm_is_none_two_are_one_and_it_lasts_until_all_see_it_over() {
        let mut was = false;
        let verdicts = [0, 1, 2, 3, 1, 0, 1].map(|cars| {
            was = is_emergency(was, cars, 2);
            was
        });
        assert_eq!(verdicts, [false, false, true, true, true, false, false]);
    }
}
