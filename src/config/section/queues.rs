//! The section `queues`.

use super::bound::some_time;
use super::time;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Error, IntoDeserializer, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// A task queue. What it does not say is as `mape::queue::Settings` have it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Queue {
    /// How many jobs a worker has in hand at a time, 1 to 65,536. Default: 10.
    #[serde(deserialize_with = "between::<_, _, 1, 65_536>")]
    pub concurrency: usize,
    /// How many levels of priority there are, 1 to 8. Default: 1.
    #[serde(deserialize_with = "between::<_, _, 1, 8>")]
    pub priorities: u8,
    /// How many jobs may be begun in a time, by all workers together: `100/s`. Default: any number.
    pub rate: Option<Rate>,
    /// How many times a job is tried before it goes to the dead letters. Default: 5.
    #[serde(deserialize_with = "between::<_, _, 1, 4_294_967_295>")]
    pub attempts: u32,
    /// How long after a failure it is tried again; twice as long after each further one. Default: 1 s.
    #[serde(with = "time")]
    pub retry_after: Duration,
    /// The longest of these waits. Default: 5 min.
    #[serde(with = "time")]
    pub retry_at_most: Duration,
    /// How long one attempt may take. Default: any time.
    #[serde(with = "limit")]
    pub timeout: Option<Duration>,
    /// For how long a key keeps other jobs with it out. Default: 24 h.
    #[serde(with = "time")]
    pub unique_for: Duration,
    /// How long after the last sign of life of a worker others take its jobs, 100 ms or more. Default: 3 s.
    #[serde(serialize_with = "time::serialize", deserialize_with = "lease")]
    pub lease: Duration,
    /// How many outcomes are kept, about; 0 keeps none. Default: 10,000.
    pub keep: u64,
    /// How many bytes a job may have as JSON. Default: 1 MiB.
    #[serde(deserialize_with = "super::bound::one_or_more")]
    pub max_bytes: usize,
    /// The task of workflows by which `mape serve` itself does the jobs. Default: none, programs do them.
    pub task: Option<Task>,
    /// Jobs that are added again and again, by the calendar, by the names of these schedules. Default: none.
    pub schedules: BTreeMap<String, Schedule>,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            concurrency: 10,
            priorities: 1,
            rate: None,
            attempts: 5,
            retry_after: Duration::from_secs(1),
            retry_at_most: Duration::from_mins(5),
            timeout: None,
            unique_for: Duration::from_hours(24),
            lease: Duration::from_secs(3),
            keep: 10_000,
            max_bytes: 1024 * 1024,
            task: None,
            schedules: BTreeMap::new(),
        }
    }
}

/// So many jobs in a time: written `100/s`, `30/m`, `5/10s`, or `{jobs: 100, per: 1m}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Rate {
    /// How many jobs.
    pub jobs: u32,
    /// In which time.
    #[serde(with = "time")]
    pub per: Duration,
}

/// A task of workflows: its name, or `{name, parameters}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Task {
    /// Its name, such as `request:post`.
    pub name: String,
    /// Its parameters, as a flow has them. Default: none.
    pub parameters: Value,
}

/// A job that is added again and again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Schedule {
    /// When: minute, hour, day of the month, month and day of the week.
    pub cron: String,
    /// The time zone, such as `Europe/Berlin`. Default: UTC.
    #[serde(default)]
    pub zone: Option<String>,
    /// What is to be done, as JSON. Default: `null`.
    #[serde(default)]
    pub data: Value,
    /// Its level of priority. Default: 0, the lowest.
    #[serde(default)]
    pub priority: u8,
}

/// A whole number with bounds.
fn between<'de, D, T, const LEAST: u64, const MOST: u64>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    let number = u64::deserialize(deserializer)?;
    let fits = (LEAST..=MOST).contains(&number).then(|| T::try_from(number).ok()).flatten();
    fits.ok_or_else(|| {
        let expected = format!("a whole number from {LEAST} to {MOST}");
        D::Error::invalid_value(Unexpected::Unsigned(number), &expected.as_str())
    })
}

fn lease<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    const SHORTEST: Duration = Duration::from_millis(100);
    let lease = time::deserialize(deserializer)?;
    if lease < SHORTEST {
        return Err(D::Error::invalid_value(Unexpected::Other(&format!("{lease:?}")), &"100ms or more"));
    }
    Ok(lease)
}

/// A length of time, if there is one.
mod limit {
    use super::{Deserialize, Deserializer, Duration, Serialize, some_time};
    use serde::Serializer;

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Limit(#[serde(with = "some_time")] Duration);

    #[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
    pub(super) fn serialize<S: Serializer>(
        limit: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        limit.map(Limit).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<Limit>::deserialize(deserializer)?.map(|Limit(limit)| limit))
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RateVisitor)
    }
}

struct RateVisitor;

impl<'de> Visitor<'de> for RateVisitor {
    type Value = Rate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of jobs in a time, such as 100/s, 30/m or {jobs: 5, per: 10s}")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Rate, E> {
        let wrong = || E::invalid_value(Unexpected::Str(text), &self);
        let (jobs, per) = text.split_once('/').ok_or_else(wrong)?;
        let per = per.trim();
        // `s` is `1s`.
        let per =
            if per.starts_with(|c: char| c.is_ascii_digit()) { per.to_owned() } else { format!("1{per}") };
        let per: StrDeserializer<'_, E> = per.as_str().into_deserializer();
        let per = some_time::deserialize(per).map_err(|_| wrong())?;
        match jobs.trim().parse() {
            Ok(jobs) if jobs > 0 => Ok(Rate { jobs, per }),
            _ => Err(wrong()),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Rate, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            #[serde(deserialize_with = "between::<_, _, 1, 4_294_967_295>")]
            jobs: u32,
            #[serde(with = "some_time")]
            per: Duration,
        }
        let Written { jobs, per } = Written::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Rate { jobs, per })
    }
}

impl<'de> Deserialize<'de> for Task {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TaskVisitor)
    }
}

struct TaskVisitor;

impl<'de> Visitor<'de> for TaskVisitor {
    type Value = Task;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a task of workflows, such as log:info or {name: log:info, parameters: {message: done}}")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Task, E> {
        if name.is_empty() {
            return Err(E::invalid_value(Unexpected::Str(name), &self));
        }
        Ok(Task { name: name.to_owned(), parameters: Value::Null })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Task, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            name: String,
            #[serde(default)]
            parameters: Value,
        }
        let Written { name, parameters } = Written::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Task { name, parameters })
    }
}
