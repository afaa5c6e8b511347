//! The example program that writes a file.

use crate::patterns::example;
use crate::server::{Directory, InfluxDb, VictoriaMetrics};
use std::fs;
#[cfg(unix)]
use std::process::Command;
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
        out.ends_with(
            "2 points written, 2 refused, 0 lost, 0 not tried; 1 had no field, 3 lines are no points, 1 are empty: 9 lines\n"
        ),
        "{out}"
    );
    for words in [
        "jsonl:2: this is no point: no JSON, at column 2: ",
        "jsonl:3: this is no point: it has no `fields`; a point looks like {",
        "jsonl:4: this is no point: `tgas` is not known",
        "jsonl:6: refused: ",
        "type conflict",
        "jsonl:7: refused: ",
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
    let told: Vec<_> = errors.lines().collect();
    assert!(
        told.len() == 2
            && told[0].starts_with("not reached: no answer from")
            && told[0].ends_with(" again for 0.3 s"),
        "{errors}"
    );
    let server = InfluxDb::start();
    let (code, out, errors) = run(item, &server.url(), &[]);
    assert!(code == Some(1) && errors.contains("database not found"), "{out}{errors}");
    assert!(errors.starts_with("everything is refused: ") && errors.lines().count() == 1, "{errors}");
    let (code, _, errors) = run(item, "redis://h", &[]);
    assert!(code == Some(1) && errors.contains("neither http nor https"), "{errors}");
}

#[test]
fn of_a_file_that_is_refused_as_a_whole_one_line_is_told_and_the_rest_not_read() {
    let server = InfluxDb::start();
    let line = |n: i64| format!(r#"{{"measurement":"m","fields":{{"v":{n}.5}},"time":{n}}}"#);
    let items: Vec<_> = (1..=300_000).map(line).collect();
    let (code, out, errors) = run(&items.join("\n"), &server.url(), &[]);
    assert_eq!((code, errors.lines().count()), (Some(1), 1), "{out}{errors}");
    assert!(errors.starts_with("everything is refused: "), "{errors}");
    assert!(out.ends_with(" lines; the rest of the file was not read\n"), "{out}");
    let figures = out.split(|letter: char| !letter.is_ascii_digit()).filter(|figure| !figure.is_empty());
    let figures: Vec<u64> = figures.map(|figure| figure.parse().unwrap()).collect();
    let (lines, parts) = figures.split_last().unwrap();
    assert_eq!((parts.iter().sum::<u64>(), parts.len()), (*lines, 7), "{out}");
}

#[test]
fn patterns_say_what_has_become_of_their_points() {
    let server = InfluxDb::secured("s3cret");
    for name in ["coordinated_control", "regional_planning", "hierarchical_control"] {
        let mut program = example(name);
        program.env("MAPE_INFLUXDB__URL", server.url()).env("MAPE_INFLUXDB__BUCKET", "none");
        program.env("MAPE_INFLUXDB__TOKEN", "wr0ng");
        let Output { status, stderr, .. } = program.output().unwrap();
        let errors = String::from_utf8(stderr).unwrap();
        assert!(status.success() && !errors.contains("wr0ng"), "{name}: {errors}");
        let begins = format!("0 points written to {}, ", server.url());
        let told = errors
            .lines()
            .find(|line| line.starts_with(&begins))
            .unwrap_or_else(|| panic!("{name}: {errors}"));
        assert!(told.contains(" refused, 0 lost: ") && told.contains(" answered 401"), "{name}: {told}");
    }
}

#[cfg(unix)]
#[test]
fn the_time_of_the_water_network_is_that_of_its_data_however_long_it_stays() {
    use std::io::{BufRead, BufReader};
    let started = std::time::Instant::now();
    let mut program = example("water_network");
    let mut program = program.args(["--json", "--stay", "--listen", "127.0.0.1:0"]).spawn().unwrap();
    let mut told = BufReader::new(program.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(told.any(|line| line.starts_with("all readings are in")));
    let read = started.elapsed();
    // It stays, which nothing tells.
    while started.elapsed() < read + std::time::Duration::from_secs(1) {
        std::thread::yield_now();
    }
    assert!(Command::new("kill").args(["-INT", &program.id().to_string()]).status().unwrap().success());
    let Output { status, stdout, .. } = program.wait_with_output().unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&stdout).unwrap();
    assert!(
        status.success() && summary["seconds"].as_f64().unwrap() <= read.as_secs_f64(),
        "{summary} {read:?}"
    );
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
