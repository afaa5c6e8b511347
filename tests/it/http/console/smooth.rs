//! A picture of five hundred elements, while they work.

use super::super::site::Site;
use crate::server::Tab;
use mape::app::App;
use std::time::Duration;

/// Counts long tasks and what is changed in the picture for two seconds: the longest task and the longest time between
/// two frames in milliseconds, how many elements were touched, and how many nodes came or went.
const WATCH: &str = "new Promise((resolve) => {
    const touched = new Set();
    let longest = 0, came = 0, frame = 0, last = performance.now(), watches = true;
    const tasks = new PerformanceObserver((list) => { for (const one of list.getEntries()) longest = Math.max(longest, one.duration); });
    tasks.observe({ entryTypes: ['longtask'] });
    const changes = new MutationObserver((records) => {
        for (const one of records) {
            const element = one.target.nodeType === Node.TEXT_NODE ? one.target.parentElement : one.target;
            const box = element?.closest('[data-path]');
            if (box) touched.add(box.dataset.path);
            if (!box || one.type === 'childList') came += [...one.addedNodes].filter((node) => node.nodeType === Node.ELEMENT_NODE).length;
        }
    });
    changes.observe(document.getElementById('map'), { subtree: true, childList: true, attributes: true, characterData: true });
    const next = (now) => { frame = Math.max(frame, now - last); last = now; if (watches) requestAnimationFrame(next); };
    requestAnimationFrame(next);
    setTimeout(() => { watches = false; tasks.disconnect(); changes.disconnect(); resolve([longest, frame, touched.size, came]); }, 2000);
})";

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_elements_stay_smooth_and_only_what_changes_is_touched() {
    let app = App::new();
    let mut busy = Vec::new();
    for number in 0..100 {
        let one = app.create_loop(&format!("loop_{number}")).unwrap();
        let monitor = one.monitor("monitor").map(|x: u64| x).spawn().unwrap();
        let analyze = one.analyze("analyze").map(|x: u64| x).spawn().unwrap();
        let plan = one.plan("plan").map(|x: u64| x).spawn().unwrap();
        let execute = one.execute("execute").map(|x: u64| x).spawn().unwrap();
        let log = one.execute("log").act(|_: u64| {}).spawn().unwrap();
        monitor.link(&analyze).unwrap();
        analyze.link(&plan).unwrap();
        plan.link(&execute).unwrap();
        plan.link(&log).unwrap();
        monitor.start().unwrap();
        if number % 5 == 0 {
            busy.push(monitor);
        }
    }
    let pushing = tokio::spawn(async move {
        for item in 0_u64.. {
            for (number, monitor) in busy.iter().enumerate() {
                if item % (number as u64 + 1) == 0 {
                    let _ = monitor.push(item).await;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let site = Site::of(&app).await;
    let tab = Tab::open(&site.url("/console/loops")).await;
    tab.until("all are drawn", "document.querySelectorAll('#map [data-path]').length === 500").await;
    tab.until(
        "it is live",
        "document.querySelector('[data-path=\"loop_0.monitor\"] .rate').textContent !== '0/s'",
    )
    .await;
    tab.eval("window.drawn = document.querySelector('[data-path=\"loop_0.monitor\"]')").await;
    // A busy machine may hold up everything for a while; not all the time.
    let mut best = f64::MAX;
    for _ in 0..20 {
        let seen = tab.eval(WATCH).await;
        let (longest, frame) = (seen[0].as_f64().unwrap(), seen[1].as_f64().unwrap());
        let (touched, came) = (seen[2].as_u64().unwrap(), seen[3].as_u64().unwrap());
        assert!((1..=100).contains(&touched), "{touched} elements were touched, and 100 work");
        assert_eq!(came, 0, "nothing is drawn anew");
        best = best.min(longest.max(frame));
        if best < 200.0 {
            break;
        }
    }
    assert!(best < 200.0, "the page stood still for {best} ms");
    let same = "window.drawn === document.querySelector('[data-path=\"loop_0.monitor\"]')";
    assert_eq!(tab.eval(same).await, true);
    assert!(tab.complaints().is_empty(), "{:#?}", tab.complaints());
    pushing.abort();
}
