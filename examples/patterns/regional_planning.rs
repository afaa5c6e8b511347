//! Regional planning: each region monitors, analyses and acts for itself; their planners work on one common plan.
//!
//! A highway has eight lanes, and barriers that can be moved: how many lanes lead up and how many down follows the
//! traffic. The regions are the two carriageways. Each counts its cars into a set that both can see, plans when either
//! set changes, and may give lanes away, but never take one.
//!
//! ```text
//!     passages ──▶ gate ──▶ count ──▶ set carriageway_up_cars ──┐            both regions' sets
//!                                                               ▼ watch
//!                                                             lanes ──▶ barrier ──▶ sets carriageway_*_lanes
//! ```
//!
//! A lane goes from one set to the other in a transaction. So each lane is in one of them at any moment, whatever both
//! regions do at the same time and wherever one of them dies.
//!
//! ```text
//! cargo run --example regional_planning                                            # both regions in this process
//! cargo run --example regional_planning -- --backend redis://127.0.0.1:6379 --role up     # one of two
//! ```
//!
//! With `influxdb.url` in the configuration, each region writes what it has whenever that changes:
//!
//! | measurement | tags | fields |
//! |---|---|---|
//! | `carriageway` | `carriageway` | `cars`, `lanes` |

mod party;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use mape::edge::influxdb::Point;
use mape::knowledge::{self, Changes, Filter, Knowledge, Operation, Set, Transaction};
use mape::prelude::*;

use crate::party::{Party, Program};

const PROGRAM: Program = Program {
    name: "regional_planning",
    about: "Two carriageways share eight lanes by their traffic",
    roles: &["up", "down"],
    backend: "memory:",
};

const LANES: u64 = 8;
/// The day: how many cars are on the way up and on the way down.
const DAY: [(&str, u64, u64); 4] = [("morning", 12, 4), ("noon", 8, 8), ("evening", 2, 14), ("night", 0, 3)];
/// Barriers are heavy: traffic has to be steady for so long before they are moved.
const STEADY: Duration = Duration::from_millis(250);

/// How many of the lanes lead up: in proportion to the cars, but whoever has a car has a lane. None if there is no
/// car, then all stays as it is.
fn lanes_up(cars_up: u64, cars_down: u64) -> Option<u64> {
    let cars = cars_up + cars_down;
    match (LANES * cars_up + cars / 2).checked_div(cars)? {
        0 if cars_up > 0 => Some(1),
        LANES if cars_down > 0 => Some(LANES - 1),
        lanes => Some(lanes),
    }
}

/// What all know of one carriageway.
#[derive(Clone, Debug)]
struct Carriageway {
    name: &'static str,
    cars: Set<String>,
    lanes: Set<u64>,
}

impl Carriageway {
    fn of(k: &Knowledge, name: &'static str) -> Self {
        let (cars, lanes) = (format!("carriageway_{name}_cars"), format!("carriageway_{name}_lanes"));
        Self { name, cars: k.set(&cars), lanes: k.set(&lanes) }
    }
}

/// What a region knows: its own carriageway and the opposite one.
#[derive(Clone, Debug)]
struct Region {
    k: Knowledge,
    own: Carriageway,
    opposite: Carriageway,
}

impl Region {
    fn of(k: Knowledge, name: &str) -> Self {
        let (up, down) = (Carriageway::of(&k, "up"), Carriageway::of(&k, "down"));
        let (own, opposite) = if name == "up" { (up, down) } else { (down, up) };
        Self { k, own, opposite }
    }

    /// Both halves of the highway are alike, and empty: what a former run left is forgotten.
    async fn open(&self) -> Result<(), knowledge::Error> {
        let half = if self.own.name == "up" { 1..=LANES / 2 } else { LANES / 2 + 1..=LANES };
        self.own.cars.clear().await?;
        self.own.lanes.clear().await?;
        self.own.lanes.extend(half.collect::<Vec<_>>().iter()).await.map(drop)
    }

