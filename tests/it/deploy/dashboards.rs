//! What Grafana shows: every number that a dashboard asks for is one that there is.

use super::{document, documents, place, text, variables, words};
use crate::http::site::Site;
use mape::app::App;
use mape::http::Service;
use mape::telemetry::{FamilyKind, Metric, catalogue};
use regex::Regex;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// The dashboards, by the names of their files.
pub(super) fn dashboards() -> BTreeMap<String, Value> {
    let files = fs::read_dir(place("grafana/dashboards")).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let json = serde_json::from_str(&fs::read_to_string(path).unwrap());
        let json = json.unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, json)
    };
    files.map(read).collect()
}

/// Those that show something: not the headings.
pub(super) fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    dashboard["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row")
}

/// What a panel asks, and how it calls the answers.
fn queries(panel: &Value) -> impl Iterator<Item = (&str, &str)> {
    panel["targets"].as_array().unwrap().iter().map(|target| {
        let asked = target.get("expr").or_else(|| target.get("query")).unwrap_or(&Value::Null);
        (asked.as_str().unwrap_or_default(), target["legendFormat"].as_str().unwrap_or_default())
    })
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}

/// Something wrong, and where.
#[derive(Default)]
struct Complaints(Vec<String>);

impl Complaints {
    fn unless(&mut self, is_right: bool, what: impl FnOnce() -> String) {
        if !is_right {
            self.0.push(what());
        }
    }
}

impl Drop for Complaints {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.0.is_empty(), "\n  {}", self.0.join("\n  "));
        }
    }
}

#[test]
fn dashboards_are_whole_and_each_panel_says_what_it_shows() {
    // As Grafana calls them.
    const UNITS: [&str; 10] = [
        "short",
        "ops",
        "s",
        "h",
        "percentunit",
        "bytes",
        "velocitykmh",
        "lengthm",
        "bool_on_off",
        "suffix: l/s",
    ];
    let (mut complaints, mut uids) = (Complaints::default(), BTreeSet::new());
    for (name, dashboard) in dashboards() {
        let uid = dashboard["uid"].as_str().unwrap_or_default().to_owned();
        complaints.unless((1..=40).contains(&uid.len()) && uids.insert(uid.clone()), || {
            format!("{name}: uid {uid}")
        });
        for key in ["title", "description"] {
            complaints.unless(!dashboard[key].as_str().unwrap_or_default().is_empty(), || {
                format!("{name}: no {key}")
            });
        }
        complaints.unless(words(&dashboard["tags"]).contains(&"mape"), || {
            format!("{name}: it is not found by its tag")
        });
        complaints
            .unless(dashboard["schemaVersion"].as_u64() >= Some(39), || format!("{name}: an old schema"));
        complaints.unless(panels(&dashboard).count() > 0, || format!("{name}: nothing is shown"));
        let (mut ids, mut cells) = (BTreeSet::new(), BTreeSet::new());
        for panel in dashboard["panels"].as_array().unwrap() {
            let at = format!("{name}: {}", panel["title"]);
            complaints
                .unless(ids.insert(panel["id"].as_u64().unwrap()), || format!("{at}: its id is another's"));
            let grid = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            complaints.unless(grid("x") + grid("w") <= 24, || format!("{at}: too wide"));
            let place = (grid("y")..grid("y") + grid("h"))
                .flat_map(|y| (grid("x")..grid("x") + grid("w")).map(move |x| (x, y)));
            let is_free = place.filter(|cell| !cells.insert(*cell)).count() == 0;
            complaints.unless(is_free, || format!("{at}: it lies on another"));
        }
        for panel in panels(&dashboard) {
            let at = format!("{name}: {}", panel["title"]);
            complaints.unless(!panel["title"].as_str().unwrap_or_default().is_empty(), || {
                format!("{name}: no title")
            });
            let description = panel["description"].as_str().unwrap_or_default();
            complaints.unless(description.len() > 20 && description.ends_with('.'), || {
                format!("{at}: no description")
            });
            let unit = panel["fieldConfig"]["defaults"]["unit"].as_str().unwrap_or_default();
            complaints.unless(UNITS.contains(&unit), || format!("{at}: the unit {unit:?}"));
            complaints.unless(queries(panel).count() > 0, || format!("{at}: it asks nothing"));
            complaints.unless(queries(panel).all(|(asked, _)| !asked.trim().is_empty()), || {
                format!("{at}: it asks nothing")
            });
            let mut names = BTreeSet::new();
            for target in panel["targets"].as_array().unwrap() {
                complaints.unless(target["datasource"]["uid"] == "${datasource}", || {
                    format!("{at}: a data source of its own")
                });
                complaints.unless(names.insert(target["refId"].as_str().unwrap()), || {
                    format!("{at}: two queries of one name")
                });
            }
        }
    }
}

