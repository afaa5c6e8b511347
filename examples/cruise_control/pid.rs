//! Plan: how far to press the pedals.

use std::time::Duration;

use mape::prelude::*;

use crate::cruise::Deviation;

/// What the three parts of the controller weigh. Pedal per metre per second, and its sum and change over seconds.
#[derive(Clone, Debug)]
pub struct Gains {
    pub proportional: Parameter<f64>,
    pub integral: Parameter<f64>,
    pub derivative: Parameter<f64>,
}

impl Default for Gains {
    fn default() -> Self {
        let gain = |name, value| Parameter::new(name, value).within(0.0..=10.0);
        Self {
            proportional: gain("proportional", 0.5),
            integral: gain("integral", 0.1),
            derivative: gain("derivative", 0.1),
        }
    }
}

/// A PID controller: a handler, because it remembers.
#[derive(Debug)]
pub struct Pid {
    gains: Gains,
    tick: Duration,
    sum: f64,
    last_speed: Option<f64>,
}

impl Pid {
    /// A controller that is asked once a `tick`.
    pub fn new(gains: Gains, tick: Duration) -> Self {
        Self { gains, tick, sum: 0.0, last_speed: None }
    }

    /// Where the pedals should be: -1 full brake, 1 full throttle.
    fn pedal(&mut self, target_mps: f64, speed_mps: f64) -> f64 {
        let dt = self.tick.as_secs_f64();
        let error = target_mps - speed_mps;
        // The change of the speed, not of the error: a new target should not kick the pedal.
        let change = (speed_mps - self.last_speed.replace(speed_mps).unwrap_or(speed_mps)) / dt;
        let by =
            |sum: f64| self.gains.proportional.get() * error + sum - self.gains.derivative.get() * change;
        let summed = self.sum + self.gains.integral.get() * error * dt;
        // A pedal at its end can do no more: summing on would only have to be undone later, as an overshoot.
        if by(summed).abs() <= 1.0 || summed.abs() < self.sum.abs() {
            self.sum = summed;
        }
        by(self.sum).clamp(-1.0, 1.0)
    }
}

impl Handler for Pid {
    type In = Deviation;
    type Out = f64;

    async fn on_item(&mut self, deviation: Deviation, out: &Emitter<f64>) -> Result<(), BoxError> {
        out.emit(self.pedal(deviation.target_mps, deviation.motion.speed_mps)).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pid() -> Pid {
        Pid::new(Gains::default(), Duration::from_millis(100))
    }

    #[test]
    fn it_presses_harder_the_farther_the_target_and_never_beyond_the_end() {
        assert!(pid().pedal(1.0, 0.0) < pid().pedal(2.0, 0.0));
        assert!((pid().pedal(100.0, 0.0) - 1.0).abs() < 1e-9);
        assert!((pid().pedal(0.0, 100.0) + 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_long_time_at_full_throttle_leaves_nothing_to_undo() {
        let mut pid = pid();
        for _ in 0..1000 {
            pid.pedal(50.0, 0.0);
        }
        assert!(pid.pedal(0.0, 0.0).abs() < 0.05);
    }
}