    /// How many lanes it should have by the traffic on both sides.
    async fn share(&self) -> Result<Option<u64>, knowledge::Error> {
        let (own, opposite) = (self.own.cars.len().await?, self.opposite.cars.len().await?);
        let up = if self.own.name == "up" { lanes_up(own, opposite) } else { lanes_up(opposite, own) };
        Ok(up.map(|up| if self.own.name == "up" { up } else { LANES - up }))
    }

    /// The lanes that it has too many: those beside the opposite carriageway.
    async fn surplus(&self) -> Result<Vec<u64>, knowledge::Error> {
        let lanes: BTreeSet<u64> = self.own.lanes.members().await?;
        let share = self.share().await?.unwrap_or(lanes.len() as u64);
        // Up has the low numbers, down the high ones.
        let beyond = |lane: &u64| if self.own.name == "up" { *lane > share } else { *lane <= LANES - share };
        Ok(lanes.into_iter().filter(beyond).collect())
    }

    /// Gives lanes away: all of these, or none if one is not its own any more.
    async fn give(&self, lanes: &[u64]) -> Result<(), knowledge::Error> {
        let (from, to) = (self.own.lanes.key(), self.opposite.lanes.key());
        let mut change = Transaction::new();
        for lane in lanes {
            let lane = self.own.lanes.data(lane)?;
            change = change.expect_member(from, lane.clone(), true).srem(from, lane.clone()).sadd(to, lane);
        }
        self.k.store().commit(change).await.map(drop)
    }

    /// Every change of cars and lanes on both sides.
    async fn changes(&self) -> Result<Changes, knowledge::Error> {
        let filter = Filter::glob("carriageway_*").operations([Operation::Sadd, Operation::Srem]);
        self.k.watch(filter).await
    }

    /// Waits until so many cars are on either side and the lanes fit them; how many lanes it has then.
    async fn settled(&self, own: u64, opposite: u64, changes: &mut Changes) -> anyhow::Result<u64> {
        loop {
            let cars = (self.own.cars.len().await?, self.opposite.cars.len().await?);
            let lanes = self.own.lanes.len().await?;
            if cars == (own, opposite) && self.share().await? == Some(lanes) {
                return Ok(lanes);
            }
            changes.next().await.context("the knowledge was closed")?;
        }
    }
}

/// Plan: which lanes to give away.
struct Planner(Region);

impl Handler for Planner {
    type In = ();
    type Out = Vec<u64>;

