//! A PID controller.
#![allow(unreachable_pub, reason = "an example has no outside; what its modules share is `pub`")]

use std::ops::RangeInclusive;

/// Brings a measured value to a wanted one and keeps it there.
#[derive(Clone, Debug)]
pub struct Pid {
    proportional: f64,
    integral: f64,
    derivative: f64,
    limits: RangeInclusive<f64>,
    tick_s: f64,
    sum: f64,
    last: Option<f64>,
}

impl Pid {
    /// With the weights of the error, of its sum over seconds and of the measured value's change in a second; its
    /// output stays within limits. It is asked once a tick.
    pub fn new(
        [proportional, integral, derivative]: [f64; 3],
        limits: RangeInclusive<f64>,
        tick_s: f64,
    ) -> Self {
        Self { proportional, integral, derivative, limits, tick_s, sum: 0.0, last: None }
    }

    /// The next output.
    pub fn control(&mut self, wanted: f64, measured: f64) -> f64 {
        let error = wanted - measured;
        // The change of what is measured, not of the error: a new wish should be no kick.
        let change = (measured - self.last.replace(measured).unwrap_or(measured)) / self.tick_s;
        let output = |sum: f64| self.proportional * error + sum - self.derivative * change;
        let summed = self.sum + self.integral * error * self.tick_s;
        // At its limits it can do no more: summing on would only have to be undone later.
        if self.limits.contains(&output(summed)) || summed.abs() < self.sum.abs() {
            self.sum = summed;
        }
        output(self.sum).clamp(*self.limits.start(), *self.limits.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_to_the_wanted_value_and_stays_there_against_a_constant_loss() {
        let mut pid = Pid::new([0.5, 0.2, 0.0], -1.0..=1.0, 0.1);
        let speeds = (0..600).scan(0.0, |speed, _| {
            *speed += (pid.control(10.0, *speed) * 5.0 - 1.0) * 0.1;
            Some(*speed)
        });
        let speeds: Vec<f64> = speeds.collect();
        assert!(speeds.iter().all(|speed| *speed < 11.0), "{speeds:?}");
        assert!(speeds.iter().skip(300).all(|speed| (speed - 10.0).abs() < 0.1), "{speeds:?}");
    }

    #[test]
    fn a_long_time_at_its_limit_leaves_nothing_to_undo() {
        let mut pid = Pid::new([0.5, 0.2, 0.0], -1.0..=1.0, 0.1);
        for _ in 0..1000 {
            pid.control(50.0, 0.0);
        }
        assert!(pid.control(0.0, 0.0).abs() < 0.05);
    }
}
