//! `mape flow …` as people and programs run it.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const GOOD: &str = "@flow demo\n@task B '''Does it'''\nA → ? `$.a` B → * C\n";
const BAD: &str = "A → :met;\nB → :meet C(- a: [1 -)\n";

struct Program {
    directory: PathBuf,
}

impl Program {
    fn new(test: &str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("flow").join(test);
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).unwrap();
        Self { directory }.file("good.flow", GOOD.as_bytes()).file("bad.flow", BAD.as_bytes())
    }

    fn file(self, name: &str, content: &[u8]) -> Self {
        std::fs::write(self.directory.join(name), content).unwrap();
        self
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.directory.join(name)).unwrap()
    }

    /// Exit code, standard output and standard error.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mape"));
        command.arg("flow").args(arguments).current_dir(&self.directory).stdin(Stdio::null());
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code().unwrap(), text(stdout), text(stderr))
    }

    /// Exit code, and the lines of standard output as JSON.
    fn json(&self, arguments: &[&str]) -> (i32, Vec<Value>) {
        let (code, out, _) = self.run(&[arguments, &["--json"]].concat());
        (code, out.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }
}

#[test]
fn check_says_all_that_is_wrong_and_exits_with_1_if_there_are_errors() {
    let program = Program::new("check").file("latin1.flow", b"A \xe9");
    assert_eq!(
        program.run(&["check", "good.flow"]),
        (0, "good.flow: 3 tasks, 4 edges\n".into(), String::new())
    );
    let (code, out, err) = program.run(&["check", "good.flow", "bad.flow"]);
    assert_eq!((code, err.trim()), (1, "error: 1 of 2 flows have errors"));
    assert!(out.contains("  --> bad.flow:1:5\n") && out.contains("did you mean the label `:meet`?"), "{out}");
    let (code, lines) = program.json(&["check", "bad.flow"]);
    assert_eq!(
        (code, lines),
        (
            1,
            vec![json!({"diagnostics": [
                {"severity": "error", "code": "unknown-label", "line": 1, "column": 5,
                    "message": "nothing begins with `:met`, so nothing can go there",
                    "help": "did you mean the label `:meet`?"},
                {"severity": "error", "code": "literal", "line": 2, "column": 18,
                    "help": "each `{` needs a `}`, and each `[` a `]`, before the end of the literal",
                    "message": "the literal is no YAML: unclosed bracket '['"},
            ]})]
        )
    );
    let (code, lines) = program.json(&["check", "good.flow", "latin1.flow"]);
    assert_eq!((code, &lines[0]), (1, &json!({"diagnostics": [], "file": "good.flow"})));
    assert_eq!(
        (&lines[1]["diagnostics"][0]["code"], &lines[1]["diagnostics"][0]["column"]),
        (&json!("encoding"), &json!(3))
    );
    // What cannot be read does not hide what is wrong with the others.
    let (code, lines) = program.json(&["check", "missing.flow", "bad.flow", "good.flow"]);
    let found: Vec<_> =
        lines.iter().map(|line| (&line["file"], line["diagnostics"].as_array().unwrap().len())).collect();
    assert_eq!((code, found), (2, vec![(&json!("bad.flow"), 2), (&json!("good.flow"), 0)]));
    let (code, out, err) = program.run(&["check", "bad.flow", "missing.flow"]);
    assert!(code == 2 && out.contains("bad.flow:1:5"), "{out}");
    assert!(
        err.contains("cannot read the flow missing.flow") && err.contains("1 of 2 flows have errors"),
        "{err}"
    );
    let (code, out, err) = program.run(&["check", "missing.flow"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("cannot read the flow missing.flow"), "{err}");
}

#[test]
fn compile_writes_an_object_for_one_flow_and_one_a_line_for_several() {
    let program = Program::new("compile");
    let (code, lines) = program.json(&["compile", "good.flow"]);
    let task = |i, name, column, guard: Value| json!({"i": i, "kind": "task", "name": name, "params": {}, "merge": false, "guard": guard, "line": 3, "column": column});
    let mut b = task(2, "B", 13, json!("$.a"));
    b["doc"] = json!("Does it");
    let mut c = task(3, "C", 19, Value::Null);
    c["iterate"] = json!(true);
    let expected = json!({
        "name": "demo",
        "nodes": [
            {"i": 0, "kind": "start", "line": 1, "column": 1},
            task(1, "A", 1, Value::Null),
            b,
            c,
            {"i": 4, "kind": "end", "merge": false, "line": 4, "column": 1},
        ],
        "edges": [[0, 1], [1, 2], [2, 3], [3, 4]],
    });
    assert_eq!((code, lines), (0, vec![expected.clone()]));
    let (code, lines) = program.json(&["compile", "good.flow", "bad.flow", "good.flow"]);
    assert_eq!((code, lines.len(), &lines[0], &lines[2]), (1, 3, &expected, &expected));
    assert_eq!(lines[1]["diagnostics"].as_array().unwrap().len(), 2);
    let (code, out, err) = program.run(&["compile", "bad.flow"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("error[unknown-label]"), "{err}");
    let (code, out, _) = program.run(&["compile", "good.flow"]);
    assert_eq!(code, 0);
    assert!(out.starts_with("    0  the start  → 1\n    1  A (#1)     → 2\n"), "{out}");
}

#[test]
fn doc_draws_in_three_languages() {
    let program = Program::new("doc");
    for (format, begins) in
        [("mermaid", "stateDiagram-v2\n"), ("dot", "digraph \"demo\" {\n"), ("svg", "<svg xmlns=")]
    {
        let (code, out, _) = program.run(&["doc", "--format", format, "good.flow"]);
        assert_eq!(code, 0);
        assert!(out.starts_with(begins) && out.contains("Does it"), "{out}");
        let (_, out, _) = program.run(&["doc", "--format", format, "--no-docs", "--vertical", "good.flow"]);
        assert!(out.starts_with(begins) && (format == "svg" || !out.contains("Does it")), "{out}");
    }
    assert_eq!(program.run(&["doc", "bad.flow"]).0, 1);
}

#[test]
fn fmt_brings_flows_into_the_layout_in_place_and_can_only_look() {
    let program = Program::new("fmt").file("wild.flow", b"A->B # why\n");
    assert_eq!(program.run(&["fmt", "--check", "good.flow"]).0, 0);
    let (code, out, err) = program.run(&["fmt", "--check", "good.flow", "wild.flow"]);
    assert_eq!((code, err.trim()), (1, "error: 1 of 2 flows are not formatted"));
    assert_eq!(out.trim(), "wild.flow:1: would be changed; run `mape flow fmt wild.flow`");
    let (_, out, _) = program.run(&["fmt", "--stdout", "wild.flow"]);
    assert_eq!((out.as_str(), program.read("wild.flow").as_str()), ("A → B # why\n", "A->B # why\n"));
    assert_eq!(program.run(&["fmt", "wild.flow"]), (0, "formatted wild.flow\n".into(), String::new()));
    assert_eq!(program.read("wild.flow"), "A → B # why\n");
    assert_eq!(program.run(&["fmt", "wild.flow"]), (0, String::new(), String::new()));
    // What cannot be read stays as it is.
    let program = program.file("broken.flow", "A → → B".as_bytes());
    assert_eq!(program.run(&["fmt", "broken.flow"]).0, 1);
    assert_eq!(program.read("broken.flow"), "A → → B");
}
