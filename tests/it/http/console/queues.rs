//! Task queues, as a person sees and steers them.

use super::super::site::Site;
use super::is_clean;
use crate::server::Tab;
use crate::suite::eventually;
use mape::app::App;
use mape::prelude::BoxError;
use mape::queue::{JobState, NewJob, Queue, Queues, Rate, Schedule, Settings, Task, Worker, working};
use serde_json::{Value, json};
use std::time::Duration;

/// Two queues: one on which somebody works, and one that waits for that.
pub(super) struct World {
    pub(super) app: App,
    pub(super) replies: Queue,
    _worker: Worker,
}

impl World {
    pub(super) async fn new() -> Self {
        let app = App::new();
        let queues = Queues::new(&app);
        let settings =
            Settings { priorities: 3, attempts: 1, rate: Some(Rate::per_second(200)), ..Settings::default() };
        let replies = queues.open("reply", settings).await.unwrap();
        let mails = queues.open("email", Settings::default()).await.unwrap();
        let work = working(|task: Task<Value>| async move {
            if task["to"] == "nobody" {
                return Err::<Value, BoxError>("550 there is no mailbox `nobody` here".into());
            }
            Ok(json!({"id": task.id(), "status": 201}))
        });
        let element = app.create_loop("queues").unwrap().execute("reply").each_unordered(4, work);
        let worker = replies.work(&element.spawn().unwrap()).await.unwrap();
        for n in 0..4 {
            replies
                .run(NewJob::new(json!({"to": "ada", "text": format!("thank you for your help, {n}")})))
                .await
                .unwrap();
        }
        for n in 0..2 {
            replies.run(NewJob::new(json!({"to": "nobody", "text": n})).priority(2)).await.unwrap();
        }
        let later = NewJob::new(json!({"to": "eve", "text": "see you at noon"}))
            .delay(Duration::from_hours(2))
            .priority(1);
        let _ = replies.add_job(later).await.unwrap();
        let cron = "*/5 * * * *".parse().unwrap();
        let fetch = Schedule { name: "fetch".into(), cron, data: json!({"source": "mail"}), priority: 0 };
        replies.schedule(&fetch).await.unwrap();
        for to in ["ada@example.org", "eve@example.org"] {
            let _ = mails.add(&json!({"to": to, "subject": "You are invited"})).await.unwrap();
        }
        Self { app, replies, _worker: worker }
    }
}

async fn says(tab: &Tab, selector: &str, words: &str) {
    let said = format!("document.querySelector({})?.textContent.includes({})", json!(selector), json!(words));
    tab.until(&format!("{selector} says {words}"), &said).await;
}

async fn confirm(tab: &Tab) {
    tab.until("it is asked", "!!document.querySelector('dialog[open]')").await;
    tab.click("dialog[open] .main").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_queues_show_what_there_is_and_change_while_one_looks() {
    let world = World::new().await;
    let site = Site::of(&world.app).await;
    let tab = Tab::open(&site.url("/console/queues")).await;
    says(&tab, "#queue-email", "no worker").await;
    says(&tab, "#queue-reply", "ready").await;
    tab.click("#queue-reply [data-action$=\"/pause\"]").await;
    says(&tab, "#queue-reply .state", "paused").await;
    assert!(world.replies.stats().await.unwrap().paused);
    for level in [0, 2, 2] {
        let _ = world.replies.add_job(NewJob::new(json!({"to": "ada"})).priority(level)).await.unwrap();
    }
    says(&tab, "#queue-reply", "2 · 0 · 1").await;
    tab.click("#queue-reply [data-action$=\"/resume\"]").await;
    says(&tab, "#queue-reply", "0 · 0 · 0").await;
    is_clean(&tab, &site);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_queues_is_on_the_first_page() {
    let world = World::new().await;
    let site = Site::of(&world.app).await;
    let tab = Tab::open(&site.url("/")).await;
    says(&tab, "#findings", "email has no worker, with 2 jobs waiting: start one").await;
    says(&tab, "#findings", "reply has 2 jobs that failed for good").await;
    world.replies.pause().await.unwrap();
    let _ = world.replies.add(&json!({"to": "ada"})).await.unwrap();
    says(&tab, "#findings", "reply is paused with 1 job waiting").await;
    is_clean(&tab, &site);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_queue_is_looked_into_and_what_is_dead_is_replayed_or_discarded() {
    let world = World::new().await;
    let site = Site::of(&world.app).await;
    let tab = Tab::open(&site.url("/console/queues/reply")).await;
    says(&tab, "[data-region=\"told\"]", "550 there is no mailbox").await;
    says(&tab, "[data-region=\"schedules\"]", "*/5 * * * *").await;
    says(&tab, "#dead", "550 there is no mailbox").await;
    let dead = world.replies.jobs(JobState::Dead, 10).await.unwrap();
    let job = dead[0].job.clone().unwrap();
    tab.click(&format!("#dead-{job} .danger")).await;
    confirm(&tab).await;
    eventually("it is gone", async || world.replies.stats().await.unwrap().dead == 1).await;
    world.replies.pause().await.unwrap();
    says(&tab, "h1 .state", "paused").await;
    tab.click("#dead h2 button:not(.danger)").await;
    confirm(&tab).await;
    eventually("it is queued again", async || world.replies.stats().await.unwrap().waiting == [0, 0, 1])
        .await;
    says(&tab, "#dead", "No job has failed for good").await;

    tab.click("#data").await;
    tab.write("{\"to\": \"ada\"").await;
    tab.click("#add .main").await;
    says(&tab, "#add output", "no JSON").await;
    tab.write("}").await;
    tab.click("#add .main").await;
    says(&tab, "#add output", "Added").await;
    eventually("it is added", async || world.replies.stats().await.unwrap().waiting[0] == 1).await;

    tab.go(&site.url("/console/queues/reply?state=delayed")).await;
    let delayed = world.replies.jobs(JobState::Delayed, 10).await.unwrap();
    let later = delayed.iter().find(|job| job.schedule.is_none()).unwrap().job.clone().unwrap();
    tab.click(&format!("#job-{later} button")).await;
    confirm(&tab).await;
    eventually("it is taken away", async || world.replies.find(&later).await.unwrap().is_none()).await;
    tab.go(&site.url("/console/queues/reply?state=done")).await;
    says(&tab, ".jobs", "201").await;
    tab.go(&site.url("/console/queues/nothing")).await;
    says(&tab, "main", "there is no queue `nothing`").await;
    assert!(
        tab.complaints().iter().all(|said| said.contains("404") || said.contains("422")),
        "{:?}",
        tab.complaints()
    );
}
