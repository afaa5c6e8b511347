//! A person without a mouse, and one with a phone.

use super::super::site::Site;
use super::demo::Demo;
use super::is_clean;
use crate::server::Tab;
use crate::suite::eventually;
use mape::element::State;
use mape::workflow::Status;
use serde_json::json;

/// Goes on with the tab key until what a selector finds has the focus, and is seen to have it.
async fn tab_to(tab: &Tab, selector: &str) {
    let has_focus = format!("!!document.activeElement?.matches({})", json!(selector));
    for _ in 0..120 {
        tab.press("Tab").await;
        if tab.eval(&has_focus).await == true {
            let shown = tab
                .eval(
                    "(() => { const e = document.activeElement; const inner = e.querySelector('.body'); \
                     return e.matches(':focus-visible') && (getComputedStyle(e).outlineStyle !== 'none' \
                     || (inner && parseFloat(getComputedStyle(inner).strokeWidth) >= 3)); })()",
                )
                .await;
            assert_eq!(shown, true, "{selector} does not show that it has the focus");
            return;
        }
    }
    panic!("the tab key does not lead to {selector}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_steers_by_keyboard_alone() {
    let demo = Demo::start().await;
    let [_, _, asking, _] = demo.runs().await;
    let site = Site::with(demo.service()).await;
    let tab = Tab::open(&site.url("/")).await;
    tab_to(&tab, "#questions button.main").await;
    tab.press("Enter").await;
    eventually("the question is answered", async || {
        demo.engine.workflows().status(&asking).await.unwrap() == Status::Finished
    })
    .await;

    tab.go(&site.url("/console/loops")).await;
    let siren = demo.app.get("ambulance.siren").unwrap();
    tab_to(&tab, "[data-path=\"ambulance.siren\"]").await;
    tab.press("Enter").await;
    tab.until(
        "the details are open, and have the focus",
        "document.activeElement?.closest('#panel') !== null",
    )
    .await;
    tab_to(&tab, "#panel [data-action$=\"/stop\"]").await;
    tab.press("Enter").await;
    eventually("it is stopped", async || siren.state() == State::Stopped).await;
    tab.press("Escape").await;
    tab.until(
        "the details are closed, and the element has the focus again",
        "document.getElementById('panel').hidden && document.activeElement.dataset.path === 'ambulance.siren'",
    )
    .await;
    is_clean(&tab, &site);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_wider_than_a_phone() {
    let demo = Demo::start().await;
    let [finished, failed, asking, _] = demo.runs().await;
    let site = Site::with(demo.service()).await;
    let tab = Tab::blank().await;
    tab.size(360, 740).await;
    for path in [
        "/".to_owned(),
        "/console/loops".to_owned(),
        "/console/loops#car_panda.error".to_owned(),
        "/console/loops/car_panda/error".to_owned(),
        "/console/workflows".to_owned(),
        format!("/console/workflows/{finished}"),
        format!("/console/workflows/{failed}"),
        format!("/console/workflows/{asking}"),
        "/console/start".to_owned(),
        "/console/knowledge".to_owned(),
        "/console/channels".to_owned(),
        "/console/login".to_owned(),
    ] {
        tab.go(&site.url(&path)).await;
        let widths = tab.eval("[document.documentElement.scrollWidth, innerWidth]").await;
        assert_eq!(widths, json!([360, 360]), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_chooses_light_or_dark_and_it_stays() {
    let demo = Demo::start().await;
    let site = Site::with(demo.service()).await;
    let tab = Tab::blank().await;
    tab.dark(true).await;
    tab.go(&site.url("/")).await;
    let paper = "getComputedStyle(document.body).backgroundColor";
    let dark = tab.eval(paper).await;
    tab.click("#theme").await;
    let light = tab.eval(paper).await;
    assert_ne!(dark, light);
    tab.go(&site.url("/console/channels")).await;
    assert_eq!(tab.eval(paper).await, light);
}
