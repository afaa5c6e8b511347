//! The road: where it climbs and where it falls.

use std::f64::consts::PI;

/// The hills: first and last metre, and the slope in the middle.
const HILLS: [(f64, f64, f64); 2] = [(1000.0, 1900.0, 0.06), (2300.0, 3000.0, -0.05)];

/// The slope at a place: metres of height a metre of way, negative where it falls.
pub fn slope(position_m: f64) -> f64 {
    let part = |(first, last, steepest): (f64, f64, f64)| {
        let along = ((position_m - first) / (last - first)).clamp(0.0, 1.0);
        steepest * (PI * along).sin().powi(2)
    };
    HILLS.into_iter().map(part).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_climbs_then_falls_and_is_flat_elsewhere() {
        assert!((slope(1450.0) - 0.06).abs() < 1e-9);
        assert!((slope(2650.0) + 0.05).abs() < 1e-9);
        assert!([0.0, 2100.0, 5000.0].into_iter().all(|at| slope(at).abs() < 1e-9));
    }
}
