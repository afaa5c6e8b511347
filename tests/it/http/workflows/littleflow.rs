//! littleflow's routes, in the shapes that its service was seen to answer in.

use super::world::{World, body_of, is_fault};
use crate::http::site::answer;
use mape::backend::Backend;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// The tests of all claims here: `suite! { backend, fresh backend }`.
macro_rules! suite {
    ($backend:ident, $world:expr) => {
        crate::suite::tests_of! { $backend, $world, (), http::workflows::littleflow:
            the_service_says_its_versions_and_describes_itself,
            runs_are_listed_newest_first_with_a_link_to_the_next_page,
            a_run_is_shown_as_the_original_shows_it,
            ids_are_taken_in_both_forms_and_given_in_the_short_one,
            what_is_not_there_is_said_so_on_every_path,
            a_run_begins_from_json_and_from_a_text_and_only_then_its_id_is_the_full_one,
            what_cannot_begin_leaves_nothing_behind,
            a_flow_is_uploaded_as_a_file_or_as_a_text,
            a_failed_run_is_restarted_by_get_and_by_post,
            a_run_is_terminated_by_its_path_and_by_a_body,
            a_run_is_deleted_only_when_it_is_over,
        }
    };
}
pub(crate) use suite;

pub(crate) async fn the_service_says_its_versions_and_describes_itself(backend: Backend) {
    let world = World::new(backend).await;
    let text = world.site.request(Method::GET, "/").send().await.unwrap().text().await.unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        text,
        format!(r#"{{"littleflow":"v0.13.0","littleflow_redis":"v0.10.0","mape":"{version}"}}"#)
    );
    let document = world.read("/apispec.json").await;
    assert_eq!(document, world.read("/openapi.json").await);
    let paths = [
        "/workflows",
        "/inprogress",
        "/workflows/{id}",
        "/workflows/{id}/state",
        "/workflows/{id}/trace/{kind}",
        "/workflows/{id}/graph",
        "/workflows/{id}/archive",
        "/workflows/{id}/restart",
        "/workflows/{id}/terminate",
        "/workflows/terminate",
        "/workflows/start",
        "/workflows/start/upload",
        "/workflows/restore",
    ];
    for path in paths {
        assert!(document["paths"][path].is_object(), "{path} is not described");
    }
    let page = world.site.request(Method::GET, "/apidocs/").send().await.unwrap();
    assert_eq!(page.headers()["location"], "/docs");
}

pub(crate) async fn runs_are_listed_newest_first_with_a_link_to_the_next_page(backend: Backend) {
    let world = World::new(backend).await;
    assert_eq!(world.read("/workflows").await, json!([]));
    for id in ["a", "b", "c"] {
        world.begin_as(id, "t:a").await;
        world.until(id, "FINISHED").await;
    }
    world.begin_as("d", "never:ends").await;
    let list = world.read("/workflows").await;
    let run = |id: &str, state: &str| json!({"id": id, "state": state});
    assert_eq!(
        list,
        json!([run("d", "RUNNING"), run("c", "FINISHED"), run("b", "FINISHED"), run("a", "FINISHED")])
    );
    assert_eq!(world.read("/inprogress").await, json!(["d"]));
    let page = world.site.request(Method::GET, "/workflows?next=1&size=2").send().await.unwrap();
    let link = format!("<{}/workflows?next=3&size=2>; rel=\"next\"", world.site.serving.url());
    assert_eq!(page.headers()["link"], link.as_str());
    assert_eq!(body_of(page).await, json!([run("c", "FINISHED"), run("b", "FINISHED")]));
    let shorter = world.site.request(Method::GET, "/workflows?next=3&size=2").send().await.unwrap();
    assert!(!shorter.headers().contains_key("link"));
    for wrong in ["size=x", "size=0", "size=-1", "next=x", "next=-1", "size=1e9", "size="] {
        is_fault(&world.get(&format!("/workflows?{wrong}")).await, StatusCode::BAD_REQUEST, "The parameter");
    }
}

