//! The example `volunteers`, as people run it: in one process, and each stage in its own while they are killed.

#[cfg(feature = "redis")]
mod apart;
mod page;

use crate::http::site::client;
use crate::patterns::example;
use crate::telemetry::program::clean;
use serde_json::Value;
use std::net::TcpListener;
use std::process::Command;

/// The token of the organiser that tests are.
const TOKEN: &str = "the-token-of-ada-in-tests";
const SECRETS: [(&str, &str); 4] = [
    ("MAPE_NETWORK__SECRET", "the-secret-of-webhooks-in-tests"),
    ("MAPE_NETWORK__VERIFY_TOKEN", "the-token-of-webhooks-in-tests"),
    ("MAPE_ORGANISERS__ADA__TOKEN", TOKEN),
    ("MAPE_ORGANISERS__BEN__TOKEN", "the-token-of-ben-in-tests"),
];

/// Where it is on this machine.
struct Places {
    page: String,
    network: String,
    mail: String,
}

impl Places {
    fn free() -> Self {
        // Held together, so that they differ.
        let held = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [page, network, mail] = held.map(|held| held.local_addr().unwrap().to_string());
        Self { page, network, mail }
    }

    /// The program, which fetches each second, at these places.
    fn program(&self) -> Command {
        let mut command = example("volunteers");
        clean(&mut command);
        command.envs(SECRETS).env("MAPE_QUEUES__FETCHING__SCHEDULES__COMMENTS__CRON", "* * * * * *");
        command.env("MAPE_REST__ADDRESS", &self.page).env("MAPE_NETWORK__ADDRESS", &self.network);
        command.env("MAPE_NETWORK__MAIL", &self.mail);
        command
    }

    /// What is there at the page's server, as ada; nothing if that is away.
    async fn get(&self, path: &str) -> Option<Value> {
        let request = client().get(format!("http://{}{path}", self.page)).bearer_auth(TOKEN);
        read(request).await
    }

    async fn post(&self, path: &str, body: &Value) -> Option<Value> {
        let request = client().post(format!("http://{}{path}", self.page)).bearer_auth(TOKEN);
        read(request.header("content-type", "application/json").body(body.to_string())).await
    }

    /// All that the double of the network knows.
    async fn records(&self) -> Option<Value> {
        read(client().get(format!("http://{}/v1/records", self.network))).await
    }

    /// The PIN in the last mail.
    async fn pin(&self) -> Option<String> {
        let records = self.records().await?;
        let text = records["mails"].as_array()?.last()?["text"].as_str()?.to_owned();
        let is_pin = |word: &&str| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
        text.split_whitespace().find(is_pin).map(str::to_owned)
    }
}

async fn read(request: reqwest::RequestBuilder) -> Option<Value> {
    let answer = request.timeout(std::time::Duration::from_secs(5)).send().await.ok()?;
    if !answer.status().is_success() {
        return None;
    }
    let bytes = answer.bytes().await.ok()?;
    Some(serde_json::from_slice(&bytes).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_ends_by_itself_and_shows_all() {
    let mut demo = example("volunteers");
    clean(&mut demo);
    let shown = tokio::task::spawn_blocking(move || demo.arg("--demo").output().unwrap()).await.unwrap();
    assert!(shown.status.success(), "{shown:?}");
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains(" s  published ") && shown.contains(" s  interested "), "{shown}");
    assert!(shown.lines().last().unwrap().contains(" s  all done "), "{shown}");
}

#[test]
fn stages_apart_need_a_server_a_directory_and_secrets() {
    for (arguments, variables, reason) in [
        (&["--stage", "judge"][..], &[][..], "--backend redis://HOST"),
        (&["--stage", "judge", "--backend", "redis://127.0.0.1:1"], &[], "--data DIR"),
        (
            &["--stage", "judge", "--backend", "redis://127.0.0.1:1", "--data", "."],
            &[],
            "export MAPE_NETWORK__SECRET=",
        ),
        (
            &["--stage", "judge", "--backend", "redis://127.0.0.1:1", "--data", "."],
            &SECRETS[..2],
            "export MAPE_ORGANISERS__ADA__TOKEN=",
        ),
    ] {
        let mut command = example("volunteers");
        clean(&mut command);
        let ended = command.args(arguments).envs(variables.iter().copied()).output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(!ended.status.success() && said.contains(reason), "{said}");
    }
}