#[test]
fn what_is_chosen_above_is_there_and_used() {
    let mut complaints = Complaints::default();
    for (name, dashboard) in dashboards() {
        let chosen = dashboard["templating"]["list"].as_array().unwrap();
        let named: BTreeSet<&str> = chosen.iter().map(|one| one["name"].as_str().unwrap()).collect();
        complaints.unless(named.len() == chosen.len(), || format!("{name}: two variables of one name"));
        let variable = regex(r"\$\{?(\w+)");
        let mut used: BTreeSet<String> = BTreeSet::new();
        let asked = panels(&dashboard).map(|panel| panel["targets"].to_string());
        let asked = asked.chain(chosen.iter().map(|one| format!("{} {}", one["query"], one["datasource"])));
        for text in asked {
            used.extend(variable.captures_iter(&text).map(|found| found[1].to_owned()));
        }
        let is_given =
            |used: &str| used.starts_with("__") || used == "timeFilter" || used.starts_with("tag_");
        for used in used.iter().filter(|used| !is_given(used)) {
            complaints.unless(named.contains(used.as_str()), || format!("{name}: nobody chooses ${used}"));
        }
        for named in named {
            complaints.unless(used.contains(named), || format!("{name}: ${named} is chosen for nothing"));
        }
        for built_in in used.iter().filter(|used| used.starts_with("__")) {
            let known = ["__rate_interval", "__range", "__all", "__interval"].contains(&built_in.as_str());
            complaints.unless(known, || format!("{name}: ${built_in}"));
        }
    }
}

/// A metric as a query has it, with the labels that are looked at.
struct Asked {
    name: String,
    labels: Vec<String>,
    /// A rate of it is asked for.
    is_rate: bool,
}

/// All metrics of a query.
fn asked(query: &str) -> Vec<Asked> {
    let metric = regex(r"((?:rate|increase)\()?\b((?:mape|process)_[a-z_]+)(?:\{([^}]*)\})?");
    let label = regex(r#"(\w+)\s*(?:=~|!~|!=|=)\s*""#);
    let asked = metric.captures_iter(query).map(|found| Asked {
        name: found[2].to_owned(),
        labels: found
            .get(3)
            .map(|labels| label.captures_iter(labels.as_str()).map(|label| label[1].to_owned()).collect())
            .unwrap_or_default(),
        is_rate: found.get(1).is_some(),
    });
    asked.collect()
}

/// The metric of a name of a series, as Prometheus has it.
fn find<'a>(all: &'a [Metric], series: &str) -> Option<&'a Metric> {
    all.iter().find(|metric| match metric.kind {
        FamilyKind::Counter => series == format!("{}_total", metric.name),
        FamilyKind::Histogram => {
            ["_bucket", "_sum", "_count"].iter().any(|end| series == format!("{}{end}", metric.name))
        }
        FamilyKind::Gauge => series == metric.name,
    })
}

