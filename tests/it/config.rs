//! The configuration: layers, aliases, hints, origins, secrets.

mod bounds;

use mape::config::{Builder, Config, Error, LogFormat, Origin, Secret, Url, WhenFull};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

const NOTHING: [(&str, &str); 0] = [];

/// A file's text alone.
fn of(yaml: &str) -> Builder {
    Config::builder().text(yaml).without_environment()
}

/// Variables alone.
fn from<const N: usize>(variables: [(&str, &str); N]) -> Builder {
    Config::builder().without_file().environment(variables)
}

fn message(builder: Builder) -> String {
    builder.build().expect_err("the configuration is wrong").to_string()
}

/// A file of its own below the directory for test output.
fn written(name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&file, content).unwrap();
    file
}

// --- layers ---------------------------------------------------------------------------------------------------

#[test]
fn every_combination_of_layers_gives_the_value_of_the_highest() {
    for set in 0..8_u8 {
        let (file, variable, code) = (set & 1 != 0, set & 2 != 0, set & 4 != 0);
        let mut builder = of(if file { "live:\n  client_buffer: 1\n" } else { "" });
        if variable {
            builder = builder.environment([("MAPE_LIVE__CLIENT_BUFFER", "2")]);
        }
        if code {
            builder = builder.set("live.client_buffer", 3);
        }
        let config = builder.build().unwrap();
        let (value, origin) = match (file, variable, code) {
            (_, _, true) => (3, "code"),
            (_, true, _) => (2, "MAPE_LIVE__CLIENT_BUFFER"),
            (true, ..) => (1, "config.yaml:2"),
            _ => (1024, "default"),
        };
        let entry = config.explain().get("live.client_buffer").unwrap().clone();
        assert_eq!(config.live.client_buffer, value);
        assert_eq!((entry.value, entry.origin.to_string().as_str()), (json!(value), origin));
    }
}

#[test]
fn layers_are_merged_key_by_key() {
    let config = of("rest: {push_wait: 2s}\ncars: {a: {x: 1}, b: [1, 2]}\n")
        .environment([
            ("MAPE_REST__BODY_LIMIT_BYTES", "5"),
            ("MAPE_CARS__A__Y", "2"),
            ("MAPE_CARS__B", "[3]"),
        ])
        .build()
        .unwrap();
    assert_eq!(config.rest.push_wait, Duration::from_secs(2));
    assert_eq!(config.rest.body_limit_bytes, 5);
    assert_eq!(config.rest.address, "127.0.0.1:6060");
    assert_eq!(config.get::<Value>("cars").unwrap(), json!({"a": {"x": 1, "y": 2}, "b": [3]}));
}

#[test]
fn the_default_of_every_key_is_what_the_sample_file_says() {
    let sample = Config::builder()
        .file(concat!(env!("CARGO_MANIFEST_DIR"), "/config.yaml"))
        .without_environment()
        .build()
        .unwrap()
        .explain();
    let plain = Config::builder().without_file().without_environment().build().unwrap().explain();
    let values = |explanation: &mape::config::Explanation| -> Vec<_> {
        explanation.entries().iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect()
    };
    assert_eq!(values(&sample), values(&plain));
    for entry in sample.entries() {
        assert!(matches!(entry.origin, Origin::File { line: 1.., .. }), "{} is not in the sample", entry.key);
    }
}

#[test]
fn a_value_set_while_running_is_checked_and_remembered() {
    let mut config = of("rest: {address: 'localhost:1'}").build().unwrap();
    config.set("rest.address", "localhost:2").unwrap();
    assert_eq!(config.rest.address, "localhost:2");
    assert_eq!(config.explain().get("rest.address").unwrap().origin, Origin::Code);
    config.set("rest.host_port", "localhost:3").unwrap();
    assert_eq!(config.rest.address, "localhost:3");
    config.set("cars.limit", 50).unwrap();
    assert_eq!(config.get::<u8>("cars.limit").unwrap(), 50);

    for (key, value) in [("rest.adress", "x:1"), ("rest.address", "nowhere"), ("a..b", "")] {
        assert!(matches!(config.set(key, value), Err(Error::Invalid(_))), "{key}");
    }
    assert_eq!(config.rest.address, "localhost:3");
}