    async fn on_item(&mut self, _change: (), out: &Emitter<Vec<u64>>) -> Result<(), BoxError> {
        let surplus = self.0.surplus().await?;
        if !surplus.is_empty() {
            out.emit(surplus).await;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    PROGRAM.run(govern)
}

/// One region for a day.
async fn govern(party: Party) -> anyhow::Result<()> {
    let region = Region::of(party.app.knowledge(), party.role);
    let carriageway = party.app.create_loop(&format!("carriageway_{}", party.role))?;

    // A car's number, and whether it comes or goes.
    let role = party.role;
    let gate = carriageway
        .monitor("gate")
        .map(move |(number, enters): (u64, bool)| (format!("{role}_{number}"), enters))
        .spawn()?;

    let cars = region.own.cars.clone();
    let count = carriageway
        .analyze("count")
        .act_async(move |(car, enters): (String, bool)| {
            let cars = cars.clone();
            async move { if enters { cars.add(&car).await } else { cars.remove(&car).await }.map(drop) }
        })
        .spawn()?;

    let lanes = carriageway
        .plan("lanes")
        .ops_in(|changes| changes.debounce(STEADY))
        .handler(Planner(region.clone()))
        .spawn()?;

    let (giver, worker) = (region.clone(), party.clone());
    let barrier = carriageway
        .execute("barrier")
        .act_async(move |lanes: Vec<u64>| {
            let (giver, worker) = (giver.clone(), worker.clone());
            async move {
                giver.give(&lanes).await?;
                let many = lanes.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
                worker.say(format_args!("gives {many} to {}", giver.opposite.name));
                Ok::<(), knowledge::Error>(())
            }
        })
        .spawn()?;

    gate.link(&count)?;
    lanes.link(&barrier)?;
    region.open().await?;
    party.meet("dawn").await?;

    let dawn = tokio::time::Instant::now();
    let points = party.meter(move |(cars, lanes): (u64, u64)| {
        let point = Point::new("carriageway").tag("carriageway", role);
        (dawn.elapsed().as_secs_f64(), point.field("cars", cars).field("lanes", lanes))
    });
    if let Some(points) = points {
        let counted = region.clone();
        let tally = carriageway
            .monitor("tally")
            .each_async(move |(), out: Emitter<(u64, u64)>| {
                let own = counted.own.clone();
                async move {
                    out.emit((own.cars.len().await?, own.lanes.len().await?)).await;
                    Ok::<(), knowledge::Error>(())
                }
            })
            .spawn()?;
        tally.link_sink(points, LinkOptions::new())?;
        tally.feed(region.changes().await?.map(drop).start_with([()]));
        tally.start()?;
    }

    // Whatever the change is, or that changes were missed: the planner looks at the whole again.
    lanes.feed(region.changes().await?.map(drop).start_with([()]));
    let mut changes = region.changes().await?;
    gate.start()?;
    let mut here = 0;
    for (time, up, down) in DAY {
        let (own, opposite) = if role == "up" { (up, down) } else { (down, up) };
        for number in here..own {
            gate.push((number, true)).await?;
        }
        for number in own..here {
            gate.push((number, false)).await?;
        }
        here = own;
        let lanes = region.settled(own, opposite, &mut changes).await?;
        party.say(format_args!("{time:<7}  {own:>2} cars against {opposite:>2}: {lanes} of {LANES} lanes"));
        party.meet(time).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_follow_the_cars_and_whoever_has_a_car_has_a_lane() {
        let shares = [(4, 4), (12, 4), (1, 100), (100, 1), (0, 5), (5, 0), (0, 0)];
        let expected = [Some(4), Some(6), Some(1), Some(7), Some(0), Some(8), None];
        assert_eq!(shares.map(|(up, down)| lanes_up(up, down)), expected);
    }

    #[tokio::test]
    async fn a_lane_that_is_not_its_own_any_more_is_not_given_and_neither_are_the_others() {
        let k = App::new().knowledge();
        let (up, down) = (Region::of(k.clone(), "up"), Region::of(k, "down"));
        up.open().await.unwrap();
        down.open().await.unwrap();
        up.give(&[4]).await.unwrap();
        assert!(matches!(up.give(&[3, 4]).await, Err(knowledge::Error::Conflict(_))));
        assert_eq!(up.own.lanes.members::<BTreeSet<_>>().await.unwrap(), BTreeSet::from([1, 2, 3]));
        assert_eq!(down.own.lanes.len().await.unwrap(), 5);
    }

    #[tokio::test]
    async fn a_region_gives_up_the_lanes_beside_the_opposite_carriageway() {
        let k = App::new().knowledge();
        let (up, down) = (Region::of(k.clone(), "up"), Region::of(k, "down"));
        up.open().await.unwrap();
        down.open().await.unwrap();
        assert!(up.surplus().await.unwrap().is_empty());
        up.own.cars.add("up_1").await.unwrap();
        assert_eq!(down.surplus().await.unwrap(), [5, 6, 7, 8]);
        for car in ["1", "2", "3"] {
            down.own.cars.add(car).await.unwrap();
        }
        assert_eq!((up.surplus().await.unwrap(), down.surplus().await.unwrap()), (vec![3, 4], vec![]));
    }
}
