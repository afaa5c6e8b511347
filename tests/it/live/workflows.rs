//! Runs of workflows that do jobs, and tasks that publish.

use super::{data, until_end, waiting};
use mape::live::{Interest, Live, Viewer, running};
use mape::prelude::*;
use mape::workflow::{Engine, Invocation, Task, TaskError, Tasks};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{sleep, timeout};

fn tasks() -> Tasks {
    let slow = Task::new("slow", |_: Invocation| async {
        std::future::pending::<()>().await;
        Ok(json!({}))
    });
    let fails = Task::sync("fails", |_| Err::<Value, _>(TaskError::for_good("no water")));
    Tasks::new().with(Task::echo("boil")).with(Task::echo("pour")).with(slow).with(fails)
}

async fn tea(flow: &str) -> (App, Engine, Live) {
    let app = App::new();
    let live = Live::new(&app);
    let engine = Engine::with(tasks().with(live.task())).start(&app).await.unwrap();
    let tea = running(engine.workflows(), flow);
    let tea = app.create_loop("jobs").unwrap().execute("tea").each_unordered(4, tea).spawn().unwrap();
    live.job("tea", &tea).unwrap();
    (app, engine, live)
}

#[tokio::test]
async fn a_run_does_a_job_and_its_steps_are_parts() {
    let (_app, _engine, live) = tea("boil → pour").await;
    let client = live.connect(Viewer::default());
    client.ask("tea", json!({"cups": 2})).unwrap();
    client.close_when_done();
    let told = timeout(Duration::from_secs(20), until_end(client)).await.unwrap();
    let parts: Vec<_> = told.iter().filter_map(data).collect();
    let last = parts.last().unwrap();
    assert_eq!((&last["state"], &last["output"]["cups"]), (&json!("FINISHED"), &json!(2)), "{parts:?}");
    assert!(parts.iter().any(|part| part["step"]["name"] == "pour"), "{parts:?}");
}

#[tokio::test]
async fn a_run_that_fails_is_told_and_one_that_nobody_wants_is_terminated() {
    let (_app, _engine, live) = tea("boil → fails").await;
    let client = live.connect(Viewer::default());
    client.ask("tea", json!({})).unwrap();
    client.close_when_done();
    let told = timeout(Duration::from_secs(20), until_end(client)).await.unwrap();
    let last = told.iter().filter_map(data).next_back().unwrap().to_string();
    assert!(last.contains("error: the run") && last.contains("no water"), "{last}");

    let (_app, engine, live) = tea("boil → slow").await;
    let mut client = live.connect(Viewer::default());
    client.ask("tea", json!({})).unwrap();
    let part = futures::StreamExt::next(&mut client).await.and_then(|told| data(&told)).unwrap();
    let run = part["run"].as_str().unwrap().into();
    drop(client);
    let over = async {
        while !engine.workflows().status(&run).await.unwrap().is_over() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), over).await.unwrap();
}

#[tokio::test]
async fn the_run_of_a_job_whose_element_is_disposed_of_is_terminated() {
    let app = App::new();
    let live = Live::new(&app);
    let engine = Engine::with(tasks()).start(&app).await.unwrap();
    let tea = running(engine.workflows(), "boil → slow");
    let tea = app.create_loop("jobs").unwrap().execute("tea").each_unordered(4, tea).spawn().unwrap();
    live.job("tea", &tea).unwrap();
    let mut client = live.connect(Viewer::default());
    client.ask("tea", json!({})).unwrap();
    let part = futures::StreamExt::next(&mut client).await.and_then(|told| data(&told)).unwrap();
    let run = part["run"].as_str().unwrap().into();
    client.close_when_done();
    tea.dispose();
    let told = timeout(Duration::from_secs(20), until_end(client)).await.unwrap();
    let last = told.iter().filter_map(data).next_back().unwrap();
    assert_eq!(last, "error: the element that did it was stopped");
    let over = async {
        while !engine.workflows().status(&run).await.unwrap().is_over() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), over).await.unwrap();
}

#[tokio::test]
async fn a_task_publishes_and_any_run_may_be_followed() {
    let (_app, engine, live) = tea("boil").await;
    let mut client = live.connect(Viewer::default());
    client.state("tea", Interest::named(["tea.*"]), None).unwrap();
    let flow = "boil → live:publish(- name: tea.ready -) → pour";
    engine.workflows().submit(None, flow, json!({"cups": 3})).await.unwrap();
    let told = timeout(Duration::from_secs(20), futures::StreamExt::next(&mut client)).await.unwrap();
    assert_eq!(told.as_ref().and_then(data), Some(json!({"cups": 3})));
    assert!(waiting(&mut client).is_empty());
}
