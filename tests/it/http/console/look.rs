//! Pictures for the documentation: made only if `MAPE_SCREENSHOTS` asks for them.

use super::super::site::Site;
use super::demo::Demo;
use crate::server::Tab;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

async fn keep(tab: &Tab, name: &str) {
    let encoded = tab.picture().await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/console").join(format!("{name}.png"));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut decode = Command::new("base64")
        .arg("-d")
        .stdin(Stdio::piped())
        .stdout(std::fs::File::create(&path).unwrap())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut decode.stdin.take().unwrap(), encoded.as_bytes()).unwrap();
    assert!(decode.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::disallowed_methods, reason = "whoever wants pictures says so")]
async fn pictures_are_taken_when_they_are_asked_for() {
    if std::env::var("MAPE_SCREENSHOTS").is_err() {
        return;
    }
    let demo = Demo::start().await;
    let [finished, failed, asking, _] = demo.runs().await;
    let site = Site::with(demo.service()).await;
    let pages = [
        ("overview", "/".to_owned()),
        ("loops", "/console/loops".to_owned()),
        ("element", "/console/loops#car_panda.error".to_owned()),
        ("workflows", "/console/workflows".to_owned()),
        ("run", format!("/console/workflows/{finished}")),
        ("failed", format!("/console/workflows/{failed}")),
        ("asking", format!("/console/workflows/{asking}")),
        ("start", "/console/start".to_owned()),
        ("knowledge", "/console/knowledge".to_owned()),
        ("channels", "/console/channels".to_owned()),
    ];
    for (name, path) in pages {
        for (suffix, width, height, dark) in
            [("", 1280, 800, false), ("-dark", 1280, 800, true), ("-phone", 360, 740, false)]
        {
            let tab = Tab::blank().await;
            tab.size(width, height).await;
            tab.dark(dark).await;
            tab.go(&site.url(&path)).await;
            if name == "start" {
                tab.click("#flow").await;
                tab.write("fetch → { clean  count } → :met\n:meet store → ? `$.sum > 3` report").await;
            }
            tokio::time::sleep(Duration::from_millis(2500)).await;
            keep(&tab, &format!("{name}{suffix}")).await;
        }
    }
}
