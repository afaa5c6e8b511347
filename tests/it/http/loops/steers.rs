//! Orders, parameters, methods, links.

use super::*;

#[tokio::test]
async fn elements_and_loops_are_started_stopped_and_paused() {
    let (app, sense, judge) = sample();
    let site = Site::of(&app).await;
    let order = |order: &str| {
        let path = format!("/loops/room/elements/sense/{order}");
        let site = &site;
        async move { site.post(&path, "").await }
    };
    assert_eq!(order("pause").await, (StatusCode::OK, json!({"state": "paused"})));
    assert_eq!(order("pause").await.0, StatusCode::CONFLICT);
    assert_eq!(order("resume").await.1, json!({"state": "running"}));
    assert_eq!(order("resume").await.0, StatusCode::CONFLICT);
    assert_eq!(order("restart").await.1, json!({"state": "running"}));
    assert_eq!(order("stop").await.1, json!({"state": "stopped"}));
    assert_eq!(site.post("/loops/room/elements/sense", "1").await.0, StatusCode::CONFLICT);
    assert_eq!(order("start").await.1, json!({"state": "running"}));
    assert_eq!(order("start").await.0, StatusCode::CONFLICT);
    assert_eq!(order("dance").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(site.post("/loops/room/stop", "").await.0, StatusCode::NO_CONTENT);
    assert_eq!((sense.state(), judge.state()), (State::Stopped, State::Stopped));
    assert_eq!(site.post("/loops/room/start", "").await.0, StatusCode::NO_CONTENT);
    assert_eq!((sense.state(), judge.state()), (State::Running, State::Running));
}

#[tokio::test]
async fn parameters_are_read_and_changed_within_their_bounds() {
    let (app, _, judge) = sample();
    let site = Site::of(&app).await;
    let path = "/loops/room/elements/judge/parameters";
    assert_eq!(site.get(path).await.1, json!({"limit": 21.0}));
    assert_eq!(site.get(&format!("{path}/limit")).await.1, json!(21.0));
    let put = |name: &str, value: &str| {
        let request = site.request(Method::PUT, &format!("{path}/{name}"));
        answer(request.header("content-type", "application/json").body(value.to_owned()))
    };
    assert_eq!(put("limit", "30").await, (StatusCode::OK, json!(30.0)));
    assert_eq!(judge.get_parameter::<Value>("limit").unwrap(), json!(30.0));
    assert_eq!(put("limit", "99").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(put("limit", "\"hot\"").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(put("limit", "{").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(put("limits", "30").await.0, StatusCode::NOT_FOUND);
    assert_eq!(judge.get_parameter::<Value>("limit").unwrap(), json!(30.0));
}

#[tokio::test]
async fn exported_methods_are_called() {
    let (app, ..) = sample();
    let site = Site::of(&app).await;
    let path = "/loops/room/elements/judge/methods";
    assert_eq!(site.post(&format!("{path}/double"), "21").await, (StatusCode::OK, json!(42)));
    assert_eq!(site.post(&format!("{path}/double"), "true").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(site.post(&format!("{path}/double"), "{").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(site.post(&format!("{path}/triple"), "21").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn links_are_made_moved_and_cut() {
    let (app, sense, judge) = sample();
    let site = Site::of(&app).await;
    let path = "/loops/room/elements/sense/links";
    let send = |method: Method, path: &str, body: Value| {
        answer(site.request(method, path).header("content-type", "application/json").body(body.to_string()))
    };
    let (_, model) = site.get("/loops/room/elements/sense").await;
    let first = model["output"]["links"][0]["id"].as_u64().unwrap();
    let other = app.find_loop("room").unwrap().execute("other").act(|_: f64| ()).spawn().unwrap();

    let (status, moved) = send(
        Method::PATCH,
        &format!("{path}/{first}"),
        json!({"to": "room.other", "overflow": "drop_oldest"}),
    )
    .await;
    assert_eq!(status, StatusCode::OK);
    sense.push(1.0).await.unwrap();
    eventually("it goes the new way", || async { other.info().input.received == 1 }).await;
    assert_eq!(judge.info().input.received, 0);

    let (status, linked) = send(Method::POST, path, json!({"to": "house.room.judge", "capacity": 8})).await;
    assert_eq!(status, StatusCode::OK);
    sense.push(2.0).await.unwrap();
    eventually("it goes both ways", || async {
        judge.info().input.received == 1 && other.info().input.received == 2
    })
    .await;
    assert_eq!(
        send(Method::DELETE, &format!("{path}/{}", moved["id"]), Value::Null).await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        send(Method::DELETE, &format!("{path}/{}", moved["id"]), Value::Null).await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(sense.info().output.links.len(), 1);

    let wrong = send(Method::POST, path, json!({"to": "room.hidden"})).await;
    assert_eq!(wrong.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.1["detail"].as_str().unwrap().contains("`f64`"), "{}", wrong.1);
    assert_eq!(send(Method::POST, path, json!({"to": "room.nobody"})).await.0, StatusCode::NOT_FOUND);
    assert_eq!(
        send(Method::POST, path, json!({"to": "room.judge", "capacity": 0})).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(
        send(Method::POST, path, json!({"to": "room.judge", "cap": 1})).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(send(Method::POST, path, json!({"to": "room.sense"})).await.0, StatusCode::CONFLICT);
    assert_eq!(
        send(Method::POST, path, json!({"to": "room.sense", "feedback": true})).await.0,
        StatusCode::OK
    );
    assert_eq!(linked["id"].as_u64(), sense.info().output.links.first().map(|link| link.id));
}
