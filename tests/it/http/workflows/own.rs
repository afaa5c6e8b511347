//! What is shown of runs.

use super::world::World;
use crate::http::site::answer;
use mape::backend::Backend;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

/// The tests of all claims here: `suite! { backend, fresh backend }`.
macro_rules! suite {
    ($backend:ident, $world:expr) => {
        crate::suite::tests_of! { $backend, $world, (), http::workflows::own:
            runs_are_found_by_state_id_and_flow_page_by_page,
            a_run_is_shown_whole_with_its_flow_and_a_picture,
            each_waiting_step_says_what_it_waits_for,
            a_text_is_checked_with_the_places_of_its_mistakes,
        }
    };
}
pub(crate) use suite;

fn ids(list: &Value) -> Vec<&str> {
    list["runs"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap()).collect()
}

pub(crate) async fn runs_are_found_by_state_id_and_flow_page_by_page(backend: Backend) {
    let world = World::new(backend).await;
    world.broken.store(true, Ordering::Relaxed);
    assert_eq!(world.read("/runs").await, json!({"runs": [], "next": null, "total": 0}));
    for n in 0..6 {
        let flow = if n % 2 == 0 { "@flow Even\nt:a" } else { "fragile" };
        world.begin_as(&format!("run-{n}"), flow).await;
        world.until(&format!("run-{n}"), if n % 2 == 0 { "FINISHED" } else { "FAILED" }).await;
    }
    world.begin_as("last", "never:a").await;
    let all = world.read("/runs").await;
    assert_eq!(ids(&all), ["last", "run-5", "run-4", "run-3", "run-2", "run-1", "run-0"]);
    assert_eq!((&all["next"], &all["total"]), (&Value::Null, &json!(7)));
    let run = &all["runs"][2];
    assert_eq!((&run["state"], &run["flow"]), (&json!("FINISHED"), &json!("Even")));
    assert!(run["began"].as_str().unwrap() <= run["ended"].as_str().unwrap(), "{run}");
    assert_eq!((&all["runs"][0]["ended"], &all["runs"][0]["flow"]), (&Value::Null, &Value::Null));
    let mut seen = Vec::new();
    let mut from = json!(0);
    while !from.is_null() {
        let page = world.read(&format!("/runs?count=3&from={from}")).await;
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        from = page["next"].clone();
    }
    assert_eq!(seen, ids(&all));
    assert_eq!(ids(&world.read("/runs?state=FAILED").await), ["run-5", "run-3", "run-1"]);
    assert_eq!(ids(&world.read("/runs?state=FAILED,RUNNING&count=2").await), ["last", "run-5"]);
    let page = world.read("/runs?state=FAILED&count=2").await;
    assert_eq!(ids(&page), ["run-5", "run-3"]);
    let rest = world.read(&format!("/runs?state=FAILED&count=2&from={}", page["next"])).await;
    assert_eq!((ids(&rest), &rest["next"]), (vec!["run-1"], &Value::Null));
    assert_eq!(ids(&world.read("/runs?search=even").await), ["run-4", "run-2", "run-0"], "by the flow");
    assert_eq!(ids(&world.read("/runs?search=N-3").await), ["run-3"], "by the id");
    assert_eq!(ids(&world.read("/runs?search=nothing").await), Vec::<&str>::new());
    for wrong in ["state=GONE", "count=0", "count=1001", "count=x", "from=-1", "more=1"] {
        let (status, body) = world.get(&format!("/runs?{wrong}")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}: {body}");
        assert!(body["detail"].is_string(), "{body}");
    }
}

pub(crate) async fn a_run_is_shown_whole_with_its_flow_and_a_picture(backend: Backend) {
    let world = World::new(backend).await;
    let text = "@flow whole\nt:a (- n: 1 -) → { t:b  t:c } → t:d";
    let id = world.run(text, json!({"x": 1}), "FINISHED").await;
    let run = world.read(&format!("/runs/workflow:{id}")).await;
    assert_eq!((&run["id"], &run["state"], &run["paused"]), (&json!(id), &json!("FINISHED"), &json!(false)));
    assert!(run["steps"].as_array().unwrap().iter().all(|step| step["phase"] == "done"), "{run}");
    let flow = world.read(&format!("/runs/{id}/flow")).await;
    assert_eq!((&flow["name"], &flow["text"]), (&json!("whole"), &json!(text)));
    assert_eq!(flow["graph"]["nodes"].as_array().unwrap().len(), run["steps"].as_array().unwrap().len());
    let definition = world.read(&format!("/workflows/{id}")).await;
    assert_eq!(flow["definition"], definition);
    let request = world.site.request(Method::GET, &format!("/runs/{id}/graph.svg?orientation=vertical"));
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "image/svg+xml");
    assert!(response.text().await.unwrap().starts_with("<svg"));
    let (status, _) = world.get(&format!("/runs/{id}/graph.svg?orientation=slanted")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}

