//! Analyze: tells spells of abnormal flow from the day's ups and downs.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::expect::Forecast;
use crate::hour::Hour;

/// Quiet hours that end a spell.
const QUIET_HOURS: i64 = 3;
/// Hours after a spell in which the network, filling up again, may swing to the other side.
const REBOUND_HOURS: i64 = 12;

/// What makes an hour abnormal, and abnormal hours a spell.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Deviation, in robust standard deviations, up to which an hour is normal.
    ///
    /// 3.5 is the cut-off of Iglewicz and Hoaglin (1993) for scores based on the median.
    pub sigmas: f64,
    /// What the deviations beyond `sigmas` must add up to, in standard deviations times hours.
    ///
    /// 5 is reached by one hour 8.5 away as by ten hours 4 away: size weighs against length.
    pub persistence: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { sigmas: 3.5, persistence: 5.0 }
    }
}

/// What a spell looks like from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Less water comes than should: a burst, a leak before the meter, a closed main.
    Loss,
    /// More water comes than should: pumping into the main, a leak behind the meter.
    Surge,
    /// The smaller swing to the other side that follows a spell, while tanks and pipes settle.
    Rebound,
}

impl Kind {
    /// A sign for it in pictures.
    pub fn mark(self) -> char {
        match self {
            Self::Loss => '▼',
            Self::Surge => '▲',
            Self::Rebound => '~',
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loss => "loss",
            Self::Surge => "surge",
            Self::Rebound => "rebound",
        })
    }
}

/// Abnormal hours that belong together.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Spell {
    pub kind: Kind,
    /// The first abnormal hour.
    pub from: Hour,
    /// Where the last abnormal hour ends.
    pub to: Hour,
    /// The flow furthest from what was expected, in l/s.
    pub extreme: f64,
    /// How far that was from what was expected, in l/s; negative below.
    pub deviation: f64,
    /// Deviations beyond the limit, summed up: standard deviations times hours.
    pub persistence: f64,
}

/// What is known after an hour was judged.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Judgement {
    /// The spell this hour brought to its end.
    pub ended: Option<Spell>,
    /// The spell that goes on.
    pub current: Option<Spell>,
}

/// A cumulative sum (Page, 1954) of deviations in one direction; it becomes a spell once it reaches the limit.
#[derive(Debug, Default)]
pub struct Detector {
    suspicion: Option<Suspicion>,
    last: Option<Spell>,
}

#[derive(Debug)]
struct Suspicion {
    spell: Spell,
    confirmed: bool,
}

impl Detector {
    /// Judges the `flow` of one `hour` against what was forecast.
    pub fn judge(&mut self, hour: Hour, flow: f64, forecast: Forecast, limits: Limits) -> Judgement {
        let sigmas = forecast.sigmas(flow);
        let abnormal = sigmas.abs() > limits.sigmas;
        let mut ended = None;
        if let Some(suspicion) = &mut self.suspicion {
            let along = sigmas * suspicion.spell.deviation.signum();
            let over = if suspicion.confirmed {
                !abnormal && hour.plus(1).hours_since(suspicion.spell.to) >= QUIET_HOURS
            } else {
                suspicion.spell.persistence += (along - limits.sigmas).min(0.0);
                suspicion.spell.persistence <= 0.0
            };
            if over || (abnormal && along < 0.0) {
                ended = self.end();
            }
        }
        if abnormal {
            self.suspect(hour, flow, forecast, limits);
        }
        Judgement { ended, current: self.current() }
    }

    /// Forgets what is suspected; the spell it was, if it was one.
    fn end(&mut self) -> Option<Spell> {
        let spell = self.suspicion.take().filter(|suspicion| suspicion.confirmed)?.spell;
        if spell.kind != Kind::Rebound {
            self.last = Some(spell);
        }
        Some(spell)
    }

    fn current(&self) -> Option<Spell> {
        self.suspicion.as_ref().filter(|suspicion| suspicion.confirmed).map(|suspicion| suspicion.spell)
    }

