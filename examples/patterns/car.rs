//! The managed system of several patterns: a simulated car.
#![allow(unreachable_pub, reason = "an example has no outside; what its modules share is `pub`")]

/// What a car can lose and gain in a second.
const BRAKES_KMH: f64 = 10.0;
const ENGINE_KMH: f64 = 5.0;

/// A car, as it stands now and as its sensors tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Car {
    /// Seconds since the start.
    pub second: u32,
    pub position_m: f64,
    pub speed_kmh: f64,
}

impl Car {
    /// A car on its way.
    pub fn at(position_m: f64, speed_kmh: f64) -> Self {
        Self { second: 0, position_m, speed_kmh }
    }

    /// Drives on for a second and comes as close to this speed as brakes or engine can.
    pub fn drive(&mut self, kmh: f64) -> Self {
        self.second += 1;
        self.speed_kmh += (kmh - self.speed_kmh).clamp(-BRAKES_KMH, ENGINE_KMH);
        self.position_m += self.speed_kmh / 3.6;
        *self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_brakes_harder_than_it_speeds_up_and_then_keeps_its_speed() {
        let mut car = Car::at(0.0, 100.0);
        let speeds = [30.0, 85.0, 95.0, 95.0, 95.0].map(|kmh| car.drive(kmh).speed_kmh);
        assert!(speeds.iter().zip([90.0, 85.0, 90.0, 95.0, 95.0]).all(|(is, want)| (is - want).abs() < 1e-9));
    }
}
