//! The page, in a browser.

use super::Dashboard;
use crate::server::Tab;
use serde_json::json;

/// The page, once it is connected.
async fn open(dashboard: &Dashboard) -> Tab {
    let tab = Tab::open(&format!("{}/dashboard", dashboard.url)).await;
    is_live(&tab).await;
    tab
}

async fn is_live(tab: &Tab) {
    tab.until("it is connected", "document.querySelector('#state').dataset.state === 'live'").await;
}

/// Waits until all that was asked for has come.
async fn has_all(tab: &Tab) {
    let ended = "[...document.querySelectorAll('.tile')].every(tile => ['done', 'failed'].includes(tile.dataset.state))";
    tab.until("all tiles are filled", ended).await;
}

/// From which services the parts of the last run came, in the order in which they did.
async fn order(tab: &Tab) -> Vec<String> {
    let order =
        "[...document.querySelectorAll('#runs li:first-child .strip i')].map(mark => mark.dataset.source)";
    serde_json::from_value(tab.eval(order).await).unwrap()
}

/// Puts pipelines in force and waits until all has come in that way.
async fn switch(tab: &Tab, kind: &str, words: &str) {
    tab.click(&format!("#pipelines [data-kind={kind}]")).await;
    let begun = format!("document.querySelector('#runs b').textContent === {}", json!(words));
    tab.until("all is asked for again", &begun).await;
    has_all(tab).await;
}

