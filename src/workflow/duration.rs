//! Lengths of time as flows write them.

use serde_json::Value;
use std::time::Duration;

/// The length of time that a parameter states: a number of seconds, or a text such as `500ms`, `30s`, `5m30s`, `2d 4h`.
///
/// ```
/// use mape::workflow::duration;
/// use serde_json::json;
/// use std::time::Duration;
/// assert_eq!(duration(&json!(1.5)), Some(Duration::from_millis(1500)));
/// assert_eq!(duration(&json!("5m30s")), Some(Duration::from_secs(330)));
/// assert_eq!(duration(&json!("soon")), None);
/// ```
#[must_use]
pub fn duration(value: &Value) -> Option<Duration> {
    match value {
        Value::Number(seconds) => Duration::try_from_secs_f64(seconds.as_f64()?).ok(),
        Value::String(text) => parse(text),
        _ => None,
    }
}

fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    if let Ok(seconds) = rest.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at_checked(digits)?;
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(letters)?;
        let seconds = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
        total = total.checked_add(part)?;
        rest = after.trim_start();
    }
    Some(total)
}
