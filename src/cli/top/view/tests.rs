//! Pictures as they are meant to look, in `pictures/`.

use super::super::answers::TaskQueue;
use super::super::keys::Action;
use super::super::looking::Looking;
use super::super::model::tests::{element, topology};
use super::super::model::{Model, News};
use super::{Paint, draw};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

fn from_json<T: serde::de::DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

fn link(id: u64, to: Option<&str>, queued: u64, capacity: u64, more: &Value) -> Value {
    let mut stats = json!({"offered": 9000, "received": 9000, "dropped": 0, "skipped": 0, "queued": queued,
        "capacity": capacity, "overflow": "wait", "blocked_seconds": null});
    for (key, value) in more.as_object().unwrap() {
        stats[key] = value.clone();
    }
    json!({"id": id, "to": to, "feedback": false, "stats": stats,
        "wait": {"count": 12, "p50_seconds": 2e-5, "p99_seconds": 0.0031}})
}

/// Two loops in which some things go wrong, as they are after `seconds`.
fn at(seconds: u64) -> Vec<(&'static str, Vec<Value>)> {
    let n = seconds * 40;
    let latency = |p99: f64| json!({"count": 99, "p50_seconds": p99 / 4.0, "p99_seconds": p99});
    let car = vec![
        element(
            "car.speed",
            json!({"output": {"emitted": n, "links": [link(1, Some("car.detect"), 140, 1024, &json!({}))]},
            "input": {"received": n, "item": "f64"}, "latency": latency(1.2e-5)}),
        ),
        element(
            "car.detect",
            json!({"role": "analyze", "input": {"received": n, "queued": 140, "operators": ["window", "map"]},
            "output": {"emitted": n / 80, "links": [
                link(1, Some("car.policy"), 61, 64, &json!({"blocked_seconds": 1.25})),
                link(2, None, 8, 8, &json!({"dropped": n / 10, "overflow": "drop_oldest"}))]},
            "latency": latency(0.0042), "errors": 12 + seconds / 5,
            "parameters": {"threshold": 3.5, "window": "1m"}, "methods": ["reset"]}),
        ),
        element(
            "car.policy",
            json!({"role": "plan", "state": "paused", "input": {"queued": 61, "dropped": 7},
            "output": {"emitted": 3, "links": [link(1, Some("car.cruise"), 0, 1024, &json!({}))]}, "latency": latency(0.5)}),
        ),
        element(
            "car.cruise",
            json!({"role": "execute", "acts_only": true, "input": {"received": 3, "skipped": 4}}),
        ),
    ];
    let hospital = vec![
        element(
            "hospital.beds_that_are_free_on_all_wards",
            json!({"state": "restarting", "restarts": 3, "errors": 3}),
        ),
        element("hospital.ambulance", json!({"role": "execute", "state": "failed", "errors": 1})),
    ];
    vec![("car", car), ("hospital", hospital)]
}