#[test]
fn the_last_of_several_values_in_code_holds_and_an_option_is_named() {
    let config = from(NOTHING).set("live.heartbeat", "1s").set("live.heartbeat", 2).build().unwrap();
    assert_eq!(config.live.heartbeat, Duration::from_secs(2));
    let config = from([("MAPE_BACKEND__URL", "memory:")])
        .option("--backend", "backend.url", "redis://h")
        .build()
        .unwrap();
    assert_eq!(config.backend.url, Some(Url::new("redis://h")));
    assert_eq!(config.explain().get("backend.url").unwrap().origin.to_string(), "--backend");
}

// --- the file -------------------------------------------------------------------------------------------------

#[test]
fn an_empty_file_and_empty_sections_are_the_defaults() {
    let plain = from(NOTHING).build().unwrap().explain();
    for yaml in
        ["", "\n\n", "# only a comment\n", "---\n", "null\n", "{}\n", "rest:\nlive: {}\nredis:\n", "\u{feff}"]
    {
        assert_eq!(of(yaml).build().unwrap().explain(), plain, "{yaml:?}");
    }
}

#[test]
fn malformed_yaml_is_refused_with_its_position() {
    for (yaml, place) in [
        ("rest:\n  address: [1, 2\nlive:\n", "config.yaml:3:"),
        ("rest:\n\taddress: x\n", "config.yaml:2:"),
        ("rest: {}\nlive: {}\nrest: {}\n", "config.yaml:3:1: "),
        ("a: &x 1\nb: *y\n", "config.yaml:2:4: "),
        ("a: .inf\n", "config.yaml:1:4: "),
        ("- 1\n- 2\n", "config.yaml:1:1: "),
        ("just text", "config.yaml:1:1: "),
        ("a: 'open\n", "config.yaml:"),
        ("a: 1\n---\nb: 2\n", "config.yaml:"),
    ] {
        let text = message(of(yaml));
        assert!(text.starts_with(place), "{yaml:?} gave {text}");
        assert!(!text.contains('\n'), "{text}");
    }
}

#[test]
fn nested_aliases_cannot_grow_without_bound() {
    let mut yaml = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for i in 1..12 {
        let nine = vec![format!("*a{}", i - 1); 9].join(", ");
        yaml.extend([format!("a{i}: &a{i} [{nine}]\n")]);
    }
    assert!(matches!(of(&yaml).build(), Err(Error::Syntax { .. })));
}

#[test]
fn a_file_is_data_and_never_builds_an_object() {
    for tag in [
        "!!python/object/apply:os.getpid []",
        "!custom x",
        "!<tag:example.org,2000:x> y",
        "!include other.yaml",
    ] {
        let error = of(&format!("mine:\n  value: {tag}\n")).build().expect_err(tag);
        assert!(matches!(error, Error::Syntax { line: 2, .. }), "{tag}: {error}");
    }
}

#[test]
fn only_true_and_false_are_booleans_and_texts_stay_texts() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Mine {
        country: String,
        switch: String,
        postcode: String,
        big: String,
        time: String,
        yes: bool,
    }
    let config =
        of("mine: {country: NO, switch: on, postcode: 01234, big: 1_000, time: '12:30:45', yes: true}")
            .build()
            .unwrap();
    let mine: Mine = config.get("mine").unwrap();
    let text = |text: &str| text.to_owned();
    assert_eq!(
        mine,
        Mine {
            country: text("NO"),
            switch: text("on"),
            postcode: text("01234"),
            big: text("1_000"),
            time: text("12:30:45"),
            yes: true
        }
    );
    assert_eq!(
        message(of("debug: yes\n")),
        "config.yaml:1: `debug` must be true or false, not the text \"yes\""
    );
}

#[test]
fn anchors_and_merge_keys_work_in_a_file() {
    let config = of("base: &base {x: 1, y: 2}\ncar:\n  <<: *base\n  y: 3\n").build().unwrap();
    assert_eq!(config.get::<Value>("car").unwrap(), json!({"x": 1, "y": 3}));
}

#[test]
fn a_file_that_was_asked_for_must_be_there_and_be_text() {
    let error = Config::builder().file("no/such/file.yaml").build().unwrap_err();
    assert!(matches!(error, Error::Read { .. }));
    assert_eq!(error.to_string(), "cannot read the configuration file `no/such/file.yaml`");

    let file = written("latin1.yaml", b"a: 1\nb: caf\xe9\n");
    let text = message(Config::builder().file(&file).without_environment());
    assert_eq!(text, format!("{}:2:7: the file is not UTF-8 from here on", file.display()));
}

