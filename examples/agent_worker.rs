//! A worker that asks an agent over HTTP: it posts what the task is given, and the answer is the output.
//!
//! ```text
//!   start-task  agent:taste ──▶ POST /taste {"parameters": …, "input": …} ──▶ end-task with the answer
//! ```
//!
//! The name behind `agent:` is the path at which the agent is asked. An answer that is no object or list becomes the
//! field `answer` of one. What it refuses is a failure in its own words; what is not answered within `--within`, or the
//! seconds in the parameter `within`, is one too.
//!
//! ```text
//! cargo run --example agent_worker -- --agent http://agents.example --backend redis://db:6379
//! cargo run --example agent_worker -- --demo      # alone, with a stand-in for the agent
//! ```
//!
//! Who one is at the agent is in `$MAPE_AGENT__TOKEN`, if it wants to know.

#[path = "workers/demonstration.rs"]
mod demonstration;
#[path = "workers/http.rs"]
mod http;
#[path = "workers/stand_in.rs"]
mod stand_in;
#[path = "workers/station.rs"]
mod station;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Arg, ArgAction, value_parser};
use mape::workflow::{Invocation, Task, TaskError, Tasks, Worker};
use reqwest::Method;
use serde_json::{Value, json};

use crate::http::{Call, Service, refused};
use crate::stand_in::{Answer, Asked, StandIn};

fn main() -> ExitCode {
    let command = clap::Command::new("agent_worker").about("Has tasks `agent:WHAT` answered by an agent");
    let agent = Arg::new("agent").long("agent").value_name("URL").help("Where the agent is");
    let within = Arg::new("within").long("within").value_name("SECONDS").value_parser(value_parser!(u64));
    let demo = Arg::new("demo").long("demo").action(ArgAction::SetTrue);
    let command = command
        .arg(agent.default_value("http://127.0.0.1:8080"))
        .arg(within.default_value("120").help("How long it may think"))
        .arg(demo.help("Show it alone, with a stand-in for the agent"));
    let given = station::arguments(command).get_matches();
    if given.get_flag("demo") {
        return station::end(station::runtime(demonstrate()));
    }
    let url = given.get_one::<String>("agent").map_or("", String::as_str);
    let within = Duration::from_secs(given.get_one("within").copied().unwrap_or_default());
    match http::setting("agent.token").and_then(|token| Service::new(url, token)) {
        Ok(service) => station::run(&given, worker(service, within)),
        Err(error) => station::end(Err(error)),
    }
}

fn worker(agent: Service, within: Duration) -> Worker {
    let ask = Task::new("agent:*", move |invocation: Invocation| {
        let agent = agent.clone();
        async move { ask(&agent, within, &invocation).await }
    });
    Worker::new("agents", Tasks::new().with(ask)).receipts()
}

/// Asks, and waits for the answer. A task that is cancelled is dropped, and the call with it.
async fn ask(agent: &Service, within: Duration, invocation: &Invocation) -> Result<Value, TaskError> {
    let within = match invocation.parameters().get("within") {
        None => within,
        Some(seconds) => {
            let said = seconds.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            said.ok_or_else(|| TaskError::for_good("`within` is a number of seconds"))?
        }
    };
    let path = format!("/{}", invocation.base().strip_prefix("agent:").unwrap_or_default());
    let question = json!({"parameters": invocation.parameters(), "input": invocation.input()});
    let key = invocation.key();
    let call =
        Call { body: Some(&question), key: Some(&key), timeout: within, ..Call::new(Method::POST, &path) };
    let (status, answer) = agent.call(call).await?;
    if !status.is_success() {
        return Err(refused("the agent", status, &answer));
    }
    Ok(if answer.is_object() || answer.is_array() { answer } else { json!({"answer": answer}) })
}

async fn demonstrate() -> anyhow::Result<()> {
    let agent = StandIn::start(Duration::from_millis(20), taster).await?;
    let worker = worker(Service::new(&agent.url, None)?, Duration::from_secs(5));
    let ask =
        |name: &str, index, cup: &str| demonstration::start(name, index, json!({}), json!({"cup": cup}));
    let hasty = demonstration::start("agent:taste", 5, json!({"within": 0.001}), json!({"cup": "mocha"}));
    let events = vec![
        ask("agent:taste", 1, "espresso"),
        ask("agent:greet", 2, "latte"),
        ask("agent:taste", 3, "tea"),
        ask("agent:advise", 4, "mocha"),
        hasty,
    ];
    demonstration::show(worker, events).await
}

/// A stand-in for the agent.
fn taster(asked: &Asked) -> Answer {
    if asked.method != "POST" || asked.header("content-type") != Some("application/json") {
        return (405, json!("I only read JSON that is posted"));
    }
    let cup = asked.body.pointer("/input/cup").and_then(Value::as_str).unwrap_or_default();
    match (asked.path.as_str(), cup) {
        ("/greet", _) => (200, json!("good morning")),
        ("/taste", "tea") => (422, json!({"error": "I know nothing of tea"})),
        ("/taste", cup) => (200, json!({"cup": cup, "stars": cup.len() % 5 + 1})),
        _ => (404, json!("I only taste and greet")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]
    use super::*;

    async fn answer(name: &str, parameters: Value, cup: &str) -> Result<Value, TaskError> {
        let agent = StandIn::start(Duration::from_millis(100), taster).await.unwrap();
        let invocation = Invocation::alone(name, parameters, json!({"cup": cup}));
        ask(&Service::new(&agent.url, None).unwrap(), Duration::from_secs(5), &invocation).await
    }

    #[tokio::test]
    async fn an_answer_is_the_output() {
        let tasted = answer("agent:taste", json!({}), "mocha").await;
        assert_eq!(tasted, Ok(json!({"cup": "mocha", "stars": 1})));
        assert_eq!(answer("agent:greet", json!({}), "").await, Ok(json!({"answer": "good morning"})));
    }

    #[tokio::test]
    async fn a_refusal_is_a_failure_for_good_in_the_words_of_the_agent() {
        let refused = answer("agent:taste", json!({}), "tea").await;
        let words = "the agent answered 422 Unprocessable Entity: I know nothing of tea";
        assert_eq!(refused, Err(TaskError::for_good(words)));
        let wrong = answer("agent:taste", json!({"within": "soon"}), "mocha").await;
        assert_eq!(wrong, Err(TaskError::for_good("`within` is a number of seconds")));
    }

    #[tokio::test]
    async fn who_thinks_for_too_long_may_be_asked_again() {
        let late = answer("agent:taste", json!({"within": 0.01}), "mocha").await;
        assert_eq!(late, Err(TaskError::new("no answer within 10ms")));
    }
}
