//! Knowledge: what the flow should be at this hour, learnt while the hours pass.

use serde::{Deserialize, Serialize};

use crate::hour::Hour;

/// Hours the level remembers: a day, so that it follows the weather but no single hour.
const LEVEL_MEMORY: u32 = 24;
/// Days an hour of the day remembers: a week.
const PROFILE_MEMORY: u32 = 7;
/// Hours the spread remembers: a week.
const SPREAD_MEMORY: u32 = 168;
/// What the meter can tell apart, in l/s; no spread is smaller.
const RESOLUTION: f64 = 0.01;
/// The median of a normal deviation's size times this is its standard deviation.
const MEDIAN_TO_SIGMA: f64 = 1.4826;

/// The expected flow: a level that moves slowly, a habit for each hour of the day, and the usual deviation.
///
/// Learning is robust rather than interrupted: a deviation teaches at most `limit` spreads, however large it is
/// (Huber's influence function), and the spread is the running median of the deviations' size. So a burst pipe
/// teaches little, yet a new level of consumption is believed after a day or two.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Expectation {
    hours_seen: u32,
    level: f64,
    habits: [Habit; 24],
    spread: f64,
}

/// How one hour of the day differs from the level.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Habit {
    offset: f64,
    days_seen: u32,
}

/// What is expected of one hour, in l/s.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    pub flow: f64,
    /// Robust standard deviation of the flow around it.
    pub spread: f64,
}

impl Forecast {
    /// How far `flow` lies from what was expected, in spreads.
    pub fn sigmas(self, flow: f64) -> f64 {
        (flow - self.flow) / self.spread
    }
}

impl Expectation {
    /// Knows one flow and nothing else.
    pub fn starting_at(flow: f64) -> Self {
        let spread = (flow * 0.01).max(RESOLUTION);
        Self { hours_seen: 0, level: flow, habits: [Habit::default(); 24], spread }
    }

    /// Hours learnt from.
    pub fn hours_seen(&self) -> u32 {
        self.hours_seen
    }

    /// What is expected of each hour of the day, beginning at midnight.
    pub fn day(&self) -> [Forecast; 24] {
        self.habits.map(|habit| Forecast { flow: self.level + habit.offset, spread: self.spread })
    }

    /// What is expected of `hour`, from what was learnt so far.
    pub fn forecast(&self, hour: Hour) -> Forecast {
        let offset = self.habits.get(hour.of_day()).map_or(0.0, |habit| habit.offset);
        Forecast { flow: self.level + offset, spread: self.spread }
    }

    /// Learns the `flow` of `hour`; deviations beyond `limit` spreads teach no more than that.
    pub fn learn(&mut self, hour: Hour, flow: f64, limit: f64) {
        let deviation = flow - self.forecast(hour).flow;
        let reach = limit * self.spread;
        let lesson = deviation.clamp(-reach, reach);

        self.hours_seen = self.hours_seen.saturating_add(1);
        self.level += lesson * gain(self.hours_seen, LEVEL_MEMORY);
        if let Some(habit) = self.habits.get_mut(hour.of_day()) {
            habit.days_seen = habit.days_seen.saturating_add(1);
            habit.offset += lesson * gain(habit.days_seen + 1, PROFILE_MEMORY);
        }
        let wider = deviation.abs() * MEDIAN_TO_SIGMA > self.spread;
        let step = gain(self.hours_seen, SPREAD_MEMORY) * if wider { 1.0 } else { -1.0 };
        self.spread = (self.spread * step.exp()).max(RESOLUTION);
    }
}

/// Weight of the newest of `seen` values: a plain mean until the memory is full, then exponential forgetting.
fn gain(seen: u32, memory: u32) -> f64 {
    1.0 / f64::from(seen.clamp(1, memory))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Hour {
        Hour::parse("2022-04-01T00:00:00+02:00").unwrap()
    }

    /// A flow of 100 l/s with 4 l/s more by day, and a little noise that is the same in every run.
    fn usual(hour: Hour) -> f64 {
        let day = if (7..22).contains(&hour.of_day()) { 4.0 } else { 0.0 };
        100.0 + day + (hour.hours_since(start()) as f64 * 1.7).sin() * 0.3
    }

    fn taught(hours: i64) -> Expectation {
        let mut expectation = Expectation::starting_at(100.0);
        for hour in (0..hours).map(|hours| start().plus(hours)) {
            expectation.learn(hour, usual(hour), 3.5);
        }
        expectation
    }

    #[test]
    fn day_and_night_are_told_apart_after_a_week() {
        let expectation = taught(7 * 24);
        for hour in (0..24).map(|hours| start().plus(7 * 24 + hours)) {
            let forecast = expectation.forecast(hour);
            assert!((forecast.flow - usual(hour)).abs() < 1.5, "{hour}: {forecast:?}");
        }
    }

    #[test]
    fn a_burst_pipe_of_most_of_a_day_teaches_little() {
        let mut expectation = taught(14 * 24);
        let noon = start().plus(14 * 24 + 12);
        let before = expectation.forecast(noon);
        for hours in 0..16 {
            expectation.learn(start().plus(14 * 24 + hours), 24.0, 3.5);
        }
        let after = expectation.forecast(noon);
        assert!((before.flow - after.flow).abs() < 3.0, "{before:?} {after:?}");
    }

    #[test]
    fn a_new_level_is_believed_within_three_days() {
        let mut expectation = taught(14 * 24);
        for hours in 0..72 {
            let hour = start().plus(14 * 24 + hours);
            expectation.learn(hour, usual(hour) + 5.0, 3.5);
        }
        let hour = start().plus(17 * 24);
        assert!(expectation.forecast(hour).sigmas(usual(hour) + 5.0).abs() < 3.5);
    }

    #[test]
    fn a_constant_flow_does_not_make_the_spread_vanish() {
        let mut expectation = Expectation::starting_at(0.0);
        for hours in 0..2000 {
            expectation.learn(start().plus(hours), 0.0, 3.5);
        }
        assert!(expectation.forecast(start()).spread >= RESOLUTION);
    }
}
