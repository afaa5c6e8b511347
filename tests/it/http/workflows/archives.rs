//! Archives of runs, ours and littleflow's.

use super::world::{World, body_of, is_fault};
use mape::backend::Backend;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

/// The tests of all claims here: `suite! { backend, fresh backend }`.
macro_rules! suite {
    ($backend:ident, $world:expr) => {
        crate::suite::tests_of! { $backend, $world, (), http::workflows::archives:
            an_archive_has_the_keys_of_the_original_and_comes_back_with_all_that_was_there,
            an_archive_comes_back_under_an_id_of_ones_own,
            an_archive_of_littleflow_comes_back_terminated_and_goes_on,
            archives_are_kept_by_name_in_their_directory_and_nowhere_else,
            what_is_no_archive_leaves_nothing_behind,
        }
    };
}
pub(crate) use suite;

pub(crate) async fn an_archive_has_the_keys_of_the_original_and_comes_back_with_all_that_was_there(
    backend: Backend,
) {
    let world = World::new(backend).await;
    world.broken.store(true, Ordering::Relaxed);
    let id = world.run("@flow arch\nt:a → fragile (- retry: 0 -) → t:b", json!({"x": 1}), "FAILED").await;
    let response = world.site.request(Method::GET, &format!("/workflows/{id}/archive")).send().await.unwrap();
    assert_eq!(
        response.headers()["content-disposition"],
        format!("attachment; filename={id}.json;").as_str()
    );
    let archive: Value = body_of(response).await;
    let definition = world.read(&format!("/workflows/{id}")).await;
    assert_eq!((&archive["F"], &archive["T"]), (&definition["F"], &definition["T"]));
    for kind in ["S", "A"] {
        assert_eq!(archive[kind], world.read(&format!("/workflows/{id}/trace/{kind}")).await);
    }
    let (status, body) = world.post("/workflows/restore", archive).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let copy = body["workflow"].as_str().unwrap();
    assert!(copy != id && copy.starts_with("arch-"), "{copy}");
    assert_eq!(
        body,
        json!({"message": format!("Workflow restored as {copy}"), "status": "Success", "workflow": copy})
    );
    assert_eq!(world.ids().await, [copy, &id]);
    let (before, after) = (
        world.read(&format!("/workflows/{id}/state")).await,
        world.read(&format!("/workflows/{copy}/state")).await,
    );
    assert_eq!(before, after, "also that it has failed, and where");
    for kind in ["S", "A"] {
        let path = format!("/trace/{kind}");
        assert_eq!(
            world.read(&format!("/workflows/{id}{path}")).await,
            world.read(&format!("/workflows/{copy}{path}")).await
        );
    }
    world.broken.store(false, Ordering::Relaxed);
    assert_eq!(world.post(&format!("/workflows/{copy}/restart"), None).await.0, StatusCode::OK);
    world.until(copy, "FINISHED").await;
    let state = world.read(&format!("/workflows/{copy}/state")).await;
    assert_eq!(
        (&state["output"][4], &state["S"], &state["A"]),
        (&json!({"x": 1}), &json!([0, 0, 0, 0, 0]), &json!([0, 0, 0, 0, 0]))
    );
}

pub(crate) async fn an_archive_comes_back_under_an_id_of_ones_own(backend: Backend) {
    let world = World::new(backend).await;
    let id = world.run("t:a", json!({"x": 1}), "FINISHED").await;
    let archive = world.read(&format!("/workflows/{id}/archive")).await;
    let (status, body) = world.post("/workflows/restore?workflow=mine", archive.clone()).await;
    assert_eq!((status, &body["workflow"]), (StatusCode::OK, &json!("mine")), "{body}");
    let again = world.post("/workflows/restore?workflow=workflow:mine", archive.clone()).await;
    is_fault(&again, StatusCode::BAD_REQUEST, "Workflow mine already exists");
    for wrong in ["a:b", "", "start", "a%2Fb"] {
        let refused = world.post(&format!("/workflows/restore?workflow={wrong}"), archive.clone()).await;
        assert_eq!(refused.0, StatusCode::BAD_REQUEST, "{}", refused.1);
    }
    assert_eq!(world.ids().await, ["mine", &id]);
}

