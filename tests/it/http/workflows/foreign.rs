//! Runs that programs of other kinds make and change, on a server.

use super::changes::Told;
use super::world::World;
use crate::server::RedisServer;
use mape::backend::Backend;
use reqwest::StatusCode;
use serde_json::{Value, json};

/// What littleflow's `run` leaves on the server of a flow whose only task is at work.
fn begin(server: &RedisServer, id: &str) {
    let form = json!({
        "F": [[0, 1, 0], [0, 0, 1], [0, 0, 0]],
        "T": [
            ["StartFlow", {"index": 0}],
            ["InvokeTask", {"index": 1, "name": "py:work", "parameters": {}, "base": null, "doc": null, "merge": false, "guard": null}],
            ["Sink", {"index": 2, "merge": false}],
        ],
    });
    let key = format!("workflow:{id}");
    let at = |second: u32| format!("2026-11-21T20:23:{second:02}.817538+00:00");
    server.cli(&["SET", &key, &form.to_string()]);
    server.cli(&["SET", &format!("{key}:state"), "RUNNING"]);
    for (list, lines) in
        [("A", ["1 0 0", "-1 0 0", "0 1 0", "0 -1 0"].as_slice()), ("S", &["1 0 0", "-1  0  0", "0 1 0"])]
    {
        for (second, line) in (0..).zip(lines) {
            server.cli(&["LPUSH", &format!("{key}:{list}"), &format!("{} {line}", at(second))]);
        }
    }
    server.cli(&["SET", &format!("{key}:output:0"), "{}"]);
    server.cli(&["LPUSH", "workflows:all", &key]);
    server.cli(&["SADD", "workflows:inprogress", &key]);
}

async fn world(server: &RedisServer) -> World {
    World::new(Backend::open(&server.url()).await.unwrap()).await
}

#[tokio::test]
async fn a_run_that_python_has_begun_is_shown_like_any_other() {
    let server = RedisServer::start();
    let world = world(&server).await;
    begin(&server, "py-1");
    assert_eq!(world.read("/workflows").await, json!([{"id": "py-1", "state": "RUNNING"}]));
    let state = world.read("/workflows/py-1/state").await;
    assert_eq!(state, json!({"A": [0, 0, 0], "S": [0, 1, 0], "output": [{}, {}, {}], "state": "RUNNING"}));
    let trace = world.read("/workflows/py-1/trace/S").await;
    assert_eq!(trace[0], json!(["2026-11-21T20:23:02.817538+00:00", [0, 1, 0]]));
    assert_eq!(world.read("/workflows/py-1").await["T"][1][1]["name"], "py:work");
    let run = world.read("/runs/py-1").await;
    assert_eq!(
        (&run["began"], &run["steps"][1]["phase"]),
        (&json!("2026-11-21T20:23:00.817538+00:00"), &json!("active"))
    );
    let listed = &world.read("/runs").await["runs"][0];
    assert_eq!((&listed["began"], &listed["ended"]), (&run["began"], &Value::Null));
    assert_eq!(world.get("/runs/py-1/why").await.0, StatusCode::OK);
    let archive = world.read("/workflows/py-1/archive").await;
    let (status, body) = world.post("/workflows/restore?workflow=copy", archive).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let copy = world.read("/workflows/copy/state").await;
    assert_eq!((&copy["state"], &copy["S"]), (&json!("TERMINATED"), &json!([0, 1, 0])));
}

#[tokio::test]
async fn what_is_missing_of_a_run_makes_no_error_of_the_service() {
    let server = RedisServer::start();
    let world = world(&server).await;
    begin(&server, "py-1");
    server.cli(&["DEL", "workflow:py-1:S", "workflow:py-1:A"]);
    let state = world.read("/workflows/py-1/state").await;
    assert_eq!((&state["S"], &state["A"]), (&json!([0, 0, 0]), &json!([0, 0, 0])));
    server.cli(&["DEL", "workflow:py-1:state"]);
    assert_eq!(world.read("/workflows").await, json!([{"id": "py-1", "state": "UNKNOWN"}]));
    assert_eq!(world.read("/workflows/py-1/state").await["state"], "UNKNOWN");
    assert_eq!(world.read("/workflows/py-1/trace/S").await, json!([]));
    assert_eq!(world.read("/runs").await["runs"][0]["state"], Value::Null);
    assert_eq!(world.get("/runs/py-1").await.0, StatusCode::OK);
    server.cli(&["SET", "workflow:broken", "no flow"]);
    server.cli(&["SET", "workflow:broken:state", "RUNNING"]);
    server.cli(&["LPUSH", "workflows:all", "workflow:broken"]);
    assert_eq!(world.read("/workflows").await[0], json!({"id": "broken", "state": "RUNNING"}));
    assert_eq!(world.get("/runs").await.0, StatusCode::OK);
}

#[tokio::test]
async fn what_python_changes_and_tells_nobody_is_told_all_the_same() {
    let server = RedisServer::start();
    let world = world(&server).await;
    begin(&server, "py-1");
    let mut told = Told::by(&world.site, "/events").await;
    // As littleflow terminates: no event says it.
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    server.cli(&["SET", "workflow:py-1:state", "TERMINATING"]);
    server.cli(&["SREM", "workflows:inprogress", "workflow:py-1"]);
    told.until("a termination", |change| change["id"] == "py-1" && change["state"] == "TERMINATING").await;
    server.cli(&["SET", "workflow:py-1:state", "TERMINATED"]);
    told.until("its end", |change| change["id"] == "py-1" && change["state"] == "TERMINATED").await;
    // As littleflow begins: an event says it.
    begin(&server, "py-2");
    let kind = json!("start-workflow").to_string();
    server.cli(&[
        "XADD",
        "workflows:run",
        "*",
        "workflow",
        "\"workflow:py-2\"",
        "kind",
        &kind,
        "apiVersion",
        "\"v1\"",
    ]);
    told.until("a beginning", |change| change["id"] == "py-2" && change["state"] == "RUNNING").await;
}

#[tokio::test]
async fn an_archive_of_ours_that_python_has_restored_is_a_run_again() {
    let server = RedisServer::start();
    let world = world(&server).await;
    let id = world.run("@flow ours\nt:a → *t:b → t:c", json!({"x": 1}), "FINISHED").await;
    let mut archive = world.read(&format!("/workflows/{id}/archive")).await;
    // As littleflow restores: the lists, and all the rest as the definition.
    for list in ["S", "A"] {
        let lines = archive.as_object_mut().unwrap().remove(list).unwrap();
        for entry in lines.as_array().unwrap().iter().rev() {
            let numbers: Vec<String> = entry[1].as_array().unwrap().iter().map(ToString::to_string).collect();
            let line = format!("{} {}", entry[0].as_str().unwrap(), numbers.join(" "));
            server.cli(&["LPUSH", &format!("workflow:back:{list}"), &line]);
        }
    }
    server.cli(&["SET", "workflow:back", &archive.to_string()]);
    server.cli(&["SET", "workflow:back:state", "TERMINATED"]);
    server.cli(&["LPUSH", "workflows:all", "workflow:back"]);
    assert_eq!(world.read("/workflows/back/state").await["state"], "TERMINATED");
    assert_eq!(world.read("/workflows/back").await, world.read(&format!("/workflows/{id}")).await);
    assert_eq!(world.read("/runs/back/flow").await["name"], "ours");
}
