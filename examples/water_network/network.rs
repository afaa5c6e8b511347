//! The managed system: a small town's water network, simulated.

use crate::plan::{Action, Decision, Plan};
use crate::sector::{Sector, Sectors};
use serde::{Deserialize, Serialize};

/// Cubic metres the tank holds.
const CAPACITY: f64 = 2400.0;
/// What the town draws of the expected inflow; the rest refills the tank or goes over its edge.
const DRAWN: f64 = 0.9;
/// What comes through at lowered pressure.
const THROTTLED: f64 = 0.9;
/// A flow of one l/s over an hour, in cubic metres.
const CUBIC_METRES: f64 = 3.6;

/// What the network reports of itself: the feedback that closes the loop.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Status {
    /// How full the tank is, 0 to 1.
    pub tank: f64,
    /// Hours until it is empty if nothing changes; infinite while it fills.
    pub hours_left: f64,
    pub crew_out: bool,
    pub pressure_lowered: bool,
    /// Hours in which the tank was dry, so far.
    pub dry_hours: u32,
    /// Hours in which it would have been dry had nobody carried out a plan.
    pub dry_hours_unmanaged: u32,
    /// The sectors whose valves are closed.
    pub closed: Sectors,
}

impl Default for Status {
    /// A full tank, all valves open.
    fn default() -> Self {
        Self {
            tank: 1.0,
            hours_left: f64::INFINITY,
            crew_out: false,
            pressure_lowered: false,
            dry_hours: 0,
            dry_hours_unmanaged: 0,
            closed: Sectors::default(),
        }
    }
}

impl Status {
    /// Whether nothing is left to undo.
    pub fn is_ordinary(&self) -> bool {
        self.closed.is_empty() && !self.crew_out && !self.pressure_lowered
    }
}

/// A plan the network could not carry out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Refused {
    #[error("the valve of {0} is closed already")]
    Closed(Sector),
    #[error("{0} must not be without water")]
    Vital(Sector),
}

/// What came of one hour's decision.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    pub decision: Decision,
    /// How each plan of the decision fared, in its order.
    pub carried_out: Vec<Result<(), Refused>>,
    pub status: Status,
}

/// A tank fed by the metered main, and the sectors that draw from it.
#[derive(Debug, Default)]
pub struct Network {
    status: Status,
    unmanaged: Tank,
    tank: Tank,
}

impl Network {
    /// Carries out the plans of a decision, then lets its hour pass.
    pub fn execute(&mut self, decision: Decision) -> Outcome {
        let carried_out = decision.plans.iter().map(|plan| self.carry_out(plan)).collect();
        let observation = decision.assessment.observation;
        let demand = decision.assessment.forecast.flow * DRAWN;
        for _ in 0..observation.missing {
            self.pass(decision.assessment.forecast.flow, demand);
        }
        self.pass(observation.flow, demand);
        Outcome { decision, carried_out, status: self.status }
    }

    fn carry_out(&mut self, plan: &Plan) -> Result<(), Refused> {
        match plan.action {
            Action::Close(sector) if sector.is_vital() => return Err(Refused::Vital(sector)),
            Action::Close(sector) if self.status.closed.contains(sector) => {
                return Err(Refused::Closed(sector));
            }
            Action::Close(sector) => self.status.closed.insert(sector),
            Action::SendCrew => self.status.crew_out = true,
            Action::LowerPressure => self.status.pressure_lowered = true,
            Action::AllClear => {
                self.status.closed = Sectors::default();
                self.status.crew_out = false;
                self.status.pressure_lowered = false;
            }
        }
        Ok(())
    }

    /// Lets an hour pass in which `inflow` came and the whole town wanted `demand`, both in l/s.
    fn pass(&mut self, inflow: f64, demand: f64) {
        let open: f64 =
            Sector::ALL.into_iter().filter(|s| !self.status.closed.contains(*s)).map(Sector::share).sum();
        let taken = if self.status.pressure_lowered { inflow * THROTTLED } else { inflow };
        let surplus = (taken - demand * open) * CUBIC_METRES;
        self.tank.add(surplus);
        self.unmanaged.add((inflow - demand) * CUBIC_METRES);
        self.status.tank = self.tank.content / CAPACITY;
        self.status.hours_left = if surplus < 0.0 { self.tank.content / -surplus } else { f64::INFINITY };
        self.status.dry_hours = self.tank.dry_hours;
        self.status.dry_hours_unmanaged = self.unmanaged.dry_hours;
    }
}

#[derive(Debug)]
struct Tank {
    content: f64,
    dry_hours: u32,
}

impl Default for Tank {
    fn default() -> Self {
        Self { content: CAPACITY, dry_hours: 0 }
    }
}

impl Tank {
    fn add(&mut self, surplus: f64) {
        let content = self.content + surplus;
        self.dry_hours += u32::from(content < 0.0);
        self.content = content.clamp(0.0, CAPACITY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::Assessment;
    use crate::clean::Observation;
    use crate::detect::{Judgement, Kind, Spell};
    use crate::expect::Forecast;
    use crate::hour::Hour;

    /// An hour with an inflow of 24 instead of 100 l/s, and these plans.
    fn hour(hours: i64, actions: &[Action]) -> Decision {
        let from = Hour::parse("2022-04-01T00:00:00+02:00").unwrap();
        let hour = from.plus(hours);
        let spell =
            Spell { kind: Kind::Loss, from, to: hour, extreme: 24.0, deviation: -76.0, persistence: 99.0 };
        Decision {
            assessment: Assessment {
                observation: Observation { hour, flow: 24.0, missing: 0, network: Status::default() },
                forecast: Forecast { flow: 100.0, spread: 1.0 },
                judgement: Judgement { ended: None, current: Some(spell) },
            },
            plans: actions.iter().map(|&action| Plan { hour, action, spell }).collect(),
        }
    }

    #[test]
    fn a_closed_valve_makes_the_tank_last_longer() {
        let mut network = Network::default();
        let before = network.execute(hour(0, &[])).status.hours_left;
        let after = network.execute(hour(1, &[Action::Close(Sector::Mills)])).status.hours_left;
        assert!(after > before * 1.3, "{before} {after}");
    }

    #[test]
    fn the_tank_runs_dry_without_plans_and_not_with_them() {
        let mut network = Network::default();
        network.execute(hour(0, &[Action::Close(Sector::Mills), Action::Close(Sector::Harbour)]));
        for hours in 1..16 {
            network.execute(hour(hours, &[]));
        }
        assert_eq!(network.status.dry_hours, 0);
        assert!(network.status.dry_hours_unmanaged > 3);
    }

    #[test]
    fn a_plan_that_cannot_be_carried_out_says_why_and_changes_nothing() {
        let mut network = Network::default();
        let mills = Action::Close(Sector::Mills);
        let outcome = network.execute(hour(0, &[mills, mills, Action::Close(Sector::Hospital)]));
        let refused: Vec<String> =
            outcome.carried_out.iter().filter_map(|done| done.err()).map(|why| why.to_string()).collect();
        assert_eq!(
            refused,
            ["the valve of the mills is closed already", "the hospital must not be without water"]
        );
        assert!(!outcome.status.closed.contains(Sector::Hospital));
    }

    #[test]
    fn the_all_clear_leaves_nothing_to_undo() {
        let mut network = Network::default();
        network.execute(hour(0, &[Action::SendCrew, Action::LowerPressure, Action::Close(Sector::OldTown)]));
        assert!(network.execute(hour(1, &[Action::AllClear])).status.is_ordinary());
    }
}
