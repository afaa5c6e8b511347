//! What parties write to InfluxDB, if the configuration names a server, and what has become of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use mape::config::Config;
use mape::edge::influxdb::{InfluxSettings, Point};
use mape::edge::{InfluxServer, InfluxSink, InfluxStats};

/// Where points go.
#[derive(Clone, Debug)]
pub struct Metering {
    server: InfluxServer,
    settings: InfluxSettings,
    started: SystemTime,
    /// Of the sinks of all parties in this process.
    stats: Arc<Mutex<Vec<InfluxStats>>>,
}

impl Metering {
    /// As the section `influxdb` says; none if it has no `url`.
    pub fn configured() -> anyhow::Result<Option<Self>> {
        let settings: InfluxSettings = Config::load()?.get("influxdb")?;
        let server = settings.server()?;
        Ok(server.map(|server| Self { server, settings, started: SystemTime::now(), stats: Arc::default() }))
    }

    /// A sink that writes a point of each item, which happened so many seconds after the start.
    pub fn sink<T: Send + 'static>(
        &self,
        mut point: impl FnMut(T) -> (f64, Point) + Send + 'static,
    ) -> InfluxSink<T> {
        let started = self.started;
        let points = InfluxSink::points(&self.server, move |item| {
            let (seconds, point) = point(item);
            point.at(started + Duration::from_secs_f64(seconds))
        });
        let sink = self.settings.apply(points);
        self.stats.lock().unwrap_or_else(PoisonError::into_inner).push(sink.stats());
        sink
    }

    /// What has become of the points, in a line; none if nothing was to be written.
    pub fn summary(&self) -> Option<String> {
        let all = self.stats.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = |count: fn(&InfluxStats) -> u64| all.iter().map(count).sum::<u64>();
        let (written, refused) = (sum(InfluxStats::written), sum(InfluxStats::refused));
        let lost = sum(InfluxStats::dropped) + sum(|stats| stats.queued() as u64);
        let place = self.server.place();
        let why = all.iter().find_map(InfluxStats::last_error);
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        let line = format!("{written} points written to {place}, {refused} refused, {lost} lost{why}");
        (!all.is_empty()).then_some(line)
    }
}
