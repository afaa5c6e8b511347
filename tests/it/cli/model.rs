//! `mape model`, and models in `mape config` and `mape serve`.

use super::sharing::Running;
use super::{Answer, Program};
use crate::http::site::client;
use crate::suite::eventually;
use mape::app::App;
use mape::http::{Service, Serving};
use mape::infer::Models;
use serde_json::{Value, json};
use std::sync::Arc;

fn data(name: &str) -> String {
    format!("{}/tests/data/models/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A service with models, and the program beside it.
struct World {
    program: Arc<Program>,
    models: Models,
    serving: Serving,
}

impl World {
    async fn new(test: &str) -> Self {
        let models = Models::new();
        let service = Service::new(&App::new()).models(&models);
        let serving = service.listen("127.0.0.1:0").await.unwrap();
        Self { program: Arc::new(Program::new(test)), models, serving }
    }

    async fn run(&self, arguments: &[&str]) -> Answer {
        let (program, url) = (self.program.clone(), self.serving.url());
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let run = move || {
            let mut all = vec!["model"];
            all.extend(arguments.iter().map(String::as_str));
            program.run(&[&all[..], &["--url", &url]].concat())
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    }

    /// What is said, of what can be done.
    async fn says(&self, arguments: &[&str]) -> String {
        let answer = self.run(arguments).await;
        assert_eq!((answer.code, answer.stderr.as_str()), (0, ""), "{arguments:?}");
        answer.stdout
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_sent_swapped_taken_back_and_removed() {
    let world = World::new("model").await;
    let none = world.run(&["list"]).await;
    assert!(none.code == 0 && none.stderr.contains("there are no models"), "{}", none.stderr);
    let (mlp, other) = (data("mlp.onnx"), data("mlp-2.onnx"));
    let classes = ["--classes", "goodbye,greeting,hours,interested,opentoday,payments,thanks"];
    let loaded = world.says(&[&["load", "interest", &mlp], &classes[..]].concat()).await;
    assert_eq!(loaded, "interest: version 1 is loaded, and live\n");
    let loaded = world.says(&["load", "interest", &other, "--version", "big"]).await;
    assert!(loaded.contains("version big is loaded; `mape model swap interest big`"), "{loaded}");
    assert_eq!(
        world.says(&["swap", "interest", "big"]).await,
        "interest: version big is live, and 1 was before\n"
    );
    let swapped = world.says(&["load", "interest", &mlp, "--swap"]).await;
    assert_eq!(swapped, "interest: version 3 is live, and big was before\n");
    assert_eq!(world.says(&["rollback", "interest"]).await, "interest: version big is live again\n");

    let row = json!(vec![1; 44]).to_string();
    let verdict: Value = serde_json::from_str(&world.says(&["run", "interest", &row]).await).unwrap();
    assert_eq!((&verdict["version"], verdict["scores"].as_array().unwrap().len()), (&json!("big"), 7));
    let table = world.says(&["list"]).await;
    let cells: Vec<&str> = table.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(cells, ["interest", "big", "3", "-", "bag", "[44]", "f32", "scores", "[7]", "f32", "1"]);
    let shown = world.says(&["show", "interest"]).await;
    assert!(shown.contains("version big (live)") && shown.contains("classes: goodbye, greeting"), "{shown}");
    let json: Value = serde_json::from_str(&world.says(&["show", "interest", "--json"]).await).unwrap();
    assert_eq!((&json["live"], &json["counts"]["rows"]), (&json!("big"), &json!(1)));

    assert_eq!(world.says(&["retire", "interest", "3"]).await, "interest: version 3 is removed\n");
    let live = world.run(&["retire", "interest", "big"]).await;
    assert!(live.code == 1 && live.stderr.contains("is live"), "{}", live.stderr);
    world.says(&["remove", "interest"]).await;
    assert!(world.models.list().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_tried_beside_a_model_is_followed() {
    let world = World::new("model_shadow").await;
    for file in ["mlp.onnx", "mlp-2.onnx"] {
        world.says(&["load", "interest", &data(file)]).await;
    }
    let told = world.says(&["shadow", "interest", "2", "--tolerance", "0"]).await;
    assert!(told.starts_with("interest: version 2 is tried beside 1"), "{told}");
    let url = world.serving.url();
    let arguments = ["model", "disagreements", "interest", "--count", "1", "--url", &url];
    let mut followed = Running::start(&world.program, &arguments);
    followed.stderr.wait_for("listening");
    world.says(&["run", "interest", &json!(vec![1; 44]).to_string()]).await;
    let (code, lines) = tokio::task::spawn_blocking(move || followed.ended()).await.unwrap();
    assert_eq!((code, lines.len()), (0, 1));
    assert_eq!((&lines[0]["live"]["version"], &lines[0]["shadow"]["version"]), (&json!("1"), &json!("2")));
    assert_eq!(world.says(&["shadow", "interest"]).await, "interest: no version is tried\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_told() {
    let world = World::new("model_refused").await;
    std::fs::write(world.program.directory.join("broken.onnx"), "no model").unwrap();
    world.says(&["load", "interest", &data("mlp.onnx")]).await;
    for (arguments, code, says) in [
        (&["load", "interest", "none.onnx"][..], 2, "cannot read the model none.onnx"),
        (&["load", "interest", "broken.onnx"], 1, "upload of interest is not loaded as ONNX"),
        (&["load", "a/b", "broken.onnx"], 2, "`a/b` is no name"),
        (&["show", "interests"], 1, "did you mean `interest`?"),
        (&["swap", "interest", "9"], 1, "has no version `9`; it has `1`"),
        (&["rollback", "interest"], 1, "there is no way back"),
        (&["run", "interest", "[1"], 2, "is no JSON"),
        (&["run", "interest", "[1]"], 1, "it has 1 numbers, and 44 are a row"),
    ] {
        let answer = world.run(arguments).await;
        assert_eq!((answer.code, answer.stdout.as_str()), (code, ""), "{arguments:?}: {}", answer.stderr);
        assert!(answer.stderr.contains(says), "{arguments:?}: {}", answer.stderr);
    }
}

#[test]
fn a_configuration_is_checked_with_its_models() {
    let (mlp, other) = (data("mlp.onnx"), data("mlp-2.onnx"));
    let checked = |section: &str| {
        Program::new("model_check")
            .file("config.yaml", &format!("models:\n  interest:\n    file: {mlp}\n{section}"))
            .file("broken.onnx", "no model")
            .file("words.json", "[\"help\"]")
            .run(&["config", "check"])
    };
    let right = checked(&format!("    threshold: 0.2\n    shadow: {{file: {other}, tolerance: 0.1}}\n"));
    assert_eq!((right.code, right.stderr.as_str()), (0, ""));
    for (section, says) in [
        (
            "    shadow: broken.onnx\n",
            "config.yaml:4: `models.interest.shadow`: broken.onnx is not loaded as ONNX",
        ),
        ("    classes: [no, yes]\n", "config.yaml:4: `models.interest.classes`: "),
        ("    classes: none.json\n", "the names of classes cannot be read"),
        ("    vocabulary: words.json\n", "config.yaml:4: `models.interest.vocabulary`: "),
        ("    input: bags\n", "config.yaml:4: `models.interest.input`: "),
        ("    treshold: 1\n", "unknown key `treshold`; did you mean `threshold`?"),
        ("    limits: {rows: 0}\n", "`models.interest.limits.rows` must be 1 or more"),
        ("    shadow: 7\n", "`models.interest.shadow` must be the file of another version"),
    ] {
        let wrong = checked(section);
        assert_eq!(wrong.code, 2, "{section}: {}", wrong.stderr);
        let flat = wrong.stderr.replace("\n    help: ", "; ");
        assert!(flat.contains(says), "{section}: {}", wrong.stderr);
    }
}

#[cfg(feature = "file")]
#[tokio::test(flavor = "multi_thread")]
async fn a_service_loads_the_models_of_its_configuration_and_flows_have_them_as_tasks() {
    let yaml = format!("models:\n  interest: {{file: {}, version: big}}\n", data("mlp.onnx"));
    let program = Program::new("model_serve")
        .file("config.yaml", &yaml)
        .file("broken.yaml", "models:\n  interest: {file: none.onnx}\n");
    let mut broken =
        Running::start(&program, &["serve", "--listen", "127.0.0.1:0", "--config", "broken.yaml"]);
    broken.stderr.wait_for("`models.interest.file`: the model none.onnx can't be read");
    assert_eq!(broken.ended().0, 2);

    let served = Running::start(&program, &["serve", "--listen", "127.0.0.1:0"]);
    served.stderr.wait_for("the API are at ");
    let lines = served.stderr.now();
    let url = lines.iter().find_map(|line| line.split("the API are at ").nth(1)).unwrap().trim().to_owned();
    let listed = program.run(&["model", "list", "--url", &url, "--json"]);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!((&listed[0]["name"], &listed[0]["live"]), (&json!("interest"), &json!("big")));
    let begun = json!({"id": "judged", "flow": "infer:interest", "input": {"input": vec![1; 44]}});
    let begun = client().post(format!("{url}/runs")).body(begun.to_string()).send().await.unwrap();
    assert!(begun.status().is_success(), "{begun:?}");
    eventually("the run is over", || async {
        let run = client().get(format!("{url}/runs/judged")).send().await.unwrap().text().await.unwrap();
        let run: Value = serde_json::from_str(&run).unwrap();
        run["output"]["version"] == "big"
    })
    .await;
}

#[test]
fn a_flow_that_is_run_has_the_models_of_the_configuration() {
    let program = Program::new("model_run")
        .file("config.yaml", &format!("models:\n  interest: {{file: {}}}\n", data("mlp.onnx")))
        .file("judge.flow", "infer:interest");
    let input = json!({"input": vec![1; 44]}).to_string();
    let run = program.run(&["run", "judge.flow", "--input", &input, "--json"]);
    let run_said: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((run.code, &run_said["output"]["model"]), (0, &json!("interest")), "{}", run.stderr);
}
