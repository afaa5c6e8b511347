//! What there is.

use super::*;

#[tokio::test]
async fn lists_are_uids_as_pymapes_and_models_on_demand() {
    let (app, ..) = sample();
    let site = Site::of(&app).await;
    assert_eq!(site.get("/levels").await, (StatusCode::OK, json!(["house"])));
    assert_eq!(site.get("/loops").await.1, json!(["room"]));
    assert_eq!(site.get("/loops/room/elements").await.1, json!(["sense", "judge", "hidden"]));
    let (_, full) = site.get("/loops?full=true").await;
    assert_eq!(full[0]["elements"][1]["path"], "room.judge");
    assert_eq!(site.get("/levels?full=true").await.1[0]["loops"][0]["uid"], "room");
    assert_eq!(site.get("/loops/room").await.1["level"], "house");
    assert_eq!(site.get("/loops?full=maybe").await.0, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn an_element_shows_all_there_is_to_know() {
    let (app, sense, judge) = sample();
    let site = Site::of(&app).await;
    sense.push(20.0).await.unwrap();
    sense.push(21.0).await.unwrap();
    eventually("it arrives", || async { judge.info().input.received == 2 }).await;
    let (status, model) = site.get("/loops/room/elements/sense").await;
    assert_eq!(status, StatusCode::OK);
    let (role, state, level) = (&model["role"], &model["state"], &model["level"]);
    assert_eq!((role, state, level), (&json!("monitor"), &json!("running"), &json!("house")));
    assert_eq!(model["input"]["received"], 2);
    assert_eq!(model["input"]["item"], "f64");
    assert_eq!(model["input"]["operators"], json!(["distinct_until_changed", "skip"]));
    assert_eq!(model["output"]["operators"], json!(["moving"]));
    assert_eq!(model["output"]["links"][0]["to"], "room.judge");
    assert_eq!(model["exposed"], true);
    let (_, judge) = site.get("/loops/room/elements/judge").await;
    assert_eq!(judge["parameters"], json!({"limit": 21.0}));
    assert_eq!(judge["methods"], json!(["double"]));
}

#[tokio::test]
async fn what_is_not_there_is_404_and_says_what_is_near() {
    let (app, ..) = sample();
    let site = Site::of(&app).await;
    let paths = [
        "/loops/rom",
        "/loops/rom/elements",
        "/loops/room/elements/sens",
        "/loops/room/elements/sens/parameters",
    ];
    for path in paths {
        let (status, body) = site.get(path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert!(body["detail"].as_str().unwrap().contains("did you mean"), "{path}: {body}");
    }
    assert_eq!(site.post("/loops/room/elements/sens", "1").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_added_while_it_runs_is_there_at_once() {
    let (app, ..) = sample();
    let site = Site::of(&app).await;
    app.create_loop("later").unwrap().execute("door").act(|_: u32| ()).spawn().unwrap().expose();
    assert_eq!(site.post("/loops/later/elements/door", "7").await.0, StatusCode::OK);
    app.remove_loop("later");
    assert_eq!(site.post("/loops/later/elements/door", "7").await.0, StatusCode::NOT_FOUND);
}
