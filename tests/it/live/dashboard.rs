//! The example `live_dashboard`, as people run it and look at it.

mod in_parts;
mod page;

use crate::http::site::client;
use crate::patterns::example;
use crate::telemetry::program::{Running, clean};
use std::process::Command;

/// The example, which runs.
struct Dashboard {
    _running: Running,
    url: String,
}

impl Dashboard {
    async fn start(arguments: &[&str]) -> Self {
        Self::at("127.0.0.1:0", arguments).await
    }

    async fn at(address: &str, arguments: &[&str]) -> Self {
        let mut command = example("live_dashboard");
        command.args(["--listen", address]).args(arguments);
        Self::of(command).await
    }

    async fn of(mut command: Command) -> Self {
        clean(&mut command);
        let running = Running::start(&mut command);
        let said = running.says("the dashboard is at ").await;
        let url = said.rsplit(' ').next().unwrap().strip_suffix("/dashboard").unwrap().to_owned();
        Self { _running: running, url }
    }

    fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// The status of an answer, and its text.
    async fn get(&self, path: &str) -> (u16, String) {
        let answer = client().get(format!("{}{path}", self.url)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}