pub(crate) async fn a_run_is_shown_as_the_original_shows_it(backend: Backend) {
    let world = World::new(backend).await;
    let flow = "@flow seq\n<- {a: 5, b: 7} -> → sum (- x: 1 -) → quiet:b → quiet:c";
    let id = world.run(flow, Value::Null, "FINISHED").await;
    assert!(id.starts_with("seq-"), "{id}");
    let step = |index: u32, name: &str, parameters: Value| {
        json!(["InvokeTask", {"index": index, "name": name, "parameters": parameters, "base": null, "doc": null,
            "merge": false, "guard": null}])
    };
    let row = |to: usize| (0..6).map(|at| u8::from(at == to)).collect::<Vec<_>>();
    let definition = json!({
        "F": [row(1), row(2), row(3), row(4), row(5), row(9)],
        "T": [
            ["StartFlow", {"index": 0}], ["Source", {"index": 1, "value": {"a": 5, "b": 7}}],
            step(2, "sum", json!({"x": 1})), step(3, "quiet:b", json!({})), step(4, "quiet:c", json!({})),
            ["Sink", {"index": 5, "merge": false}],
        ],
    });
    let path = format!("/workflows/{id}");
    assert_eq!(world.read(&path).await, definition);
    // The keys come sorted, also those of steps.
    let text = world.site.request(Method::GET, &path).send().await.unwrap().text().await.unwrap();
    assert!(
        text.starts_with(r#"{"F":[[0,1,0,0,0,0],"#)
            && text.contains(r#"{"base":null,"doc":null,"guard":null"#),
        "{text}"
    );
    let zeros = [0; 6];
    let expected = json!({"A": zeros, "S": zeros, "output": [{}, {"a": 5, "b": 7}, {"sum": 12}, {}, {}, {}], "state": "FINISHED"});
    assert_eq!(world.read(&format!("{path}/state")).await, expected);
    for kind in ["S", "A"] {
        let trace = world.read(&format!("{path}/trace/{kind}")).await;
        let trace: Vec<(String, Vec<i64>)> = serde_json::from_value(trace).unwrap();
        assert!(trace.windows(2).all(|two| two[0].0 >= two[1].0), "newest first: {trace:?}");
        let sum = trace.iter().fold(vec![0; 6], |sum: Vec<i64>, (_, entry)| {
            sum.iter().zip(entry).map(|(one, other)| one + other).collect()
        });
        assert_eq!(sum, zeros);
        assert!(trace[0].0.ends_with("+00:00") && trace[0].0.contains('T'), "{}", trace[0].0);
    }
    is_fault(&world.get(&format!("{path}/trace/X")).await, StatusCode::BAD_REQUEST, "Unrecognized trace X");
    let picture = world.site.request(Method::GET, &format!("{path}/graph")).send().await.unwrap();
    assert_eq!(picture.headers()["content-type"], "text/plain; charset=UTF-8");
    let picture = picture.text().await.unwrap();
    assert!(picture.starts_with("stateDiagram-v2\n  direction LR\n"), "{picture}");
    assert!(picture.contains("  state \"quiet:b\" as quiet_COLON_b.3\n"), "{picture}");
    let upright = world.read(&format!("{path}/graph?orientation=vertical")).await;
    assert!(!upright.as_str().unwrap().contains("direction"), "{upright}");
    let wrong = world.get(&format!("{path}/graph?orientation=slanted")).await;
    is_fault(&wrong, StatusCode::BAD_REQUEST, "orientation");
}

pub(crate) async fn ids_are_taken_in_both_forms_and_given_in_the_short_one(backend: Backend) {
    let world = World::new(backend).await;
    let id = world.run("t:a", Value::Null, "FINISHED").await;
    for given in [id.clone(), format!("workflow:{id}")] {
        for what in ["", "/state", "/trace/S", "/graph", "/archive"] {
            world.read(&format!("/workflows/{given}{what}")).await;
        }
        let again = world.get(&format!("/workflows/{given}/restart")).await;
        is_fault(
            &again,
            StatusCode::BAD_REQUEST,
            &format!("Workflow {id} cannot be restarted from current state FINISHED"),
        );
    }
    // The keys that belong to a run are none.
    for inner in ["state", "S", "A", "output:0"] {
        let (status, _) = world.get(&format!("/workflows/{id}:{inner}")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{inner}");
        assert_eq!(world.get(&format!("/runs/{id}:{inner}")).await.0, StatusCode::NOT_FOUND);
    }
}

pub(crate) async fn what_is_not_there_is_said_so_on_every_path(backend: Backend) {
    let world = World::new(backend).await;
    let missing = "Workflow nope does not exist";
    for path in ["", "/state", "/trace/A", "/graph", "/archive", "/restart"] {
        is_fault(&world.get(&format!("/workflows/nope{path}")).await, StatusCode::NOT_FOUND, missing);
    }
    is_fault(&world.delete("/workflows/nope").await, StatusCode::NOT_FOUND, missing);
    for path in ["terminate", "restart", "archive"] {
        let told = world.post(&format!("/workflows/nope/{path}"), json!({"uri": "file:a.json"})).await;
        is_fault(&told, StatusCode::NOT_FOUND, missing);
    }
    let told = world.post("/workflows/terminate", json!({"workflow": "nope"})).await;
    is_fault(&told, StatusCode::NOT_FOUND, missing);
    is_fault(&world.get("/workflows/a/b/c").await, StatusCode::NOT_FOUND, "/workflows/a/b/c");
    is_fault(&world.get("/workflows/start").await, StatusCode::METHOD_NOT_ALLOWED, "/workflows/start");
    is_fault(&world.get("/workflows/%ff/state").await, StatusCode::BAD_REQUEST, "");
}

pub(crate) async fn a_run_begins_from_json_and_from_a_text_and_only_then_its_id_is_the_full_one(
    backend: Backend,
) {
    let world = World::new(backend).await;
    let (status, body) =
        world.post("/workflows/start", json!({"workflow": "@flow m\nsum", "input": {"a": 1, "b": 2}})).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let id = body["workflow"].as_str().unwrap();
    assert!(id.starts_with("workflow:m-"), "{id}");
    assert_eq!(
        body,
        json!({"message": format!("Workflow restored as {id}"), "status": "Success", "workflow": id})
    );
    world.until(id, "FINISHED").await;
    let state = world.read(&format!("/workflows/{id}/state")).await;
    assert_eq!(state["output"], json!([{"a": 1, "b": 2}, {"sum": 3}, {"sum": 3}]));
    for kind in ["text/plain", "text/plain; charset=utf-8", ""] {
        let request = world.site.request(Method::POST, "/workflows/start").body("t:a → t:b");
        let request = if kind.is_empty() { request } else { request.header("content-type", kind) };
        let (status, body) = answer(request).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        world.until(body["workflow"].as_str().unwrap(), "FINISHED").await;
    }
}

pub(crate) async fn what_cannot_begin_leaves_nothing_behind(backend: Backend) {
    let world = World::new(backend).await;
    let wrong = [
        (json!({"workflow": "t:a", "input": 3}), "Cannot compile workflow due to: the input of a flow"),
        (json!({"workflow": "t:a", "input": "x"}), "Cannot compile workflow due to: the input of a flow"),
        (json!({"workflow": ""}), "No workflow was provided"),
        (json!({"input": {}}), "No workflow was provided"),
        (json!([1]), "No workflow was provided"),
        (json!({"workflow": 7}), "The workflow is no text"),
        (json!({"workflow": "  \n"}), "Cannot compile workflow due to: "),
        (json!({"workflow": "A → :nowhere"}), "Cannot compile workflow due to: "),
        (json!({"workflow": "nobody:has_it"}), "nobody has the task `nobody:has_it`"),
        (json!({"workflow": "wait:delay (- duration: soon -)"}), "`duration` is seconds"),
    ];
    for (body, message) in wrong {
        is_fault(&world.post("/workflows/start", body).await, StatusCode::BAD_REQUEST, message);
    }
    let post = |kind: &'static str, body: Vec<u8>| {
        answer(world.site.request(Method::POST, "/workflows/start").header("content-type", kind).body(body))
    };
    is_fault(&post("application/json", b"{".to_vec()).await, StatusCode::BAD_REQUEST, "no JSON");
    is_fault(&post("text/plain", Vec::new()).await, StatusCode::BAD_REQUEST, "No workflow was provided");
    is_fault(&post("text/plain", b"\xff".to_vec()).await, StatusCode::BAD_REQUEST, "no UTF-8");
    is_fault(&post("image/png", b"A".to_vec()).await, StatusCode::UNSUPPORTED_MEDIA_TYPE, "image/png");
    let form = "application/x-www-form-urlencoded";
    is_fault(&post(form, b"A".to_vec()).await, StatusCode::UNSUPPORTED_MEDIA_TYPE, "text/plain");
    let long = vec![b'A'; 2 * 1024 * 1024];
    is_fault(&post("text/plain", long).await, StatusCode::PAYLOAD_TOO_LARGE, "longer than");
    assert_eq!(world.ids().await, Vec::<String>::new());
    assert_eq!(world.read("/inprogress").await, json!([]));
}

/// A form with these fields, each with its name, the name of its file, and its value.
fn form(fields: &[(&str, Option<&str>, &str)]) -> String {
    let part = |(name, file, value): &(&str, Option<&str>, &str)| {
        let file = file.map_or_else(String::new, |file| format!("; filename=\"{file}\""));
        format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n")
    };
    fields.iter().map(part).collect::<String>() + "--XX--\r\n"
}

pub(crate) async fn a_flow_is_uploaded_as_a_file_or_as_a_text(backend: Backend) {
    let world = World::new(backend).await;
    let post = |form: String| {
        let request = world.site.request(Method::POST, "/workflows/start/upload");
        answer(request.header("content-type", "multipart/form-data; boundary=XX").body(form))
    };
    let file = ("workflow", Some("up.flow"), "@flow up\nsum");
    let (status, body) = post(form(&[file, ("input", None, r#"{"a": 1, "b": 1}"#)])).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let id = body["workflow"].as_str().unwrap();
    assert!(id.starts_with("up-"), "{id}");
    assert_eq!(body["message"], format!("Workflow restored as {id}"));
    world.until(id, "FINISHED").await;
    let texts = [("workflow", None, "t:a"), ("input", None, ""), ("else", None, "x")];
    let (status, body) = post(form(&texts)).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let before = world.ids().await;
    let none = "The workflow was not attached.";
    is_fault(&post(form(&[("input", None, "{}")])).await, StatusCode::BAD_REQUEST, none);
    let no_form = world.post("/workflows/start/upload", json!({"workflow": "t:a"})).await;
    is_fault(&no_form, StatusCode::BAD_REQUEST, none);
    is_fault(&post("--XX\r\nnothing".to_owned()).await, StatusCode::BAD_REQUEST, "");
    is_fault(
        &post(form(&[file, ("input", None, "{")])).await,
        StatusCode::BAD_REQUEST,
        "The input is no JSON",
    );
    is_fault(
        &post(form(&[file, ("input", None, "3")])).await,
        StatusCode::BAD_REQUEST,
        "the input of a flow",
    );
    let long = post(form(&[("workflow", None, &"A".repeat(2 * 1024 * 1024))])).await;
    is_fault(&long, StatusCode::PAYLOAD_TOO_LARGE, "longer than");
    assert_eq!(world.ids().await, before);
}

pub(crate) async fn a_failed_run_is_restarted_by_get_and_by_post(backend: Backend) {
    let world = World::new(backend).await;
    world.broken.store(true, std::sync::atomic::Ordering::Relaxed);
    let id = world.run("t:a → fragile → t:b", json!({"x": 1}), "FAILED").await;
    let state = world.read(&format!("/workflows/{id}/state")).await;
    assert_eq!((&state["state"], &state["failures"]), (&json!("FAILED"), &json!([0, 0, 1, 0, 0])));
    assert_eq!(state["S"], json!([0, 0, 1, 0, 0]), "the failed step counts as active");
    let (status, body) = answer(world.site.request(Method::GET, &format!("/workflows/{id}/restart"))).await;
    let restarted =
        json!({"message": format!("Restarted workflow {id}"), "status": "Success", "workflow": id});
    assert_eq!((status, body), (StatusCode::OK, restarted.clone()));
    crate::suite::eventually("it has failed again", || async {
        let run = world.read(&format!("/runs/{id}")).await;
        run["state"] == "FAILED" && run["steps"][2]["attempt"] == 2
    })
    .await;
    world.broken.store(false, std::sync::atomic::Ordering::Relaxed);
    let (status, body) = world.post(&format!("/workflows/{id}/restart"), None).await;
    assert_eq!((status, body), (StatusCode::OK, restarted));
    world.until(&id, "FINISHED").await;
    let state = world.read(&format!("/workflows/{id}/state")).await;
    assert!(state.get("failures").is_none(), "{state}");
    assert_eq!((&state["S"], &state["A"]), (&json!([0, 0, 0, 0, 0]), &json!([0, 0, 0, 0, 0])));
    let running = world.begin("never:ends", Value::Null).await;
    let refused = world.get(&format!("/workflows/{running}/restart")).await;
    let message = format!("Workflow {running} cannot be restarted from current state RUNNING");
    is_fault(&refused, StatusCode::BAD_REQUEST, &message);
}

pub(crate) async fn a_run_is_terminated_by_its_path_and_by_a_body(backend: Backend) {
    let world = World::new(backend).await;
    let id = world.begin("never:ends", Value::Null).await;
    world.until_step(&id, 1, "active").await;
    let (status, body) = world.post(&format!("/workflows/{id}/terminate"), json!({})).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(body["status"], "Success");
    let message = body["message"].as_str().unwrap();
    assert!(
        message == format!("Workflow {id} is terminating")
            || message == format!("Workflow {id} is terminated")
    );
    let (status, body) = world.post("/workflows/terminate", json!({"workflow": id})).await;
    let done = json!({"message": format!("Workflow {id} is terminated"), "status": "Success"});
    assert_eq!((status, body), (StatusCode::OK, done.clone()), "the second time");
    assert_eq!(
        world.post(&format!("/workflows/workflow:{id}/terminate"), None).await,
        (StatusCode::OK, done)
    );
    let over = world.run("t:a", Value::Null, "FINISHED").await;
    let message = format!("Workflow {over} cannot be terminated from current state FINISHED");
    is_fault(
        &world.post(&format!("/workflows/{over}/terminate"), None).await,
        StatusCode::BAD_REQUEST,
        &message,
    );
    for body in [json!({}), json!([]), json!({"workflow": 3}), json!({"workflow": ""})] {
        let refused = world.post("/workflows/terminate", body).await;
        is_fault(&refused, StatusCode::BAD_REQUEST, "No workflow was provided");
    }
}

pub(crate) async fn a_run_is_deleted_only_when_it_is_over(backend: Backend) {
    let world = World::new(backend).await;
    let id = world.begin("never:ends", Value::Null).await;
    let message = format!("Workflow {id} is running and cannot be deleted.");
    is_fault(&world.delete(&format!("/workflows/{id}")).await, StatusCode::BAD_REQUEST, &message);
    for _ in 0..2 {
        world.post(&format!("/workflows/{id}/terminate"), None).await;
    }
    world.until(&id, "TERMINATED").await;
    let gone = json!({"message": format!("Workflow {id} has been deleted"), "status": "Success"});
    assert_eq!(world.delete(&format!("/workflows/workflow:{id}")).await, (StatusCode::OK, gone));
    assert_eq!(world.ids().await, Vec::<String>::new());
    assert_eq!(world.get(&format!("/workflows/{id}")).await.0, StatusCode::NOT_FOUND);
}
