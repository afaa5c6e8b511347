//! Plan: what to do about a spell, and not to do it twice.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::analyze::Assessment;
use crate::detect::{Kind, Spell};
use crate::hour::Hour;
use crate::network::Status;
use crate::sector::Sector;

/// Hours the tank must last, as things stand, before a sector is closed.
const RESERVE_HOURS: f64 = 12.0;

/// A change to the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Raise the alert and send a crew to find where the water goes.
    SendCrew,
    /// Close the valves of a sector, so that the tank lasts for the others.
    Close(Sector),
    /// Throttle the inflow while too much of it comes.
    LowerPressure,
    /// Undo all of the above.
    AllClear,
}

/// An action, and the spell it answers.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Plan {
    pub hour: Hour,
    pub action: Action,
    pub spell: Spell,
}

/// All that is decided about one hour; without plans, most of the time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Decision {
    pub assessment: Assessment,
    pub plans: Vec<Plan>,
}

/// Plans from what the analysis says and what the network reports of itself.
#[derive(Debug, Default)]
pub struct Planner {
    made: Vec<(Action, Hour)>,
}

impl Planner {
    /// What to do in this hour; no action is planned again within `cooldown_hours`, however long a spell lasts.
    pub fn decide(&mut self, assessment: Assessment, cooldown_hours: i64) -> Decision {
        let hour = assessment.observation.hour;
        self.made.retain(|(_, made)| hour.hours_since(*made) < cooldown_hours);
        let plans: Vec<Plan> = wanted(&assessment)
            .into_iter()
            .filter(|(action, _)| !self.made.iter().any(|(made, _)| action.repeats(*made)))
            .map(|(action, spell)| Plan { hour, action, spell })
            .collect();
        self.made.extend(plans.iter().map(|plan| (plan.action, hour)));
        Decision { assessment, plans }
    }
}

/// What the hour calls for, were there no cooldown.
fn wanted(assessment: &Assessment) -> Vec<(Action, Spell)> {
    let network = assessment.observation.network;
    let mut wanted = Vec::new();
    match (assessment.judgement.current, assessment.judgement.ended) {
        (Some(spell), _) if spell.kind == Kind::Loss => {
            if !network.crew_out {
                wanted.push((Action::SendCrew, spell));
            }
            if network.hours_left < RESERVE_HOURS
                && let Some(sector) = next_to_close(&network)
            {
                wanted.push((Action::Close(sector), spell));
            }
        }
        (Some(spell), _) if spell.kind == Kind::Surge && !network.pressure_lowered => {
            wanted.push((Action::LowerPressure, spell));
        }
        (None, Some(spell)) if !network.is_ordinary() => wanted.push((Action::AllClear, spell)),
        _ => {}
    }
    wanted
}

/// The first sector still open that can do without water.
fn next_to_close(network: &Status) -> Option<Sector> {
    Sector::ALL.into_iter().find(|sector| !sector.is_vital() && !network.closed.contains(*sector))
}

impl Action {
    /// Whether this, soon after `made`, would be too much of the same.
    fn repeats(self, made: Self) -> bool {
        matches!((self, made), (Self::Close(_), Self::Close(_))) || self == made
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SendCrew => f.write_str("alert, send the crew"),
            Self::Close(sector) => write!(f, "close {sector}"),
            Self::LowerPressure => f.write_str("lower the pressure"),
            Self::AllClear => f.write_str("all clear"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::Observation;
    use crate::detect::Judgement;
    use crate::expect::Forecast;

    /// An hour of a loss of 78 l/s that began at midnight, as seen `hours` later.
    fn loss(hours: i64, network: Status) -> Assessment {
        let from = Hour::parse("2022-04-01T00:00:00+02:00").unwrap();
        let hour = from.plus(hours);
        let spell = Spell {
            kind: Kind::Loss,
            from,
            to: hour.plus(1),
            extreme: 24.0,
            deviation: -78.0,
            persistence: 99.0,
        };
        Assessment {
            observation: Observation { hour, flow: 24.0, missing: 0, network },
            forecast: Forecast { flow: 102.0, spread: 1.0 },
            judgement: Judgement { ended: None, current: Some(spell) },
        }
    }

    fn over(hours: i64, network: Status) -> Assessment {
        let Assessment { observation, forecast, judgement } = loss(hours, network);
        Assessment { observation, forecast, judgement: Judgement { ended: judgement.current, current: None } }
    }

    fn actions(decision: &Decision) -> Vec<Action> {
        decision.plans.iter().map(|plan| plan.action).collect()
    }

    #[test]
    fn a_long_spell_gives_one_plan_of_a_kind_per_cooldown() {
        let mut planner = Planner::default();
        let network = Status { hours_left: 3.0, ..Status::default() };
        let made: Vec<Action> =
            (0..12).flat_map(|hours| actions(&planner.decide(loss(hours, network), 6))).collect();
        let once = [Action::SendCrew, Action::Close(Sector::Mills)];
        assert_eq!(made, [once, once].concat(), "the network did not react, so they are planned again");
    }

    #[test]
    fn what_the_network_reports_as_done_is_not_planned_again() {
        let mut planner = Planner::default();
        let network = Status { hours_left: 99.0, crew_out: true, ..Status::default() };
        assert_eq!(actions(&planner.decide(loss(0, network), 0)), []);
    }

    #[test]
    fn a_tank_that_lasts_leaves_the_valves_open() {
        let mut planner = Planner::default();
        assert_eq!(actions(&planner.decide(loss(0, Status::default()), 6)), [Action::SendCrew]);
    }

    #[test]
    fn the_end_of_a_spell_is_the_all_clear_if_there_is_anything_to_undo() {
        let mut planner = Planner::default();
        let busy = Status { crew_out: true, ..Status::default() };
        assert_eq!(actions(&planner.decide(over(9, busy), 6)), [Action::AllClear]);
        assert_eq!(actions(&planner.decide(over(99, Status::default()), 6)), []);
    }
}
