//! `/metrics`, read by those who read it.

use crate::http::site::Site;
use crate::server::VictoriaMetrics;
use futures::StreamExt;
use mape::event::Event;
use mape::http::{Access, Role, Service};
use mape::prelude::*;
use mape::telemetry::{FamilyKind, Snapshot, catalogue};
use mape::workflow::{Engine, Task, Tasks};
use serde_json::{Value as Json, json};
use std::process::{Command, Stdio};
use std::time::Duration;

/// An app in which everything that counts has something to count.
struct Busy {
    app: App,
    site: Site,
    engine: Engine,
}

impl Busy {
    /// Names are apart by a tag, because the meters of a process are counted together.
    async fn start(tag: &str) -> Self {
        let app = App::new();
        let car = app.level("road").unwrap().create_loop(tag).unwrap();
        let windows = |s| StreamExt::map(Operators::buffer_count(s, 2), |pair: Vec<u64>| pair[0]);
        let detect = car.monitor("detect").ops_in(windows).map(|n: u64| n).spawn().unwrap();
        let pass = |n: u64, out: Emitter<u64>| async move {
            out.emit(n).await;
        };
        let plan = car.plan("plan").each_unordered(2, pass).spawn().unwrap();
        detect.link(&plan).unwrap();
        // Before anything comes: what is emitted to nobody is gone.
        plan.link_sink(app.channels().sink::<u64>(format!("{tag}.news")), LinkOptions::new()).unwrap();
        detect.start().unwrap();
        for n in 0..8 {
            detect.push(n).await.unwrap();
        }
        let orders = app.logs().log(format!("{tag}.orders"));
        let group = orders.group("bills");
        group.create().await.unwrap();
        orders.append_all(vec![Event::new("order"); 5]).await.unwrap();
        let mut bills = group.source::<Json>().await.unwrap();
        bills.next().await.unwrap().unwrap().acknowledged().await.unwrap();
        let tasks = Tasks::new()
            .with(Task::sync(&format!("{tag}-double"), |i| {
                Ok(json!({"n": i.input()["n"].as_i64().unwrap_or(0) * 2}))
            }))
            .with(Task::sync(&format!("{tag}-fail"), |_| {
                Err::<Json, _>(mape::workflow::TaskError::for_good("no"))
            }));
        let engine = Engine::start(&app, tasks).await.unwrap();
        engine
            .run(&format!("{tag}-double → {tag}-double"), json!({"n": 1}))
            .await
            .unwrap()
            .output()
            .await
            .unwrap()
            .unwrap();
        engine
            .run(&format!("{tag}-fail"), json!({"n": 1}))
            .await
            .unwrap()
            .output()
            .await
            .unwrap()
            .unwrap_err();
        let site = Site::with(Service::new(&app).engine(&engine)).await;
        // Kept to the end, for the group to be there.
        tokio::spawn(async move {
            let _bills = bills;
            std::future::pending::<()>().await;
        });
        Self { app, site, engine }
    }

    async fn scrape(&self, accept: &str) -> (String, String) {
        let request = self.site.request(reqwest::Method::GET, "/metrics").header("Accept", accept);
        let response = request.send().await.unwrap();
        assert!(response.status().is_success());
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        (kind, response.text().await.unwrap())
    }
}

