//! Runs that are begun and told what to do, and steps that people and services end.

use super::world::{World, body_of, tasks};
use crate::http::site::{Site, answer};
use crate::suite::eventually;
use mape::app::App;
use mape::backend::Backend;
use mape::event::EventId;
use mape::http::{Access, Role, Service};
use mape::workflow::{Builtin, Engine, Task, Tasks, Workflows};
use parking_lot::Mutex;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// The tests of all claims here: `suite! { backend, fresh backend }`.
macro_rules! suite {
    ($backend:ident, $world:expr) => {
        crate::suite::tests_of! { $backend, $world, (), http::workflows::control:
            a_run_begins_once_under_its_id_and_what_is_wrong_is_named,
            a_run_is_paused_resumed_terminated_restarted_and_deleted,
            a_run_is_restarted_from_a_step_by_its_index_or_its_name,
            a_question_is_listed_and_answered_and_the_event_says_by_whom,
            a_step_is_ended_from_outside_only_while_it_runs,
            an_event_wakes_the_flow_that_waits_for_it,
            a_service_answers_later_at_the_url_that_it_was_told,
            schedules_are_kept_shown_paused_and_removed,
            flows_of_a_directory_are_begun_by_name,
            without_an_engine_here_a_run_waits_for_one,
        }
    };
}
pub(crate) use suite;

