//! The program as people and programs run it.

#[cfg(feature = "inference")]
mod infer;
#[cfg(all(feature = "http", any(feature = "redis", feature = "file")))]
mod live;
#[cfg(feature = "inference")]
mod model;
#[cfg(all(feature = "http", feature = "file"))]
mod queue;
#[cfg(all(feature = "redis", unix))]
mod receipts;
#[cfg(all(feature = "http", any(feature = "redis", feature = "file")))]
mod service;
#[cfg(any(feature = "redis", feature = "file"))]
mod sharing;
#[cfg(all(feature = "http", unix))]
mod top;

use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The program in a working directory of the test's own, without variables of ours.
struct Program {
    directory: PathBuf,
    variables: Vec<(&'static str, &'static str)>,
}

struct Answer {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Program {
    fn new(test: &str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(test);
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        Self { directory, variables: Vec::new() }
    }

    fn file(self, name: &str, content: &str) -> Self {
        fs::write(self.directory.join(name), content).unwrap();
        self
    }

    fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.push((name, value));
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mape"));
        command.args(arguments).current_dir(&self.directory).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if ["MAPE_", "REDIS_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        command.envs(self.variables.iter().copied());
        command
    }

    fn run(&self, arguments: &[&str]) -> Answer {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Answer { code: status.code().unwrap(), stdout: text(stdout), stderr: text(stderr) }
    }
}

/// The entry of a key in what `config explain --json` writes.
fn entry(answer: &Answer, key: &str) -> Value {
    let entries: Vec<Value> = serde_json::from_str(&answer.stdout).unwrap();
    entries.into_iter().find(|entry| entry["key"] == key).unwrap()
}

#[test]
fn explain_shows_a_table_with_the_origin_of_each_value() {
    let answer = Program::new("explain")
        .file(
            "config.yaml",
            "rest:\n  host_port: 0.0.0.0:80\ninfluxdb:\n  token: hunter2\nmine: {speed: 180}\n",
        )
        .variable("MAPE_LIVE__CLIENT_BUFFER", "7")
        .run(&["config", "explain", "--backend", "redis://me:hunter2@h/0"]);
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""));
    let row = |key: &str| {
        let line = answer.stdout.lines().find(|line| line.split_whitespace().next() == Some(key)).unwrap();
        line.split_whitespace().skip(1).map(String::from).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(row("rest.address"), "0.0.0.0:80 config.yaml:2 (as rest.host_port)");
    assert_eq!(row("backend.url"), "redis://me:[redacted]@h/0 --backend");
    assert_eq!(row("influxdb.token"), "[redacted] config.yaml:4");
    assert_eq!(row("live.client_buffer"), "7 MAPE_LIVE__CLIENT_BUFFER");
    assert_eq!(row("mine.speed"), "180 config.yaml:5");
    assert_eq!(row("debug"), "false default");
    assert!(!answer.stdout.contains("hunter2"));
}

#[test]
fn explain_writes_json_for_programs_and_reads_the_file_it_is_given() {
    let program = Program::new("explain_json")
        .file("config.yaml", "live: {client_buffer: 1}\n")
        .file("other.yaml", "live: {client_buffer: 2}\n");
    let usual = program.run(&["config", "explain", "--json"]);
    assert_eq!(entry(&usual, "live.client_buffer")["value"], 1);
    let given = program.run(&["--json", "--config", "other.yaml", "config", "explain"]);
    assert_eq!(
        entry(&given, "live.client_buffer"),
        json!({"key": "live.client_buffer", "value": 2,
               "origin": {"kind": "file", "file": "other.yaml", "line": 1}})
    );
}

#[test]
fn check_says_that_a_configuration_is_valid_and_where_it_comes_from() {
    let program =
        Program::new("check").file("config.yaml", "debug: true\n").variable("MAPE_REST__ADDRESS", "h:1");
    let answer = program.run(&["config", "check"]);
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""));
    assert!(
        answer.stdout.starts_with("the configuration is valid: 1 from config.yaml, "),
        "{}",
        answer.stdout
    );
    assert!(answer.stdout.trim_end().ends_with(", 1 from the environment"), "{}", answer.stdout);
    let answer = program.run(&["config", "check", "--json"]);
    assert_eq!(
        serde_json::from_str::<Value>(&answer.stdout).unwrap(),
        json!({"valid": true, "problems": []})
    );
}

#[test]
fn a_wrong_configuration_is_shown_with_help_and_exits_with_2() {
    let program = Program::new("wrong")
        .file("config.yaml", "rest:\n  adress: h:1\n")
        .variable("MAPE_LIVE__HEARTBEAT", "soon");
    let answer = program.run(&["config", "check"]);
    assert_eq!((answer.code, answer.stdout.as_str()), (2, ""));
    assert_eq!(
        answer.stderr,
        "error: the configuration cannot be used\n  \
         config.yaml:2: unknown key `rest.adress`\n    \
         help: did you mean `rest.address`?\n  \
         MAPE_LIVE__HEARTBEAT: `MAPE_LIVE__HEARTBEAT` must be a length of time such as 500ms, 30s or 5m 30s, \
         or a number of seconds, not the text \"soon\"\n"
    );
    let answer = program.run(&["config", "check", "--json"]);
    let value: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!((answer.code, &value["valid"]), (2, &json!(false)));
    assert_eq!(value["problems"][0]["key"], "rest.adress");
    assert_eq!(value["problems"][0]["origin"], json!({"kind": "file", "file": "config.yaml", "line": 2}));
    let error: Value = serde_json::from_str(&answer.stderr).unwrap();
    assert_eq!(error["error"]["problems"], value["problems"]);
    assert_eq!(program.run(&["config", "explain"]).code, 2);
}

