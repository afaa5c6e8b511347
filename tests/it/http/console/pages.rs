//! Every page, as it is loaded.

use super::super::site::Site;
use super::demo::Demo;
use super::is_clean;
use crate::server::Tab;

#[tokio::test(flavor = "multi_thread")]
async fn every_page_loads_without_complaints_and_asks_nobody_else() {
    let demo = Demo::start().await;
    let [finished, failed, asking, going] = demo.runs().await;
    let site = Site::with(demo.service()).await;
    let tab = Tab::open(&site.url("/")).await;
    for path in [
        "/".to_owned(),
        "/console/loops".to_owned(),
        "/console/loops/car_panda/error".to_owned(),
        "/console/loops#car_panda.error".to_owned(),
        "/console/workflows".to_owned(),
        format!("/console/workflows/{finished}"),
        format!("/console/workflows/{failed}?vertical=true"),
        format!("/console/workflows/{asking}"),
        format!("/workflow?id={going}"),
        "/console/start".to_owned(),
        "/console/knowledge".to_owned(),
        "/console/channels".to_owned(),
        "/console/login".to_owned(),
    ] {
        tab.go(&site.url(&path)).await;
        tab.until("the page says what it is", "document.querySelector('h1')?.textContent.trim().length > 0")
            .await;
    }
    is_clean(&tab, &site);
}
