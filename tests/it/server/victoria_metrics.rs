//! victoria-metrics of a test's own.

use super::directory::{CONFIGURATION, Directory};
use super::exchange::Exchange;
use super::process::Process;
use super::tcp::on_free_ports;
use super::wait::until;
use serde_json::Value;
use std::fs;

/// A running victoria-metrics. It ends, and its directory goes, when the value is dropped.
pub(crate) struct VictoriaMetrics {
    // Before the directory, so that it ends first.
    _process: Process,
    _directory: Directory,
    port: u16,
}

impl VictoriaMetrics {
    pub(crate) fn start() -> Self {
        Self::with("", &[])
    }

    /// One that also asks others for metrics, as this configuration for Prometheus says.
    pub(crate) fn scraping(configuration: &str) -> Self {
        Self::with(configuration, &["-promscrape.config=scrape.yml", "-search.latencyOffset=0s"])
    }

    fn with(scrape: &str, more: &[&str]) -> Self {
        on_free_ports(|[port]| {
            let directory = Directory::new();
            fs::write(directory.path().join(CONFIGURATION), "# It is configured by arguments.\n").unwrap();
            let listen = format!("-httpListenAddr=127.0.0.1:{port}");
            fs::write(directory.path().join("scrape.yml"), scrape).unwrap();
            let mut words =
                vec!["victoria-metrics", "-storageDataPath=data", "-retentionPeriod=100y", &listen];
            words.extend(more);
            let process = Process::launch(&directory, &words, "starting http server")?;
            until("victoria-metrics answers", || Exchange::of(port, "GET", "/health", "", "").is_some());
            Ok(Self { _process: process, _directory: directory, port })
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// All that it has: `{"metric": {"__name__", tags…}, "values": […], "timestamps": [milliseconds…]}` each.
    pub(crate) fn export(&self) -> Vec<Value> {
        let ask =
            |target: &str| Exchange::of(self.port, "GET", target, "", "").expect("victoria-metrics answers");
        ask("/internal/force_flush");
        let answer = ask("/api/v1/export?match[]=%7B__name__!%3D%22%22%7D&start=0");
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}
