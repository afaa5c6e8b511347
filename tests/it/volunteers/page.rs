//! The page, in a browser.

use super::{Places, TOKEN};
use crate::server::{Directory, Tab};
use crate::telemetry::program::Running;
use std::process::Command;

/// How many comments a post gets.
const COMMENTS: u64 = 200;

struct World {
    places: Places,
    directory: Directory,
    running: Option<Running>,
}

impl World {
    async fn start() -> Self {
        let (places, directory) = (Places::free(), Directory::new());
        let running = Running::start(&mut Self::command(&places, &directory));
        running.says("ada has published a post").await;
        Self { places, directory, running: Some(running) }
    }

    /// Everything in one process, which knows after a restart what it knew.
    fn command(places: &Places, directory: &Directory) -> Command {
        let mut command = places.program();
        let backend = format!("file:{}", directory.path().join("backend").display());
        command.args(["--backend", &backend, "--data"]).arg(directory.path().join("data"));
        // For longer than a test takes to look.
        command.env("MAPE_NETWORK__PACE", "60").env("MAPE_NETWORK__COMMENTS", COMMENTS.to_string());
        command
    }

    async fn tab(&self) -> Tab {
        let tab = Tab::open(&format!("http://{}/volunteers#{TOKEN}", self.places.page)).await;
        is_live(&tab).await;
        tab
    }
}

async fn is_live(tab: &Tab) {
    tab.until("it is connected", "document.querySelector('#state').dataset.state === 'live'").await;
}

const ROWS: &str = "document.querySelectorAll('#signups li').length";

async fn count(tab: &Tab) -> u64 {
    tab.eval(ROWS).await.as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn signups_appear_with_their_verdicts_and_answers_within_a_second() {
    let world = World::start().await;
    let tab = world.tab().await;
    tab.until("some have come", &format!("{ROWS} > 5")).await;
    tab.until("one is answered", "document.querySelector('.reply:not(.waits)') !== null").await;
    // What was just judged, by the clock of this machine: said, delivered, judged, written, and told.
    tab.eval(
        "window.late = []; new MutationObserver((all) => all.forEach(({addedNodes}) => addedNodes.forEach((node) => \
         node.dataset?.said && late.push(Date.now() - Number(node.dataset.said))))).observe(document.querySelector('#signups'), {childList: true})",
    )
    .await;
    // One of eleven is told by no webhook, and comes with what is fetched each second here.
    let most = "late.length >= 20 && late.filter((ms) => ms < 1000).length >= 0.8 * late.length";
    tab.until("more have come, most of them within a second", most).await;
    // The token is in no address, and no script can read the cookie.
    assert_eq!(tab.eval("location.hash + document.cookie").await, "");
    assert_eq!(tab.complaints(), Vec::<String>::new());
    tab.click("#leave").await;
    tab.until("it asks who is there", "document.body.dataset.view === 'enter'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_disconnected_says_so_and_comes_back_with_what_it_missed() {
    let mut world = World::start().await;
    let tab = world.tab().await;
    tab.until("some have come", &format!("{ROWS} > 3")).await;
    let before = count(&tab).await;
    // It dies, as with `kill -9`, and is there again a little later.
    drop(world.running.take());
    tab.until("it says so", "document.querySelector('#state').dataset.state === 'lost'").await;
    tab.until(
        "so that one sees it",
        "getComputedStyle(document.querySelector('#offline')).display !== 'none'",
    )
    .await;
    world.running = Some(Running::start(&mut World::command(&world.places, &world.directory)));
    is_live(&tab).await;
    assert!(before < COMMENTS, "some were still to come");
    tab.until("all of it is there", &format!("{ROWS} >= {COMMENTS}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organiser_proves_a_mail_address_and_publishes() {
    let world = World::start().await;
    let tab = Tab::open(&format!("http://{}/volunteers", world.places.page)).await;
    tab.until("it asks who is there", "document.body.dataset.view === 'enter'").await;
    tab.click("#token").await;
    tab.write("the-token-of-ben-in-tests").await;
    tab.press("Enter").await;
    tab.until("it asks for an address", "document.body.dataset.view === 'connect'").await;
    tab.click("#email").await;
    tab.write("ben@example.org").await;
    tab.press("Enter").await;
    tab.until("it asks for the PIN", "!document.querySelector('#proof').hidden").await;
    let pin = async || {
        let records = world.places.records().await?;
        let mail = records["mails"].as_array()?.iter().find(|mail| mail["to"] == "ben@example.org")?["text"]
            .to_string();
        mail.split("\\n").find(|line| line.contains("is your PIN"))?.split(' ').next().map(str::to_owned)
    };
    crate::suite::eventually("the mail is there", async || pin().await.is_some()).await;
    tab.click("#pin").await;
    tab.write(&pin().await.unwrap()).await;
    tab.press("Enter").await;
    tab.until("ben may publish", "document.body.dataset.view === 'work'").await;
    tab.click("#text").await;
    tab.write("Hands for the harvest, this Sunday?").await;
    tab.click("#compose .main").await;
    tab.until("people come", &format!("{ROWS} > 2")).await;
    tab.until("it is published", "document.querySelector('#when').textContent.startsWith('published')").await;
    assert_eq!(tab.eval("document.querySelectorAll('.post').length").await, 1, "ada's posts are hers");
}
