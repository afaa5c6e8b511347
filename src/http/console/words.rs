//! Values as people read them.

use crate::element::{Role, State};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// What needs no sign in a path is left as it is, so that addresses can be read.
const IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A text as a part of a path.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, IN_PATHS).to_string()
}

/// How many a second: `0`, `0.42/s`, `12.3/s`, `4.1k/s`.
pub(super) fn rate(per_second: f64) -> String {
    match per_second {
        rate if rate < 0.005 => "0/s".to_owned(),
        rate if rate < 1.0 => format!("{rate:.2}/s"),
        rate if rate < 100.0 => format!("{rate:.1}/s"),
        rate if rate < 1_000.0 => format!("{rate:.0}/s"),
        rate if rate < 1_000_000.0 => format!("{:.1}k/s", rate / 1e3),
        rate => format!("{:.1}M/s", rate / 1e6),
    }
}

/// A number in groups of three digits.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// A text of at most so many characters.
pub(super) fn short(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest.saturating_sub(1)).chain(['…']).collect()
}

/// A value in one line.
pub(super) fn value(value: &Value, longest: usize) -> String {
    short(&value.to_string(), longest)
}

/// A value over several lines.
pub(super) fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

/// How long, in words: `0.12 s`, `3.4 s`, `2 min 5 s`, `1 h 3 min`.
pub(super) fn long(seconds: f64) -> String {
    let whole = seconds.max(0.0).floor();
    let (minutes, hours) = ((whole / 60.0).floor(), (whole / 3_600.0).floor());
    match seconds {
        s if s < 1.0 => format!("{:.0} ms", s.max(0.0) * 1e3),
        s if s < 60.0 => format!("{s:.1} s"),
        s if s < 3_600.0 => format!("{minutes:.0} min {:.0} s", whole - minutes * 60.0),
        _ => format!("{hours:.0} h {:.0} min", minutes - hours * 60.0),
    }
}

/// Seconds between two times as runs write them.
pub(super) fn between(from: &str, to: &str) -> Option<f64> {
    let (from, to): (jiff::Timestamp, jiff::Timestamp) = (from.parse().ok()?, to.parse().ok()?);
    Some(to.duration_since(from).as_secs_f64())
}

/// A time as a person reads it: without the microseconds and the zone, which is UTC, and without the day if that is
/// today.
pub(super) fn time(written: &str) -> String {
    let today = jiff::Timestamp::now().to_string();
    match (written.get(..10), written.get(11..19)) {
        (Some(day), Some(time)) if today.starts_with(day) => time.to_owned(),
        (Some(day), Some(time)) => format!("{day} {time}"),
        _ => written.to_owned(),
    }
}

/// The words for how an element is; also the class that colours it.
pub(super) fn state(state: State) -> &'static str {
    match state {
        State::Ready => "ready",
        State::Running => "running",
        State::Paused => "paused",
        State::Restarting => "restarting",
        State::Stopped => "stopped",
        State::Draining => "draining",
        State::Completed => "completed",
        State::Failed => "failed",
        State::Disposed => "disposed",
    }
}

/// One letter for a role, and its name.
pub(super) fn role(role: Role) -> (&'static str, &'static str) {
    match role {
        Role::Monitor => ("M", "monitor"),
        Role::Analyze => ("A", "analyze"),
        Role::Plan => ("P", "plan"),
        Role::Execute => ("E", "execute"),
    }
}

/// A type without the paths of its modules.
pub(super) fn item(name: &str) -> String {
    let mut out = String::new();
    for part in name.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')) {
        out.push_str(part.rsplit("::").next().unwrap_or(part));
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_times_and_types_are_short() {
        assert_eq!(super::encoded("car_1.a-b/<c>"), "car_1.a-b%2F%3Cc%3E");
        assert_eq!(super::grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(super::rate(4_120.0), "4.1k/s");
        assert_eq!(super::long(125.0), "2 min 5 s");
        assert_eq!(super::long(3_780.0), "1 h 3 min");
        assert_eq!(super::item("alloc::vec::Vec<a::b::C>"), "Vec<C>");
        assert_eq!(super::time("2026-11-21T20:31:59.202434+00:00"), "2026-11-21 20:31:59");
    }
}
