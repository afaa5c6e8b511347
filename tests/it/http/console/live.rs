//! What changes shows, without a reload.

use super::super::site::Site;
use super::demo::Demo;
use super::is_clean;
use crate::server::Tab;
use mape::workflow::RunId;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

/// How often a change is made; a busy machine may be late for some of them.
const ROUNDS: u32 = 5;

/// Makes changes until one has shown within a second; the page is the same one all the time.
async fn shows_within_a_second(tab: &Tab, change: impl AsyncFn(u32), shown: impl Fn(u32) -> String) {
    tab.until("the page is live", "document.getElementById('pulse').dataset.state === 'live'").await;
    tab.eval("window.same = true").await;
    let mut fastest = Duration::MAX;
    for round in 0..ROUNDS {
        let begun = Instant::now();
        change(round).await;
        tab.until("the change shows", &shown(round)).await;
        fastest = fastest.min(begun.elapsed());
        if fastest < Duration::from_secs(1) {
            break;
        }
    }
    assert!(fastest < Duration::from_secs(1), "the fastest change took {fastest:?}");
    assert_eq!(tab.eval("window.same").await, true, "the page was loaded again");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_element_that_stops_shows_within_a_second() {
    let demo = Demo::start().await;
    let site = Site::with(demo.service()).await;
    let tab = Tab::open(&site.url("/console/loops")).await;
    let siren = demo.app.get("ambulance.siren").unwrap();
    let change = async |round| if round % 2 == 0 { siren.stop() } else { siren.start().unwrap() };
    let state = |round| if round % 2 == 0 { "stopped" } else { "running" };
    let picture = |round| {
        format!(
            "document.querySelector('[data-path=\"ambulance.siren\"]').dataset.state === '{}'",
            state(round)
        )
    };
    shows_within_a_second(&tab, change, picture).await;
    siren.start().unwrap_or_default();
    tab.go(&site.url("/")).await;
    let list =
        |round| format!("document.querySelector('[title^=\"siren:\"]').dataset.state === '{}'", state(round));
    shows_within_a_second(&tab, change, list).await;
    is_clean(&tab, &site);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_and_a_link_that_come_show_in_the_picture() {
    let demo = Demo::start().await;
    let site = Site::with(demo.service()).await;
    let tab = Tab::open(&site.url("/console/loops")).await;
    let change = async |round: u32| {
        let new = demo.app.create_loop(&format!("new_{round}")).unwrap();
        let one = new.monitor("one").map(|x: u32| x).spawn().unwrap();
        let two = new.execute("two").map(|x: u32| x).spawn().unwrap();
        one.link(&two).unwrap();
    };
    let shown = |round| {
        format!(
            "!!document.querySelector('[data-path=\"new_{round}.one\"]') && \
             !!document.querySelector('[data-link^=\"new_{round}.one \"]')"
        )
    };
    shows_within_a_second(&tab, change, shown).await;
    is_clean(&tab, &site);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_run_and_a_step_that_ends_show_within_a_second() {
    let demo = Demo::start().await;
    let site = Site::with(demo.service()).await;
    let tab = Tab::open(&site.url("/console/workflows")).await;
    let begin = async |round: u32| {
        let flow = "check → human:approve (- {question: 'Go on?'} -) → answer";
        demo.engine.run_as(RunId::from(format!("live-{round}")), flow, json!({})).await.unwrap();
    };
    shows_within_a_second(&tab, begin, |round| format!("!!document.getElementById('run-live-{round}')"))
        .await;
    let mut last = 0;
    while demo.engine.workflows().status(&RunId::from(format!("live-{}", last + 1))).await.is_ok() {
        last += 1;
    }
    for round in last + 1..ROUNDS {
        begin(round).await;
    }
    // Each page is of one run, so each round has a tab.
    let mut fastest = Duration::MAX;
    for round in 0..ROUNDS {
        let id = RunId::from(format!("live-{round}"));
        tab.go(&site.url(&format!("/console/workflows/{id}"))).await;
        tab.until("it waits", "document.querySelector('[data-step=\"2\"]').dataset.phase === 'waiting'")
            .await;
        tab.until("the page is live", "document.getElementById('pulse').dataset.state === 'live'").await;
        let answered = Instant::now();
        demo.engine.workflows().end(&id, "human:approve", 2, Ok(Some(json!(true)))).await.unwrap();
        tab.until(
            "it has ended",
            "document.querySelector('[data-step=\"2\"]').dataset.phase === 'done' \
             && document.querySelector('h1 .state').textContent === 'finished'",
        )
        .await;
        fastest = fastest.min(answered.elapsed());
    }
    assert!(fastest < Duration::from_secs(1), "the fastest change took {fastest:?}");
    is_clean(&tab, &site);
}

#[tokio::test(flavor = "multi_thread")]
async fn knowledge_and_messages_show_within_a_second() {
    let demo = Demo::start().await;
    let site = Site::with(demo.service()).await;
    let tab = Tab::open(&site.url("/console/knowledge")).await;
    let limit = demo.app.knowledge().value::<f64>("speed_limit");
    let set = async |round: u32| limit.set(&f64::from(100 + round)).await.unwrap();
    let shown = |round| {
        format!(
            "document.querySelector('[data-key=\"k.app.speed_limit\"] .value').textContent === '{}.0'",
            100 + round
        )
    };
    shows_within_a_second(&tab, set, shown).await;
    tab.go(&site.url("/console/channels")).await;
    let say = async |round: u32| {
        demo.app.channels().publish("news", &json!({"round": round})).await.unwrap();
    };
    let heard =
        |round| format!("document.getElementById('messages').textContent.includes('{{\"round\":{round}}}')");
    shows_within_a_second(&tab, say, heard).await;
    is_clean(&tab, &site);
}