#[test]
fn a_file_that_is_not_there_or_not_yaml_exits_with_2_and_says_why() {
    let program = Program::new("no_file").file("broken.yaml", "rest: [\n");
    let answer = program.run(&["config", "check", "--config", "absent.yaml"]);
    assert_eq!(answer.code, 2);
    assert!(
        answer.stderr.starts_with("error: cannot read the configuration file `absent.yaml`\n  because: ")
    );
    let answer = program.run(&["config", "check", "--config", "broken.yaml"]);
    assert_eq!(answer.code, 2);
    assert!(answer.stderr.starts_with("error: broken.yaml:"), "{}", answer.stderr);
}

#[test]
fn a_file_to_check_is_an_argument_or_an_option() {
    let program = Program::new("check_file").file("c.yaml", "rest: {push_wait: soon}\n");
    for arguments in [&["config", "check", "c.yaml"][..], &["config", "check", "--config", "c.yaml"]] {
        let answer = program.run(arguments);
        assert_eq!(answer.code, 2, "{}", answer.stderr);
        assert!(answer.stderr.contains("c.yaml:1: `rest.push_wait` must be"), "{}", answer.stderr);
    }
    let both = program.run(&["config", "check", "c.yaml", "--config", "c.yaml"]);
    assert_eq!(both.code, 2);
    assert!(both.stderr.contains("two files"), "{}", both.stderr);
}

#[test]
fn a_collector_in_the_environment_is_never_shown_with_its_token() {
    let program =
        Program::new("endpoint").variable("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1?token=hunter2");
    for arguments in [&["config", "check"][..], &["serve", "--backend", "memory:"]] {
        let answer = program.run(arguments);
        assert_eq!(answer.code, 2, "{}", answer.stderr);
        assert!(!answer.stderr.contains("hunter2"), "{}", answer.stderr);
        assert_eq!(answer.stderr.matches("has a query").count(), 1, "{}", answer.stderr);
    }
}

#[test]
fn what_ends_a_command_is_json_where_the_log_is() {
    let program = Program::new("json_log").file("hi.flow", "log:info(- message: hello -)");
    let answer = program.run(&["run", "--backend", "memory:", "--log-format", "json", "hi.flow"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let lines: Vec<Value> =
        answer.stderr.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert!(lines.iter().any(|line| line["fields"]["signal"] == "task"), "{lines:?}");
    let failed = program.run(&["run", "--backend", "memory:", "--log-format", "json", "absent.flow"]);
    assert_ne!(failed.code, 0);
    assert!(
        failed.stderr.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()),
        "{}",
        failed.stderr
    );
}

#[test]
fn wrong_arguments_exit_with_2_and_help_and_version_with_0() {
    let program = Program::new("usage");
    for arguments in [&["config"][..], &["confg"], &["config", "check", "--nope"], &[]] {
        let answer = program.run(arguments);
        assert_eq!((answer.code, answer.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(answer.stderr.contains("Usage: mape"), "{arguments:?}");
    }
    let help = program.run(&["--help"]);
    assert_eq!(help.code, 0);
    for word in ["config", "--backend <URL>", "--config <FILE>", "--json", "Exit codes: 0 done"] {
        assert!(help.stdout.contains(word), "{word} is not in\n{}", help.stdout);
    }
    let version = format!("mape {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(program.run(&["--version"]).stdout, version);
    assert_eq!(program.run(&["version"]).stdout, version);
    let json: Value = serde_json::from_str(&program.run(&["version", "--json"]).stdout).unwrap();
    assert_eq!(json, json!({"name": "mape", "version": env!("CARGO_PKG_VERSION")}));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Program::new("pipe").command(&["config", "explain"]);
    let answer = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((answer.status.code(), answer.stderr.len()), (Some(0), 0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output_is_a_failure() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = Program::new("full").command(&["version"]);
    let answer = command.stdout(full).stderr(Stdio::piped()).output().unwrap();
    let stderr = String::from_utf8(answer.stderr).unwrap();
    assert_eq!(answer.status.code(), Some(1));
    assert!(stderr.starts_with("error: cannot write to standard output\n  because: "), "{stderr}");
}

#[cfg(not(feature = "inference"))]
#[test]
fn without_models_the_program_says_how_to_get_them() {
    let program =
        Program::new("no_models").file("config.yaml", "models:\n  interest: {file: interest.onnx}\n");
    let infer = program.run(&["infer", "interest.onnx"]);
    assert_eq!((infer.code, infer.stdout.as_str()), (2, ""));
    assert!(infer.stderr.contains("--features inference"), "{}", infer.stderr);
    let check = program.run(&["config", "check"]);
    let told = "config.yaml:2: `models.interest`: this program is built without models";
    assert!(check.code == 2 && check.stderr.contains(told), "{}", check.stderr);
}
