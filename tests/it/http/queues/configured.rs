//! The section `queues` of the configuration.

use mape::app::App;
use mape::config::{self, Config};
use mape::queue::{Declared, Queues, Rate, Schedule, Settings};
use std::time::Duration;

fn config(section: &str) -> Result<Config, String> {
    let built = Config::builder().text(format!("queues:\n  {section}\n")).without_environment().build();
    built.map_err(|error| error.to_string())
}

fn declared(section: &str) -> Result<Declared, String> {
    let all = Declared::configured(&config(section)?).map_err(|error| error.to_string())?;
    Ok(all.into_iter().next().unwrap())
}

#[test]
fn what_holds_without_a_configuration_is_what_is_written_in_it() {
    assert_eq!(Settings::configured(&config::Queue::default()), Settings::default());
    assert_eq!(declared("reply: {}").unwrap().settings, Settings::default());
    assert!(Config::builder().text("").without_environment().build().unwrap().queues.is_empty());
}

#[test]
fn every_setting_is_taken_over() {
    let section = "reply: {concurrency: 4, priorities: 3, rate: 100/s, attempts: 7, retry_after: 2s, retry_at_most: 1m, \
                   timeout: 30s, unique_for: 1h, lease: 500ms, keep: 0, max_bytes: 9, \
                   schedules: {fetch: {cron: '0 3 * * *', zone: Europe/Berlin, data: {}, priority: 2}}}";
    let found = declared(section).unwrap();
    let settings = Settings {
        concurrency: 4,
        priorities: 3,
        rate: Some(Rate::per_second(100)),
        attempts: 7,
        retry_after: Duration::from_secs(2),
        retry_at_most: Duration::from_mins(1),
        timeout: Some(Duration::from_secs(30)),
        unique_for: Duration::from_hours(1),
        lease: Duration::from_millis(500),
        keep: 0,
        max_bytes: 9,
    };
    let cron = "0 3 * * *".parse::<mape::workflow::Cron>().unwrap().in_zone("Europe/Berlin").unwrap();
    let fetch = Schedule { name: "fetch".into(), cron, data: serde_json::json!({}), priority: 2 };
    assert_eq!(found, Declared { name: "reply".into(), settings, schedules: vec![fetch] });
}

#[test]
fn a_rate_is_written_in_several_ways() {
    for (written, jobs, per) in [
        ("100/s", 100, Duration::from_secs(1)),
        ("30/m", 30, Duration::from_mins(1)),
        ("5 / 10s", 5, Duration::from_secs(10)),
        ("1/h", 1, Duration::from_hours(1)),
        ("{jobs: 100, per: 1m}", 100, Duration::from_mins(1)),
    ] {
        let rate = declared(&format!("reply: {{rate: {written}}}")).unwrap().settings.rate;
        assert_eq!(rate, Some(Rate { jobs, per }), "{written}");
    }
    for written in [
        "100",
        "fast",
        "/s",
        "0/s",
        "5/",
        "5/parsec",
        "-1/s",
        "{jobs: 0, per: 1s}",
        "{jobs: 1, per: 0s}",
        "{job: 1}",
    ] {
        let error = declared(&format!("reply: {{rate: {written}}}")).unwrap_err();
        assert!(error.contains("config.yaml:2") && error.contains("queues.reply.rate"), "{written}: {error}");
    }
}

#[test]
fn what_cannot_be_used_is_refused_with_its_place() {
    for (section, wanted) in [
        (
            "reply: {concurrency: 0}",
            "`queues.reply.concurrency` must be a whole number from 1 to 65536, not 0",
        ),
        ("reply: {priorities: 9}", "`queues.reply.priorities` must be a whole number from 1 to 8, not 9"),
        ("reply: {attempts: 0}", "`queues.reply.attempts`"),
        ("reply: {timeout: 0s}", "`queues.reply.timeout` must be more than 0s, not 0s"),
        ("reply: {lease: 50ms}", "`queues.reply.lease` must be 100ms or more, not 50ms"),
        ("reply: {retry: 3}", "unknown key `retry`"),
        ("reply: {task: ''}", "`queues.reply.task`"),
        ("reply: {task: {nam: x}}", "did you mean `name`?"),
        ("re ply: {}", "a queue can't be called `re ply`"),
        ("stream: {}", "a queue can't be called `stream`: its name is taken"),
        ("reply: {schedules: {fetch: {cron: '61 * * * *'}}}", "`queues.reply.schedules.fetch.cron`"),
        (
            "reply: {schedules: {fetch: {cron: '@daily', zone: Europe/Atlantis}}}",
            "`queues.reply.schedules.fetch.zone`",
        ),
        (
            "reply: {schedules: {fetch: {cron: '@daily', priority: 1}}}",
            "it has priority 1, and the queue has 1",
        ),
        ("reply: {schedules: {'a b': {cron: '@daily'}}}", "1 to 100 bytes, without spaces"),
        ("reply: {schedules: {fetch: {corn: '@daily'}}}", "did you mean `cron`?"),
        ("reply: 7", "a section"),
    ] {
        let error = declared(section).unwrap_err();
        assert!(error.contains("config.yaml:2") && error.contains(wanted), "{section}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_schedule_that_is_declared_no_more_is_taken_away_and_others_stay() {
    let queues = Queues::new(&App::new());
    let declare = async |section: &str| queues.declare(&declared(section).unwrap()).await.unwrap();
    let names = async || {
        let all = queues.get("reply").await.unwrap().schedules().await.unwrap();
        let mut names: Vec<_> = all.into_iter().map(|schedule| schedule.name).collect();
        names.sort();
        names
    };
    let queue = declare("reply: {schedules: {a: {cron: '@daily'}, b: {cron: '@hourly'}}}").await;
    let by_hand =
        Schedule { name: "mine".into(), cron: "@daily".parse().unwrap(), data: 1.into(), priority: 0 };
    queue.schedule(&by_hand).await.unwrap();
    assert_eq!(names().await, ["a", "b", "mine"]);
    let next = queue.delayed(10).await.unwrap();
    // What is the same goes on as it was.
    declare("reply: {schedules: {a: {cron: '@daily'}, c: {cron: '@daily'}}}").await;
    assert_eq!(names().await, ["a", "c", "mine"]);
    let still = queue.delayed(10).await.unwrap();
    let of = |all: &[mape::queue::Delayed]| {
        all.iter().find(|one| one.schedule.as_deref() == Some("a")).unwrap().due
    };
    assert_eq!(of(&still), of(&next));
    declare("reply: {}").await;
    assert_eq!(names().await, ["mine"]);
}