proptest! {
    #[test]
    fn no_text_makes_reading_panic(yaml in "([ \\n\\t:#&*!|>'\"{}\\[\\],?%@`.~-]|[a-c]|rest|live|redis|url|é|0|1e9){0,40}", value in ".{0,12}") {
        let read = of(&yaml).environment([("MAPE_LIVE__HEARTBEAT", value.as_str()), ("MAPE_X", &yaml)]).build();
        match read {
            Ok(config) => prop_assert!(!config.explain().to_string().is_empty()),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}

// --- names ----------------------------------------------------------------------------------------------------

#[test]
fn a_url_or_host_and_port_given_only_in_a_file_with_the_names_of_pymape_work() {
    let file =
        written("mape.yml", "redis:\n  url: redis://localhost:6379\nrest:\n  host_port: 0.0.0.0:6061\n");
    let config = Config::builder().file(&file).without_environment().build().unwrap();
    assert_eq!(config.backend.url, Some(Url::new("redis://localhost:6379")));
    assert_eq!(config.rest.address, "0.0.0.0:6061");
    let table = config.explain().to_string();
    assert!(table.contains(&format!("{}:2 (as redis.url)", file.display())), "{table}");
    assert!(table.contains("(as rest.host_port)"), "{table}");
    assert_eq!(config.get::<String>("rest.address").unwrap(), "0.0.0.0:6061");
    assert_eq!(config.find::<Value>("redis").unwrap(), None);
}

#[test]
fn an_alias_obeys_the_order_of_the_layers() {
    let config = of("backend: {url: 'memory:'}")
        .environment([("MAPE_REDIS__URL", "redis://variable"), ("MAPE_REST__HOST_PORT", "h:1")])
        .set("rest.address", "h:2")
        .build()
        .unwrap();
    assert_eq!(config.backend.url, Some(Url::new("redis://variable")));
    assert_eq!(config.rest.address, "h:2");
}

#[test]
fn an_alias_beside_its_own_name_is_refused() {
    assert_eq!(
        message(of("redis: {url: 'redis://a'}\nbackend:\n  url: redis://b\n")),
        "config.yaml:1: `redis.url` is another name of `backend.url`, which config.yaml:3 sets too; keep one of the two"
    );
    assert_eq!(
        message(of("redis: {host: h}")),
        "config.yaml:1: unknown key `redis.host`; of `redis`, only `redis.url` is read, as another name of `backend.url`"
    );
    assert!(message(of("redis: h")).starts_with("config.yaml:1: `redis` is a section"));
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_what_was_meant() {
    assert_eq!(
        message(of("rest:\n  push_wait: 1s\n  adress: x\n")),
        "config.yaml:3: unknown key `rest.adress`; did you mean `rest.address`?"
    );
    assert_eq!(
        message(of("influxdb:\n  batch:\n    pionts: 1\n")),
        "config.yaml:3: unknown key `influxdb.batch.pionts`; did you mean `influxdb.batch.points`?"
    );
    assert_eq!(
        message(from([("MAPE_BACKEND__ULR", "x")])),
        "MAPE_BACKEND__ULR: unknown key `MAPE_BACKEND__ULR`; did you mean `MAPE_BACKEND__URL`?"
    );
    assert_eq!(
        message(from(NOTHING).set("influxdb.batch.colour", 1)),
        "code: unknown key `influxdb.batch.colour`; `influxdb.batch` has the keys `bytes`, `points`, `wait`"
    );
    assert_eq!(
        message(of("rest: 6060")),
        "config.yaml:1: `rest` is a section, not a value; set its keys, such as `rest.address`"
    );
}

#[test]
fn a_section_that_is_nearly_a_known_one_is_refused() {
    for (given, meant) in [
        ("bakend", "backend"),
        ("backends", "backend"),
        ("influx_db", "influxdb"),
        ("InfluxDB", "influxdb"),
        ("Rest", "rest"),
        ("rets", "rest"),
        ("liv", "live"),
        ("redsi", "redis"),
        ("debg", "debug"),
        ("work-flow", "workflow"),
        ("telemtry", "telemetry"),
    ] {
        let text = message(of(&format!("\n{given}: {{}}\n")));
        let start = format!("config.yaml:2: unknown section `{given}`; did you mean `{meant}`?");
        assert!(text.starts_with(&start), "{text}");
    }
    assert!(message(of("test: {address: 'h:1'}")).contains("did you mean `rest`?"));
    assert!(message(from([("MAPE_BAKEND__URL", "x")])).contains("did you mean `MAPE_BACKEND`?"));
}

#[test]
fn any_other_section_is_the_users_own() {
    let config = of("test: {cases: 3}\nline: 4\nambulance: {speeds: [80, 180]}\ndata: x\n").build().unwrap();
    assert_eq!(config.get::<u8>("test.cases").unwrap(), 3);
    assert_eq!(config.get::<u8>("line").unwrap(), 4);
    assert_eq!(config.get::<Vec<u32>>("ambulance.speeds").unwrap(), [80, 180]);
    assert_eq!(config.get::<String>("data").unwrap(), "x");
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let error = of("rest: {adress: x, push_wait: soon}\nlive: {client_buffer: many}\n")
        .environment([("MAPE_DEBUG", "maybe")])
        .set("backend.nope", 1)
        .build()
        .unwrap_err();
    let mut keys: Vec<_> = error.problems().iter().map(|problem| problem.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["backend.nope", "debug", "live.client_buffer", "rest.adress", "rest.push_wait"]);
    assert_eq!(error.to_string().lines().count(), 5);
}

// --- the environment ------------------------------------------------------------------------------------------

#[test]
fn a_variable_of_the_wrong_type_is_named() {
    for (name, value, expected) in [
        ("MAPE_DEBUG", "yes", "`MAPE_DEBUG` must be true or false, not the text \"yes\""),
        (
            "MAPE_LIVE__CLIENT_BUFFER",
            "-1",
            "`MAPE_LIVE__CLIENT_BUFFER` must be a whole number from 0 up, not -1",
        ),
        ("MAPE_LIVE__CLIENT_BUFFER", "", "must be a whole number from 0 up, not nothing"),
        ("MAPE_LIVE__WHEN_FULL", "wait", "must be `drop_oldest` or `disconnect`, not `wait`"),
        ("MAPE_REST__PUSH_WAIT", "soon", "must be a length of time such as 500ms"),
        ("MAPE_REST__ADDRESS", "6060", "`6060` is not HOST:PORT; write it like 127.0.0.1:6060"),
        ("MAPE_INFLUXDB__BATCH", "5", "`MAPE_INFLUXDB__BATCH` is a section, not a value"),
        ("MAPE_WORKFLOW__EXEC__ALLOW", "ls", "must be a list, not the text \"ls\""),
    ] {
        let text = message(from([(name, value)]));
        assert!(
            text.starts_with(&format!("{name}: ")) && text.contains(expected),
            "{name}={value} gave {text}"
        );
    }
}

#[test]
fn a_variable_is_a_number_for_a_number_and_a_text_for_a_text() {
    let config = from([
        ("MAPE_INFLUXDB__TOKEN", "0123"),
        ("MAPE_INFLUXDB__BUCKET", "true"),
        ("MAPE_INFLUXDB__ORG", "[not a list"),
        ("MAPE_LIVE__CLIENT_BUFFER", "7"),
        ("MAPE_LIVE__WHEN_FULL", "disconnect"),
        ("MAPE_TELEMETRY__LOG_FORMAT", "json"),
        ("MAPE_LIVE__HEARTBEAT", "2.5"),
        ("MAPE_WORKFLOW__EXEC", "{enabled: true, allow: [ls, cat]}"),
        ("MAPE_MINE__SPEED", "180"),
    ])
    .build()
    .unwrap();
    assert_eq!(config.influxdb.token, Some(Secret::new("0123")));
    assert_eq!(config.influxdb.bucket.as_deref(), Some("true"));
    assert_eq!(config.influxdb.org.as_deref(), Some("[not a list"));
    assert_eq!(config.live.client_buffer, 7);
    assert_eq!(config.live.when_full, WhenFull::Disconnect);
    assert_eq!(config.telemetry.log_format, LogFormat::Json);
    assert_eq!(config.live.heartbeat, Duration::from_millis(2500));
    assert!(config.workflow.exec.enabled);
    assert_eq!(config.workflow.exec.allow, ["ls", "cat"]);
    assert_eq!(config.get::<u32>("mine.speed").unwrap(), 180);
    assert_eq!(config.get::<String>("mine.speed").unwrap(), "180");
}

#[test]
fn secrets_and_services_have_names_of_the_users_own_and_known_keys() {
    let config = Config::builder()
        .text("workflow: {request: {services: {pay: {url: 'https://me:pw@pay.example/v1/'}}}}")
        .environment([
            ("MAPE_WORKFLOW__SECRETS__GITHUB", "hunter2"),
            ("MAPE_WORKFLOW__REQUEST__SERVICES__PAY__TOKEN", "hunter3"),
        ])
        .build()
        .unwrap();
    assert_eq!(config.workflow.secrets["github"].expose(), "hunter2");
    let service = &config.workflow.request.services["pay"];
    assert_eq!(service.url.expose(), "https://me:pw@pay.example/v1/");
    assert_eq!(service.token.as_ref().map(Secret::expose), Some("hunter3"));
    let shown = format!("{} {config:?}", config.explain());
    assert!(!shown.contains("hunter") && !shown.contains(":pw@"), "{shown}");
    assert!(shown.contains("workflow.secrets.github"), "{shown}");
    let wrong = message(of("workflow: {request: {services: {pay: {url: 'https://x', tokn: y}}}}"));
    assert!(wrong.contains("tokn"), "{wrong}");
    let wrong = message(of("workflow: {request: {services: {pay: {token: y}}}}"));
    assert!(wrong.contains("url"), "{wrong}");
    let wrong = message(of("workflow: {requests: {timeout: 5s}}"));
    assert!(wrong.contains("did you mean `workflow.request`?"), "{wrong}");
    let wrong = message(of("workflow: {request: {timeout: soon}}"));
    assert!(wrong.contains("workflow.request.timeout"), "{wrong}");
}

#[test]
fn a_variable_with_one_underscore_too_few_or_too_many_is_not_ignored() {
    assert_eq!(
        message(from([("MAPE_REST_ADDRESS", "h:1")])),
        "MAPE_REST_ADDRESS: no section is called `rest_address`; did you mean `MAPE_REST__ADDRESS`, with two underscores?"
    );
    for name in ["MAPE__REST__ADDRESS", "MAPE_REST____ADDRESS", "MAPE_REST___ADDRESS", "MAPE_REST__", "MAPE_"]
    {
        assert!(message(from([(name, "h:1")])).contains("the underscores in the name do not fit"), "{name}");
    }
    assert!(message(from([("MAPE_A", "1"), ("MAPE_A__B", "2")])).contains("MAPE_A sets a plain value above"));
}

#[test]
fn variables_of_others_are_left_alone_and_capitals_of_the_file_are_kept() {
    let config = of("myCars: {topSpeed: 1}")
        .environment([
            ("PATH", "/bin"),
            ("MAPER_X", "1"),
            ("mape_rest__address", "x"),
            ("MAPE_MYCARS__TOPSPEED", "2"),
        ])
        .build()
        .unwrap();
    assert_eq!(config.get::<Value>("myCars").unwrap(), json!({"topSpeed": 2}));
    assert_eq!(config.explain().entries().iter().filter(|entry| entry.origin != Origin::Default).count(), 1);
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_text_is_named() {
    use std::os::unix::ffi::OsStringExt;
    let value = std::ffi::OsString::from_vec(vec![0xff]);
    assert_eq!(
        message(Config::builder().without_file().environment([("MAPE_DEBUG", value)])),
        "MAPE_DEBUG: the value is not UTF-8"
    );
}

// --- the user's own keys --------------------------------------------------------------------------------------

#[test]
fn any_key_is_read_as_any_type() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Car {
        name: String,
        gears: Option<u8>,
        #[serde(default)]
        load: f32,
        mode: Mode,
    }
    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        Eco,
        Sport { boost: u8 },
    }
    let config = of("
cars:
  - {name: panda, gears: 5, load: 3, mode: eco}
  - {name: '500', mode: {sport: {boost: 9}}}
")
    .build()
    .unwrap();
    let car = |name: &str, gears, load, mode| Car { name: name.into(), gears, load, mode };
    assert_eq!(
        config.get::<Vec<Car>>("cars").unwrap(),
        [car("panda", Some(5), 3.0, Mode::Eco), car("500", None, 0.0, Mode::Sport { boost: 9 })]
    );
    let error = config.get::<Vec<u8>>("cars").unwrap_err();
    assert!(
        error.to_string().contains("`cars.0` must be a whole number from 0 to 255, not a section"),
        "{error}"
    );
    let whole: Value = config.get("").unwrap();
    assert_eq!(whole["cars"][0]["name"], "panda");
    assert_eq!(whole["rest"]["address"], "127.0.0.1:6060");
}

#[test]
fn a_wrong_value_deep_in_a_section_of_the_users_is_named_with_its_line() {
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Limits {
        #[serde(rename = "top")]
        _top: u8,
    }
    let config = of("a:\n  b:\n    top: 300\n  c:\n    tops: 1\n  d: {}\n").build().unwrap();
    let text = |key| config.get::<Limits>(key).unwrap_err().to_string();
    assert_eq!(text("a.b"), "config.yaml:3: `a.b.top` must be a whole number from 0 to 255, not 300");
    assert_eq!(text("a.c"), "config.yaml:5: `a.c`: unknown key `tops`; did you mean `top`?");
    assert_eq!(text("a.d"), "config.yaml:6: `a.d`: the key `top` is missing");
}

#[test]
fn a_key_that_nobody_set_is_missing_and_its_neighbour_is_offered() {
    let config = of("cars: {limit: 50, none: null}").build().unwrap();
    let error = config.get::<u8>("cars.limti").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the configuration has no `cars.limti` (did you mean `cars.limit`?): \
         set it in config.yaml or as MAPE_CARS__LIMTI"
    );
    assert!(matches!(config.get::<u8>("cars.none"), Err(Error::Missing { near: None, .. })));
    assert_eq!(config.find::<u8>("cars.none").unwrap(), None);
    assert_eq!(config.find::<u8>("cars.limit.deeper").unwrap(), None);
}

// --- explain and secrets --------------------------------------------------------------------------------------

#[test]
fn explain_names_the_origin_of_every_value_and_shows_no_secret() {
    let config = of("
backend: {url: 'redis://me:hunter2@h/0', password: hunter2}
influxdb: {token: hunter2}
mail:
  smtp_password: hunter2
  servers: ['smtp://u:hunter2@h', {api_key: hunter2}]
tokens: [hunter2]
")
    .environment([("MAPE_INFLUXDB__PASSWORD", "hunter2"), ("MAPE_MAIL__FROM", "a@b")])
    .set("live.heartbeat", "1s")
    .build()
    .unwrap();
    let explanation = config.explain();
    let json = serde_json::to_string(&explanation).unwrap();
    let table = explanation.to_string();
    for shown in
        [&table, &json, &format!("{config:?} {:?}", config.backend), &format!("{:?}", config.influxdb)]
    {
        assert!(!shown.contains("hunter2") && shown.contains("redacted"), "{shown}");
    }
    assert_eq!(config.get::<String>("influxdb.token").unwrap(), "hunter2");
    assert_eq!(config.backend.url.as_ref().unwrap().expose(), "redis://me:hunter2@h/0");

    let origin = |key: &str| explanation.get(key).unwrap().origin.to_string();
    assert_eq!(origin("mail.smtp_password"), "config.yaml:5");
    assert_eq!(origin("mail.from"), "MAPE_MAIL__FROM");
    assert_eq!(origin("live.heartbeat"), "code");
    assert_eq!(origin("rest.address"), "default");
    assert!(table.starts_with("KEY "), "{table}");
    assert!(
        table.lines().any(|line| line.starts_with("rest.address ") && line.ends_with("default")),
        "{table}"
    );
    let entries: Value = serde_json::from_str(&json).unwrap();
    let token = entries.as_array().unwrap().iter().find(|entry| entry["key"] == "influxdb.token").unwrap();
    assert_eq!(
        *token,
        json!({"key": "influxdb.token", "value": "[redacted]",
               "origin": {"kind": "file", "file": "config.yaml", "line": 3}})
    );
}

#[test]
fn no_error_shows_a_secret() {
    for (yaml, says) in [
        ("influxdb:\n  token: [hunter2]\n", "`influxdb.token` (not shown) must be a text"),
        ("influxdb:\n  token: 77777\n", "`influxdb.token` (not shown) must be a text"),
        ("live:\n  client_buffer: redis://u:hunter2@h\n", "not the text \"redis://u:[redacted]@h\""),
        ("influxdb:\n  token: hunter2\n  tokn: hunter2\n", "unknown key `influxdb.tokn`"),
        ("influxdb:\n  token: hunter2\n bad\n", "config.yaml:3:"),
        ("influxdb:\n  token: \"hunter2\n", "config.yaml:"),
    ] {
        let text = message(of(yaml));
        assert!(text.contains(says) && !text.contains("hunter2") && !text.contains("7777"), "{text}");
    }
}
