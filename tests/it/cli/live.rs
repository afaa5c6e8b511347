//! `mape live`

use super::sharing::Running;
use super::{Answer, Program};
use mape::http::{Access, Service, Serving};
use mape::live::{Interest, Job, Live, Viewer, answering};
use mape::prelude::*;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::Arc;

/// A live service, and the program beside it.
struct World {
    program: Arc<Program>,
    app: App,
    live: Live,
    serving: Serving,
}

impl World {
    async fn new(test: &str) -> Self {
        let app = App::new();
        let live = Live::new(&app);
        let count = app.create_loop("jobs").unwrap().execute("count").each_unordered(
            8,
            answering(|job: Job, parts| async move {
                for n in 0..job.input_as::<u64>()? {
                    parts.send(n).await?;
                }
                Ok::<_, BoxError>(())
            }),
        );
        live.job("count", &count.spawn().unwrap()).unwrap();
        let serving =
            Service::new(&app).live(&live).access(Access::new()).listen("127.0.0.1:0").await.unwrap();
        Self { program: Arc::new(Program::new(test)), app, live, serving }
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let url = self.serving.url();
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--url", &url]).collect();
        let mut command = self.program.command(&arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    async fn run(&self, arguments: &[&str]) -> Answer {
        let child = self.start(arguments);
        let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Answer {
            code: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ask_shows_the_parts_and_fails_with_the_job() {
    let world = World::new("live_ask").await;
    let asked = world.run(&["live", "ask", "count", "3"]).await;
    assert_eq!(asked.code, 0, "{}", asked.stderr);
    let data: Vec<_> = lines(&asked.stdout).iter().map(|part| part["data"].clone()).collect();
    assert_eq!(data, [0, 1, 2]);
    let failed = world.run(&["live", "ask", "count", "\"many\""]).await;
    assert_eq!(failed.code, 1);
    assert!(failed.stderr.contains("the job failed: invalid type: string"), "{}", failed.stderr);
    let unknown = world.run(&["live", "ask", "cuont"]).await;
    assert!(unknown.code == 1 && unknown.stderr.contains("did you mean `count`"), "{}", unknown.stderr);
    let no_json = world.run(&["live", "ask", "count", "{"]).await;
    assert_eq!(no_json.code, 2, "{}", no_json.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn follow_shows_what_fits_until_it_has_seen_enough_or_its_time_is_over() {
    let world = World::new("live_follow").await;
    let following = world.start(&["live", "follow", "--when", "** contains joe@doe.com", "--count", "2"]);
    crate::suite::eventually("the program listens", || async { world.live.counts().clients == 1 }).await;
    for data in [json!({"to": ["joe@doe.com"]}), json!({"to": "jane@doe.com"}), json!("joe@doe.com")] {
        world.live.publish("mails", data).unwrap();
    }
    let output = tokio::task::spawn_blocking(|| following.wait_with_output().unwrap()).await.unwrap();
    let data: Vec<_> =
        lines(&String::from_utf8(output.stdout).unwrap()).iter().map(|p| p["data"].clone()).collect();
    assert_eq!(data, [json!({"to": ["joe@doe.com"]}), json!("joe@doe.com")]);

    let timed = world.run(&["live", "follow", "--name", "x*", "--for", "1s"]).await;
    assert_eq!((timed.code, timed.stdout.as_str()), (0, ""), "{}", timed.stderr);
    let wrong = world.run(&["live", "follow", "--when", "a qe 1"]).await;
    assert!(wrong.code == 2 && wrong.stderr.contains("did you mean `eq`"), "{}", wrong.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn follow_comes_back_to_a_service_that_was_away_for_what_it_missed() {
    let mut world = World::new("live_back").await;
    let address = world.serving.address().to_string();
    let mut following = world.start(&["live", "follow", "--name", "n", "--count", "3"]);
    let mut shown = BufReader::new(following.stdout.take().unwrap()).lines();
    crate::suite::eventually("the program listens", || async { world.live.counts().clients == 1 }).await;
    world.live.publish("n", 1).unwrap();
    let mut next = || serde_json::from_str::<Value>(&shown.next().unwrap().unwrap()).unwrap()["data"].clone();
    assert_eq!(next(), 1);
    world.serving.close(std::time::Duration::from_secs(5)).await;
    world.live.publish("n", 2).unwrap();
    world.serving = Service::new(&world.app).live(&world.live).listen(&address).await.unwrap();
    world.live.publish("n", 3).unwrap();
    assert_eq!((next(), next()), (json!(2), json!(3)));
    let status = tokio::task::spawn_blocking(move || following.wait().unwrap()).await.unwrap();
    assert!(status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn follow_ends_when_the_service_refuses_it_on_return_or_its_time_is_over() {
    let mut world = World::new("live_refused").await;
    let address = world.serving.address().to_string();
    let mut children: Vec<Child> =
        [&["live", "follow", "--name", "n"][..], &["live", "follow", "--for", "3s"]]
            .into_iter()
            .map(|arguments| world.start(arguments))
            .collect();
    crate::suite::eventually("both listen", || async { world.live.counts().clients == 2 }).await;
    let since = std::time::Instant::now();
    world.serving.close(std::time::Duration::from_secs(5)).await;
    world.serving = Service::new(&world.app).live(&world.live).listen(&address).await.unwrap();
    crate::suite::eventually("both are back", || async { world.live.counts().clients == 2 }).await;
    // It did not begin anew.
    let timed = children.pop().unwrap();
    let timed = tokio::task::spawn_blocking(|| timed.wait_with_output().unwrap()).await.unwrap();
    assert!(timed.status.success());
    assert!(since.elapsed() < std::time::Duration::from_millis(3800), "{:?}", since.elapsed());
    // There is no live server here any more.
    world.serving.close(std::time::Duration::from_secs(5)).await;
    world.serving = Service::new(&world.app).listen(&address).await.unwrap();
    let refused = children.pop().unwrap();
    let refused = tokio::task::spawn_blocking(|| refused.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(refused.status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn publish_reaches_who_is_interested() {
    let world = World::new("live_publish").await;
    let mut client = world.live.connect(Viewer::default());
    client.state("all", Interest::all(), None).unwrap();
    let published = world.run(&["live", "publish", "tea time", "{\"cups\": 2}"]).await;
    assert_eq!(
        (published.code, published.stdout.as_str()),
        (0, "published as tea time\n"),
        "{}",
        published.stderr
    );
    let told = client.next().await;
    assert!(matches!(&told, Some(mape::live::Delivery::Part(part)) if part.name() == "tea time"), "{told:?}");
}

#[test]
fn serve_lets_flows_do_jobs_and_publish() {
    let program = Program::new("live_serve");
    std::fs::create_dir_all(program.directory.join("flows")).unwrap();
    let flow = "log:info (- message: hot -) → live:publish(- name: tea.ready -)";
    std::fs::write(program.directory.join("flows/tea.flow"), flow).unwrap();
    let serve = ["serve", "--flow-dir", "flows", "--listen", "127.0.0.1:0"];
    let serving = Running::start(&program, &serve);
    serving.stderr.wait_for("the console and the API are at ");
    let said = serving.stderr.now();
    let url = said.iter().find_map(|line| Some(line.split_once("API are at ")?.1.trim().to_owned())).unwrap();
    let follow = ["live", "follow", "--name", "tea.*", "--count", "1", "--url", &url];
    let mut following = Running::start(&program, &follow);
    following.stderr.wait_for("listening");
    let asked = program.run(&["live", "ask", "flow:tea", "{\"cups\": 2}", "--url", &url]);
    assert_eq!(asked.code, 0, "{}", asked.stderr);
    let last = lines(&asked.stdout).pop().unwrap();
    assert_eq!((&last["data"]["state"], &last["data"]["output"]["cups"]), (&json!("FINISHED"), &json!(2)));
    let (code, seen) = following.ended();
    assert_eq!((code, &seen[0]["data"]), (0, &json!({"cups": 2})));
}
