//! Analyze: learns what to expect and judges each hour before it teaches.

use crate::clean::Observation;
use crate::detect::{Detector, Judgement, Limits};
use crate::expect::{Expectation, Forecast};
use serde::{Deserialize, Serialize};

/// Hours to learn from before the first judgement: two rounds of the clock.
const WARM_UP: u32 = 48;

/// An hour as the analysis sees it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Assessment {
    pub observation: Observation,
    /// What was expected of this hour before it was seen.
    pub forecast: Forecast,
    pub judgement: Judgement,
}

/// The analyst has no future: each hour is judged by what the hours before it taught.
#[derive(Debug, Default)]
pub struct Analyst {
    detector: Detector,
}

impl Analyst {
    /// Judges an hour, then learns from it.
    pub fn assess(
        &mut self,
        observation: Observation,
        expectation: &mut Expectation,
        limits: Limits,
    ) -> Assessment {
        let Observation { hour, flow, .. } = observation;
        let forecast = expectation.forecast(hour);
        let judgement = if expectation.hours_seen() < WARM_UP {
            Judgement::default()
        } else {
            self.detector.judge(hour, flow, forecast, limits)
        };
        expectation.learn(hour, flow, limits.sigmas);
        Assessment { observation, forecast, judgement }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::clean::{Cleaner, Sample};
    use crate::data::{WATER_FLOW, rows};
    use crate::detect::{Kind, Spell};
    use crate::network::Status;

    /// What the donors of the readings tell of them: three low spells of most of a day, and a small peak of an
    /// hour or a few after the first two.
    const DOCUMENTED: [(Kind, &str); 4] = [
        (Kind::Loss, "2022-03-24"),
        (Kind::Loss, "2022-03-29"),
        (Kind::Surge, "2022-04-03"),
        (Kind::Loss, "2022-04-27"),
    ];

    fn spells(limits: Limits) -> Vec<Spell> {
        let (mut cleaner, mut analyst) = (Cleaner::default(), Analyst::default());
        let mut expectation = None;
        let mut found = Vec::new();
        for row in rows(Path::new(WATER_FLOW)).unwrap() {
            let observation = cleaner.check(Sample { row, network: Status::default() }).unwrap();
            let expectation = expectation.get_or_insert_with(|| Expectation::starting_at(observation.flow));
            found.extend(analyst.assess(observation, expectation, limits).judgement.ended);
        }
        found.retain(|spell| spell.kind != Kind::Rebound);
        found
    }

    fn days(spells: &[Spell]) -> Vec<(Kind, String)> {
        spells.iter().map(|spell| (spell.kind, spell.from.local().date().to_string())).collect()
    }

    fn documented() -> Vec<(Kind, String)> {
        DOCUMENTED.map(|(kind, day)| (kind, day.to_owned())).to_vec()
    }

    #[test]
    fn the_documented_spells_are_found_and_no_others() {
        let found = spells(Limits::default());
        assert_eq!(days(&found), documented());
        let hours: Vec<i64> = found.iter().map(Spell::hours).collect();
        assert_eq!(hours, [18, 14, 1, 16]);
    }

    #[test]
    fn a_fifth_more_or_less_of_either_limit_changes_nothing() {
        let usual = Limits::default();
        for sigmas in [0.8, 1.0, 1.2] {
            for persistence in [0.8, 1.0, 1.2] {
                let limits =
                    Limits { sigmas: usual.sigmas * sigmas, persistence: usual.persistence * persistence };
                assert_eq!(days(&spells(limits)), documented(), "{limits:?}");
            }
        }
    }
}