#[test]
fn every_metric_and_label_that_is_asked_for_is_in_the_catalogue() {
    let (all, mut complaints) = (catalogue(), Complaints::default());
    let grouped = regex(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)");
    let legend_label = regex(r"\{\{\s*(\w+)\s*\}\}");
    let chosen = regex(r"^label_values\((.*), (\w+)\)$");
    for (name, dashboard) in dashboards() {
        let mut check = |at: &str, query: &str, others: Vec<String>| {
            let mut known = BTreeSet::from(["instance", "job", "le", "element"]);
            for Asked { name: series, labels, is_rate } in asked(query) {
                let Some(metric) = find(&all, &series) else {
                    complaints.0.push(format!("{at}: there is no {series}"));
                    continue;
                };
                known.extend(metric.labels.iter().copied());
                for label in labels {
                    let is_there = metric.labels.contains(&label.as_str())
                        || ["instance", "element"].contains(&label.as_str());
                    complaints.unless(is_there, || format!("{at}: {series} has no label {label}"));
                }
                let is_counted = metric.kind != FamilyKind::Gauge;
                // Counters say nothing by themselves, and gauges have no rate.
                let is_chosen = query.starts_with("label_values");
                complaints.unless(is_chosen || is_counted == is_rate, || {
                    format!("{at}: a rate of {series}, or none")
                });
            }
            for label in others {
                complaints.unless(known.contains(label.as_str()), || {
                    format!("{at}: nothing there has a label {label}")
                });
            }
        };
        for panel in panels(&dashboard).filter(|panel| panel["datasource"]["type"] == "prometheus") {
            for (query, legend) in queries(panel) {
                let at = format!("{name}: {}", panel["title"]);
                let groups = grouped.captures_iter(query).flat_map(|found| {
                    found[1].split(',').map(|label| label.trim().to_owned()).collect::<Vec<_>>()
                });
                let others =
                    groups.chain(legend_label.captures_iter(legend).map(|found| found[1].to_owned()));
                check(&at, query, others.collect());
                assert!(!asked(query).is_empty(), "{at}: {query}");
            }
        }
        for one in dashboard["templating"]["list"].as_array().unwrap() {
            if let Some(found) = one["definition"].as_str().map(|query| chosen.captures(query).unwrap()) {
                check(&format!("{name}: ${}", one["name"]), &found[0], vec![found[2].to_owned()]);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_dashboard_of_loops_asks_is_answered_by_a_service_with_a_loop() {
    let app = App::new();
    let car = app.create_loop("car").unwrap();
    let speed = car.monitor("speed").map(|n: u64| n).spawn().unwrap();
    let policy = car.execute("policy").act(|_: u64| {}).spawn().unwrap();
    speed.link(&policy).unwrap();
    speed.start().unwrap();
    speed.push(1).await.unwrap();
    let site = Site::with(Service::new(&app)).await;
    let scrape = || async {
        let answer = site.request(reqwest::Method::GET, "/metrics").send().await.unwrap();
        answer.text().await.unwrap()
    };
    // A latency is there once something was measured.
    while !scrape().await.contains("mape_link_wait_seconds_bucket") {
        tokio::task::yield_now().await;
    }
    let text = scrape().await;
    let there: BTreeSet<&str> = text.lines().filter_map(|line| line.split(['{', ' ']).next()).collect();
    // These come with what this loop does not have.
    let others = ["mape_operator_", "mape_calls_", "mape_goal_"];
    let dashboard = &dashboards()["loops.json"];
    let asked: BTreeSet<String> =
        panels(dashboard).flat_map(queries).flat_map(|(query, _)| asked(query)).map(|one| one.name).collect();
    let missing: Vec<&String> = asked
        .iter()
        .filter(|name| !there.contains(name.as_str()) && !others.iter().any(|other| name.starts_with(other)))
        .collect();
    assert!(missing.is_empty() && asked.len() > 12, "{missing:?}");
}

#[test]
fn grafana_and_prometheus_are_given_what_they_look_for() {
    let (compose, config) = (document("compose/compose.yaml"), document("compose/config.yaml"));
    let services = compose["services"].as_object().unwrap();
    let sources = document("grafana/provisioning/datasources/mape.yaml");
    let known = variables("compose/grafana.env.example");
    for source in sources["datasources"].as_array().unwrap() {
        let url = source["url"].as_str().unwrap().strip_prefix("http://").unwrap();
        let (host, port) = url.split_once(':').unwrap();
        let ports = words(&services[host]["ports"]);
        assert!(ports[0].ends_with(&format!(":{port}")), "{url}: {ports:?}");
        if let Some(header) = source["secureJsonData"]["httpHeaderValue1"].as_str() {
            let name = header.strip_prefix("Token $").unwrap();
            assert!(known.iter().any(|(one, _)| one == name), "{name}");
        }
    }
    let kinds: BTreeSet<&str> =
        sources["datasources"].as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap()).collect();
    for (name, dashboard) in dashboards() {
        let kind = dashboard["templating"]["list"][0]["query"].as_str().unwrap();
        assert!(kinds.contains(kind), "{name}: {kind}");
    }
    assert_eq!(sources["datasources"][1]["jsonData"]["dbName"], config["influxdb"]["bucket"]);

    let mounted: BTreeMap<&str, &str> = words(&services["grafana"]["volumes"])
        .into_iter()
        .map(|volume| {
            let mut parts = volume.split(':');
            (parts.next().unwrap(), parts.next().unwrap())
        })
        .collect();
    let provider = document("grafana/provisioning/dashboards/mape.yaml");
    assert_eq!(provider["providers"][0]["options"]["path"], mounted["../grafana/dashboards"]);
    assert_eq!(mounted["../grafana/provisioning"], "/etc/grafana/provisioning");

    let [scrapes] = documents("prometheus.yml").try_into().unwrap();
    let job = &scrapes["scrape_configs"][0];
    let prometheus = &services["prometheus"];
    let script = prometheus["command"][0].as_str().unwrap();
    let token = job["authorization"]["credentials_file"].as_str().unwrap();
    assert!(script.contains(&format!("> {token}")) && words(&prometheus["tmpfs"]) == ["/tmp"], "{script}");
    let at = prometheus["configs"][0]["target"].as_str().unwrap();
    assert!(script.contains(&format!("--config.file={at}")), "{script}");
    let given = variables("compose/prometheus.env.example");
    assert!(script.contains(&format!("$${}", given[0].0)), "{script}");
    let target = job["static_configs"][0]["targets"][0].as_str().unwrap();
    let address = config["rest"]["address"].as_str().unwrap();
    assert_eq!(target, format!("serve:{}", address.rsplit(':').next().unwrap()));
    // What Prometheus may do is to read.
    assert_eq!(config["rest"]["tokens"]["dashboard"]["role"], "read");
    assert!(text("compose/prometheus.env.example").contains("MAPE_REST__TOKENS__DASHBOARD__TOKEN"));
    // As often as it asks, Grafana believes it.
    let interval = &scrapes["global"]["scrape_interval"];
    assert_eq!(&sources["datasources"][0]["jsonData"]["timeInterval"], interval);
}
