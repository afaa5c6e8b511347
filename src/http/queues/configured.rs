//! Queues as the configuration has them.

use crate::config::{self, Config, Error};
use crate::queue::{Declared, Rate, Schedule, Settings};
use crate::workflow::{Cron, NoCron};

impl Declared {
    /// What the section `queues` declares, by name.
    ///
    /// ```
    /// use mape::config::Config;
    /// use mape::prelude::*;
    /// use mape::queue::{Declared, Queues};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), BoxError> {
    /// let file = "queues:\n  reply: {rate: 100/s, schedules: {fetch: {cron: '* * * * *', data: mail}}}\n";
    /// let config = Config::builder().text(file).without_environment().build()?;
    /// let queues = Queues::new(&App::new());
    /// for declared in Declared::configured(&config)? {
    ///     queues.declare(&declared).await?;
    /// }
    /// let reply = queues.get("reply").await?;
    /// assert_eq!(reply.settings().rate.map(|rate| rate.jobs), Some(100));
    /// assert_eq!(reply.schedules().await?.len(), 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`], with the line.
    pub fn configured(config: &Config) -> Result<Vec<Self>, Error> {
        config.queues.iter().map(|(name, section)| declared(config, name, section)).collect()
    }
}

impl Settings {
    /// What a queue of the section `queues` says.
    #[must_use]
    pub fn configured(queue: &config::Queue) -> Self {
        Self {
            concurrency: queue.concurrency,
            priorities: queue.priorities,
            rate: queue.rate.map(|rate| Rate { jobs: rate.jobs, per: rate.per }),
            attempts: queue.attempts,
            retry_after: queue.retry_after,
            retry_at_most: queue.retry_at_most,
            timeout: queue.timeout,
            unique_for: queue.unique_for,
            lease: queue.lease,
            keep: queue.keep,
            max_bytes: queue.max_bytes,
        }
    }
}

fn declared(config: &Config, name: &str, section: &config::Queue) -> Result<Declared, Error> {
    let place = format!("queues.{name}");
    let declared =
        Declared { name: name.to_owned(), settings: Settings::configured(section), schedules: Vec::new() };
    declared.check().map_err(|error| config.wrong(&place, format!("`{place}`: {error}")))?;
    let mut schedules = Vec::new();
    for (schedule, section) in &section.schedules {
        let place = format!("{place}.schedules.{schedule}");
        let wrong = |key: &str, error: NoCron| {
            let place = format!("{place}.{key}");
            config.wrong(&place, format!("`{place}`: {error}"))
        };
        let mut cron: Cron = section.cron.parse().map_err(|error| wrong("cron", error))?;
        if let Some(zone) = &section.zone {
            cron = cron.in_zone(zone).map_err(|error| wrong("zone", error))?;
        }
        let (data, priority) = (section.data.clone(), section.priority);
        let schedule = Schedule { name: schedule.clone(), cron, data, priority };
        let alone = Declared { schedules: vec![schedule.clone()], ..declared.clone() };
        alone.check().map_err(|error| config.wrong(&place, format!("`{place}`: {error}")))?;
        schedules.push(schedule);
    }
    Ok(Declared { schedules, ..declared })
}