/// What littleflow gave of a run that was terminated while its second task was at work.
fn of_littleflow() -> Value {
    let task = |index: u32, name: &str| {
        json!(["InvokeTask", {"index": index, "name": name, "parameters": {}, "base": null, "doc": null, "merge": false,
            "guard": null}])
    };
    let entry = |second: u32, numbers: [i32; 5]| {
        json!([format!("2026-11-21T20:31:{second:02}.202434+00:00"), numbers])
    };
    json!({
        "F": [[0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]],
        "T": [
            ["StartFlow", {"index": 0}], ["Source", {"index": 1, "value": {"a": 5, "b": 7}}],
            task(2, "t:a"), task(3, "t:b"), ["Sink", {"index": 4, "merge": false}],
        ],
        "S": [
            entry(6, [0, 0, 0, 1, 0]), entry(5, [0, 0, -1, 0, 0]), entry(4, [0, 0, 1, 0, 0]), entry(3, [0, -1, 0, 0, 0]),
            entry(2, [0, 1, 0, 0, 0]), entry(1, [-1, 0, 0, 0, 0]), entry(0, [1, 0, 0, 0, 0]),
        ],
        "A": [
            entry(6, [0, 0, 0, -1, 0]), entry(5, [0, 0, 0, 1, 0]), entry(4, [0, 0, -1, 0, 0]), entry(3, [0, 0, 1, 0, 0]),
            entry(2, [0, -1, 0, 0, 0]), entry(1, [0, 1, 0, 0, 0]), entry(1, [-1, 0, 0, 0, 0]), entry(0, [1, 0, 0, 0, 0]),
        ],
    })
}

pub(crate) async fn an_archive_of_littleflow_comes_back_terminated_and_goes_on(backend: Backend) {
    let world = World::new(backend).await;
    let (status, body) = world.post("/workflows/restore", of_littleflow()).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let id = body["workflow"].as_str().unwrap();
    let state = world.read(&format!("/workflows/{id}/state")).await;
    assert_eq!(state["state"], "TERMINATED");
    assert_eq!((&state["S"], &state["A"]), (&json!([0, 0, 0, 1, 0]), &json!([0, 0, 0, 0, 0])));
    assert_eq!(state["output"][1], json!({"a": 5, "b": 7}), "what the flow itself says");
    let run = world.read(&format!("/runs/{id}")).await;
    assert_eq!(run["began"], "2026-11-21T20:31:00.202434+00:00");
    let phases: Vec<&Value> = run["steps"].as_array().unwrap().iter().map(|step| &step["phase"]).collect();
    assert_eq!(phases, ["done", "done", "done", "cancelled", "idle"]);
    assert_eq!(world.post(&format!("/workflows/{id}/restart"), None).await.0, StatusCode::OK);
    world.until(id, "FINISHED").await;
    let state = world.read(&format!("/workflows/{id}/state")).await;
    assert_eq!((&state["S"], &state["A"]), (&json!([0, 0, 0, 0, 0]), &json!([0, 0, 0, 0, 0])));
    // And what is archived of it again is complete.
    let archive = world.read(&format!("/workflows/{id}/archive")).await;
    let (status, body) = world.post("/workflows/restore?workflow=again", archive).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(world.read("/workflows/again/state").await["state"], "FINISHED");
}