fn world() -> (Model, Paint) {
    let (mut model, start) = (Model::new("http://127.0.0.1:6060"), Instant::now());
    for second in 0..30 {
        model.hear(topology(&at(second)), start + Duration::from_secs(second));
    }
    let now = start + Duration::from_secs(30);
    for happened in [
        json!({"kind": "state", "path": "hospital.ambulance", "state": "failed"}),
        json!({"kind": "error", "path": "car.detect", "error": "the reading -4 is below what a sensor of this kind can measure at all"}),
    ] {
        model.hear(News::Happened(from_json(happened)), now - Duration::from_millis(2500));
    }
    let run = |id: &str, flow: Option<&str>, state: &str, began: u8, ended: Option<u8>| {
        let time = |minute: u8| format!("2026-03-01T12:{minute:02}:00.000000+00:00");
        json!({"id": id, "flow": flow, "state": state, "began": time(began), "ended": ended.map(time)})
    };
    model.hear(
        News::Runs(Ok(from_json(json!({"total": 3, "next": null, "runs": [
            run("parcels-01c9d481-0270-40b0-a25f-470f229d59b3", Some("parcels"), "RUNNING", 40, None),
            run("invoice-8a1f", Some("invoice"), "FAILED", 10, Some(12)),
            run("7", None, "FINISHED", 0, Some(59)),
        ]})))),
        now,
    );
    model.hear(News::InProgress(1), now);
    let queue = |name: &str, settings: Value, stats: Value| json!({"name": name, "settings": settings, "stats": stats});
    let queues = |dead: u64| -> Vec<TaskQueue> {
        from_json(json!([
            queue(
                "reply",
                json!({"concurrency": 4, "priorities": 1, "rate": {"jobs": 20, "per": 1000}, "attempts": 5,
                "retry_after": 1000, "retry_at_most": 300_000, "timeout": null, "unique_for": 86_400_000, "lease": 3000,
                "keep": 10_000, "max_bytes": 1_048_576}),
                json!({"waiting": [1210, 3], "running": 4, "delayed": 2, "dead": dead, "outcomes": 10_000, "workers": 2})
            ),
            queue(
                "a_queue_with_a_long_name_that_is_cut",
                json!({}),
                json!({"waiting": [0], "workers": 1, "dead": 1})
            ),
            queue("email", json!({}), json!({"waiting": [17], "delayed": 1})),
            queue("publishing", json!({}), json!({"waiting": [3], "paused": true})),
            queue("archive", json!({}), json!({"waiting": [0]})),
        ]))
    };
    model.hear(News::Queues(Ok(queues(8))), now - Duration::from_secs(2));
    model.hear(News::Queues(Ok(queues(9))), now - Duration::from_secs(1));
    model.hear(News::Goals(Ok(from_json(json!([
        {"goal": "car.speed", "state": "met", "margin": 12.25, "unit": "km/h", "since": "2026-03-01T11:00:00Z", "why": "speed 117.75 km/h is below 130 km/h"},
        {"goal": "hospital.in_time", "state": "violated", "margin": -61.0, "unit": "s", "since": "2026-03-01T12:30:00Z", "at": "2026-03-01T12:59:59Z", "heard": "2031-03-01T12:59:59Z", "here": true, "uncertainty": 0.5, "why": "nothing came within 8 min after 12:21:00", "formula": "within 8 min after call: arrival"},
        {"goal": "hospital.beds", "state": "unknown", "margin": null, "unit": "", "since": "2026-03-01T12:59:20Z", "why": "data is old"},
    ])))), now);
    let paint = Paint {
        has_colours: true,
        every: Duration::from_secs(1),
        now,
        date: "2026-03-01T13:00:00Z".parse().unwrap(),
    };
    (model, paint)
}

fn drawn(model: &Model, looking: &mut Looking, paint: &Paint, (width, height): (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let draw = |frame: &mut ratatui::Frame<'_>| {
        let area = frame.area();
        draw(frame.buffer_mut(), area, model, looking, paint);
    };
    terminal.draw(draw).unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let rows = buffer.content().chunks(usize::from(buffer.area.width).max(1));
    let line = |row: &[ratatui::buffer::Cell]| row.iter().map(|cell| cell.symbol()).collect::<String>();
    rows.map(|row| line(row).trim_end().to_owned() + "\n").collect()
}

#[track_caller]
fn is(name: &str, picture: &str, buffer: &Buffer) {
    let now = text(buffer);
    assert!(now == picture, "<<<{name}\n{now}>>>\nis not what pictures/{name}.txt has");
}

/// What is seen after some keys.
fn after(actions: &[Action], size: (u16, u16)) -> Buffer {
    let ((model, paint), mut looking) = (world(), Looking::default());
    for action in actions {
        looking.act(*action, &model);
    }
    drawn(&model, &mut looking, &paint, size)
}

macro_rules! pictures {
    ($($test:ident: $name:literal, $actions:expr, $size:expr;)*) => {$(
        #[test]
        fn $test() {
            is($name, include_str!(concat!("pictures/", $name, ".txt")), &after(&$actions, $size));
        }
    )*};
}

pictures! {
    loops_at_80_columns: "loops_80x24", [Action::Move(1)], (80, 24);
    loops_where_there_is_little_room: "loops_40x10", [], (40, 10);
    loops_where_there_is_much_room: "loops_160x50", [Action::Move(1)], (160, 50);
    loops_by_trouble_and_filtered: "sorted_80x24", [Action::Filter, Action::Type('C'), Action::Type('a'), Action::Enter, Action::Sort, Action::Sort, Action::Sort], (80, 24);
    an_element_looked_at_closely: "element_80x24", [Action::Move(1), Action::Open], (80, 24);
    runs_at_80_columns: "runs_80x24", [Action::Tab(1)], (80, 24);
    runs_where_there_is_little_room: "runs_40x10", [Action::Tab(1)], (40, 10);
    queues_at_80_columns: "queues_80x24", [Action::Tab(2)], (80, 24);
    queues_where_there_is_little_room: "queues_40x10", [Action::Tab(2)], (40, 10);
    a_queue_looked_at_closely: "queue_80x24", [Action::Tab(2), Action::Move(1), Action::Open], (80, 24);
    a_goal_looked_at_closely: "goal_80x24", [Action::Tab(3), Action::Open], (80, 24);
    goals_where_there_is_little_room: "goals_40x10", [Action::Tab(3)], (40, 10);
    goals_at_80_columns: "goals_80x24", [Action::Tab(3)], (80, 24);
    help_at_80_columns: "help_80x24", [Action::Help], (80, 24);
}

