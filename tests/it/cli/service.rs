//! The commands that ask a service.

use super::sharing::Running;
use super::{Answer, Program};
use futures::StreamExt;
use mape::app::App;
use mape::http::{Access, Role, Service, Serving};
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;
use std::sync::Arc;

/// A service with a loop, and the program beside it.
struct World {
    program: Arc<Program>,
    app: App,
    serving: Serving,
}

impl World {
    async fn new(test: &str, access: Access) -> Self {
        let app = App::new();
        let car = app.level("town").unwrap().create_loop("car").unwrap();
        let double = car.plan("double").map(|n: u64| n * 2).spawn().unwrap();
        double.expose();
        let idle = car.execute("idle").act(|_: u64| {}).spawn().unwrap();
        double.link(&idle).unwrap();
        let serving = Service::new(&app).access(access).listen("127.0.0.1:0").await.unwrap();
        Self { program: Arc::new(Program::new(test)), app, serving }
    }

    /// What a command answers that is run beside the service.
    async fn run(&self, arguments: &[&str], input: &'static str) -> Answer {
        let (program, url) = (self.program.clone(), self.serving.url());
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let run = move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(["--url", &url]).collect();
            let mut command = program.command(&arguments);
            let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn().unwrap();
            child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
            let output = child.wait_with_output().unwrap();
            let text = |bytes| String::from_utf8(bytes).unwrap();
            let code = output.status.code().unwrap();
            Answer { code, stdout: text(output.stdout), stderr: text(output.stderr) }
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn push_pushes_an_item_a_file_or_lines_and_errors() {
    let world = World::new("push", Access::new()).await;
    let double = world.app.element::<u64, u64>("car.double").unwrap();
    let mut seen = double.subscribe().signals();

    let one = world.run(&["push", "car.double", "21"], "").await;
    assert_eq!(
        (one.code, one.stdout.as_str()),
        (0, "pushed an item into car.double, number 1\n"),
        "{}",
        one.stderr
    );
    let failed = world.run(&["push", "town.car.double", "\"flat\"", "--error"], "").await;
    assert_eq!(failed.code, 0, "{}", failed.stderr);
    std::fs::write(world.program.directory.join("item.json"), "4\n").unwrap();
    let file = world.run(&["push", "car.double", "@item.json", "--json"], "").await;
    assert_eq!(serde_json::from_str::<Value>(&file.stdout).unwrap(), json!({"accepted": 1, "id": 2}));
    let lines = world.run(&["push", "car.double", "-"], "1\n\n2\n3\n").await;
    assert_eq!((lines.code, lines.stdout.as_str()), (0, "pushed 3 into car.double\n"), "{}", lines.stderr);

    assert_eq!(seen.next().await.unwrap().unwrap(), 42);
    assert!(seen.next().await.unwrap().unwrap_err().to_string().contains("flat"));
    let rest: Vec<u64> = seen.take(4).map(Result::unwrap).collect().await;
    assert_eq!(rest, [8, 2, 4, 6]);

    let wrong = world.run(&["push", "car.double", "-"], "7\n\"x\"\n").await;
    assert_eq!(wrong.code, 1);
    assert!(wrong.stderr.contains("1 taken, 1 refused") && wrong.stderr.contains("422"), "{}", wrong.stderr);
    let no_json = world.run(&["push", "car.double", "-"], "7\n{\n").await;
    assert!(
        no_json.code == 1 && no_json.stderr.contains("line 2 of standard input is no JSON"),
        "{}",
        no_json.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_said_with_what_would_be_right() {
    let world = World::new("asked_wrongly", Access::new()).await;
    for (arguments, code, says) in [
        (&["push", "car.duble", "1"][..], 1, "did you mean `double`?"),
        (&["tap", "cart.double"], 1, "did you mean `car`?"),
        (&["push", "car.double", "\"x\""], 1, "the body is no item of `car.double`"),
        (&["push", "car.idle", "1"], 1, "`expose()`"),
        (&["push", "double", "1"], 2, "give loop.element"),
        (&["push", "car.double", "{"], 2, "is no JSON"),
        (&["tap", "car.double", "--port", "6379"], 2, "there are in and out"),
    ] {
        let answer = world.run(arguments, "").await;
        assert_eq!((answer.code, answer.stdout.as_str()), (code, ""), "{arguments:?}: {}", answer.stderr);
        assert!(answer.stderr.contains(says), "{arguments:?}: {}", answer.stderr);
    }
    let nobody = world.program.run(&["loops", "--url", "http://127.0.0.1:1"]);
    assert!(nobody.code == 1 && nobody.stderr.contains("nobody can be reached"), "{}", nobody.stderr);
    let nowhere = world.program.run(&["loops", "--url", "redis://h"]);
    assert!(nowhere.code == 2 && nowhere.stderr.contains("no URL of a service"), "{}", nowhere.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn loops_shows_a_table_with_levels_and_json_for_programs() {
    let world = World::new("loops", Access::new()).await;
    world.app.element::<u64, u64>("car.double").unwrap().push(1).await.unwrap();
    let table = world.run(&["loops"], "").await;
    assert_eq!(table.code, 0, "{}", table.stderr);
    let lines: Vec<&str> = table.stdout.lines().collect();
    assert_eq!(&lines[1..3], ["town", "  car"]);
    let cells: Vec<&str> = lines[3].split_whitespace().collect();
    assert_eq!(cells, ["double", "plan", "running", "1", "0.0", "1", "0.0", "0", "0", "0"]);
    assert!(lines[0].find("role") == lines[3].find("plan"), "{}", table.stdout);
    let json = world.run(&["loops", "--json"], "").await;
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["levels"][0]["loops"][0]["elements"][0]["path"], "car.double");
}

#[tokio::test(flavor = "multi_thread")]
async fn tap_shows_what_passes_and_ends_after_its_count() {
    let world = World::new("tap", Access::new()).await;
    let double = world.app.element::<u64, u64>("car.double").unwrap();
    let url = world.serving.url();
    let mut tap = Running::start(&world.program, &["tap", "car.double", "--count", "2", "--url", &url]);
    tap.stderr.wait_for("listening to what passes car.double");
    for n in 1..=3 {
        double.push(n).await.unwrap();
    }
    assert_eq!(tap.ended(), (0, vec![json!(2), json!(4)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_comes_from_the_option_the_configuration_or_the_environment_and_is_never_shown() {
    let access = Access::new().token("ops", "t0ken-of-the-operators".to_owned(), Role::Operate);
    let world = World::new("token", access).await;
    let without = world.run(&["push", "car.double", "1"], "").await;
    assert!(without.code == 1 && without.stderr.contains("MAPE_REST__TOKEN"), "{}", without.stderr);
    let wrong = world.run(&["push", "car.double", "1", "--token", "hunter2"], "").await;
    assert!(wrong.code == 1 && !wrong.stderr.contains("hunter2"), "{}", wrong.stderr);
    let right = world.run(&["push", "car.double", "1", "--token", "t0ken-of-the-operators"], "").await;
    assert_eq!(right.code, 0, "{}", right.stderr);
    let lines = world.run(&["push", "car.double", "-", "--token", "t0ken-of-the-operators"], "1\n2\n").await;
    assert_eq!(lines.code, 0, "{}", lines.stderr);

    let address = world.serving.address();
    let config = format!("rest:\n  address: {address}\n  token: t0ken-of-the-operators\n");
    std::fs::write(world.program.directory.join("config.yaml"), config).unwrap();
    let (program, configured) = (world.program.clone(), ["loops", "--log-level", "trace"]);
    let answer = tokio::task::spawn_blocking(move || program.run(&configured)).await.unwrap();
    assert!(answer.code == 0 && answer.stdout.contains("double"), "{}", answer.stderr);
    assert!(!answer.stderr.contains("t0ken"), "{}", answer.stderr);
    let explained = world.program.run(&["config", "explain"]);
    assert!(
        explained.stdout.contains("rest.token") && !explained.stdout.contains("t0ken"),
        "{}",
        explained.stdout
    );
}
