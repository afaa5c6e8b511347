//! Goals on the pages: what is wanted, and whether it is so.

use super::super::site::Site;
use super::is_clean;
use crate::server::Tab;
use mape::app::App;
use mape::backend::Backend;
use mape::element::Element;
use mape::goal::{Goal, Signal, Verdict};
use std::time::Duration;

/// A car with goals in all states.
fn car(app: &App) -> Element<f64, Verdict> {
    let car = app.create_loop("car").unwrap();
    let distance = || Signal::new("distance", |metres: &f64| *metres).unit("m");
    let sense = car.monitor("sense").map(|metres: f64| metres).spawn().unwrap();
    let near = car.goal("distance", distance().above(20.0).report_every(Duration::ZERO)).unwrap();
    let usual = distance().above(15.0).ratio(0.9, Duration::from_mins(10));
    let all = [
        near.clone(),
        car.goal("sight", distance().below(200.0).always(Duration::from_hours(1))).unwrap(),
        car.goal("mostly_far", usual).unwrap(),
        car.goal("readings", Goal::deadline(Duration::from_mins(15))).unwrap(),
    ];
    for goal in &all {
        sense.link(goal).unwrap();
    }
    sense.expose();
    sense.start().unwrap();
    near
}

#[tokio::test(flavor = "multi_thread")]
async fn goals_show_with_state_margin_and_why_and_follow_what_happens() {
    let app = App::new();
    let _near = car(&app);
    let site = Site::of(&app).await;
    let tab = Tab::open(&site.url("/")).await;
    tab.until("the page is live", "document.getElementById('pulse').dataset.state === 'live'").await;
    tab.eval("window.same = true").await;
    let row = |name: &str, column: u32| {
        format!("document.querySelector('[id=\"goal-car.{name}\"] > :nth-child({column})').textContent")
    };
    for (metres, state, margin) in ["25|met|5 m", "12|violated|-8 m", "40|met|20 m"].map(|one| {
        let mut parts = one.split('|');
        (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap())
    }) {
        let pushed = site.post("/loops/car/elements/sense", metres).await;
        assert!(pushed.0.is_success(), "{pushed:?}");
        let shown = format!("{} === '{state}' && {} === '{margin}'", row("distance", 2), row("distance", 3));
        tab.until(&format!("it shows as {state}"), &shown).await;
        let is_wrong = "document.getElementById('findings').textContent.includes('car.distance is violated')";
        assert_eq!(tab.eval(is_wrong).await, state == "violated");
    }
    assert_eq!(tab.eval("window.same").await, true, "the page was loaded again");
    let words = row("sight", 1);
    let why = "so far, but not all of the last 60 min is known for certain";
    assert_eq!(tab.eval(&format!("{words}.includes('{why}')")).await, true);
    assert_eq!(tab.eval(&row("sight", 2)).await, "unknown");
    assert_eq!(tab.eval(&row("mostly_far", 2)).await, "violated");
    is_clean(&tab, &site);
}

#[tokio::test(flavor = "multi_thread")]
async fn goals_of_other_apps_show_as_they_change_though_nothing_happens_here() {
    let backend = Backend::memory();
    let (here, there) = (App::with_backend(backend.clone()), App::with_backend(backend));
    let site = Site::of(&here).await;
    let tab = Tab::open(&site.url("/")).await;
    tab.until("the page is live", "document.getElementById('pulse').dataset.state === 'live'").await;
    let near = there.create_loop("car").unwrap().goal("distance", Goal::<f64>::above(20.0)).unwrap();
    for (metres, state) in [(25.0, "met"), (12.0, "violated")] {
        near.push(metres).await.unwrap();
        let row = "document.getElementById('goal-car.distance')?.textContent ?? ''";
        let shown = format!("({row}).includes('{state}') && ({row}).includes('elsewhere')");
        tab.until(&format!("it shows as {state}"), &shown).await;
    }
    is_clean(&tab, &site);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_goal_says_what_is_wanted() {
    let app = App::new();
    let near = car(&app);
    let site = Site::of(&app).await;
    let tab = Tab::open(&site.url("/console/loops/car/distance")).await;
    near.push(12.0).await.unwrap();
    let section = "document.querySelector('section.goal').textContent";
    tab.until("it shows as violated", &format!("{section}.includes('distance 12 m is below 20 m')")).await;
    for words in ["violated", "-8 m", "distance >= 20 m"] {
        assert_eq!(tab.eval(&format!("{section}.includes('{words}')")).await, true, "{words}");
    }
    is_clean(&tab, &site);
    tab.go(&site.url("/console/loops/car/sense")).await;
    assert_eq!(tab.eval("document.querySelector('section.goal')").await, serde_json::Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::disallowed_methods, reason = "whoever wants pictures says so")]
async fn pictures_of_goals_are_taken_when_they_are_asked_for() {
    if std::env::var("MAPE_SCREENSHOTS").is_err() {
        return;
    }
    let app = App::new();
    let near = car(&app);
    let site = Site::of(&app).await;
    for metres in ["25", "12", "30", "19"] {
        site.post("/loops/car/elements/sense", metres).await;
    }
    near.push(14.25).await.unwrap();
    let all = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("console");
    let forms = [("", 1280, 800, false), ("-dark", 1280, 800, true), ("-phone", 360, 740, false)];
    for (form, width, height, dark) in forms {
        for (page, path) in [("goals", "/"), ("goal", "/console/loops/car/distance")] {
            let tab = Tab::blank().await;
            tab.size(width, height).await;
            tab.dark(dark).await;
            tab.go(&site.url(path)).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            super::look::keep(&tab, &all.join(format!("{page}{form}.png"))).await;
        }
    }
}
