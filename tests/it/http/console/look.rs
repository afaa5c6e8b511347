//! Pictures for the documentation, made only if they are asked for: `MAPE_SCREENSHOTS=1` makes those in `docs/console/`,
//! `MAPE_SCREENSHOTS=all` also all pages in all forms, in the directory of the tests.

use super::super::site::Site;
use super::demo::Demo;
use super::queues::World;
use crate::server::Tab;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How a page is looked at.
const DESKTOP: (&str, u32, u32, bool) = ("", 1280, 800, false);
const DARK: (&str, u32, u32, bool) = ("-dark", 1280, 800, true);
const PHONE: (&str, u32, u32, bool) = ("-phone", 360, 740, false);

/// The longest file of the documentation, in bytes.
const LARGEST: u64 = 150_000;

pub(super) async fn keep(tab: &Tab, path: &Path) {
    let encoded = tab.picture().await;
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut decode = Command::new("base64")
        .arg("-d")
        .stdin(Stdio::piped())
        .stdout(std::fs::File::create(path).unwrap())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut decode.stdin.take().unwrap(), encoded.as_bytes()).unwrap();
    assert!(decode.wait().unwrap().success());
    assert!(std::fs::metadata(path).unwrap().len() < LARGEST, "{} is too large", path.display());
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::disallowed_methods, reason = "whoever wants pictures says so")]
async fn pictures_are_taken_when_they_are_asked_for() {
    let Ok(asked) = std::env::var("MAPE_SCREENSHOTS") else { return };
    let demo = Demo::start().await;
    let [finished, failed, asking, _] = demo.runs().await;
    let site = Site::with(demo.service()).await;
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/console");
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("console");
    let panel = "/console/loops#car_panda.error".to_owned();
    let asking = format!("/console/workflows/{asking}");
    let mut pages: Vec<(PathBuf, String, _)> = vec![
        (docs.join("overview.png"), "/".to_owned(), DESKTOP),
        (docs.join("phone.png"), "/".to_owned(), PHONE),
        (docs.join("loops.png"), panel.clone(), DARK),
        (docs.join("run.png"), asking.clone(), DESKTOP),
        (docs.join("start.png"), "/console/start".to_owned(), DESKTOP),
        (docs.join("queue.png"), "/console/queues/reply".to_owned(), DESKTOP),
    ];
    if asked == "all" {
        let paths = [
            ("overview", "/".to_owned()),
            ("loops", "/console/loops".to_owned()),
            ("engine", "/console/loops?engine=true".to_owned()),
            ("panel", panel),
            ("element", "/console/loops/car_panda/error".to_owned()),
            ("workflows", "/console/workflows".to_owned()),
            ("run", format!("/console/workflows/{finished}")),
            ("vertical", format!("/console/workflows/{finished}?vertical=true")),
            ("failed", format!("/console/workflows/{failed}")),
            ("asking", asking),
            ("start", "/console/start".to_owned()),
            ("knowledge", "/console/knowledge".to_owned()),
            ("channels", "/console/channels".to_owned()),
            ("login", "/console/login".to_owned()),
            ("lost", "/console/loops/no/where".to_owned()),
        ];
        for (name, path) in paths {
            for form in [DESKTOP, DARK, PHONE] {
                pages.push((all.join(format!("{name}{}.png", form.0)), path.clone(), form));
            }
        }
    }
    let queues = World::new().await;
    let queues = Site::of(&queues.app).await;
    if asked == "all" {
        for (name, path) in [("queues", "/console/queues"), ("queue", "/console/queues/reply?state=delayed")]
        {
            for form in [DESKTOP, DARK, PHONE] {
                pages.push((all.join(format!("{name}{}.png", form.0)), path.to_owned(), form));
            }
        }
    }
    for (file, path, (_, width, height, dark)) in pages {
        let site = if path.starts_with("/console/queues") { &queues } else { &site };
        let tab = Tab::blank().await;
        tab.size(width, height).await;
        tab.dark(dark).await;
        tab.go(&site.url(&path)).await;
        if path == "/console/start" {
            tab.click("#flow").await;
            tab.write("check → { price  stock } → :met\n:meet answer → ? `$.total > 20` pay").await;
        }
        // Long enough for rates, and for what happens now and then.
        tokio::time::sleep(Duration::from_secs(3)).await;
        keep(&tab, &file).await;
    }
}