#[test]
fn who_is_away_is_told_with_what_was_known() {
    let ((mut model, mut paint), mut looking) = (world(), Looking::default());
    let why = "nobody can be reached at http://127.0.0.1:6060: start `mape serve` or a program that serves, or give --url";
    model.hear(News::Away(why.to_owned()), paint.now);
    model.hear(News::Goals(Err(why.to_owned())), paint.now);
    model.hear(News::Queues(Err(why.to_owned())), paint.now);
    model.hear(News::Runs(Err(why.to_owned())), paint.now);
    paint.now += Duration::from_secs(65);
    let picture = drawn(&model, &mut looking, &paint, (80, 24));
    is("away_80x24", include_str!("pictures/away_80x24.txt"), &picture);
}

#[test]
fn the_steps_of_a_run_are_shown() {
    let ((mut model, paint), mut looking) = (world(), Looking::default());
    looking.act(Action::Tab(1), &model);
    looking.act(Action::Open, &model);
    let id = looking.selection(&model).unwrap();
    let at = |second: u8| Some(format!("2026-03-01T12:59:{second:02}+00:00"));
    let run = json!({"id": id, "state": "RUNNING", "paused": false, "in_hand": true, "began": at(0), "ended": null,
    "failures": [], "steps": [
        {"name": "weigh", "phase": "done", "attempt": 1, "started": at(0), "ended": at(2)},
        {"name": "label", "phase": "failed", "attempt": 3, "started": at(2), "ended": at(9), "reason": "no paper"},
        {"name": "load", "phase": "active", "items": [2], "attempt": 1, "started": at(20), "untaken_seconds": 40},
        {"name": "send", "phase": "idle"},
    ]});
    model.hear(News::Run(id, Box::new(Ok(from_json(run)))), paint.now);
    let picture = drawn(&model, &mut looking, &paint, (80, 24));
    is("run_80x24", include_str!("pictures/run_80x24.txt"), &picture);
}

#[test]
fn every_size_can_be_drawn() {
    let (model, paint) = world();
    let nothing = Model::new("http://127.0.0.1:6060");
    for tab in 0..4 {
        for actions in
            [vec![], vec![Action::Open], vec![Action::Help], vec![Action::Filter], vec![Action::Last]]
        {
            for size in [0, 1, 2, 3, 9, 20, 33, 39, 61, 79, 101, 129, 130, 170_u16]
                .into_iter()
                .flat_map(|w| [0, 1, 2, 3, 5, 6, 8, 9, 12, 30_u16].into_iter().map(move |h| (w, h)))
            {
                for model in [&model, &nothing] {
                    let mut looking = Looking::default();
                    looking.act(Action::Tab(tab), model);
                    for action in &actions {
                        looking.act(*action, model);
                    }
                    drawn(model, &mut looking, &paint, size);
                }
            }
        }
    }
}

#[test]
fn without_colours_the_same_is_said() {
    let ((model, paint), size) = (world(), (160, 50));
    let plain = Paint { has_colours: false, ..paint };
    let coloured = drawn(&model, &mut Looking::default(), &paint, size);
    let without = drawn(&model, &mut Looking::default(), &plain, size);
    assert_eq!(text(&coloured), text(&without));
    assert!(coloured.content().iter().any(|cell| cell.fg != Color::Reset));
    assert!(without.content().iter().all(|cell| (cell.fg, cell.bg) == (Color::Reset, Color::Reset)));
}

#[test]
fn what_others_have_written_cannot_draw_elsewhere() {
    let (mut model, paint) = world();
    let sly = "\u{1b}[2J\u{1b}]0;mine\u{7}\r\nnext";
    let all = vec![element("car.speed", json!({"parameters": {"a": sly}, "input": {"item": sly}}))];
    model.hear(topology(&[("car", all)]), paint.now);
    model.hear(
        News::Happened(from_json(json!({"kind": "error", "path": "car.speed", "error": sly}))),
        paint.now,
    );
    model.hear(
        News::Runs(Ok(from_json(
            json!({"total": 1, "runs": [{"id": sly, "flow": sly, "state": "RUNNING"}]}),
        ))),
        paint.now,
    );
    model.hear(
        News::Queues(Ok(from_json(json!([{"name": sly, "settings": {sly: sly}, "stats": {"workers": 1}}])))),
        paint.now,
    );
    for tab in 0..3 {
        let mut looking = Looking::default();
        looking.act(Action::Tab(tab), &model);
        let picture = text(&drawn(&model, &mut looking, &paint, (100, 30)));
        assert!(picture.chars().all(|letter| letter == '\n' || !letter.is_control()), "{picture}");
    }
}
