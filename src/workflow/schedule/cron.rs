//! Times by the calendar.

use super::super::Time;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use std::fmt;
use std::str::FromStr;

/// Times by the calendar: `30 2 * * MON-FRI`, five fields that are minute, hour, day of the month, month and day of the
/// week, or six with the second first; or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.
///
/// A field is `*`, a number, a range `1-5`, a step `*/15` or `10-50/20`, or several of these with commas; months and days
/// have names, too, and `L`, `W` and `#` are those of other crons (`L` the last day, `MON#1` the first Monday). Where both
/// days are stated, either counts, as in Vixie's cron. Times are those of UTC, or of a [zone](Self::in_zone): what falls
/// into the hour that is skipped in spring is right behind it, and what is at a fixed hour is once in the one that comes
/// twice in autumn.
///
/// ```
/// use mape::workflow::{Cron, Time};
/// let cron: Cron = "30 2 * * *".parse()?;
/// let at = cron.next(Time::from_micros(0)).unwrap();
/// assert_eq!(at.to_string(), "1970-01-01T02:30:00.000000+00:00");
/// let error = "30 25 * * *".parse::<Cron>().unwrap_err();
/// assert_eq!(error.to_string(), "`25` at column 4 is no hour: write 0 to 23, *, */2, 8-18, or several with commas");
/// # Ok::<(), mape::workflow::NoCron>(())
/// ```
#[derive(Clone)]
pub struct Cron {
    text: String,
    zone: Option<String>,
    times: croner::Cron,
    time_zone: TimeZone,
}

/// Why a text says no times.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoCron(String);

/// A field: what it is called, what there is, and examples.
type Field = (&'static str, &'static str);

const SECOND: Field = ("second", "0 to 59, *, */15, 10-20, or several with commas");
/// The fields from the minute on.
const FIELDS: [Field; 5] = [
    ("minute", "0 to 59, *, */15, 10-20, or several with commas"),
    ("hour", "0 to 23, *, */2, 8-18, or several with commas"),
    ("day of the month", "1 to 31, *, L for the last, 1-7, or several with commas"),
    ("month", "1 to 12, JAN to DEC, *, or several with commas"),
    ("day of the week", "0 to 7 (0 and 7 are Sunday), SUN to SAT, *, MON-FRI, MON#1, or several with commas"),
];
const NAMES: &str = "@hourly, @daily, @weekly, @monthly or @yearly";
/// The longest text.
const LONGEST: usize = 500;

impl Cron {
    /// These times on the clocks of a zone of the IANA database, such as `Europe/Berlin`, as this machine has it.
    ///
    /// # Errors
    ///
    /// If this machine knows no such zone.
    pub fn in_zone(self, zone: &str) -> Result<Self, NoCron> {
        let time_zone = TimeZone::get(zone).map_err(|error| {
            NoCron(format!(
                "`{zone}` is no time zone of this machine ({error}): write one such as Europe/Berlin"
            ))
        })?;
        Ok(Self { zone: Some(zone.to_owned()), time_zone, ..self })
    }

    /// The first of these times behind a moment; nothing if there is none within the time that calendars are made for.
    #[must_use]
    pub fn next(&self, after: Time) -> Option<Time> {
        let next = self.times.find_next_occurrence(&self.zoned(after)?, false).ok()?;
        Some(Time::from_micros(u64::try_from(next.timestamp().as_microsecond()).ok()?))
    }

    /// The last of these times before a moment.
    pub(super) fn previous(&self, before: Time) -> Option<Time> {
        let previous = self.times.find_previous_occurrence(&self.zoned(before)?, false).ok()?;
        Some(Time::from_micros(u64::try_from(previous.timestamp().as_microsecond()).ok()?))
    }

    /// A moment on the clocks of its zone, as `2026-11-25T02:30:00+01:00`.
    #[must_use]
    pub fn shown(&self, at: Time) -> String {
        let shown = self.zoned(at).map(|at| at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string());
        shown.unwrap_or_else(|| at.to_string())
    }

    fn zoned(&self, at: Time) -> Option<Zoned> {
        let micros = i64::try_from(at.micros()).ok()?;
        Some(Timestamp::from_microsecond(micros).ok()?.to_zoned(self.time_zone.clone()))
    }

    /// The text it was made of.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The zone, if it is not UTC.
    #[must_use]
    pub fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }
}

fn parsed(text: &str) -> Result<croner::Cron, croner::errors::CronError> {
    CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build().parse(text)
}

impl FromStr for Cron {
    type Err = NoCron;

    fn from_str(text: &str) -> Result<Self, NoCron> {
        if text.len() > LONGEST {
            return Err(NoCron(format!("a cron text may have {LONGEST} bytes, and this has {}", text.len())));
        }
        let times = parsed(text).map_err(|error| why(text, &error))?;
        let made = Self { text: text.trim().to_owned(), zone: None, times, time_zone: TimeZone::UTC };
        if made.next(Time::from_micros(0)).is_none() {
            return Err(NoCron(format!("`{}` never comes: no month has that day", made.text)));
        }
        Ok(made)
    }
}

/// What is wrong with a text, and where.
fn why(text: &str, error: &dyn fmt::Display) -> NoCron {
    let trimmed = text.trim();
    if trimmed.starts_with('@') {
        return NoCron(format!("`{trimmed}` is none of {NAMES}"));
    }
    // Where each field begins, in characters from 1.
    let mut words = Vec::new();
    let mut column = 1;
    for word in text.split(char::is_whitespace) {
        if !word.is_empty() {
            words.push((column, word));
        }
        column += word.chars().count() + 1;
    }
    let fields: Vec<Field> = match words.len() {
        5 => FIELDS.to_vec(),
        6 => std::iter::once(SECOND).chain(FIELDS).collect(),
        count => {
            return NoCron(format!(
                "it has {count} fields: write five, minute hour day month weekday, such as `30 2 * * MON-FRI`, six with \
                 the second first, or {NAMES}"
            ));
        }
    };
    for (place, ((column, word), (name, help))) in words.iter().zip(&fields).enumerate() {
        // The field by itself, among those that are right.
        let alone: Vec<&str> =
            (0..words.len()).map(|other| if other == place { *word } else { "*" }).collect();
        if parsed(&alone.join(" ")).is_err() {
            return NoCron(format!("`{word}` at column {column} is no {name}: write {help}"));
        }
    }
    NoCron(format!("`{trimmed}` says no times: {error}"))
}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cron").field("text", &self.text).field("zone", &self.zone).finish_non_exhaustive()
    }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, &self.zone) == (&other.text, &other.zone)
    }
}