/// Has Python's strict reader of `OpenMetrics` read a text, and gives what it finds: names with kinds, and how many samples.
fn read_strictly(text: &str) -> Json {
    const READ: &str = "
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read
families = list(read(sys.stdin.read()))
print(json.dumps({f.name: [f.type, f.documentation, f.unit, [[s.name, s.labels, s.value] for s in f.samples]] for f in families}))
";
    let mut python = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/target/python/bin/python"))
        .args(["-c", READ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut python.stdin.take().unwrap(), text.as_bytes()).unwrap();
    let out = python.wait_with_output().unwrap();
    assert!(out.status.success(), "{}\n{text}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strict_reader_reads_it_and_finds_what_was_counted() {
    let busy = Busy::start("read").await;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let (_, text) = busy.scrape("application/openmetrics-text; version=1.0.0,text/plain;q=0.5").await;
        let read = tokio::task::spawn_blocking(move || read_strictly(&text)).await.unwrap();
        let value = |family: &str, wanted: &[(&str, &str)]| {
            let samples = read[family][3].as_array().cloned().unwrap_or_default();
            let has = |sample: &Json| wanted.iter().all(|(name, value)| sample[1][name] == *value);
            samples.iter().find(|sample| has(sample)).map_or(-1.0, |sample| sample[2].as_f64().unwrap())
        };
        let seen = [
            value("mape_element_received", &[("element", "detect"), ("level", "road"), ("loop", "read")]),
            value("mape_channel_published", &[("channel", "read.news")]),
            value("mape_group_lag", &[("group", "read.orders/bills")]),
            value("mape_group_acknowledged", &[("group", "read.orders/bills")]),
            value("mape_task_completed", &[("task", "read-double")]),
            value("mape_task_failed", &[("task", "read-fail")]),
            value("mape_operator_queued", &[("operator", "buffer_count"), ("element", "read.detect")]),
        ];
        let expected = [8.0, 4.0, 0.0, 1.0, 2.0, 1.0, 0.0_f64];
        if seen.map(f64::to_bits) == expected.map(f64::to_bits) {
            assert!(value("mape_workflow_runs", &[("status", "finished")]) >= 1.0);
            assert!(value("mape_http_responses", &[("status", "2xx")]) >= 0.0);
            assert!(value("process_resident_memory_bytes", &[]) > 1e6);
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "{seen:?}");
    }
    busy.engine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_for_nothing_gets_the_older_format() {
    let busy = Busy::start("older").await;
    let (kind, text) = busy.scrape("*/*").await;
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    assert!(text.contains("# TYPE mape_element_received_total counter\n"), "{text}");
    assert!(!text.contains("# EOF") && !text.contains("# UNIT"));
    let (kind, text) = busy.scrape("text/html, application/openmetrics-text;version=1.0.0").await;
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(text.ends_with("# EOF\n"));
}

/// The catalogue is what documents and dashboards are checked against, so nothing may be missing in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_is_counted_is_in_the_catalogue_and_the_guide() {
    let busy = Busy::start("catalogue").await;
    let catalogue = catalogue();
    let snapshot = Snapshot::read(&busy.app).await;
    // Tests beside this one count what they like.
    let own = |name: &str| !name.starts_with("mape_press_");
    for family in snapshot.families().iter().filter(|family| own(&family.name)) {
        let known = catalogue.iter().find(|metric| metric.name == family.name);
        let known = known.unwrap_or_else(|| panic!("{} is not in the catalogue", family.name));
        assert_eq!((known.kind, known.help), (family.kind, family.help));
        for label in family.samples.iter().flat_map(|sample| &sample.labels).map(|(name, _)| *name) {
            assert!(
                known.labels.contains(&label) || label == "element" || family.name == "mape_build_info",
                "{known:?}"
            );
        }
    }
    let guide = include_str!("../../../docs/guide/metrics.md");
    let wanted: Vec<_> = catalogue
        .iter()
        .map(|metric| {
            let kind = match metric.kind {
                FamilyKind::Counter => "counter",
                FamilyKind::Gauge => "gauge",
                FamilyKind::Histogram => "histogram",
            };
            let total = if metric.kind == FamilyKind::Counter { "_total" } else { "" };
            let labels =
                metric.labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
            format!("| `{}{total}` | {kind} | {labels} | {} |", metric.name, metric.help)
        })
        .filter(|line| !guide.lines().any(|given| given == line))
        .collect();
    assert!(wanted.is_empty(), "docs/guide/metrics.md lacks:\n{}", wanted.join("\n"));
    let names: Vec<_> =
        guide.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    for name in names.iter().filter(|name| name.starts_with("mape_") || name.starts_with("process_")) {
        let name = name.trim_end_matches("_total");
        assert!(catalogue.iter().any(|metric| metric.name == name), "there is no {name}");
    }
}

/// The configuration is that of `deploy/`, with another address and a faster clock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_server_scrapes_it_with_a_token_that_may_read() {
    let busy = Busy::start("scraped").await;
    let token = "a token that may only read things";
    let access = Access::new().token("prometheus", token, Role::Read);
    let site = Site::with(Service::new(&busy.app).access(access)).await;
    let file = std::env::temp_dir().join(format!("mape-scrape-token-{}", std::process::id()));
    std::fs::write(&file, token).unwrap();
    let shipped = include_str!("../../../deploy/prometheus.yml");
    let mut configuration = shipped.to_owned();
    for (shipped, here) in [
        ("scrape_interval: 10s", "scrape_interval: 1s"),
        ("/tmp/token", file.to_str().unwrap()),
        ("serve:6060", site.serving.url().trim_start_matches("http://")),
    ] {
        assert!(configuration.contains(shipped), "deploy/prometheus.yml is another now: {shipped}");
        configuration = configuration.replace(shipped, here);
    }
    let server =
        tokio::task::spawn_blocking(move || VictoriaMetrics::scraping(&configuration)).await.unwrap();
    let query =
        format!("{}/api/v1/query?query=mape_element_received_total%7Bloop%3D%22scraped%22%7D", server.url());
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let answer = site.client.get(&query).send().await.unwrap().text().await.unwrap();
        let answer: Json = serde_json::from_str(&answer).unwrap();
        let found = answer["data"]["result"].as_array().cloned().unwrap_or_default();
        let is_it = |one: &&Json| one["metric"]["element"] == "detect";
        if let Some(one) = found.iter().find(is_it) {
            assert_eq!((&one["metric"]["job"], &one["value"][1]), (&json!("mape"), &json!("8")), "{answer}");
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "{answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    std::fs::remove_file(&file).unwrap();
    busy.engine.close().await.unwrap();
}
