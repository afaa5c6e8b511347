//! The example program that writes a file.

use crate::patterns::example;
use crate::server::{Directory, InfluxDb, VictoriaMetrics};
use std::fs;
use std::process::Output;

fn run(items: &str, url: &str, more: &[&str]) -> (Option<i32>, String, String) {
    let directory = Directory::new();
    let file = directory.path().join("items.jsonl");
    fs::write(&file, items).unwrap();
    let arguments = ["--org", "town", "--bucket", "db", "--token", "t0ken", "--url", url, "--items"];
    let Output { status, stdout, stderr } =
        example("influx_write").args(arguments).arg(&file).args(more).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, errors) = (text(stdout), text(stderr));
    assert!(!out.contains("t0ken") && !errors.contains("t0ken"));
    (status.code(), out, errors)
}

#[test]
fn it_ends_with_0_when_all_is_stored() {
    let (influx, victoria) = (InfluxDb::start(), VictoriaMetrics::start());
    influx.create("db");
    let line = |n: i64| {
        format!(
            r#"{{"measurement":"m","tags":{{"t":"a b","empty":""}},"fields":{{"v":{n}.5,"none":null}},"time":{}}}"#,
            n * 1_000_000
        )
    };
    let items: Vec<_> = (1..=12_345).map(line).collect();
    for url in [influx.url(), victoria.url()] {
        let (code, out, errors) = run(&items.join("\n"), &url, &[]);
        assert_eq!((code, errors.as_str()), (Some(0), ""), "{out}");
        assert!(out.starts_with("12345 points written, 0 refused, 0 lost"), "{out}");
    }
    let counted = influx.ask("db", "SELECT count(v), sum(v) FROM m WHERE t = 'a b'");
    assert_eq!(counted["results"][0]["series"][0]["values"][0][1], 12_345, "{counted}");
    let stored = victoria.export();
    assert_eq!(stored.iter().map(|series| series["values"].as_array().unwrap().len()).sum::<usize>(), 12_345);
    assert_eq!(stored[0]["metric"]["__name__"], "m_v");
}

#[test]
fn it_tells_what_is_refused_by_whom_and_ends_with_1() {
    let server = InfluxDb::start();
    server.create("db");
    let items = [
        r#"{"measurement":"m","fields":{"v":1.5},"time":1}"#,
        "no JSON",
        r#"{"measurement":"m","time":1}"#,
        r#"{"measurement":"m","fields":{"v":1.5},"tgas":{}}"#,
        "",
        r#"{"measurement":"m","fields":{"v":"a text"},"time":2}"#,
        r#"{"measurement":"m","tags":{"t":"C:\\"},"fields":{"v":1.5},"time":3}"#,
        r#"{"measurement":"m","tags":{"share":"\\\\server\\share"},"fields":{"v":2.5},"time":4}"#,
        r#"{"measurement":"m","fields":{"v":null},"time":5}"#,
    ];
    let (code, out, errors) = run(&items.join("\n"), &server.url(), &[]);
    assert_eq!(code, Some(1), "{out}{errors}");
    assert!(
        out.starts_with("2 points written, 2 refused, 0 lost, 0 not tried; 1 had no field, 3 lines are no"),
        "{out}"
    );
    for words in [
        "jsonl:2: this is no point",
        "jsonl:3: ",
        "missing field `fields`",
        "`tgas`",
        "type conflict",
        "ends in a backslash",
    ] {
        assert!(errors.contains(words), "{words}: {errors}");
    }
}

#[test]
fn it_gives_up_on_a_server_that_is_away_and_on_one_that_wants_none_of_it() {
    let item = r#"{"measurement":"m","fields":{"v":1.5},"time":1}"#;
    let (code, out, errors) = run(item, "http://127.0.0.1:1", &["--give-up-after", "0.3"]);
    assert_eq!(code, Some(1), "{out}{errors}");
    assert!(
        out.contains("0 points written, 0 refused, 1 lost") && errors.contains("not delivered within 300ms"),
        "{errors}"
    );
    let server = InfluxDb::start();
    let (code, out, errors) = run(item, &server.url(), &[]);
    assert!(code == Some(1) && errors.contains("database not found"), "{out}{errors}");
    let (code, _, errors) = run(item, "redis://h", &[]);
    assert!(code == Some(1) && errors.contains("neither http nor https"), "{errors}");
}

#[test]
fn the_water_network_writes_what_it_measures_plans_and_does_where_the_configuration_says() {
    let server = InfluxDb::secured("s3cret");
    server.create("water");
    let mut program = example("water_network");
    program.args(["--json", "--listen", "127.0.0.1:0"]);
    for (key, value) in [
        ("URL", server.url().as_str()),
        ("BUCKET", "water"),
        ("USERNAME", "admin"),
        ("PASSWORD", "s3cret"),
        ("BATCH__POINTS", "100"),
    ] {
        program.env(format!("MAPE_INFLUXDB__{key}"), value);
    }
    let Output { status, stderr, .. } = program.output().unwrap();
    let errors = String::from_utf8(stderr).unwrap();
    assert!(status.success() && !errors.contains("s3cret"), "{errors}");
    assert!(errors.contains(&format!("points written to {}, 0 refused, 0 lost\n", server.url())), "{errors}");
    let ask = |query: &str| server.ask("water", query)["results"][0]["series"][0]["values"][0].clone();
    assert_eq!(ask("SELECT count(measured) FROM flow")[1], 1268);
    assert_eq!(ask("SELECT count(tank) FROM network")[1], 1268);
    assert_eq!(ask("SELECT count(persistence) FROM plan WHERE done = 'true'")[1], 14);
    let goals = server.ask("water", "SELECT last(state) FROM goal GROUP BY goal");
    let goals = goals["results"][0]["series"].as_array().unwrap().iter();
    let goals: Vec<_> =
        goals.map(|goal| (goal["tags"]["goal"].as_str().unwrap(), goal["values"][0][1].as_i64())).collect();
    let met = ["goals.answer", "goals.calm", "goals.detection", "goals.tank"].map(|goal| (goal, Some(1)));
    assert_eq!(goals, met);
    let first = ask("SELECT first(persistence) FROM plan WHERE action = 'alert, send the crew'");
    let begins = 1_648_105_200_000_000_000_i64; // 2022-03-24T08:00:00+01:00
    assert_eq!(first[0], begins, "the time is that of the reading");
}