pub(crate) async fn a_run_begins_once_under_its_id_and_what_is_wrong_is_named(backend: Backend) {
    let world = World::new(backend).await;
    let begin = json!({"flow": "t:a", "input": {"x": 1}, "id": "order-7"});
    for _ in 0..2 {
        let request = world
            .site
            .request(Method::POST, "/runs")
            .header("content-type", "application/json")
            .body(begin.to_string());
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.headers()["location"], "/runs/order%2D7");
        assert_eq!(body_of(response).await["id"], "order-7");
    }
    world.until("order-7", "FINISHED").await;
    assert_eq!(world.read("/runs/order%2D7").await["output"], json!({"x": 1}));
    let (status, body) = world.post("/runs", json!({"flow": "t:b", "id": "order-7"})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{body}");
    let (status, body) = world.post("/runs", json!({"flow": "t:a → :nowhere"})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        (&body["diagnostics"][0]["line"], &body["diagnostics"][0]["column"]),
        (&json!(1), &json!(7)),
        "{body}"
    );
    let wrong = [
        (json!({"flow": "t:a", "input": 3}), "the input of a flow"),
        (json!({"flow": "nobody:knows"}), "nobody has the task"),
        (json!({"flow": "t:a", "id": "a:b"}), "an id is made of"),
        (json!({"flow": "t:a", "id": "start"}), "cannot be an id"),
        (json!({"flow": "t:a", "more": 1}), "unknown field `more`"),
        (json!({}), "the body needs `flow`"),
        (json!({"flow": "t:a", "named": "a"}), "the body needs `flow`"),
    ];
    for (body, says) in wrong {
        let (status, answered) = world.post("/runs", body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answered}");
        assert!(answered["detail"].as_str().unwrap().contains(says), "{answered}");
    }
    let (status, _) = answer(world.site.request(Method::POST, "/runs").body("t:a")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(world.ids().await, ["order-7"]);
}

pub(crate) async fn a_run_is_paused_resumed_terminated_restarted_and_deleted(backend: Backend) {
    let world = World::new(backend).await;
    let id = world.begin("human:approve (- question: on? -) → t:b", Value::Null).await;
    world.until_step(&id, 1, "active").await;
    let path = |what: &str| format!("/runs/{id}{what}");
    let standing = |state: &str| (StatusCode::OK, json!({"id": id, "state": state}));
    assert_eq!(world.post(&path("/pause"), None).await, standing("RUNNING"));
    assert_eq!(world.post(&path("/pause"), None).await.0, StatusCode::CONFLICT);
    assert_eq!(world.read(&path("")).await["paused"], true);
    assert!(world.read(&path("/why")).await["says"].as_str().unwrap().contains("paused"));
    assert_eq!(world.post(&path("/resume"), None).await, standing("RUNNING"));
    assert_eq!(world.delete(&path("")).await.0, StatusCode::CONFLICT);
    assert_eq!(world.post(&path("/terminate"), None).await.0, StatusCode::OK);
    world.until(&id, "TERMINATED").await;
    assert_eq!(world.post(&path("/terminate"), None).await, standing("TERMINATED"));
    assert_eq!(world.post(&path("/restart"), json!({})).await, standing("RUNNING"));
    world.until_step(&id, 1, "active").await;
    assert_eq!(world.post(&path("/steps/1/end"), json!({})).await.0, StatusCode::ACCEPTED);
    world.until(&id, "FINISHED").await;
    assert_eq!(world.post(&path("/terminate"), None).await.0, StatusCode::CONFLICT);
    assert_eq!(world.delete(&path("")).await.0, StatusCode::NO_CONTENT);
    for what in ["", "/flow", "/why", "/graph.svg"] {
        let (status, body) = world.get(&path(what)).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(body["detail"].as_str().unwrap().contains(&id), "{body}");
    }
    for what in ["/terminate", "/pause", "/resume", "/restart"] {
        assert_eq!(world.post(&path(what), None).await.0, StatusCode::NOT_FOUND, "{what}");
    }
    assert_eq!(world.delete(&path("")).await.0, StatusCode::NOT_FOUND);
}

pub(crate) async fn a_run_is_restarted_from_a_step_by_its_index_or_its_name(backend: Backend) {
    let world = World::new(backend).await;
    let id = world.run("t:a → t:b → t:a", json!({"x": 1}), "FINISHED").await;
    let restart = |from: Value| world.post_owned(format!("/runs/{id}/restart"), json!({"from": from}));
    for from in [json!(2), json!("t:b")] {
        let (status, body) = restart(from).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        world.until(&id, "FINISHED").await;
    }
    let run = world.read(&format!("/runs/{id}")).await;
    let attempts: Vec<u64> = (1..=3).map(|index| run["steps"][index]["attempt"].as_u64().unwrap()).collect();
    assert_eq!(attempts, [1, 3, 3]);
    let (status, body) = restart(json!("t:a")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(body["detail"].as_str().unwrap().contains("at 1 and 3"), "{body}");
    assert_eq!(restart(json!("nobody")).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(restart(json!(77)).await.0, StatusCode::CONFLICT);
    assert_eq!(restart(json!(-1)).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(restart(Value::Null).await.0, StatusCode::CONFLICT, "nothing has failed");
}

pub(crate) async fn a_question_is_listed_and_answered_and_the_event_says_by_whom(backend: Backend) {
    let (broken, app) = (Arc::default(), App::with_backend(backend));
    let engine = Engine::start(&app, tasks(app.backend(), &broken)).await.unwrap();
    let (olga, rudi) = ("olgas token, long enough", "rudis token, long enough");
    let access = Access::new().token("olga", olga, Role::Operate).token("rudi", rudi, Role::Read);
    let site = Site::with(Service::new(&app).engine(&engine).access(access)).await;
    let ask = |method: Method, path: &str, token: &str, body: Value| {
        let request = site.request(method, path).bearer_auth(token);
        answer(if body.is_null() {
            request
        } else {
            request.header("content-type", "application/json").body(body.to_string())
        })
    };
    assert_eq!(site.get("/approvals").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(
        ask(Method::GET, "/approvals", rudi, Value::Null).await.1,
        json!({"approvals": [], "more": false})
    );
    let flow = "human:approve (- {question: '{input[what]}?', who: [olga, hans], timeout: 2h} -)";
    let begin = json!({"flow": flow, "input": {"what": "pay"}, "id": "bill"});
    assert_eq!(ask(Method::POST, "/runs", rudi, begin.clone()).await.0, StatusCode::FORBIDDEN);
    assert_eq!(ask(Method::POST, "/runs", olga, begin).await.0, StatusCode::CREATED);
    eventually("it is asked", || async {
        let (_, list) = ask(Method::GET, "/approvals", rudi, Value::Null).await;
        list["approvals"].as_array().unwrap().len() == 1
    })
    .await;
    let (_, list) = ask(Method::GET, "/approvals", rudi, Value::Null).await;
    let question = &list["approvals"][0];
    let seen = (&question["run"], &question["step"], &question["question"], &question["who"]);
    assert_eq!(seen, (&json!("bill"), &json!("1"), &json!("pay?"), &json!(["olga", "hans"])));
    assert!(question["until"].is_string() && question["since"].is_string(), "{question}");
    let end = "/runs/bill/steps/1/end";
    assert_eq!(ask(Method::POST, end, rudi, json!({})).await.0, StatusCode::FORBIDDEN);
    let (status, body) = ask(Method::POST, end, olga, json!({"output": {"approved": "perhaps"}})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    let both = json!({"output": true, "failure": "no"});
    assert_eq!(ask(Method::POST, end, olga, both).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, body) =
        ask(Method::POST, end, olga, json!({"output": {"approved": true, "note": "ok"}})).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{body}");
    let log = app.backend().events().log("workflows:run");
    let entries = log.range(EventId::MIN, EventId::MAX, 1000).await.unwrap();
    let entry = entries.iter().find(|entry| body["event"] == entry.id.to_string()).unwrap();
    assert_eq!(entry.event.as_ref().unwrap().get("by"), Some(json!("olga")));
    eventually("it has gone on", || async {
        let (_, run) = ask(Method::GET, "/runs/bill", rudi, Value::Null).await;
        run["output"] == json!({"what": "pay", "approved": true, "note": "ok"})
    })
    .await;
    assert_eq!(ask(Method::POST, end, olga, json!({})).await.0, StatusCode::CONFLICT);
    assert_eq!(ask(Method::GET, "/approvals", rudi, Value::Null).await.1["approvals"], json!([]));
}

pub(crate) async fn a_step_is_ended_from_outside_only_while_it_runs(backend: Backend) {
    let world = World::new(backend).await;
    let id = world.begin("never:a → never:b", json!({"x": 1})).await;
    world.until_step(&id, 1, "active").await;
    let end = |step: &str, body: Value| world.post_owned(format!("/runs/{id}/steps/{step}/end"), body);
    assert_eq!(end("2", json!({})).await.0, StatusCode::CONFLICT);
    for wrong in ["0", "77", "x", "1.9"] {
        assert_eq!(end(wrong, json!({})).await.0, StatusCode::NOT_FOUND, "{wrong}");
    }
    assert_eq!(end("1", json!({"output": {"y": 2}})).await.0, StatusCode::ACCEPTED);
    world.until_step(&id, 2, "active").await;
    assert_eq!(end("2", json!({"failure": "nobody was there"})).await.0, StatusCode::ACCEPTED);
    world.until(&id, "FAILED").await;
    let run = world.read(&format!("/runs/{id}")).await;
    assert_eq!(run["failures"][0]["reason"], "nobody was there");
    assert_eq!(run["steps"][1]["output"], json!({"y": 2}));
    assert_eq!(world.post("/runs/nope/steps/1/end", json!({})).await.0, StatusCode::NOT_FOUND);
}

pub(crate) async fn an_event_wakes_the_flow_that_waits_for_it(backend: Backend) {
    let world = World::new(backend).await;
    let id = world.begin("wait:event (- {event: paid, match: input} -)", json!({"order": 7})).await;
    world.until_step(&id, 1, "active").await;
    for order in [6, 7] {
        let (status, body) =
            world.post("/events", json!({"kind": "paid", "data": {"order": order, "by": "cash"}})).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{body}");
    }
    world.until(&id, "FINISHED").await;
    for kind in ["", "end-task", "control-workflow", "receipt"] {
        let (status, body) = world.post("/events", json!({"kind": kind})).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
    assert_eq!(
        world.post("/events", json!({"kind": "paid", "data": 3})).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
}

/// A service that notes what it was asked, and accepts it.
async fn elsewhere() -> (String, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let noted = asked.clone();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 64 * 1024];
            let length = stream.read(&mut head).await.unwrap();
            let head = String::from_utf8_lossy(&head[..length]).into_owned();
            noted.lock().push(head.split(' ').nth(1).unwrap().to_owned());
            let accepted = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(accepted).await.unwrap();
        }
    });
    (url, asked)
}

pub(crate) async fn a_service_answers_later_at_the_url_that_it_was_told(backend: Backend) {
    let app = App::with_backend(backend);
    // Whoever calls back has no token of the service.
    let access = Access::new().token("olga", "olgas token, long enough", Role::Operate);
    let site = Site::with(Service::new(&app).access(access)).await;
    let builtin = Builtin::new(app.backend()).callbacks(&site.serving.url()).unwrap();
    let engine = Engine::start(&app, Tasks::new().with_all(builtin.tasks())).await.unwrap();
    let runs: &Workflows = engine.workflows();
    let (url, asked) = elsewhere().await;
    let told = async |n: usize| {
        eventually("it was asked", || async { asked.lock().len() == n }).await;
        let target = asked.lock()[n - 1].clone();
        let target = reqwest::Url::parse(&format!("http://x{target}")).unwrap();
        let told = target.query_pairs().find(|(name, _)| name == "littleflow-callback").unwrap();
        (told.1.into_owned(), target.query_pairs().find(|(name, _)| name == "at").unwrap().1.into_owned())
    };
    let flow = format!("request:post (- {{url: '{url}/work?at={{callback[url]}}', sync: false}} -)");
    let run = engine.run(&flow, json!({"x": 1})).await.unwrap();
    let (at, written) = told(1).await;
    assert!(at.starts_with(&format!("{}/callbacks/", site.serving.url())), "{at}");
    assert_eq!(at, written);
    let post = |at: &str, body: &'static str| answer(site.client.post(at).body(body));
    let (status, body) = post(&at, "3").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    assert_eq!(post(&format!("{at}0"), "").await.0, StatusCode::NOT_FOUND);
    let (status, body) = post(&at, r#"{"output": {"done": true}}"#).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{body}");
    assert_eq!(*run.output().await.unwrap().unwrap(), json!({"done": true}));
    let (status, body) = post(&at, r#"{"output": {"done": true}}"#).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{body}");
    // Nothing but that is open.
    assert_eq!(answer(site.client.get(&at)).await.0, StatusCode::UNAUTHORIZED);

    let run = engine.run(&flow, json!({"x": 1})).await.unwrap();
    let (at, _) = told(2).await;
    assert_eq!(post(&at, r#"{"failure": "no paper"}"#).await.0, StatusCode::ACCEPTED);
    let failed = run.output().await.unwrap().unwrap_err();
    assert_eq!(failed.failures[0].reason, "no paper");
    assert!(runs.status(run.id()).await.unwrap().is_over());
}

pub(crate) async fn schedules_are_kept_shown_paused_and_removed(backend: Backend) {
    let world = World::new(backend).await;
    let new = json!({"name": "report", "cron": "30 2 * * *", "tz": "Europe/Berlin", "flow": "t:a", "input": {"x": 1},
        "missed": "run-once", "key": "k"});
    let (status, body) = world.post("/schedules", new.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "{body}");
    let next = body["next"].as_str().unwrap().to_owned();
    assert!(next.contains("T02:30"), "{next}");
    let shown = json!({"name": "report", "cron": "30 2 * * *", "tz": "Europe/Berlin", "flow": "t:a", "input": {"x": 1},
        "missed": "run-once", "key": "k", "paused": false, "next": next, "last": null, "error": null});
    assert_eq!(body, shown);
    assert_eq!(world.read("/schedules").await, json!([shown]));
    assert_eq!(world.read("/schedules/report/next?count=3").await.as_array().unwrap().len(), 3);
    assert_eq!(world.get("/schedules/report/next?count=0").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(world.post("/schedules", new).await.0, StatusCode::CONFLICT);
    let wrong = [
        json!({"name": "a", "cron": "99 * * * *", "flow": "t:a"}),
        json!({"name": "a", "cron": "@daily", "flow": "A → :nowhere"}),
        json!({"name": "a", "cron": "@daily", "flow": "t:a", "input": 3}),
        json!({"name": "a/b", "cron": "@daily", "flow": "t:a"}),
        json!({"name": "a", "cron": "@daily", "flow": "t:a", "tz": "Europe/Nowhere"}),
        json!({"name": "a", "cron": "@daily", "flow": "t:a", "missed": "sometimes"}),
    ];
    for body in wrong {
        let (status, answered) = world.post("/schedules", body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answered}");
    }
    let (status, body) = world.post("/schedules/report/pause", None).await;
    assert_eq!((status, &body["paused"], &body["next"]), (StatusCode::OK, &json!(true), &Value::Null));
    assert_eq!(world.post("/schedules/report/resume", None).await.1["paused"], false);
    assert_eq!(world.delete("/schedules/report").await.0, StatusCode::NO_CONTENT);
    assert_eq!(world.delete("/schedules/report").await.0, StatusCode::NOT_FOUND);
    for path in ["/schedules/report", "/schedules/report/next"] {
        assert_eq!(world.get(path).await.0, StatusCode::NOT_FOUND);
    }
    assert_eq!(world.post("/schedules/report/pause", None).await.0, StatusCode::NOT_FOUND);
}

pub(crate) async fn flows_of_a_directory_are_begun_by_name(backend: Backend) {
    let directory = super::world::directory();
    let file = |name: &str, text: &str| std::fs::write(directory.join(name), text).unwrap();
    file("two.flow", "t:b");
    file("one.flow", "@flow first '''what it does'''\nt:a");
    file("wrong.flow", "t:a → :nowhere");
    file("else.txt", "t:a");
    std::os::unix::fs::symlink("/etc/hostname", directory.join("link.flow")).unwrap();
    let (broken, app) = (Arc::default(), App::with_backend(backend));
    let engine = Engine::start(&app, tasks(app.backend(), &broken)).await.unwrap();
    let site = Site::with(Service::new(&app).engine(&engine).flows(&directory)).await;
    let (status, list) = site.get("/flows").await;
    assert_eq!(status, StatusCode::OK, "{list}");
    assert_eq!(list, json!([{"name": "one"}, {"name": "two"}, {"name": "wrong"}]));
    assert_eq!(site.get("/flows/two").await.1, json!("t:b"));
    for missing in ["three", "..%2Ftwo", "link", "else.txt"] {
        assert_eq!(site.get(&format!("/flows/{missing}")).await.0, StatusCode::NOT_FOUND, "{missing}");
    }
    let (status, body) = site.post("/runs", json!({"named": "two", "id": "named"}).to_string()).await;
    assert_eq!(status, StatusCode::CREATED, "{body}");
    assert_eq!(site.get("/runs/named/flow").await.1["text"], "t:b");
    assert_eq!(site.post("/runs", json!({"named": "three"}).to_string()).await.0, StatusCode::NOT_FOUND);
    assert_eq!(
        site.post("/runs", json!({"named": "wrong"}).to_string()).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    // Without a directory there are none.
    let site = Site::of(&app).await;
    assert_eq!(site.get("/flows").await.1, json!([]));
    std::fs::remove_dir_all(&directory).unwrap();
}

pub(crate) async fn without_an_engine_here_a_run_waits_for_one(backend: Backend) {
    let app = App::with_backend(backend);
    let site = Site::of(&app).await;
    let (status, body) = site.post("/runs", json!({"flow": "somebody:has_it", "id": "r"}).to_string()).await;
    assert_eq!((status, &body["state"]), (StatusCode::CREATED, &json!("RUNNING")), "{body}");
    let (_, why) = site.get("/runs/r/why").await;
    assert!(why["says"].as_str().unwrap().starts_with("No engine "), "{why}");
    let (status, body) = site.post("/workflows/start", r#"{"workflow": "t:a", "input": 3}"#).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "a text that is no flow: {body}");
    let task = Task::echo("*");
    let engine = Engine::start(&app, Tasks::new().with(task)).await.unwrap();
    eventually("it has ended", || async { site.get("/runs/r").await.1["state"] == "FINISHED" }).await;
    engine.close().await.unwrap();
}

#[tokio::test]
async fn only_what_begins_nothing_is_for_those_who_read() {
    let (broken, app) = (Arc::default(), App::new());
    let engine = Engine::start(&app, tasks(app.backend(), &broken)).await.unwrap();
    broken.store(true, Ordering::Relaxed);
    let token = "rudis token, long enough";
    let site =
        Site::with(Service::new(&app).engine(&engine).access(Access::new().token("rudi", token, Role::Read)))
            .await;
    let ask = |method: Method, path: &str| answer(site.request(method, path).bearer_auth(token).body("t:a"));
    assert_eq!(ask(Method::POST, "/flows/check").await.0, StatusCode::OK);
    for path in ["/workflows/a/restart", "/workflows/restore?uri=file:a"] {
        let (status, body) = ask(Method::GET, path).await;
        assert_eq!((status, &body["status"]), (StatusCode::FORBIDDEN, &json!("Error")), "{path}: {body}");
    }
    for path in ["/runs", "/events", "/schedules", "/workflows/start", "/runs/a/steps/1/end"] {
        assert_eq!(ask(Method::POST, path).await.0, StatusCode::FORBIDDEN, "{path}");
    }
}
