//! What a person does by clicks.

use super::super::site::Site;
use super::demo::{Demo, ORDER};
use super::is_clean;
use crate::server::Tab;
use crate::suite::eventually;
use mape::element::State;
use mape::workflow::{RunId, Status};
use serde_json::json;

/// Writes over what is in a field.
async fn fill(tab: &Tab, selector: &str, text: &str) {
    let found = format!("!!document.querySelector({})", json!(selector));
    tab.until(&format!("{selector} is there"), &found).await;
    tab.eval(&format!(
        "document.querySelector({0}).focus(), document.querySelector({0}).select()",
        json!(selector)
    ))
    .await;
    tab.write(text).await;
}

async fn says(tab: &Tab, selector: &str, words: &str) {
    let said = format!("document.querySelector({})?.textContent.includes({})", json!(selector), json!(words));
    tab.until(&format!("{selector} says {words}"), &said).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_element_is_stopped_started_paused_and_resumed() {
    let demo = Demo::start().await;
    let site = Site::with(demo.service()).await;
    let tab = Tab::open(&site.url("/console/loops")).await;
    let siren = demo.app.get("ambulance.siren").unwrap();
    tab.click("[data-path=\"ambulance.siren\"]").await;
    for (order, state) in [
        ("stop", State::Stopped),
        ("start", State::Running),
        ("pause", State::Paused),
        ("resume", State::Running),
    ] {
        tab.click(&format!("#panel #life [data-action$=\"/{order}\"]")).await;
        eventually(order, async || siren.state() == state).await;
    }
    is_clean(&tab, &site);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_is_set_and_what_does_not_fit_is_told_beside_it() {
    let demo = Demo::start().await;
    let site = Site::with(demo.service()).await;
    let tab = Tab::open(&site.url("/console/loops#car_panda.error")).await;
    let error = demo.app.get("car_panda.error").unwrap();
    fill(&tab, "[id=\"value-target_kmh\"]", "60").await;
    tab.click("[id=\"parameter-target_kmh\"] button").await;
    says(&tab, "[id=\"parameter-target_kmh\"] output", "Set").await;
    assert!((error.get_parameter::<f64>("target_kmh").unwrap() - 60.0).abs() < 0.1);
    fill(&tab, "[id=\"value-target_kmh\"]", "900").await;
    tab.click("[id=\"parameter-target_kmh\"] button").await;
    says(&tab, "[id=\"parameter-target_kmh\"] output", "140").await;
    fill(&tab, "[id=\"value-target_kmh\"]", "fast").await;
    tab.click("[id=\"parameter-target_kmh\"] button").await;
    says(&tab, "[id=\"parameter-target_kmh\"] output", "no JSON").await;
    fill(&tab, "[id=\"argument-cruise_control\"]", "70").await;
    tab.click("[id=\"method-cruise_control\"] button").await;
    eventually("the method was called", async || {
        (error.get_parameter::<f64>("target_kmh").unwrap() - 70.0).abs() < 0.1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_is_pushed_and_values_are_tapped() {
    let demo = Demo::start().await;
    let site = Site::with(demo.service()).await;
    let tab = Tab::open(&site.url("/console/loops/car_panda/error")).await;
    demo.app.get("car_panda.speed").unwrap().stop();
    fill(&tab, "#item", "1050").await;
    tab.click("#push button").await;
    says(&tab, "#push output", "Accepted").await;
    says(&tab, "#tap .values", "1000.0").await;
    fill(&tab, "#item", "\"a word\"").await;
    tab.click("#push button").await;
    tab.until("it is refused", "document.querySelector('#push output').dataset.state === 'bad'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_made_changed_and_cut() {
    let demo = Demo::start().await;
    let site = Site::with(demo.service()).await;
    let tab = Tab::open(&site.url("/console/loops/ambulance/detect")).await;
    let links = || {
        let info = demo.app.get("ambulance.detect").unwrap().info();
        let to =
            |link: &mape::element::LinkInfo| (link.to.as_ref().unwrap().to_string(), link.stats.capacity);
        info.output.links.iter().map(to).collect::<Vec<_>>()
    };
    tab.eval("document.querySelector('#link-new [name=to]').value = 'ambulance.siren'").await;
    fill(&tab, "#link-new [name=capacity]", "7").await;
    tab.click("#link-new button").await;
    eventually("it is linked", async || links().contains(&("ambulance.siren".to_owned(), 7))).await;
    tab.until("it shows", "document.querySelectorAll('.link-row .danger').length === 2").await;
    tab.click(".link-row .danger").await;
    tab.click("dialog .main").await;
    eventually("it is cut", async || links().len() == 1).await;
    tab.until("it is gone", "document.querySelectorAll('.link-row .danger').length === 1").await;
    is_clean(&tab, &site);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_is_checked_while_it_is_written_and_started() {
    let demo = Demo::start().await;
    let site = Site::with(demo.service()).await;
    let tab = Tab::open(&site.url("/console/start")).await;
    fill(&tab, "#flow", "check → :met;\nanswer → :meet store").await;
    says(&tab, "#checked", "did you mean the label `:meet`?").await;
    assert_eq!(tab.eval("document.querySelector('#checked mark').textContent").await, ":met");
    fill(&tab, "#flow", "nobody → store").await;
    says(&tab, "#checked", "nobody").await;
    says(&tab, "#checked", "It cannot run here").await;
    fill(&tab, "#flow", ORDER).await;
    says(&tab, "#checked", "This flow is good.").await;
    tab.until("it is drawn", "document.querySelectorAll('#checked svg .step').length > 5").await;
    fill(&tab, "#input", "no").await;
    tab.click("#start button.main").await;
    says(&tab, "#refused", "no JSON").await;
    fill(&tab, "#input", "{\"total\": 5}").await;
    tab.click("#start button.main").await;
    tab.until("the run is shown", "location.pathname.startsWith('/console/workflows/order-')").await;
    says(&tab, "h1 .state", "finished").await;
    is_clean(&tab, &site);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_paused_resumed_terminated_restarted_and_deleted() {
    let demo = Demo::start().await;
    let [.., going] = demo.runs().await;
    let site = Site::with(demo.service()).await;
    let tab = Tab::open(&site.url(&format!("/console/workflows/{going}"))).await;
    let runs = demo.engine.workflows();
    let status = async || runs.status(&going).await.map_or("GONE", |status| status.word());
    tab.click("#run-actions [data-action$=\"/pause\"]").await;
    says(&tab, "h1 .state", "paused").await;
    says(&tab, "#stuck", "It is paused").await;
    tab.click("#run-actions [data-action$=\"/resume\"]").await;
    says(&tab, "h1 .state", "running").await;
    tab.click("#run-actions [data-action$=\"/terminate\"]").await;
    tab.click("dialog button:not(.main)").await;
    tab.click("#run-actions [data-action$=\"/terminate\"]").await;
    tab.click("dialog .main").await;
    eventually("it is terminated", async || status().await == "TERMINATED").await;
    tab.click("#run-actions [data-action$=\"/restart\"]").await;
    eventually("it goes on", async || status().await == "RUNNING").await;
    says(&tab, "h1 .state", "running").await;
    runs.terminate(&going).await.unwrap();
    eventually("it is terminated again", async || status().await == "TERMINATED").await;
    says(&tab, "h1 .state", "terminated").await;
    tab.click("#run-actions [data-action^=\"DELETE\"]").await;
    tab.click("dialog .main").await;
    tab.until("the list is shown", "location.pathname === '/console/workflows'").await;
    assert_eq!(status().await, "GONE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_done_again_from_a_step_and_restored_from_its_archive() {
    let demo = Demo::start().await;
    let [finished, ..] = demo.runs().await;
    let site = Site::with(demo.service()).await;
    let tab = Tab::open(&site.url(&format!("/console/workflows/{finished}"))).await;
    tab.click("#step-4-0 [data-action$=\"/restart\"]").await;
    tab.click("dialog .main").await;
    says(&tab, "#step-4-0", "2").await;
    tab.until(
        "it was done twice",
        "document.querySelector('#step-4-0 td:nth-child(8)').textContent.trim() === '2'",
    )
    .await;
    let archive = site.client.get(site.url(&format!("/workflows/{finished}/archive"))).send().await.unwrap();
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("archive-of-the-console.json");
    std::fs::write(&file, archive.bytes().await.unwrap()).unwrap();
    tab.go(&site.url("/console/workflows")).await;
    let node = tab.ask("Runtime.evaluate", json!({"expression": "document.getElementById('restore')"})).await;
    let files = json!({"files": [file], "objectId": node["result"]["objectId"]});
    tab.ask("DOM.setFileInputFiles", files).await;
    tab.until("the restored run is shown", "location.pathname.startsWith('/console/workflows/order-')").await;
    tab.until("it is another one", &format!("!location.pathname.endsWith('{finished}')")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_with_a_note() {
    let demo = Demo::start().await;
    let [_, _, asking, _] = demo.runs().await;
    let site = Site::with(demo.service()).await;
    let tab = Tab::open(&site.url("/")).await;
    says(&tab, "#questions", "Pay 270 euro to Ada?").await;
    fill(&tab, "#questions [name=note]", "by hand").await;
    tab.click("#questions .main").await;
    eventually("it goes on", async || {
        demo.engine.workflows().status(&asking).await.unwrap() == Status::Finished
    })
    .await;
    let run = demo.engine.workflows().inspect(&asking).await.unwrap();
    assert_eq!(run.output.unwrap()["note"], "by hand");
    tab.until("the question is gone", "!document.querySelector('#questions form')").await;
    is_clean(&tab, &site);
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_run_is_stuck_is_told_for_each_step() {
    let demo = Demo::start().await;
    let [_, _, asking, _] = demo.runs().await;
    let site = Site::with(demo.service()).await;
    let tab = Tab::open(&site.url(&format!("/console/workflows/{asking}"))).await;
    says(&tab, "#stuck", "human:approve waits for ada or eve: Pay 270 euro to Ada?").await;
    says(&tab, "#stuck", "pay waits for human:approve (#2)").await;
    says(&tab, "#stuck", "answer waits for pay (#3)").await;
    demo.engine
        .run_as(RunId::from("event"), "wait:event (- {event: paid} -) → answer", json!({}))
        .await
        .unwrap();
    tab.go(&site.url("/console/workflows/event")).await;
    says(&tab, "#stuck", "waits for the event paid").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn knowledge_is_changed_and_messages_are_said() {
    let demo = Demo::start().await;
    let site = Site::with(demo.service()).await;
    let tab = Tab::open(&site.url("/console/knowledge")).await;
    tab.click("[data-key=\"k.app.speed_limit\"] button").await;
    tab.until("it is read", "document.getElementById('value').value === '50.0'").await;
    fill(&tab, "#value", "30").await;
    tab.click("#edit .main").await;
    says(&tab, "[data-key=\"k.app.speed_limit\"] .value", "30").await;
    fill(&tab, "#key", "k.app.weather").await;
    tab.click("#delete").await;
    tab.click("dialog .main").await;
    tab.until("it is gone", "!document.querySelector('[data-key=\"k.app.weather\"]')").await;
    tab.go(&site.url("/console/channels?pattern=new*")).await;
    tab.until("the page is live", "document.getElementById('pulse').dataset.state === 'live'").await;
    fill(&tab, "#channel", "news").await;
    fill(&tab, "#message", "{\"speed\": 42}").await;
    tab.click("#publish .main").await;
    says(&tab, "#messages", "{\"speed\":42}").await;
    is_clean(&tab, &site);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_that_is_offered_is_chosen_and_started() {
    let directory = std::env::temp_dir().join(format!("mape-offered-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("nightly.flow"), ORDER).unwrap();
    let demo = Demo::start().await;
    let site = Site::with(demo.service().flows(&directory)).await;
    let tab = Tab::open(&site.url("/console/start")).await;
    tab.eval(
        "const offered = document.getElementById('offered');\
         offered.value = 'nightly'; offered.dispatchEvent(new Event('change', {bubbles: true}))",
    )
    .await;
    tab.until("its text is there", &format!("document.getElementById('flow').value === {}", json!(ORDER)))
        .await;
    says(&tab, "#checked", "This flow is good.").await;
    std::fs::remove_dir_all(&directory).unwrap();
    is_clean(&tab, &site);
}