pub(crate) async fn archives_are_kept_by_name_in_their_directory_and_nowhere_else(backend: Backend) {
    let world = World::new(backend).await;
    let id = world.run("t:a", json!({"x": 1}), "FINISHED").await;
    let path = format!("/workflows/{id}/archive");
    let response = world
        .site
        .request(Method::POST, &path)
        .header("content-type", "application/json")
        .body(json!({"uri": "file:kept.json"}).to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["location"], "file:kept.json");
    let body: Value = body_of(response).await;
    assert_eq!(body, json!({"message": "Archive created", "status": "Success", "uri": "file:kept.json"}));
    assert_eq!(std::fs::read_dir(&world.archives).unwrap().count(), 1);
    let (status, body) = world.get("/workflows/restore?uri=file:kept.json").await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let (status, body) = world.post("/workflows/restore", json!({"uri": "file:kept.json"})).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    // Without a name, that of the run.
    assert_eq!(world.post(&path, json!({"uri": "file:"})).await.1["uri"], format!("file:{id}.json"));

    let outside = world.archives.with_extension("outside");
    std::fs::write(&outside, world.read(&path).await.to_string()).unwrap();
    std::os::unix::fs::symlink(&outside, world.archives.join("link.json")).unwrap();
    let before = std::fs::read_to_string(&outside).unwrap();
    let names = [
        "file:../x.json",
        "file:/etc/passwd",
        "file:///etc/passwd",
        "file:a/b.json",
        "file:..",
        "file:.hidden",
        "file:a\\b",
        "file:%2e%2e%2fx",
        "file:a\u{0}b",
    ];
    for uri in names {
        is_fault(&world.post(&path, json!({"uri": uri})).await, StatusCode::BAD_REQUEST, "names no archive");
        is_fault(
            &world.post("/workflows/restore", json!({"uri": uri})).await,
            StatusCode::BAD_REQUEST,
            "names no archive",
        );
    }
    let linked = world.post("/workflows/restore", json!({"uri": "file:link.json"})).await;
    is_fault(&linked, StatusCode::BAD_REQUEST, "it is no file");
    // A link of that name gives way to the archive; what it led to stays as it was.
    assert_eq!(world.post(&path, json!({"uri": "file:link.json"})).await.0, StatusCode::OK);
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), before);
    assert!(world.archives.join("link.json").symlink_metadata().unwrap().is_file());
    is_fault(
        &world.get("/workflows/restore?uri=file:nope.json").await,
        StatusCode::BAD_REQUEST,
        "there is no such file",
    );

    for body in [json!({"uri": "s3://bucket/a.json"}), json!({"bucket": "bucket"})] {
        is_fault(
            &world.post(&path, body).await,
            StatusCode::BAD_REQUEST,
            "S3 is not built into this program",
        );
    }
    is_fault(&world.get("/workflows/restore?uri=s3://a/b").await, StatusCode::BAD_REQUEST, "S3 is not built");
    is_fault(
        &world.get("/workflows/restore?uri=ftp://a/b").await,
        StatusCode::BAD_REQUEST,
        "currently supported",
    );
    is_fault(&world.get("/workflows/restore").await, StatusCode::BAD_REQUEST, "The uri parameter is missing");
    is_fault(
        &world.post(&path, json!({})).await,
        StatusCode::BAD_REQUEST,
        "The uri or bucket must be specified.",
    );
    is_fault(&world.post(&path, None).await, StatusCode::BAD_REQUEST, "no JSON");
    let plain = world.site.request(Method::POST, &path).header("content-type", "text/plain").body("x");
    is_fault(&crate::http::site::answer(plain).await, StatusCode::UNSUPPORTED_MEDIA_TYPE, "text/plain");
    std::fs::remove_file(&outside).unwrap();
    std::fs::remove_dir_all(&world.archives).unwrap();
}

pub(crate) async fn what_is_no_archive_leaves_nothing_behind(backend: Backend) {
    let world = World::new(backend).await;
    for key in ["F", "T", "A", "S"] {
        let mut archive = of_littleflow();
        archive.as_object_mut().unwrap().remove(key);
        let refused = world.post("/workflows/restore", archive).await;
        is_fault(&refused, StatusCode::BAD_REQUEST, &format!("Archive is missing key {key}"));
    }
    is_fault(
        &world.post("/workflows/restore", json!([1])).await,
        StatusCode::BAD_REQUEST,
        "Archive type is not an object",
    );
    let changed = |key: &str, value: Value| {
        let mut archive = of_littleflow();
        archive[key] = value;
        archive
    };
    let wrong = [
        changed("F", json!([[0, 1]])),
        changed("F", json!("x")),
        changed("T", json!([["Nothing", {"index": 0}]])),
        changed("S", json!([["2026-11-21T20:31:00+00:00", [1]]])),
        changed("S", json!([["yesterday", [0, 0, 0, 0, 0]]])),
        changed("A", json!({})),
        json!({"mape": 1, "steps": [], "definition": {}}),
        json!({"mape": 1, "steps": 3}),
    ];
    for archive in wrong {
        is_fault(&world.post("/workflows/restore", archive).await, StatusCode::BAD_REQUEST, "");
    }
    assert_eq!(world.ids().await, Vec::<String>::new());
}
