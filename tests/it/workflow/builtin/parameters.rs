//! Parameters that a task does not have or that have no sense: refused before anything starts.

use super::{engine_with, output};
use mape::backend::Backend;
use mape::workflow::{Builtin, Engine, Error};
use serde_json::{Value, json};

async fn engine() -> Engine {
    let backend = Backend::memory();
    engine_with(&backend, Builtin::new(&backend).allow_programs(["cat"])).await
}

/// What a flow is refused for.
async fn refused(engine: &Engine, flow: &str) -> Vec<String> {
    match engine.run(flow, Value::Null).await {
        Err(Error::Parameters { wrong }) => wrong,
        Err(other) => panic!("{flow}: {other}"),
        Ok(run) => panic!("{flow}: {} has begun", run.id()),
    }
}

#[tokio::test]
async fn a_flow_whose_parameters_are_wrong_does_not_begin() {
    let engine = engine().await;
    for (task, said) in [
        ("echo (- x: 1 -)", "echo (#1) has no parameter `x`: it has none of its own"),
        ("log:info (- mesage: hi -)", "log:info (#1) has no parameter `mesage`: did you mean `message`?"),
        ("log:info (- message: [1] -)", "log:info (#1): the parameter `message` is a text, not [1]"),
        ("log:fatal", "log:fatal (#1): the levels are log:error, log:warn, log:info and log:debug"),
        ("wait:delay", "wait:delay (#1) needs the parameter `duration`"),
        (
            "wait:delay (- duration: soon -)",
            "wait:delay (#1): the parameter `duration` is seconds or a text like 5m30s, not \"soon\"",
        ),
        ("wait:delay (- {duration: 1, retyr: 2} -)", "has no parameter `retyr`: did you mean `retry`?"),
        ("wait:event", "wait:event (#1) needs the parameter `event`"),
        ("wait:event (- event: '' -)", "wait:event (#1) needs the parameter `event`"),
        ("wait:event (- {event: e, timeout: soon} -)", "`timeout` is seconds or a text like 5m30s"),
        ("wait:event (- {event: e, match: 5} -)", "`match` is `input` or an object of fields, not 5"),
        ("wait:event (- {event: e, condition: '$['} -)", "the parameter `condition` is no guard: "),
        ("wait:event (- {event: e, receipt: maybe} -)", "`receipt` is true or false, not \"maybe\""),
        ("wait:acquire (- {name: l, lease: {}} -)", "`lease` is seconds or a text like 5m30s, not {}"),
        ("wait:countdown", "wait:countdown (#1) needs the parameter `name`"),
        ("human:approve (- {question: ok?, default: 5} -)", "`default` is no answer: `approved` is true or"),
        ("human:approve (- {question: ok?, who: {}} -)", "`who` is a list of texts, not {}"),
        ("exec:cat (- {output: yaml} -)", "`output` is text or json, not \"yaml\""),
        ("exec:run", "exec:run (#1) needs the parameter `command`"),
        ("exec:run (- command: rm -)", "exec:run (#1): rm may not be run: workflow.exec.allow has"),
        ("exec:rm", "exec:rm (#1): rm may not be run: workflow.exec.allow has"),
        ("exec:cat (- args: ['{print $1}'] -)", "exec:cat (#1): the parameter `args` is no template: `"),
        ("exec:cat (- args: ['{print}'] -)", "there is no `print` to put in, but `input`; write `{{`"),
        ("<orders.json> (- format: xml -) → echo", "`format` is json or jsonl or yaml or text, not \"xml\""),
        ("<ftp://a/b> → echo", "no resource can be at ftp:"),
    ] {
        let wrong = refused(&engine, task).await;
        assert!(wrong.len() == 1 && wrong[0].contains(said), "{task}: {wrong:?}");
    }
    assert_eq!(engine.workflows().list(0, 9).await.unwrap(), []);
}

#[tokio::test]
async fn a_policy_that_is_none_says_what_the_author_of_a_flow_can_do() {
    let engine = engine().await;
    for (parameters, said) in [
        ("timeout: soon", "echo (#1): the parameter `timeout` is a length of time such as 30s or 5m30s, not"),
        (
            "retry: often",
            "echo (#1): the parameter `retry` is a number of attempts or {attempts, wait, most}",
        ),
    ] {
        let error =
            engine.run(&format!("echo (- {parameters} -)"), Value::Null).await.unwrap_err().to_string();
        assert!(error.contains(said) && error.ends_with(": write it so, or leave it out"), "{error}");
        assert!(!error.contains("own_parameters"), "{error}");
    }
}

#[cfg(feature = "http-client")]
#[tokio::test]
async fn a_request_that_goes_nowhere_does_not_begin() {
    let engine = engine().await;
    for (parameters, said) in [
        ("", "request:get (#1) needs the parameter `url`"),
        ("(- {url: 'http://a', urll: x} -)", "request:get (#1) has no parameter `urll`: did you mean `url`?"),
        ("(- url: there -)", "request:get (#1): `url` gives no URL: "),
        ("(- {category: pay, url: a} -)", "there is no service `pay` in workflow.request.services"),
        ("(- {url: 'http://a', sync: 5} -)", "the parameter `sync` is true or false, not 5"),
        ("(- {url: 'http://a', output_mode: all} -)", "`output_mode` is status, response_text or"),
    ] {
        let wrong = refused(&engine, &format!("request:get {parameters}")).await;
        assert!(wrong.len() == 1 && wrong[0].contains(said), "{parameters}: {wrong:?}");
    }
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once_and_what_data_decide_is_not() {
    let engine = engine().await;
    let flow = "log:info (- message: begins -) → wait:event (- evnt: e -) → shout → echo
        @task shout = log:info (- {mesage: hi, volume: 5} -)";
    let wrong = refused(&engine, flow).await;
    assert_eq!(wrong.len(), 4, "{wrong:?}");
    let flow = "log:info (- message: '{input[x]} {{}}' -) → wait:delay (- duration: '{input[x]}' -)";
    assert_eq!(output(&engine, flow, json!({"x": 0})).await, json!({"x": 0}));
}
