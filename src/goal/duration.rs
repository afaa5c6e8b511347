//! Lengths of time and numbers as people read them.

use std::fmt;
use std::time::Duration;

/// A length of time in the largest unit that fits: `250 ms`, `3.2 s`, `10 min`.
pub(super) struct Length(pub(super) Duration);

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        let (number, unit) = match seconds {
            s if s < 1.0 => ((s * 1e3).round(), "ms"),
            s if s < 120.0 => (s, "s"),
            s if s < 7_200.0 => (s / 60.0, "min"),
            s if s < 172_800.0 => (s / 3_600.0, "h"),
            s => (s / 86_400.0, "d"),
        };
        // A tenth is exact enough, and `3 s` reads better than `3.0 s`.
        write!(f, "{} {unit}", (number * 10.0).round() / 10.0)
    }
}

/// A number with at most three decimals, and its unit.
pub(super) struct Number<'a>(pub(super) f64, pub(super) &'a str);

impl fmt::Display for Number<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.abs();
        if size != 0.0 && !(1e-3..1e9).contains(&size) {
            write!(f, "{:.3e}", self.0)?;
        } else {
            // Adding zero makes of minus zero a plain one.
            write!(f, "{}", (self.0 * 1e3).round() / 1e3 + 0.0)?;
        }
        if self.1.is_empty() { Ok(()) } else { write!(f, " {}", self.1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_numbers_read_well() {
        let length = |millis| Length(Duration::from_millis(millis)).to_string();
        assert_eq!([length(250), length(3_200), length(600_000)], ["250 ms", "3.2 s", "10 min"]);
        assert_eq!([length(7_200_000), length(172_800_000)], ["2 h", "2 d"]);
        assert_eq!([Number(12.0, "m").to_string(), Number(-0.0, "").to_string()], ["12 m", "0"]);
        assert_eq!(Number(0.000_012_3, "").to_string(), "1.230e-5");
    }
}
