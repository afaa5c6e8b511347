//! Items from outside.

use super::*;
use futures::StreamExt;

#[tokio::test]
async fn an_item_is_accepted_with_a_number_and_arrives() {
    let (app, sense, _) = sample();
    let mut out = sense.subscribe();
    let site = Site::of(&app).await;
    let (status, body) = site.post("/loops/room/elements/sense", "20.5").await;
    assert_eq!((status, body), (StatusCode::OK, json!({"accepted": 1, "id": 1})));
    assert_eq!(site.post("/loops/room/elements/sense?port=in&notification=next", "21").await.1["id"], 2);
    assert_eq!((out.next().await, out.next().await), (Some(20.5), Some(21.0)));
    // Whatever the content type says, it is one JSON value.
    let odd = site
        .request(Method::POST, "/loops/room/elements/sense")
        .header("content-type", "text/x-odd")
        .body("22");
    assert_eq!(answer(odd).await.0, StatusCode::OK);
}

#[tokio::test]
async fn an_item_of_the_wrong_shape_is_422_and_names_the_field() {
    #[derive(Clone, Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only its shape counts")]
    struct Reading {
        at: Place,
    }
    #[derive(Clone, Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only its shape counts")]
    struct Place {
        floor: u8,
    }
    let app = App::new();
    let door = app.create_loop("l").unwrap().execute("e").act(|_: Reading| ()).spawn().unwrap();
    door.expose();
    let site = Site::of(&app).await;
    let (status, body) = site.post("/loops/l/elements/e", r#"{"at": {"floor": "first"}}"#).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(body["detail"].as_str().unwrap().contains("at.floor"), "{body}");
    for body in ["", "  ", "{", "{} {}", "nonsense"] {
        let (status, answer) = site.post("/loops/l/elements/e", body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body:?}");
        assert!(answer["detail"].is_string(), "{body:?}");
    }
    assert_eq!(door.info().input.received, 0);
}

#[tokio::test]
async fn lines_are_items_up_to_a_bad_one() {
    let (app, sense, _) = sample();
    let mut out = sense.subscribe();
    let site = Site::of(&app).await;
    let lines = |text: &str| {
        let request = site.request(Method::POST, "/loops/room/elements/sense");
        answer(request.header("content-type", "application/x-ndjson; charset=utf-8").body(text.to_owned()))
    };
    assert_eq!(lines("1\n2\n\n3").await, (StatusCode::OK, json!({"accepted": 3})));
    let (status, body) = lines("4\n\n\"five\"\n6\n").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!((&body["accepted"], &body["line"]), (&json!(1), &json!(3)));
    assert!(body["detail"].as_str().unwrap().contains("five"), "{body}");
    let seen: Vec<f64> = out.by_ref().take(4).collect().await;
    assert_eq!(seen, [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(lines("").await, (StatusCode::OK, json!({"accepted": 0})));
}

#[tokio::test]
async fn message_pack_is_one_item() {
    let (app, sense, _) = sample();
    let mut out = sense.subscribe();
    let site = Site::of(&app).await;
    let pack = |body: Vec<u8>| {
        let request = site.request(Method::POST, "/loops/room/elements/sense");
        answer(request.header("content-type", "application/msgpack").body(body))
    };
    let mut packed = vec![0xcb];
    packed.extend(20.5_f64.to_be_bytes());
    assert_eq!(pack(packed).await.0, StatusCode::OK);
    assert_eq!(out.next().await, Some(20.5));
    assert_eq!(pack(vec![0xa1, b'x']).await.0, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_pickle_is_refused_with_what_to_do() {
    let (app, ..) = sample();
    let site = Site::of(&app).await;
    let pickle = b"\x80\x04K\x05.".to_vec();
    for kind in ["application/octet-stream", "application/x-pickle", "application/x-ndjson"] {
        let request = site.request(Method::POST, "/loops/room/elements/sense").header("content-type", kind);
        let (status, body) = answer(request.body(pickle.clone())).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{kind}");
        assert!(body["detail"].as_str().unwrap().contains("JSON serializer"), "{kind}: {body}");
    }
}

#[tokio::test]
async fn the_out_port_emits_on_the_elements_behalf() {
    let (app, _, judge) = sample();
    let mut out = judge.subscribe();
    let site = Site::of(&app).await;
    assert_eq!(site.post("/loops/room/elements/judge?port=out", "true").await.1["accepted"], 1);
    assert_eq!(out.next().await, Some(true));
    assert_eq!(judge.info().input.received, 0);
    let (status, body) = site.post("/loops/room/elements/judge?port=up", "true").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(body["detail"].as_str().unwrap().contains("port"), "{body}");
    let (status, _) = site.post("/loops/room/elements/hidden?port=out", "true").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_error_is_any_value_and_the_element_goes_on() {
    let (app, _, judge) = sample();
    let mut out = judge.subscribe().signals();
    let site = Site::of(&app).await;
    let post = "/loops/room/elements/judge?notification=error";
    for (body, text) in
        [(r#"{"message": "sensor off"}"#, "sensor off"), ("[1]", "[1]"), ("not json", "not json")]
    {
        assert_eq!(site.post(post, body).await, (StatusCode::OK, json!({"accepted": 1})));
        let error = out.next().await.unwrap().unwrap_err();
        assert!(error.to_string().ends_with(text), "{error}");
    }
    assert_eq!(site.post("/loops/room/elements/judge", "30").await.0, StatusCode::OK);
    assert!(out.next().await.unwrap().unwrap());
}

#[tokio::test]
async fn completion_ends_what_is_pushed_and_a_start_begins_anew() {
    let (app, sense, judge) = sample();
    let site = Site::of(&app).await;
    let path = "/loops/room/elements/sense";
    assert_eq!(site.post(&format!("{path}?notification=completed"), "").await.0, StatusCode::OK);
    assert_eq!(sense.ended().await, State::Completed);
    let (status, body) = site.post(path, "1").await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(body["detail"].as_str().unwrap().contains("completed"), "{body}");
    assert_eq!(judge.ended().await, State::Completed);
    assert_eq!(site.post(&format!("{path}/start"), "").await, (StatusCode::OK, json!({"state": "running"})));
    assert_eq!(site.post(path, "1").await.0, StatusCode::OK);
    eventually("it arrives behind it", || async { judge.info().input.received == 1 }).await;
    // What comes after an element ends with its out-port, and so does the element; it can begin anew.
    assert_eq!(site.post(&format!("{path}?port=out&notification=completed"), "").await.0, StatusCode::OK);
    assert_eq!(judge.ended().await, State::Completed);
    assert_eq!(site.post(path, "2").await.0, StatusCode::CONFLICT);
    assert_eq!(site.post(&format!("{path}/start"), "").await.0, StatusCode::OK);
    assert_eq!(site.post(path, "3").await.0, StatusCode::OK);
    eventually("it arrives again", || async { judge.info().input.received == 2 }).await;
}

#[tokio::test]
async fn a_body_that_is_too_long_is_413_and_nothing_is_taken() {
    let (app, sense, _) = sample();
    let site = Site::of(&app).await;
    let long = "1".repeat(1024 * 1024 + 1);
    for kind in ["application/json", "application/x-ndjson"] {
        let request = site.request(Method::POST, "/loops/room/elements/sense").header("content-type", kind);
        let (status, body) = answer(request.body(long.clone())).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{kind}");
        assert!(body["detail"].as_str().unwrap().contains("1048576"), "{body}");
    }
    assert_eq!(sense.info().input.received, 0);
}

#[tokio::test]
async fn a_port_without_room_is_429_after_it_was_waited_for() {
    let (app, sense, _) = sample();
    let mut limits = mape::http::Limits::default();
    limits.push_wait = std::time::Duration::from_millis(50);
    let site = Site::with(mape::http::Service::new(&app).limits(limits)).await;
    assert!(sense.pause());
    let many: String = (0..3000).fold(String::new(), |text, n| text + &n.to_string() + "\n");
    let request = site.request(Method::POST, "/loops/room/elements/sense");
    let response = request.header("content-type", "application/x-ndjson").body(many).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()["retry-after"], "1");
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(body["accepted"], 1024);
    assert_eq!(site.post("/loops/room/elements/sense", "1").await.0, StatusCode::TOO_MANY_REQUESTS);
    assert!(sense.resume());
    eventually("all is worked off", || async { sense.info().input.received == 1024 }).await;
    assert_eq!(site.post("/loops/room/elements/sense", "1").await.0, StatusCode::OK);
}

#[tokio::test]
async fn what_waits_for_room_when_the_element_is_stopped_is_not_taken() {
    let (app, sense, _) = sample();
    let site = Site::of(&app).await;
    assert!(sense.pause());
    let many = (0..3000).fold(String::new(), |text, n| text + &n.to_string() + "\n");
    let request = site.request(Method::POST, "/loops/room/elements/sense");
    let asked = tokio::spawn(answer(request.header("content-type", "application/x-ndjson").body(many)));
    eventually("the port is full", || async { sense.info().input.queued == 1024 }).await;
    sense.stop();
    let (status, body) = asked.await.unwrap();
    assert_eq!((status, &body["accepted"]), (StatusCode::CONFLICT, &json!(1024)), "{body}");
}

#[tokio::test]
async fn completing_what_an_element_emits_keeps_its_links_and_loses_nothing() {
    let app = App::new();
    let one = app.create_loop("l").unwrap();
    let sense = one.monitor("sense").map(|n: u64| n).spawn().unwrap();
    let slow = one.execute("slow").act(|_: u64| ()).spawn().unwrap();
    let options = mape::element::LinkOptions::new().capacity(4);
    sense.link_with(&slow, options).unwrap();
    sense.expose_fully();
    sense.start().unwrap();
    assert!(slow.pause());
    for n in 0..40 {
        sense.push(n).await.unwrap();
    }
    let site = Site::of(&app).await;
    let path = "/loops/l/elements/sense";
    let completed = format!("{path}?port=out&notification=completed");
    assert_eq!(site.post(&completed, "").await.0, StatusCode::OK);
    assert_eq!(site.post(path, "1").await.0, StatusCode::CONFLICT);
    assert_eq!(site.post(&format!("{path}?port=out"), "1").await.0, StatusCode::CONFLICT);
    assert!(slow.resume());
    assert_eq!((sense.ended().await, slow.ended().await), (State::Completed, State::Completed));
    assert_eq!(slow.info().input.received, 40);
    assert_eq!(site.post(&completed, "").await.0, StatusCode::CONFLICT);
    assert_eq!(site.post(&format!("{path}/start"), "").await.0, StatusCode::OK);
    assert_eq!(site.post(path, "41").await.0, StatusCode::OK);
    eventually("the link lives again", || async { slow.info().input.received == 41 }).await;
}

#[tokio::test]
async fn who_may_only_push_in_does_not_end_what_comes_out() {
    let (app, ..) = sample();
    let door = app.create_loop("l").unwrap().execute("e").act(|_: u8| ()).spawn().unwrap();
    door.expose();
    let site = Site::of(&app).await;
    for notification in ["next", "error", "completed"] {
        let path = format!("/loops/l/elements/e?port=out&notification={notification}");
        assert_eq!(site.post(&path, "null").await.0, StatusCode::FORBIDDEN, "{notification}");
    }
    assert_eq!(door.state(), State::Running);
}

#[tokio::test]
async fn what_a_numbered_sender_repeats_is_not_taken_again() {
    let (app, sense, _) = sample();
    let site = Site::of(&app).await;
    let send = |first: u64, text: &str| {
        let request = site
            .request(Method::POST, "/loops/room/elements/sense")
            .header("content-type", "application/x-ndjson");
        answer(request.header("mape-sender", "car").header("mape-first", first).body(text.to_owned()))
    };
    assert_eq!(send(0, "1\n2\n").await.1, json!({"accepted": 2}));
    assert_eq!(send(0, "1\n2\n").await.1, json!({"accepted": 2}));
    assert_eq!(send(1, "2\n3\n").await.1, json!({"accepted": 2}));
    eventually("three have arrived", || async { sense.info().input.received == 3 }).await;
    let (status, body) = send(7, "8\n").await;
    assert_eq!((status, &body["next"]), (StatusCode::CONFLICT, &json!(3)));
    assert_eq!(send(3, "4\n\"x\"\n").await.1["accepted"], 1);
    assert_eq!(send(4, "5\n").await.1, json!({"accepted": 1}));
    eventually("five have arrived", || async { sense.info().input.received == 5 }).await;
    // The same holds for one item a request.
    let one = |first: &'static str| {
        let request = site.request(Method::POST, "/loops/room/elements/sense");
        answer(request.header("mape-sender", "car").header("mape-first", first).body("6"))
    };
    for _ in 0..3 {
        assert_eq!(one("5").await.1["accepted"], 1);
    }
    assert_eq!(one("9").await.0, StatusCode::CONFLICT);
    assert_eq!(one("x").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(one("6").await.1["accepted"], 1);
    eventually("seven have arrived", || async { sense.info().input.received == 7 }).await;
}

#[tokio::test]
async fn what_was_taken_of_a_request_that_broke_off_is_not_taken_again() {
    let (app, sense, _) = sample();
    let site = Site::of(&app).await;
    let head = "POST /loops/room/elements/sense HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\n\
                mape-sender: car\r\nmape-first: 0\r\ntransfer-encoding: chunked\r\n\r\n4\r\n1\n2\n\r\n";
    let mut stream = tokio::net::TcpStream::connect(site.serving.address()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.unwrap();
    eventually("two have arrived", || async { sense.info().input.received == 2 }).await;
    drop(stream);
    let request = site
        .request(Method::POST, "/loops/room/elements/sense")
        .header("content-type", "application/x-ndjson");
    let again = request.header("mape-sender", "car").header("mape-first", 0).body("1\n2\n3\n");
    assert_eq!(answer(again).await.1, json!({"accepted": 3}));
    eventually("the third has arrived", || async { sense.info().input.received == 3 }).await;
}

#[tokio::test]
async fn whatever_a_body_is_the_answer_is_no_defect() {
    let (app, sense, judge) = sample();
    // Nobody holds it up, whatever is let through.
    let mut out = judge.subscribe();
    let reader = tokio::spawn(async move { while out.next().await.is_some() {} });
    let router = mape::http::Service::new(&app).router().unwrap();
    let (mut random, started) = (fastrand::Rng::with_seed(7), sense.state());
    let kinds =
        ["application/json", "application/x-ndjson", "application/msgpack", "text/plain", "\u{fc}", ""];
    let pieces: [&[u8]; 12] =
        [b"1", b"20.5", b"\n", b"{", b"}", b"[", b"\"", b"\x80\x04", b"\xff", b"\xcb", b"null", b"1e999"];
    for number in 0..20_000 {
        let mut body = Vec::new();
        for _ in 0..random.usize(..8) {
            if random.bool() {
                body.extend_from_slice(pieces[random.usize(..pieces.len())]);
            } else {
                body.push(random.u8(..));
            }
        }
        let query = ["", "?port=out", "?notification=error", "?notification=next&port=in"][random.usize(..4)];
        let request = axum::http::Request::post(format!("/loops/room/elements/sense{query}"))
            .header("content-type", kinds[random.usize(..kinds.len())])
            .body(axum::body::Body::from(body.clone()))
            .unwrap();
        let response = tower::ServiceExt::oneshot(router.clone(), request).await.unwrap();
        let status = response.status().as_u16();
        assert!(status == 200 || (400..500).contains(&status), "{status} for body {number}: {body:?}");
    }
    assert_eq!(sense.state(), started);
    reader.abort();
}
