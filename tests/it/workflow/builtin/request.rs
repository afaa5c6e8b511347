//! `request:…`, against a service on a socket.

use super::service::{Asked, Service};
use super::{begun, engine_on, engine_with, failure, output, step};
use crate::suite::eventually;
use mape::app::App;
use mape::backend::Backend;
use mape::workflow::{Builtin, Engine, Error, Inspection, Run, Tasks, WaitsFor, Workflows};
use serde_json::{Value, json};
use std::time::Duration;

const SECRET: &str = "hunter2-and-more";

fn echo(asked: &Asked) -> (&'static str, String) {
    (
        "200 OK\r\ncontent-type: application/json",
        json!({"echo": asked.target, "body": asked.body}).to_string(),
    )
}

/// An invocation of a task with parameters as JSON.
fn flow(task: &str, parameters: &Value) -> String {
    format!("{task} ({parameters})")
}

#[tokio::test]
async fn the_url_is_a_template_and_the_answer_is_laid_over_the_input() {
    let service = Service::new(echo).await;
    let engine = engine_on(&Backend::memory()).await;
    let site = service.url("");
    let parameters = json!({"url": "{input[site]}/x?a=1", "output_mode": ["status", "response_json"]});
    let given = output(&engine, &flow("request:get", &parameters), json!({"site": site})).await;
    assert_eq!(
        given,
        json!({"site": site, "request_status": 200, "response": {"echo": "/x?a=1", "body": ""}})
    );
    // Without an output mode, the input goes on.
    let parameters = json!({"url": service.url("/")});
    assert_eq!(output(&engine, &flow("request:get", &parameters), json!({"x": 1})).await, json!({"x": 1}));
    let parameters = json!({"url": service.url("/"), "output_mode": "response_text"});
    let given = output(&engine, &flow("request:get", &parameters), json!([{"x": 1}])).await;
    assert_eq!(given, json!({"response": "{\"body\":\"\",\"echo\":\"/\"}"}));
    // The first task of a flow without an input.
    assert_eq!(
        output(&engine, &flow("request:post", &json!({"url": service.url("/")})), Value::Null).await,
        json!({})
    );
    assert_eq!(service.last().body, "{}");
}

