//! A rolling upgrade: services and an engine are replaced one after the other, while clients begin runs.

use super::hand::Hand;
use super::processes::Program;
use crate::http::site::client;
use crate::server::free_port;
use crate::suite::eventually;
use mape::workflow::{RunId, Status};
use reqwest::{Client, StatusCode};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Some of a run is under way for longer than a process takes to be replaced.
const FLOW: &str = "echo → { wait:delay (- duration: 0.3 -)  echo } → echo";
const CLIENTS: usize = 4;
/// How many runs begin between two replacements.
const BETWEEN: usize = 30;

/// Begins runs at whichever of the services answers, until it is told to end.
async fn load(client: Client, services: Vec<String>, ending: Arc<AtomicBool>, begun: Sender<RunId>) {
    let mut at = 0;
    while !ending.load(Ordering::Relaxed) {
        let url = format!("{}/workflows/start", services[at % services.len()]);
        at += 1;
        // Nobody is there at the moment: it is asked again elsewhere.
        let Ok(response) = client.post(url).header("content-type", "text/plain").body(FLOW).send().await
        else {
            sleep(Duration::from_millis(5)).await;
            continue;
        };
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert_eq!(status, StatusCode::OK, "{text}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        begun.send(RunId::from(answer["workflow"].as_str().unwrap())).await.unwrap();
        sleep(Duration::from_millis(10)).await;
    }
}

async fn more(begun: &mut Receiver<RunId>, ids: &mut Vec<RunId>) {
    let until = ids.len() + BETWEEN;
    while ids.len() < until {
        ids.push(begun.recv().await.expect("runs begin"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_while_every_process_is_replaced_under_load() {
    let hand = Hand::new().await;
    let services: Vec<String> = (0..2).map(|_| format!("127.0.0.1:{}", free_port())).collect();
    let mut programs = Vec::new();
    for address in &services {
        programs.push(Program::started(&hand.server, &["serve", "--listen", address]).await);
    }
    programs.push(Program::started(&hand.server, &["worker"]).await);

    let (ending, (sender, mut begun)) = (Arc::new(AtomicBool::new(false)), channel(10_000));
    let urls: Vec<String> = services.iter().map(|address| format!("http://{address}")).collect();
    let mut clients = JoinSet::new();
    for first in 0..CLIENTS {
        let mut urls = urls.clone();
        urls.rotate_left(first % 2);
        clients.spawn(load(client(), urls, ending.clone(), sender.clone()));
    }
    drop(sender);

    let mut ids = Vec::new();
    for program in &mut programs {
        more(&mut begun, &mut ids).await;
        // It answers what it was asked, and ends well.
        tokio::task::block_in_place(|| program.end());
        more(&mut begun, &mut ids).await;
        program.start();
        program.ready().await;
    }
    more(&mut begun, &mut ids).await;
    ending.store(true, Ordering::Relaxed);
    while let Some(id) = begun.recv().await {
        ids.push(id);
    }
    clients.join_all().await;

    let runs = hand.workflows();
    eventually("no run is in progress", async || runs.in_progress().await.unwrap().is_empty()).await;
    for id in &ids {
        assert_eq!(runs.status(id).await.unwrap(), Status::Finished, "{id}");
    }
    // What a client got no answer for did not begin either.
    let listed = runs.list(0, 100_000).await.unwrap();
    assert_eq!(listed.len(), ids.len());
}
