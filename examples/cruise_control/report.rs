//! How well the cars were driven, in figures.

use std::fmt;

use crate::convoy::Gap;
use crate::cruise::Deviation;

/// A speed is kept when it is this close for good.
const BAND_KMH: f64 = 2.0;

/// What was recorded, one entry a tick.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    pub lead: Vec<Deviation>,
    pub follower: Vec<Deviation>,
}

impl Record {
    /// The seconds and the gap at every tick.
    pub fn gaps(&self) -> impl Iterator<Item = (f64, Gap)> {
        let both = self.lead.iter().zip(&self.follower);
        both.map(|(lead, follower)| (lead.motion.time_s, Gap::between(&lead.motion, &follower.motion)))
    }
}

/// How a car came from one speed to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When the new target was set.
    pub at_s: f64,
    /// The speed it had.
    pub from_kmh: f64,
    /// The target.
    pub to_kmh: f64,
    /// After how long it kept within 2 km/h of the target; none if it never did.
    pub settled_after_s: Option<f64>,
    /// By how much it went beyond the target.
    pub overshoot_kmh: f64,
}

impl Step {
    /// From the ticks of one target.
    fn of(ticks: &[Deviation]) -> Option<Self> {
        let (first, last) = (ticks.first()?, ticks.last()?);
        let at_s = first.motion.time_s;
        let way = -first.excess_kmh().signum();
        let unsettled = ticks.iter().rfind(|tick| tick.excess_kmh().abs() > BAND_KMH);
        let settled = last.excess_kmh().abs() <= BAND_KMH;
        Some(Self {
            at_s,
            from_kmh: first.motion.speed_kmh(),
            to_kmh: first.target_kmh(),
            settled_after_s: settled.then(|| unsettled.map_or(0.0, |tick| tick.motion.time_s - at_s)),
            overshoot_kmh: ticks.iter().map(|tick| tick.excess_kmh() * way).fold(0.0, f64::max),
        })
    }
}

/// The figures of a drive.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub seconds: f64,
    pub metres: f64,
    /// The lead car's changes of speed.
    pub steps: Vec<Step>,
    /// The lead car's largest deviation on a slope, once the speed was reached.
    pub on_slopes_kmh: f64,
    /// The smallest gap while the follower moved.
    pub closest_m: f64,
    /// The follower's mean deviation from the gap that it should keep.
    pub gap_error_m: f64,
}

impl Report {
    /// Works a record out.
    pub fn of(record: &Record) -> Self {
        let steps = record.lead.chunk_by(|a, b| a.target_mps.total_cmp(&b.target_mps).is_eq());
        // Before the first call the car stands where it should.
        let steps: Vec<_> = steps.filter_map(Step::of).filter(|step| step.to_kmh > 0.0).collect();
        let settled = |time_s: f64| {
            let step = steps.iter().rfind(|step| step.at_s <= time_s);
            step.and_then(|step| step.settled_after_s.map(|after| step.at_s + after))
                .is_some_and(|at| at < time_s)
        };
        let on_slopes =
            record.lead.iter().filter(|tick| tick.motion.slope().abs() > 1e-6 && settled(tick.motion.time_s));
        let (errors, count) = record
            .gaps()
            .fold((0.0, 0), |(sum, count), (_, gap)| (sum + (gap.is_m - gap.wanted_m).abs(), count + 1));
        let last = record.lead.last().map(|tick| tick.motion).unwrap_or_default();
        Self {
            seconds: last.time_s,
            metres: last.position_m,
            on_slopes_kmh: on_slopes.map(|tick| tick.excess_kmh().abs()).fold(0.0, f64::max),
            closest_m: record.gaps().map(|(_, gap)| gap.is_m).fold(f64::INFINITY, f64::min),
            gap_error_m: errors / f64::from(count.max(1)),
            steps,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:.0} s of driving, {:.1} km", self.seconds, self.metres / 1000.0)?;
        for step in &self.steps {
            let Step { at_s, from_kmh, to_kmh, settled_after_s, overshoot_kmh } = step;
            write!(f, "  lead      {from_kmh:>3.0} -> {to_kmh:>3.0} km/h at {at_s:>5.1} s: ")?;
            match settled_after_s {
                Some(after) => write!(f, "settled in {after:>4.1} s")?,
                None => write!(f, "did not settle")?,
            }
            writeln!(f, ", overshoot {overshoot_kmh:.1} km/h")?;
        }
        writeln!(f, "  lead      on slopes at most {:.1} km/h off its speed", self.on_slopes_kmh)?;
        write!(
            f,
            "  follower  gap never below {:.1} m, on average {:.1} m off the wanted one",
            self.closest_m, self.gap_error_m
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::car::{KMH, Motion};

    fn ticks(speeds_kmh: &[f64]) -> Vec<Deviation> {
        let tick = |(i, kmh): (usize, &f64)| Deviation {
            motion: Motion { time_s: i as f64, speed_mps: kmh / KMH, ..Motion::default() },
            target_mps: 50.0 / KMH,
        };
        speeds_kmh.iter().enumerate().map(tick).collect()
    }

    #[test]
    fn a_step_settles_when_it_leaves_the_band_no_more() {
        let step = Step::of(&ticks(&[0.0, 49.5, 53.0, 47.5, 50.5, 50.0])).unwrap();
        assert_eq!(step.settled_after_s, Some(3.0));
        assert!((step.overshoot_kmh - 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_step_that_ends_outside_the_band_has_not_settled() {
        assert_eq!(Step::of(&ticks(&[0.0, 50.0, 40.0])).unwrap().settled_after_s, None);
    }

    #[test]
    fn braking_overshoots_downward() {
        let step = Step::of(&ticks(&[90.0, 60.0, 48.0, 50.0])).unwrap();
        assert!((step.overshoot_kmh - 2.0).abs() < 1e-9);
    }
}
