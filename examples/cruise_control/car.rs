//! The managed system: a simulated car.

use std::time::Duration;

use crate::road::slope;

/// km/h in a metre per second.
pub const KMH: f64 = 3.6;
/// From bumper to bumper.
pub const LENGTH_M: f64 = 4.5;

const MASS_KG: f64 = 1500.0;
const ENGINE_N: f64 = 4500.0;
const ENGINE_W: f64 = 80_000.0;
const BRAKES_N: f64 = 9000.0;
/// Resistance of the air, times the square of the speed.
const AIR_KG_PER_M: f64 = 0.42;
const ROLLING_N: f64 = 180.0;
const GRAVITY: f64 = 9.81;
/// The time in which engine and brakes do two thirds of what is asked of them.
const LAG_S: f64 = 0.3;

/// What the car's sensors tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Motion {
    /// Seconds since the start.
    pub time_s: f64,
    /// Metres from the start of the road.
    pub position_m: f64,
    /// The speed in metres per second.
    pub speed_mps: f64,
    /// Where the pedals are: -1 full brake, 1 full throttle.
    pub pedal: f64,
}

impl Motion {
    /// The speed as drivers know it.
    pub fn speed_kmh(&self) -> f64 {
        self.speed_mps * KMH
    }

    /// The slope of the road under it.
    pub fn slope(&self) -> f64 {
        slope(self.position_m)
    }
}

/// A car with mass, drag, an engine of limited power, and brakes.
#[derive(Debug)]
pub struct Car {
    motion: Motion,
    force_n: f64,
}

impl Car {
    /// A car that stands on the road.
    pub fn parked_at(position_m: f64) -> Self {
        Self { motion: Motion { position_m, ..Motion::default() }, force_n: 0.0 }
    }

    /// Where it is and how it moves.
    pub fn motion(&self) -> Motion {
        self.motion
    }

    /// Drives on for a while with the pedals held.
    pub fn drive(&mut self, pedal: f64, during: Duration) -> Motion {
        let dt = during.as_secs_f64();
        let Motion { time_s, position_m, speed_mps, .. } = self.motion;
        let pedal = pedal.clamp(-1.0, 1.0);
        let asked_n =
            if pedal > 0.0 { pedal * ENGINE_N.min(ENGINE_W / speed_mps.max(1.0)) } else { pedal * BRAKES_N };
        self.force_n += (asked_n - self.force_n) * (dt / LAG_S).min(1.0);
        let against_n = AIR_KG_PER_M * speed_mps.powi(2) + ROLLING_N + MASS_KG * GRAVITY * slope(position_m);
        // Neither brakes nor hills make it roll backward.
        let speed = (speed_mps + (self.force_n - against_n) / MASS_KG * dt).max(0.0);
        self.motion = Motion {
            time_s: time_s + dt,
            position_m: position_m + f64::midpoint(speed_mps, speed) * dt,
            speed_mps: speed,
            pedal,
        };
        self.motion
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: u32, pedal: f64, car: &mut Car) -> Motion {
        (0..seconds * 10).map(|_| car.drive(pedal, Duration::from_millis(100))).last().unwrap()
    }

    #[test]
    fn full_throttle_takes_it_to_100_in_a_plausible_time_and_brakes_stop_it() {
        let mut car = Car::parked_at(0.0);
        assert!((80.0..110.0).contains(&after(9, 1.0, &mut car).speed_kmh()));
        assert!(after(5, -1.0, &mut car).speed_mps < 1e-9);
    }

    #[test]
    fn it_slows_down_by_itself_and_on_a_climb_more_so() {
        let speed_after_coasting = |from: f64| {
            let mut car = Car::parked_at(from);
            car.motion.speed_mps = 20.0;
            after(5, 0.0, &mut car).speed_mps
        };
        let (flat, climb) = (speed_after_coasting(0.0), speed_after_coasting(1400.0));
        assert!(climb < flat && flat < 20.0, "{climb} {flat}");
    }
}