fn nothing_is_wrong(tab: &Tab) {
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_appear_before_the_slow_service_answers_and_all_were_asked_for_in_one_request() {
    let dashboard = Dashboard::start(&[]).await;
    let tab = open(&dashboard).await;
    has_all(&tab).await;
    let order = order(&tab).await;
    let first = |source: &str| order.iter().position(|one| one == source).unwrap();
    assert!(first("processors") < first("disk") && first("readings") < first("disk"), "{order:?}");
    assert_eq!(order.iter().filter(|source| **source == "readings").count(), 8);
    let values =
        tab.eval("[...document.querySelectorAll('.tile .value')].map(value => value.textContent)").await;
    assert!(
        values.as_array().unwrap().iter().all(|value| value.as_str().unwrap().chars().any(char::is_numeric))
    );
    let asked = tab.requests().into_iter().filter(|url| url.ends_with("/live/jobs")).count();
    assert_eq!(asked, 1);
    // What comes by itself.
    tab.until("the WebSocket beats", "document.querySelector('#busy').textContent !== '–'").await;
    tab.until("the file is followed", "document.querySelectorAll('#calls li').length > 3").await;
    nothing_is_wrong(&tab);
}

#[tokio::test(flavor = "multi_thread")]
async fn switching_the_pipelines_changes_the_order_that_is_seen() {
    let dashboard = Dashboard::start(&[]).await;
    let tab = open(&dashboard).await;
    has_all(&tab).await;
    let of_tiles = "[...document.querySelectorAll('.tile')].map(tile => tile.dataset.source)";
    let tiles: Vec<String> = serde_json::from_value(tab.eval(of_tiles).await).unwrap();
    switch(&tab, "in_order", "In order").await;
    let mut in_order = order(&tab).await;
    in_order.dedup();
    let mut expected = tiles;
    expected.dedup();
    assert_eq!(in_order, expected);
    switch(&tab, "batched", "Batched").await;
    let batched = order(&tab).await;
    assert_ne!(batched[0], "readings", "{batched:?}");
    let readings: Vec<_> = batched.iter().enumerate().filter(|(_, source)| **source == "readings").collect();
    assert_eq!(readings.last().unwrap().0 - readings[0].0, 7, "all readings come together: {batched:?}");
    tab.until("they were asked for in one call", "[...document.querySelectorAll('#calls li')].some(call => call.textContent.includes('ids=load,memory,tasks,files,sockets,own_memory,switches,uptime'))").await;
    let (status, now) = dashboard.get("/dashboard/pipelines").await;
    assert_eq!((status, &*now), (200, r#"{"kind":"batched"}"#));
    nothing_is_wrong(&tab);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interest_shows_only_what_matches_until_it_is_over_or_withdrawn() {
    let dashboard = Dashboard::start(&[]).await;
    let tab = open(&dashboard).await;
    // Long enough for what follows, short enough to wait for.
    tab.eval("document.querySelector('#lifetime option').value = '5'; document.querySelector('#lifetime').value = '5'").await;
    tab.click("#interest form .main").await;
    tab.until("it holds", "document.querySelector('#holds').dataset.state === 'holds'").await;
    assert_eq!(dashboard.get("/jane@roe.org/3/1").await.0, 200);
    assert_eq!(dashboard.get("/joe@doe.com/3/1").await.0, 200);
    tab.until("three match", "document.querySelectorAll('#matches li').length === 3").await;
    let matches = tab.eval("document.querySelector('#matches').textContent").await;
    assert!(!matches.as_str().unwrap().contains("jane"), "{matches}");
    tab.until("it is over", "document.querySelector('#holds').textContent.startsWith('it is over')").await;
    assert_eq!(dashboard.get("/joe@doe.com/1/1").await.0, 200);
    assert_eq!(tab.eval("document.querySelectorAll('#matches li').length").await, 3);

    tab.eval("document.querySelector('#condition').value = 'nr ge 1 and res contains joe'; document.querySelector('#lifetime').value = ''").await;
    tab.click("#interest form .main").await;
    tab.until("it holds", "document.querySelector('#holds').dataset.state === 'holds'").await;
    tab.click("#other").await;
    tab.until("four match", "document.querySelectorAll('#matches li').length === 4").await;
    tab.click("#withdraw").await;
    tab.until("it is withdrawn", "document.querySelector('#holds').textContent === 'withdrawn'").await;
    nothing_is_wrong(&tab);

    tab.eval("document.querySelector('#condition').value = '[ nr lt'").await;
    tab.click("#interest form .main").await;
    tab.until("it says why not", "document.querySelector('#holds').dataset.state === 'bad' && document.querySelector('#holds').textContent.length > 20").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_break_exactly_what_was_missed_comes() {
    let dashboard = Dashboard::start(&[]).await;
    let tab = open(&dashboard).await;
    tab.until("the pulse is there", "document.querySelectorAll('#log li[data-name=pulse]').length > 1").await;
    tab.click("#cut").await;
    tab.until("it is cut", "document.querySelector('#state').dataset.state === 'lost'").await;
    tab.until(
        "all has come",
        "document.querySelector('#log').textContent.includes('what was missed has come')",
    )
    .await;
    let beats = "[...document.querySelectorAll('#log li[data-name=pulse] span')].map(said => JSON.parse(said.title).beat)";
    tab.until("the pulse goes on", &format!("{beats}.length > 8")).await;
    let beats: Vec<u64> = serde_json::from_value(tab.eval(beats).await).unwrap();
    assert!(
        beats.windows(2).all(|two| two[0] == two[1] + 1),
        "the newest first, none twice, none lost: {beats:?}"
    );
    nothing_is_wrong(&tab);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_comes_back_to_a_server_that_was_killed_and_started_again() {
    let dashboard = Dashboard::start(&[]).await;
    let tab = open(&dashboard).await;
    has_all(&tab).await;
    let address = dashboard.address().to_owned();
    drop(dashboard);
    tab.until("it sees that", "document.querySelector('#state').dataset.state === 'lost'").await;
    let _dashboard = Dashboard::at(&address, &["--pipelines", "in-order"]).await;
    is_live(&tab).await;
    tab.until(
        "it says what it does not know",
        "document.querySelector('#log').textContent.includes('does not know any more what was missed')",
    )
    .await;
    tab.click("#ask").await;
    tab.until("it asks again", "document.querySelectorAll('#runs li').length > 1").await;
    has_all(&tab).await;
    tab.until("new pulses come", "document.querySelector('#log li[data-name=pulse]') !== null").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_else_watches_is_seen() {
    let dashboard = Dashboard::start(&[]).await;
    let tab = open(&dashboard).await;
    let watching = |n: usize| format!("document.querySelector('#watchers b').textContent === '{n}'");
    tab.until("it is alone", &watching(1)).await;
    let other = open(&dashboard).await;
    other.until("it is not alone", &watching(2)).await;
    tab.until("it sees the other", &watching(2)).await;
    other.click("#pipelines [data-kind=batched]").await;
    tab.until(
        "it sees what the other does",
        "document.querySelector('[data-kind=batched]').ariaPressed === 'true'",
    )
    .await;
    drop(other);
    tab.until("it is alone again", &watching(1)).await;
    nothing_is_wrong(&tab);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_fits_on_a_phone() {
    let dashboard = Dashboard::start(&[]).await;
    let tab = open(&dashboard).await;
    tab.size(360, 740).await;
    has_all(&tab).await;
    let wide = tab.eval("document.documentElement.scrollWidth").await;
    assert!(wide.as_u64().unwrap() <= 360, "{wide}");
}