pub(crate) async fn each_waiting_step_says_what_it_waits_for(backend: Backend) {
    let world = World::new(backend).await;
    let flow = "{ human:approve (- {question: 'go on?', who: olga} -)  wait:delay (- duration: 3h -)  never:a  t:quick } → t:join";
    let id = world.begin(flow, Value::Null).await;
    world.until_step(&id, 5, "done").await;
    world.until_step(&id, 2, "active").await;
    let why = world.read(&format!("/runs/{id}/why")).await;
    assert_eq!(
        (&why["id"], &why["state"], &why["says"]),
        (&json!(id), &json!("RUNNING"), &json!("It goes on."))
    );
    let waits = why["waits"].as_array().unwrap();
    let wait = |index: u64| {
        waits.iter().find(|wait| wait["index"] == index).unwrap_or_else(|| panic!("{index}: {why}"))
    };
    assert_eq!(wait(2)["for"], "task");
    assert_eq!(wait(2)["says"], "human:approve waits for olga: go on?");
    assert_eq!(
        (&wait(2)["waiting"]["for"], &wait(2)["waiting"]["who"]),
        (&json!("person"), &json!(["olga"]))
    );
    assert!(wait(3)["says"].as_str().unwrap().starts_with("wait:delay waits 3h, until "), "{}", wait(3));
    assert_eq!(wait(4)["for"], "work");
    assert!(waits.iter().all(|wait| wait["index"] != 5), "what has ended waits for nothing");
    assert_eq!((&wait(6)["for"], &wait(6)["steps"]), (&json!("steps"), &json!([2, 3, 4])));
    assert!(
        wait(6)["says"].as_str().unwrap().contains("human:approve (#2), wait:delay (#3), never:a (#4)"),
        "{why}"
    );
    world.broken.store(true, Ordering::Relaxed);
    let failed = world.run("t:a → fragile → t:b", Value::Null, "FAILED").await;
    let why = world.read(&format!("/runs/{failed}/why")).await;
    assert!(
        why["says"].as_str().unwrap().starts_with("It has failed: fragile (#2) failed: it is broken"),
        "{why}"
    );
    assert_eq!((&why["waits"][0]["index"], &why["waits"][0]["for"]), (&json!(2), &json!("run")));
    let over = world.run("t:a", Value::Null, "FINISHED").await;
    let why = world.read(&format!("/runs/{over}/why")).await;
    assert_eq!((&why["says"], &why["waits"]), (&json!("It has finished."), &json!([])));
}

pub(crate) async fn a_text_is_checked_with_the_places_of_its_mistakes(backend: Backend) {
    let world = World::new(backend).await;
    let check = |text: &str| answer(world.site.request(Method::POST, "/flows/check").body(text.to_owned()));
    let (status, said) = check("@flow ok\nt:a  →   t:b").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (&said["ok"], &said["diagnostics"], &said["name"]),
        (&json!(true), &json!([]), &json!("ok")),
        "{said}"
    );
    assert_eq!(said["tasks"], json!(["t:a", "t:b"]));
    assert!(said["formatted"].as_str().unwrap().contains("t:a → t:b"), "{said}");
    let (status, said) = check("t:a → :met;\nt:b → :meet t:c").await;
    assert_eq!((status, &said["ok"]), (StatusCode::OK, &json!(false)));
    let first = &said["diagnostics"][0];
    let place = (&first["line"], &first["column"], &first["severity"], &first["code"]);
    assert_eq!(place, (&json!(1), &json!(7), &json!("error"), &json!("unknown-label")));
    assert_eq!(first["help"], "did you mean the label `:meet`?");
    let (_, said) = check("t:a\n→ nobody:has\n→ wait:delay (- duration: soon -)").await;
    assert_eq!(said["ok"], false);
    let first = &said["diagnostics"][0];
    assert_eq!((&first["code"], &first["line"]), (&json!("task"), &json!(2)), "{said}");
    let (_, said) = check("t:a\n→ wait:delay (- duration: soon -)").await;
    let first = &said["diagnostics"][0];
    assert_eq!(
        (&first["code"], &first["line"], &first["column"]),
        (&json!("task"), &json!(2), &json!(3)),
        "{said}"
    );
    let (status, said) = world.post("/flows/check", json!({"flow": ""})).await;
    assert_eq!((status, &said["ok"]), (StatusCode::OK, &json!(false)), "{said}");
    assert_eq!(world.post("/flows/check", json!({"text": ""})).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(check(&"A ".repeat(1024 * 1024)).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(world.ids().await, Vec::<String>::new());
}
