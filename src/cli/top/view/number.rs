//! Numbers in few letters.

/// A count: `0`, `999`, `1.2k`, `45M`.
pub(super) fn count(n: u64) -> String {
    if n < 1000 { n.to_string() } else { scaled(n as f64) }
}

/// A rate: `0`, `0.4`, `36`, `1.2k`.
pub(super) fn rate(n: f64) -> String {
    match n {
        n if !n.is_finite() || n < 0.005 => "0".to_owned(),
        n if n < 0.095 => format!("{n:.2}"),
        n if n < 9.95 => format!("{n:.1}"),
        n if n < 999.5 => format!("{n:.0}"),
        n => scaled(n),
    }
}

fn scaled(n: f64) -> String {
    let (mut n, mut units) = (n, ["k", "M", "G", "T", "P", "E"].into_iter());
    let mut unit = "";
    while n >= 999.5
        && let Some(next) = units.next()
    {
        (n, unit) = (n / 1000.0, next);
    }
    if n < 9.95 { format!("{n:.1}{unit}") } else { format!("{n:.0}{unit}") }
}

/// A length of time: `12µs`, `1.2ms`, `3.4s`, `5m 12s`, `3h 02m`, `4d 11h`.
pub(super) fn seconds(n: f64) -> String {
    match n {
        n if !n.is_finite() || n < 0.0 => "–".to_owned(),
        n if n < 999.5e-9 => format!("{:.0}ns", n * 1e9),
        n if n < 9.95e-6 => format!("{:.1}µs", n * 1e6),
        n if n < 999.5e-6 => format!("{:.0}µs", n * 1e6),
        n if n < 9.95e-3 => format!("{:.1}ms", n * 1e3),
        n if n < 0.9995 => format!("{:.0}ms", n * 1e3),
        n if n < 9.95 => format!("{n:.1}s"),
        n if n < 59.5 => format!("{n:.0}s"),
        n => long(n.round()),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a minute at least")]
fn long(n: f64) -> String {
    let n = n as u64;
    match n {
        0..3600 => format!("{}m {:02}s", n / 60, n % 60),
        3600..86_400 => format!("{}h {:02}m", n / 3600, n / 60 % 60),
        _ => format!("{}d {:02}h", n / 86_400, n / 3600 % 24),
    }
}

/// The same in one unit: `12s`, `20m`, `3h`, `4d`.
pub(super) fn roughly(n: f64) -> String {
    match n {
        n if n < 59.5 => format!("{:.0}s", n.max(0.0)),
        n if n < 3600.0 => format!("{:.0}m", (n / 60.0).floor()),
        n if n < 86_400.0 => format!("{:.0}h", (n / 3600.0).floor()),
        n => format!("{:.0}d", (n / 86_400.0).floor()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_never_more_than_six_letters() {
        for (n, text) in
            [(0, "0"), (999, "999"), (1000, "1.0k"), (9_960, "10k"), (999_600, "1.0M"), (u64::MAX, "18E")]
        {
            assert_eq!(count(n), text);
        }
        for (n, text) in
            [(0.0, "0"), (0.04, "0.04"), (0.4, "0.4"), (9.96, "10"), (36.4, "36"), (1234.0, "1.2k")]
        {
            assert_eq!(rate(n), text);
        }
        for (n, text) in [
            (2.5e-7, "250ns"),
            (0.000_012, "12µs"),
            (0.0012, "1.2ms"),
            (0.9996, "1.0s"),
            (59.7, "1m 00s"),
            (312.0, "5m 12s"),
            (10_920.0, "3h 02m"),
            (385_200.0, "4d 11h"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(seconds(n), text);
        }
        for (n, text) in [(2.4, "2s"), (60.0, "1m"), (3599.0, "59m"), (90_000.0, "1d"), (-1.0, "0s")] {
            assert_eq!(roughly(n), text);
        }
    }
}