#[tokio::test]
async fn what_data_bring_into_a_url_or_a_body_stays_a_part_of_it() {
    let service = Service::new(echo).await;
    let engine = engine_on(&Backend::memory()).await;
    let input = json!({"id": "../admin?x=1#y", "name": "a \"b\"\n", "n": 5});
    let parameters = json!({"url": service.url("/items/{input[id]}")});
    output(&engine, &flow("request:get", &parameters), input.clone()).await;
    assert_eq!(service.last().target, "/items/..%2Fadmin%3Fx%3D1%23y");
    for (kind, template, body) in [
        (
            "application/json",
            json!(r#"{{"name": "{input[name]}", "n": {input[n]}}}"#),
            r#"{"name": "a \"b\"\n", "n": 5}"#,
        ),
        ("application/json", json!({"name": "{input[name]}"}), r#"{"name":"a \"b\"\n"}"#),
        ("application/x-www-form-urlencoded", json!("q={input[id]}"), "q=..%2Fadmin%3Fx%3D1%23y"),
        ("text/plain", json!("{input[name]}"), "a \"b\"\n"),
    ] {
        let parameters = json!({"url": service.url("/"), "template": template, "content_type": kind});
        output(&engine, &flow("request:put", &parameters), input.clone()).await;
        let asked = service.last();
        assert_eq!((asked.method.as_str(), asked.body.as_str()), ("PUT", body));
        assert_eq!(asked.header("content-type"), Some(kind));
    }
}

#[tokio::test]
async fn headers_go_with_every_method() {
    let service = Service::new(echo).await;
    let engine = engine_on(&Backend::memory()).await;
    for method in ["get", "post", "put", "delete"] {
        let parameters = json!({"url": service.url("/"), "headers": {"X-Order": "no. {input[id]}"}});
        output(&engine, &flow(&format!("request:{method}"), &parameters), json!({"id": 7})).await;
        let asked = service.last();
        assert_eq!((asked.method.to_lowercase().as_str(), asked.header("x-order")), (method, Some("no. 7")));
        // What may be repeated can be recognised.
        assert_eq!(asked.header("idempotency-key").is_some(), method != "get", "{method}");
    }
    for (headers, said) in [
        (json!({"Host": "x"}), "Host cannot be set"),
        (json!({"a b": "x"}), "\"a b\" is no name of a header"),
        (json!({"X": "a\nb"}), "the header X holds what no header may hold"),
    ] {
        let parameters = json!({"url": service.url("/"), "headers": headers});
        let error = failure(&engine, &flow("request:get", &parameters), Value::Null).await;
        assert!(error.contains(said), "{error}");
    }
}

#[tokio::test]
async fn an_input_cannot_say_where_a_request_goes_or_what_it_carries() {
    let (service, other) = (Service::new(echo).await, Service::new(echo).await);
    let engine = engine_on(&Backend::memory()).await;
    let input = json!({
        "url": other.url("/"), "template": "evil", "headers": {"x": "y"}, "category": "other", "sync": false,
        "output_mode": "status", "error_on_status": false,
    });
    for (more, expected) in [(json!({}), Value::Null), (json!({"use_context_parameters": true}), json!(200))]
    {
        let mut parameters = json!({"url": service.url("/"), "template": {"good": 1}});
        parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let given = output(&engine, &flow("request:post", &parameters), input.clone()).await;
        assert_eq!(given["request_status"], expected);
        let asked = service.last();
        assert_eq!((asked.body.as_str(), asked.header("x")), (r#"{"good":1}"#, None));
    }
    assert!(other.asked().is_empty());
    // Nor is what it holds a template.
    let parameters =
        json!({"url": service.url("/"), "template": "{input[text]}", "content_type": "text/plain"});
    output(&engine, &flow("request:post", &parameters), json!({"text": "{secrets[x]} {input.__class__}"}))
        .await;
    assert_eq!(service.last().body, "{secrets[x]} {input.__class__}");
}

#[tokio::test]
async fn a_status_outside_of_the_two_hundreds_fails_and_is_tried_again_if_that_may_help() {
    let service = Service::with(|asked| {
        let status = asked.target.trim_start_matches('/').to_owned();
        (format!("{status} Whatever"), "the reason".into())
    })
    .await;
    let engine = engine_on(&Backend::memory()).await;
    for (status, times) in [(404, 1), (400, 1), (500, 3), (503, 3), (429, 3)] {
        let before = service.asked().len();
        let parameters =
            json!({"url": service.url(&format!("/{status}")), "retry": {"attempts": 2, "wait": 0.01}});
        let error = failure(&engine, &flow("request:get", &parameters), Value::Null).await;
        assert!(error.contains(&format!("answered {status}")) && error.contains("the reason"), "{error}");
        assert_eq!(service.asked().len() - before, times, "{status}");
    }
    let parameters = json!({"url": service.url("/404"), "error_on_status": false, "output_mode": "status"});
    assert_eq!(
        output(&engine, &flow("request:get", &parameters), Value::Null).await,
        json!({"request_status": 404})
    );
}

#[tokio::test]
async fn what_does_not_answer_in_time_or_without_end_fails() {
    let service = Service::new(|asked| match asked.target.as_str() {
        "/hang" => ("hang", String::new()),
        "/close" => ("", String::new()),
        _ => ("200 OK", "x".repeat(3000)),
    })
    .await;
    let backend = Backend::memory();
    let builtin = Builtin::new(&backend).request_timeout(Duration::from_millis(200)).longest(2000);
    let engine = engine_with(&backend, builtin).await;
    for (path, said) in [
        ("/hang", "no answer within 200ms"),
        ("/close", "/close: "),
        ("/long", "the answer is longer than 2000 bytes"),
    ] {
        let error =
            failure(&engine, &flow("request:get", &json!({"url": service.url(path)})), Value::Null).await;
        assert!(error.contains(said), "{error}");
    }
    // A timeout of the flow's own holds in place of it.
    let parameters = json!({"url": service.url("/hang"), "timeout": 0.05});
    let error = failure(&engine, &flow("request:get", &parameters), Value::Null).await;
    assert!(error.contains("50ms"), "{error}");
}

#[tokio::test]
async fn a_host_that_is_not_listed_is_not_called_by_whatever_way() {
    let inner = Service::new(echo).await;
    let target = inner.url("/secret");
    let outer = Service::with(move |asked| {
        let status = if asked.target == "/307" { 307 } else { 302 };
        (format!("{status} Go\r\nlocation: {target}"), String::new())
    })
    .await;
    let backend = Backend::memory();
    let engine = engine_with(&backend, Builtin::new(&backend).allow_hosts([outer.address.to_string()])).await;
    let error = failure(&engine, &flow("request:get", &json!({"url": inner.url("/")})), Value::Null).await;
    assert!(error.contains("the host 127.0.0.1 may not be called"), "{error}");
    let error = failure(&engine, &flow("request:get", &json!({"url": outer.url("/")})), Value::Null).await;
    assert!(error.contains("the host 127.0.0.1 may not be called"), "{error}");
    assert!(inner.asked().is_empty());

    // Without a list: any but those that only the machine itself should know.
    let engine = engine_on(&Backend::memory()).await;
    for url in [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1]/",
        "http://0xa9fea9fe/",
        "http://100.100.100.200/",
    ] {
        let error = failure(&engine, &flow("request:get", &json!({"url": url})), Value::Null).await;
        assert!(error.contains("may not be called: it is a"), "{url}: {error}");
    }
    let error =
        failure(&engine, &flow("request:get", &json!({"url": "file:///etc/passwd"})), Value::Null).await;
    assert!(error.contains("has to begin with http:// or https://"), "{error}");
    let metadata =
        Service::new(|_| ("302 Found\r\nlocation: http://169.254.169.254/latest", String::new())).await;
    let error = failure(&engine, &flow("request:get", &json!({"url": metadata.url("/")})), Value::Null).await;
    assert!(error.contains("169.254.169.254 may not be called"), "{error}");
}

#[tokio::test]
async fn a_request_that_is_sent_on_takes_no_header_and_no_body_to_strangers() {
    let inner = Service::new(echo).await;
    let target = inner.url("/inner");
    let outer = Service::with(move |asked| match asked.target.as_str() {
        "/here" => ("307 Go\r\nlocation: /arrived".to_owned(), String::new()),
        "/arrived" => ("200 OK".to_owned(), String::new()),
        "/303" => (format!("303 Go\r\nlocation: {target}"), String::new()),
        "/307" => (format!("307 Go\r\nlocation: {target}"), String::new()),
        _ => ("302 Go\r\nlocation: /again".to_owned(), String::new()),
    })
    .await;
    let engine = engine_on(&Backend::memory()).await;
    let ask = |path: &str| {
        let parameters = json!({"url": outer.url(path), "headers": {"X-Key": "k"}, "template": "body"});
        flow("request:post", &parameters)
    };
    output(&engine, &ask("/here"), Value::Null).await;
    let asked = outer.last();
    assert_eq!(
        (asked.method.as_str(), asked.body.as_str(), asked.header("x-key")),
        ("POST", "body", Some("k"))
    );
    output(&engine, &ask("/303"), Value::Null).await;
    let asked = inner.last();
    assert_eq!((asked.method.as_str(), asked.body.as_str(), asked.header("x-key")), ("GET", "", None));
    let error = failure(&engine, &ask("/307"), Value::Null).await;
    assert!(error.contains("is not sent what it carries"), "{error}");
    let error = failure(&engine, &ask("/again"), Value::Null).await;
    assert!(error.contains("sent on more than 10 times"), "{error}");
}

/// Everything that can be seen of a run.
async fn all_of(runs: &Workflows, run: &Run) -> String {
    let inspection: Inspection = runs.inspect(run.id()).await.unwrap();
    let archive = runs.archive(run.id()).await.unwrap();
    format!("{} {archive} {:?}", serde_json::to_string(&inspection).unwrap(), run.output().await.unwrap())
}

#[tokio::test]
async fn a_secret_is_sent_by_name_to_hosts_that_are_named_and_is_seen_nowhere() {
    let service = Service::new(|asked| {
        let told = asked.header("authorization").unwrap_or_default();
        let status = if asked.target.starts_with("/no") { "403 Forbidden" } else { "200 OK" };
        (status, json!({"told": told, told: [asked.target]}).to_string())
    })
    .await;
    let backend = Backend::memory();
    let builtin = Builtin::new(&backend).secret("key", SECRET);
    assert!(!format!("{builtin:?}").contains(SECRET));
    let parameters = |path: &str| {
        json!({
            "url": service.url(&format!("{path}?key={{secrets[key]}}")), "output_mode": "response_json",
            "headers": {"Authorization": "Bearer {secrets[key]}"},
        })
    };
    // To nobody in particular it is not sent.
    let engine = engine_with(&backend, builtin.clone()).await;
    let error = failure(&engine, &flow("request:get", &parameters("/")), Value::Null).await;
    assert!(error.contains("no secret is sent to") && service.asked().is_empty(), "{error}");
    engine.close().await.unwrap();

    let engine = engine_with(&backend, builtin.allow_hosts(["127.0.0.1"])).await;
    for path in ["/yes", "/no"] {
        let run = engine.run(&flow("request:get", &parameters(path)), Value::Null).await.unwrap();
        let _ = run.output().await.unwrap();
        assert_eq!(service.last().header("authorization"), Some(format!("Bearer {SECRET}").as_str()));
        let seen = all_of(engine.workflows(), &run).await;
        assert!(!seen.contains(SECRET) && seen.contains("[redacted]"), "{seen}");
    }
    let gone = json!({"url": service.url("/"), "headers": {"X": "{secrets[other]}"}});
    let error = failure(&engine, &flow("request:get", &gone), Value::Null).await;
    assert!(error.contains("`secrets` has no `other`, but `key`") && !error.contains(SECRET), "{error}");
    // Nothing answers there.
    let down = json!({"url": "http://127.0.0.1:1/{secrets[key]}?{secrets[key]}", "retry": 0});
    let error = failure(&engine, &flow("request:get", &down), Value::Null).await;
    assert!(!error.contains(SECRET), "{error}");
}

#[tokio::test]
async fn a_service_has_a_base_url_and_a_token_that_goes_nowhere_else() {
    let (service, other) = (Service::new(echo).await, Service::new(echo).await);
    let backend = Backend::memory();
    let builtin = Builtin::new(&backend).allow_hosts([other.address.to_string()]);
    let builtin = builtin.service("pay", &service.url("/v1/"), Some(SECRET)).unwrap();
    let builtin = builtin.service("pay_test", &service.url("/test/"), None).unwrap();
    let engine = engine_with(&backend, builtin).await;
    let token = format!("Bearer {SECRET}");
    for (parameters, target, sent) in [
        (json!({"category": "pay", "url": "orders/{input[id]}"}), "/v1/orders/7", true),
        (json!({"category": "pay"}), "/v1/", true),
        (json!({"category": "pay", "environ": "global", "url": "/x"}), "/x", true),
        (json!({"category": "pay", "environ": "test", "url": "x"}), "/test/x", false),
    ] {
        output(&engine, &flow("request:get", &parameters), json!({"id": 7})).await;
        let asked = service.last();
        assert_eq!(
            (asked.target.as_str(), asked.header("authorization")),
            (target, sent.then_some(token.as_str()))
        );
    }
    let parameters = json!({"category": "pay", "url": other.url("/elsewhere")});
    output(&engine, &flow("request:get", &parameters), Value::Null).await;
    assert_eq!(other.last().header("authorization"), None);
    let error = failure(&engine, &flow("request:get", &json!({"category": "nobody"})), Value::Null).await;
    assert!(error.contains("there is no service `nobody`") && error.contains("pay, pay_test"), "{error}");
    assert!(Builtin::new(&backend).service("x", "ftp://x", None).is_err());
    assert!(Builtin::new(&backend).service("x", "orders", None).is_err());
}

#[tokio::test]
async fn a_callback_ends_the_task_and_the_request_is_sent_once() {
    let service = Service::new(|_| ("202 Accepted", String::new())).await;
    let backend = Backend::memory();
    let app = App::with_backend(backend.clone());
    let tasks = || Tasks::new().with_all(Builtin::new(&backend).tasks());
    let first = Engine::start(&app, tasks()).await.unwrap();
    let runs = first.workflows().clone();
    let parameters = json!({
        "url": service.url("/jobs?x=1"), "sync": false, "template": {"callback": "{callback[token]}"},
    });
    let run = first.run(&flow("request:post", &parameters), json!({"x": 1})).await.unwrap();
    eventually("it is asked", async || !service.asked().is_empty()).await;
    let asked = service.last();
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    let token = body["callback"].as_str().unwrap();
    for part in [
        "/jobs?x=1&littleflow-name=request%3Apost&littleflow-base=request%3Apost",
        "&littleflow-index=1",
        "&littleflow-workflow=workflow%3A",
    ] {
        assert!(asked.target.contains(part), "{}", asked.target);
    }
    assert!(asked.target.ends_with(&format!("&littleflow-token={token}")), "{}", asked.target);
    let waiting = step(&runs, &run, 1).await.waiting.unwrap();
    assert_eq!(waiting.waits_for, WaitsFor::Callback);
    // In another engine it is not sent again.
    let kept = async || {
        let key = mape::knowledge::Key::from(format!("mape:callbacks:{}", run.id().short()));
        let all = backend.store().run(&key, mape::knowledge::HashCommand::All.into()).await.unwrap();
        format!("{all:?}")
    };
    eventually("that it is sent is kept", async || kept().await.contains("true")).await;
    first.close().await.unwrap();
    let _second = Engine::start(&app, tasks()).await.unwrap();
    eventually("it is taken over", async || step(&runs, &run, 1).await.attempt == 2).await;
    for wrong in
        ["", "x", &token.replace('.', ""), &format!("{}0", &token[..token.len() - 1]), &format!("x{token}")]
    {
        // One digit in sixteen is right by chance.
        if wrong != token {
            assert!(matches!(runs.end_by_token(wrong, Ok(None)).await, Err(Error::Token)), "{wrong}");
        }
    }
    runs.end_by_token(token, Ok(Some(json!({"done": true})))).await.unwrap();
    let ended = runs.wait(run.id()).await.unwrap();
    assert_eq!(ended.output.as_deref(), Some(&json!({"done": true})));
    assert_eq!(service.asked().len(), 1);
    assert!(matches!(runs.end_by_token(token, Ok(None)).await, Err(Error::Token)));
    runs.delete(run.id()).await.unwrap();
    assert_eq!(kept().await, "Pairs([])");
}

#[tokio::test]
async fn a_request_ends_with_its_run() {
    let service = Service::new(|_| ("hang", String::new())).await;
    let engine = engine_on(&Backend::memory()).await;
    let run = engine.run(&flow("request:get", &json!({"url": service.url("/")})), Value::Null).await.unwrap();
    begun(engine.workflows(), &run, 1).await;
    eventually("it is asked", async || !service.asked().is_empty()).await;
    let begin = std::time::Instant::now();
    engine.workflows().terminate(run.id()).await.unwrap();
    run.wait().await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(1));
    for (parameters, said) in [
        (json!({}), "request:get (#1) needs the parameter `url`"),
        (json!({"url": "/relative"}), "`url` gives no URL"),
        (json!({"url": "http://{input[gone]}"}), "`url`: `input` has no `gone`"),
        (json!({"url": "http://x", "output_mode": "all"}), "`output_mode` is status, response_text or"),
        (json!({"url": "http://x", "methode": "x"}), "request:get (#1) has no parameter `methode`"),
    ] {
        let error = failure(&engine, &flow("request:get", &parameters), Value::Null).await;
        assert!(error.contains(said), "{error}");
    }
}
