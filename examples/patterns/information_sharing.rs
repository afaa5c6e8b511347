//! Information sharing: what one car monitors, all of them know; what to do about it, each decides for itself.
//!
//! Three cars drive one behind the other towards a patch of ice that no map shows. The first one finds it too late. It
//! tells of it, like of everything its Monitor sees, and the others slow down in time.
//!
//! ```text
//!                 car_*.detect: the other cars' sightings
//!                         ▼
//!      detect ────────▶ picture ──▶ policy ──▶ drive      one such loop in every car
//!       ▲  └─▶ channel car_NAME.detect           │
//!       └──────────── the next second ───────────┘
//! ```
//!
//! ```text
//! cargo run --example information_sharing                                         # all cars in this process
//! cargo run --example information_sharing -- --backend redis://127.0.0.1:6379 --role veyron     # one of three
//! ```

mod car;
mod party;
mod rounds;

use std::future::ready;
use std::ops::Range;
use std::process::ExitCode;

use mape::edge::influxdb::Point;
use mape::prelude::*;
use serde::{Deserialize, Serialize};

use crate::car::Car;
use crate::party::{Party, Program};
use crate::rounds::Rounds;

const PROGRAM: Program = Program {
    name: "information_sharing",
    about: "Three cars share what their Monitors see, and each decides for itself",
    roles: &["veyron", "countach", "panda"],
    backend: "memory:",
};

/// How long they drive, in seconds.
const DRIVE: u32 = 75;
const ICE_M: Range<f64> = 900.0..1100.0;
const USUAL_KMH: f64 = 90.0;
const ON_ICE_KMH: f64 = 40.0;
/// How far before the ice a driver slows down.
const CARE_M: f64 = 250.0;

/// What a car's Monitor sees in one second.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sighting {
    car: String,
    second: u32,
    position_m: f64,
    /// Under the wheels.
    ice: bool,
}

/// What one driver has to know of all that was seen.
#[derive(Clone, Debug, Default, PartialEq)]
struct Outlook {
    second: u32,
    position_m: f64,
    /// Metres to the nearest ice, and who found it.
    ice: Option<(f64, String)>,
}

/// Where ice was seen, and by whom first.
#[derive(Debug, Default)]
struct Map {
    ice: Vec<(f64, String)>,
}

impl Map {
    fn enter(&mut self, sighting: &Sighting) {
        if sighting.ice {
            self.ice.push((sighting.position_m, sighting.car.clone()));
        }
    }

    /// The way to the nearest ice ahead.
    fn ahead_of(&self, position_m: f64) -> Option<(f64, String)> {
        let ahead = self.ice.iter().map(|(at, by)| (at - position_m, by)).filter(|(way, _)| *way >= 0.0);
        ahead.min_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(way, by)| (way, by.clone()))
    }
}

fn main() -> ExitCode {
    // They start 300 m apart.
    PROGRAM.run(|party| {
        let behind = PROGRAM.roles.iter().position(|role| *role == party.role).unwrap_or_default();
        drive(party, 600.0 - 300.0 * behind as f64)
    })
}

/// One car with its loop, from start to end.
async fn drive(party: Party, start_m: f64) -> anyhow::Result<()> {
    let mut car = Car::at(start_m, USUAL_KMH);
    let first = car;
    let car_loop = party.app.create_loop(&format!("car_{}", party.role))?;

    let me = party.role.to_owned();
    let detect = car_loop
        .monitor("detect")
        .map(move |Car { second, position_m, .. }| Sighting {
            car: me.clone(),
            second,
            position_m,
            ice: ICE_M.contains(&position_m),
        })
        .spawn()?;

    // Decides on what all have seen of one second.
    let (mut rounds, mut map, me) = (Rounds::of(PROGRAM.roles.len()), Map::default(), party.role);
    let picture = car_loop
        .analyze("picture")
        .each(move |seen: Sighting, out| {
            let (second, car) = (seen.second, seen.car.clone());
            let Some(all) = rounds.tell(second, &car, seen) else { return };
            for seen in all.values() {
                map.enter(seen);
            }
            if let Some(Sighting { position_m, .. }) = all.get(me) {
                out.emit(Outlook { second, position_m: *position_m, ice: map.ahead_of(*position_m) });
            }
        })
        .spawn()?;

    let (mut careful, driver) = (false, party.clone());
    let policy = car_loop
        .plan("policy")
        .map(move |Outlook { second, position_m, ice }| {
            let near = ice.filter(|(way_m, _)| *way_m <= CARE_M);
            if near.is_some() != careful {
                careful = !careful;
                let why = match &near {
                    Some((_, by)) if by == driver.role => "ice under the wheels".to_owned(),
                    Some((way_m, by)) => format!("ice in {way_m:.0} m, says {by}"),
                    None => "no more ice".to_owned(),
                };
                let kmh = if careful { ON_ICE_KMH } else { USUAL_KMH };
                driver.say(format_args!("{second:>3} s  {position_m:>5.0} m  {why}: {kmh} km/h"));
            }
            if careful { ON_ICE_KMH } else { USUAL_KMH }
        })
        .spawn()?;

    let drive = car_loop.execute("drive").map(move |kmh: f64| car.drive(kmh)).spawn()?;

    write(&party, &drive)?;
    detect.link(&picture)?;
    picture.link(&policy)?;
    policy.link(&drive)?;
    // One reading makes one sighting, one limit, one reading: nothing multiplies on the way round.
    let (again, mut readings) = (LinkOptions::new().feedback(), drive.subscribe());
    drive.link_ops(&detect, again, |cars| cars.take_while(|car| ready(car.second < DRIVE)))?;

    // To the others and from them. Whoever comes first waits for the rest.
    party.app.publish(&detect)?;
    let mine = party.role;
    let others = party.hear::<Sighting>("car_*.detect").await?;
    picture.feed(others.filter(move |seen| ready(seen.car != mine)));
    party.meet("start").await?;

    detect.start()?;
    detect.push(first).await?;
    let mut on_ice = None;
    while let Some(car) = readings.next().await {
        if ICE_M.contains(&car.position_m) {
            on_ice.get_or_insert(car.speed_kmh);
        }
        if car.second == DRIVE {
            break;
        }
    }
    party.say(format_args!("came onto the ice at {:.0} km/h", on_ice.unwrap_or_default()));
    Ok(())
}

/// Writes where a car is and how fast, if anybody says where to.
fn write(party: &Party, drive: &Element<f64, Car>) -> anyhow::Result<()> {
    let role = party.role;
    let cars = party.meter(move |car: Car| {
        let point = Point::new("sharing_car").tag("car", role).field("speed_kmh", car.speed_kmh);
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
    fn the_nearest_ice_ahead_counts_and_who_found_it() {
        let mut map = Map::default();
        for (car, position_m, ice) in [("a", 10.0, false), ("a", 20.0, true), ("b", 30.0, true)] {
            map.enter(&Sighting { car: car.to_owned(), second: 1, position_m, ice });
        }
        assert_eq!(map.ahead_of(5.0), Some((15.0, "a".to_owned())));
        assert_eq!(map.ahead_of(25.0), Some((5.0, "b".to_owned())));
        assert_eq!(map.ahead_of(31.0), None);
    }
}
