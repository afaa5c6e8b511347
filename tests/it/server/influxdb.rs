//! influxd of a test's own: InfluxDB 1.6, the strictest reader of line protocol there is a package of.

use super::directory::{CONFIGURATION, Directory};
use super::exchange::{Exchange, percent};
use super::process::Process;
use super::tcp::{is_in_use, on_free_ports};
use super::wait::until;
use serde_json::Value;
use std::fs;

/// A running influxd. It ends, and its directory goes, when the value is dropped.
pub(crate) struct InfluxDb {
    // Before the directory, so that it ends first.
    process: Option<Process>,
    directory: Directory,
    port: u16,
    /// The password of `admin`, if there are users.
    password: Option<String>,
}

impl InfluxDb {
    /// Starts one that lets everybody do everything.
    pub(crate) fn start() -> Self {
        Self::with_password(None)
    }

    /// Starts one with the user `admin`.
    pub(crate) fn secured(password: &str) -> Self {
        let server = Self::with_password(Some(password));
        let made =
            server.ask("", &format!("CREATE USER admin WITH PASSWORD '{password}' WITH ALL PRIVILEGES"));
        assert!(made.to_string().contains("results"), "{made}");
        server
    }

    fn with_password(password: Option<&str>) -> Self {
        on_free_ports(|[port, control]| {
            let mut server = Self {
                process: None,
                directory: Directory::new(),
                port,
                password: password.map(ToOwned::to_owned),
            };
            let lines = format!(
                "reporting-disabled = true\nbind-address = \"127.0.0.1:{control}\"\n\
                 [meta]\ndir = \"meta\"\n[data]\ndir = \"data\"\nwal-dir = \"wal\"\nmax-values-per-tag = 0\n\
                 max-series-per-database = 0\n[monitor]\nstore-enabled = false\n\
                 [http]\nbind-address = \"127.0.0.1:{port}\"\nlog-enabled = false\nauth-enabled = {}\n",
                password.is_some()
            );
            fs::write(server.directory.path().join(CONFIGURATION), lines).unwrap();
            server.process = Some(server.run()?);
            Ok(server)
        })
    }

    fn run(&self) -> Result<Process, String> {
        Process::launch(
            &self.directory,
            &["influxd", "run", "-config", CONFIGURATION],
            "Listening for signals",
        )
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Kills it and waits until it is gone.
    pub(crate) fn kill_9(&mut self) {
        self.process = None;
    }

    /// Starts it again on its port and with what it has on disk.
    pub(crate) fn restart(&mut self) {
        self.kill_9();
        until("influxd can bind its port again", || {
            let started = self.run();
            if let Err(log) = &started {
                assert!(is_in_use(log), "influxd ended at its start:\n{log}");
            }
            self.process = started.ok();
            self.process.is_some()
        });
    }

    /// Makes a database.
    pub(crate) fn create(&self, database: &str) {
        let made = self.ask("", &format!("CREATE DATABASE {database}"));
        assert!(!made.to_string().contains("error"), "{made}");
    }

    /// What it answers to `InfluxQL`, with times in nanoseconds.
    pub(crate) fn ask(&self, database: &str, query: &str) -> Value {
        let mut target = format!("/query?epoch=ns&db={database}&q={}", percent(query));
        if let Some(password) = &self.password {
            target.push_str("&u=admin&p=");
            target.push_str(password);
        }
        let answer = Exchange::of(self.port, "POST", &target, "", "").expect("influxd answers");
        serde_json::from_str(&answer.body).unwrap()
    }

    /// All series of a database: measurement, tags, columns, rows.
    pub(crate) fn series(&self, database: &str) -> Vec<Series> {
        let answer = self.ask(database, "SHOW MEASUREMENTS");
        let names = answer["results"][0]["series"][0]["values"].as_array().cloned().unwrap_or_default();
        let quoted = |name: &str| name.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
        let names: Vec<_> = names.iter().map(|row| quoted(row[0].as_str().unwrap())).collect();
        let mut all = Vec::new();
        // Each by itself: what is a tag in one measurement is no field in another of the same query.
        for names in names.chunks(100) {
            let queries: Vec<_> =
                names.iter().map(|name| format!("SELECT * FROM \"{name}\" GROUP BY *")).collect();
            let answer = self.ask(database, &queries.join(";"));
            for result in answer["results"].as_array().unwrap_or_else(|| panic!("{answer}")) {
                let series = result["series"].as_array().unwrap_or_else(|| panic!("{result}"));
                all.extend(
                    series.iter().map(|series| serde_json::from_value::<Series>(series.clone()).unwrap()),
                );
            }
        }
        all
    }
}

/// What `InfluxQL` answers of one series.
#[derive(Clone, Debug, serde::Deserialize)]
pub(crate) struct Series {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) tags: std::collections::BTreeMap<String, String>,
    pub(crate) columns: Vec<String>,
    pub(crate) values: Vec<Vec<Value>>,
}