    /// Adds an abnormal hour to what is suspected already, or begins to suspect.
    fn suspect(&mut self, hour: Hour, flow: f64, forecast: Forecast, limits: Limits) {
        let deviation = flow - forecast.flow;
        let suspicion = self.suspicion.get_or_insert(Suspicion {
            spell: Spell {
                kind: Kind::Surge,
                from: hour,
                to: hour,
                extreme: flow,
                deviation,
                persistence: 0.0,
            },
            confirmed: false,
        });
        let spell = &mut suspicion.spell;
        spell.to = hour.plus(1);
        spell.persistence += forecast.sigmas(flow).abs() - limits.sigmas;
        if deviation.abs() > spell.deviation.abs() {
            (spell.extreme, spell.deviation) = (flow, deviation);
        }
        spell.kind = match self.last {
            Some(last) if spell.rebounds_from(&last) => Kind::Rebound,
            _ if spell.deviation < 0.0 => Kind::Loss,
            _ => Kind::Surge,
        };
        suspicion.confirmed |= spell.persistence >= limits.persistence;
    }
}

impl Spell {
    /// Hours from the first to the last abnormal one.
    pub fn hours(&self) -> i64 {
        self.to.hours_since(self.from)
    }

    fn rebounds_from(&self, last: &Spell) -> bool {
        self.deviation * last.deviation < 0.0
            && self.deviation.abs() < last.deviation.abs()
            && self.from.hours_since(last.to) <= REBOUND_HOURS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORECAST: Forecast = Forecast { flow: 100.0, spread: 1.0 };

    /// The spells in a row of deviations, one an hour, in spreads.
    fn spells(deviations: &[f64]) -> Vec<(Kind, i64)> {
        let start = Hour::parse("2022-04-01T00:00:00+02:00").unwrap();
        let mut detector = Detector::default();
        let mut found = Vec::new();
        for (hours, deviation) in (0..).zip(deviations) {
            let judgement = detector.judge(start.plus(hours), 100.0 + deviation, FORECAST, Limits::default());
            found.extend(judgement.ended);
        }
        found.extend(detector.end());
        found.iter().map(|spell| (spell.kind, spell.hours())).collect()
    }

    #[test]
    fn a_small_peak_of_one_hour_counts_as_a_low_spell_of_many_does() {
        assert_eq!(spells(&[0.0, 9.0, 0.0, 0.0, 0.0]), [(Kind::Surge, 1)]);
        assert_eq!(spells(&[-4.1; 14]), [(Kind::Loss, 14)]);
    }

    #[test]
    fn neither_one_hour_just_beyond_the_limit_nor_a_long_stay_below_it_counts() {
        assert_eq!(spells(&[0.0, 6.0, 0.0, 0.0]), []);
        assert_eq!(spells(&[3.4; 100]), []);
    }

    #[test]
    fn hours_apart_do_not_add_up() {
        assert_eq!(spells(&[5.0, 0.0, 0.0, 5.0, 0.0, 0.0, 5.0, 0.0, 0.0, 5.0]), []);
    }

    #[test]
    fn one_quiet_hour_does_not_break_a_spell_but_three_do() {
        assert_eq!(spells(&[-20.0, -20.0, 0.0, -20.0]), [(Kind::Loss, 4)]);
        assert_eq!(spells(&[-20.0, 0.0, 0.0, 0.0, -20.0]), [(Kind::Loss, 1), (Kind::Loss, 1)]);
    }

    #[test]
    fn a_smaller_swing_to_the_other_side_is_a_rebound_and_a_larger_one_is_not() {
        assert_eq!(spells(&[-70.0, 10.0]), [(Kind::Loss, 1), (Kind::Rebound, 1)]);
        assert_eq!(spells(&[10.0, -70.0]), [(Kind::Surge, 1), (Kind::Loss, 1)]);
    }

    #[test]
    fn the_other_side_long_after_is_a_spell_of_its_own() {
        let mut deviations = vec![-70.0];
        deviations.extend([0.0; 24]);
        deviations.push(10.0);
        assert_eq!(spells(&deviations), [(Kind::Loss, 1), (Kind::Surge, 1)]);
    }
}
