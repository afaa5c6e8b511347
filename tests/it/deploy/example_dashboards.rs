//! What Grafana shows of the example programs: each question is put to an InfluxDB that they have written to.

use super::dashboards::{dashboards, panels};
use crate::patterns::example;
use crate::server::InfluxDb;
use regex::Regex;
use serde_json::Value;

/// A dashboard, and the program that writes what it shows.
const SHOWN: [(&str, &str, &[&str]); 4] = [
    ("example_coordinated_control.json", "coordinated_control", &[]),
    ("example_hierarchical_control.json", "hierarchical_control", &[]),
    ("example_regional_planning.json", "regional_planning", &[]),
    ("example_water_network.json", "water_network", &["--json", "--listen", "127.0.0.1:0"]),
];

#[test]
fn each_panel_of_an_example_shows_what_the_example_has_written() {
    let all = dashboards();
    let examples: Vec<&String> = all.keys().filter(|name| name.starts_with("example_")).collect();
    assert_eq!(examples, SHOWN.map(|(name, ..)| name), "each has a program");
    let (server, alias_tag) = (InfluxDb::start(), Regex::new(r"\$tag_(\w+)").unwrap());
    for (name, program, arguments) in SHOWN {
        let database = program;
        server.create(database);
        let mut command = example(program);
        command.args(arguments);
        command.env("MAPE_INFLUXDB__URL", server.url()).env("MAPE_INFLUXDB__BUCKET", database);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        for panel in panels(&all[name]) {
            for target in panel["targets"].as_array().unwrap() {
                let asked = target["query"].as_str().unwrap();
                assert_eq!(
                    (&target["rawQuery"], &target["resultFormat"]),
                    (&Value::Bool(true), &"time_series".into())
                );
                // As Grafana fills them in. A drive of a minute is over at once, so some times are still to come.
                let query = asked
                    .replace("$timeFilter", "time > 0 AND time < now() + 1d")
                    .replace("$__interval", "1h");
                let answer = server.ask(database, &query);
                let series = answer["results"][0]["series"].as_array();
                let series =
                    series.unwrap_or_else(|| panic!("{name}: {}: {query}: {answer}", panel["title"]));
                for tag in alias_tag.captures_iter(target["alias"].as_str().unwrap()) {
                    let is_told = series.iter().all(|one| one["tags"][&tag[1]].is_string());
                    assert!(is_told, "{name}: {}: {answer}", panel["title"]);
                }
            }
        }
    }
}

#[test]
fn without_a_server_nothing_is_written_and_nobody_waits() {
    for (_, program, arguments) in SHOWN {
        let output = example(program).args(arguments).env_remove("MAPE_INFLUXDB__URL").output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!String::from_utf8_lossy(&output.stderr).contains("points"), "{program}");
    }
}
