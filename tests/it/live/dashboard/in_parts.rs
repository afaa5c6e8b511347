//! `GET /{job}/{parts}/{dt}`: results in parts, in order and in parallel, for many at a time.

use super::Dashboard;
use crate::http::site::client;
use crate::patterns::example;
use futures::future::join_all;
use serde::Deserialize;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Piece {
    res: String,
    nr: u64,
    dt: u64,
}

/// So many clients ask one after the other for three parts each; by which client and with which number they came, and how
/// long it took.
async fn ask(dashboard: &Dashboard, clients: u64, apart: u64) -> (Vec<(u64, u64)>, Duration) {
    let (came, mut parts) = mpsc::channel(100);
    let since = Instant::now();
    let mut answers = Vec::new();
    for n in 1..=clients {
        let answer = client().get(format!("{}/job{n}/3/{apart}", dashboard.url)).send().await.unwrap();
        answers.push((n, answer));
    }
    let reading = answers.into_iter().map(|(n, mut answer)| {
        let came = came.clone();
        async move {
            let mut text = Vec::new();
            while let Some(bytes) = answer.chunk().await.unwrap() {
                text.extend_from_slice(&bytes);
                while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = text.drain(..=end).collect();
                    assert!(line.ends_with(b"\r\n"));
                    let piece: Piece = serde_json::from_slice(&line).unwrap();
                    assert_eq!(piece.res, format!("job{n} result {}", piece.nr));
                    came.send((n, piece.nr)).await.unwrap();
                }
            }
        }
    });
    join_all(reading).await;
    drop(came);
    let mut order = Vec::new();
    while let Some(part) = parts.recv().await {
        order.push(part);
    }
    (order, since.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn in_order_the_first_client_gets_all_its_parts_first() {
    let dashboard = Dashboard::start(&["--pipelines", "in-order"]).await;
    let (order, took) = ask(&dashboard, 3, 60).await;
    let expected: Vec<_> = (1..=3).flat_map(|client| (0..3).map(move |nr| (client, nr))).collect();
    assert_eq!(order, expected);
    assert!(took >= Duration::from_millis(3 * 3 * 60), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_parallel_parts_of_two_clients_interleave_and_it_takes_as_long_as_one() {
    let dashboard = Dashboard::start(&["--pipelines", "parallel"]).await;
    let (order, took) = ask(&dashboard, 2, 250).await;
    let place = |part| order.iter().position(|one| *one == part).unwrap();
    assert!(place((2, 0)) < place((1, 1)) && place((1, 1)) < place((2, 2)), "{order:?}");
    assert_eq!(order.len(), 6);
    // One takes 750 ms, both in order 1,500 ms.
    assert!(took < Duration::from_millis(1300), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_ends_by_itself_and_shows_both() {
    let mut demo = example("live_dashboard");
    let shown = tokio::task::spawn_blocking(move || demo.arg("--demo").output().unwrap()).await.unwrap();
    assert!(shown.status.success(), "{shown:?}");
    let shown = String::from_utf8(shown.stdout).unwrap();
    let clients = |words: &str| -> Vec<u8> {
        let lines = shown.lines().filter(|line| line.starts_with(words));
        lines.filter_map(|line| Some(line.split_once("client ")?.1.as_bytes()[0])).collect()
    };
    assert_eq!(clients("in order"), b"111222333");
    let parallel = clients("in parallel");
    assert_eq!(parallel.len(), 9);
    assert!(
        parallel.iter().position(|client| *client == b'2')
            < parallel.iter().rposition(|client| *client == b'1')
    );
}

/// One request on a connection of its own; what was answered, to the end.
async fn raw(address: &str, path: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_clients_of_one_address_get_all_their_parts_though_few_files_may_be_open_at_first() {
    // For the sockets of the clients.
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let most = rustix::process::Rlimit { current: limit.maximum, ..limit };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, most).unwrap();
    let program = example("live_dashboard").get_program().to_owned();
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -Sn 100 && exec \"$0\" --listen 127.0.0.1:0"])
        .arg(program)
        .stdin(Stdio::null());
    let dashboard = Dashboard::of(command).await;
    let all = (0..1000).map(|n| {
        let address = dashboard.address().to_owned();
        tokio::spawn(async move { raw(&address, &format!("/job{n}/20/5")).await })
    });
    let all = timeout(Duration::from_mins(1), join_all(all)).await.unwrap();
    for (n, answer) in all.into_iter().enumerate() {
        let answer = String::from_utf8(answer.unwrap()).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("transfer-encoding: chunked"),
            "{head}"
        );
        assert!(body.ends_with("\r\n0\r\n\r\n"), "{body}");
        let pieces: Vec<Piece> = body.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let numbers: Vec<_> = pieces.iter().map(|piece| piece.nr).collect();
        assert_eq!(numbers, (0..20).collect::<Vec<_>>(), "{n}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_is_sent_the_moment_it_exists() {
    let dashboard = Dashboard::start(&[]).await;
    let mut answer = client().get(format!("{}/x/2/2000", dashboard.url)).send().await.unwrap();
    let first = answer.chunk().await.unwrap().unwrap();
    let piece: Piece = serde_json::from_slice(&first).unwrap();
    assert!((2000..3900).contains(&piece.dt), "{piece:?}");
    assert_eq!(piece.nr, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_parts_as_there_may_be_come_without_a_pause_and_none_is_lost() {
    let dashboard = Dashboard::start(&[]).await;
    let name = "n".repeat(200);
    let (status, text) = dashboard.get(&format!("/{name}/10000/0")).await;
    assert_eq!((status, text.lines().count()), (200, 10_000));
    assert!(text.lines().last().unwrap().contains("\"nr\":9999,"));
    assert_eq!(dashboard.get("/none/0/5").await, (200, String::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_make_no_sense_are_refused_with_a_reason() {
    let dashboard = Dashboard::start(&[]).await;
    for (path, reason) in [
        ("/job/three/5", "`parts` has to be a number from 0 to 10000, not `three`"),
        ("/job/-1/5", "`parts` has to be a number"),
        ("/job/10001/5", "from 0 to 10000"),
        ("/job/3/1.5", "`dt` has to be a number from 0 to 60000, not `1.5`"),
        ("/job/3/60001", "from 0 to 60000"),
    ] {
        let (status, text) = dashboard.get(path).await;
        assert!(status == 400 && text.contains(reason), "{path}: {status} {text}");
    }
    let (status, text) = dashboard.get(&format!("/{}/3/5", "n".repeat(201))).await;
    assert!(status == 400 && text.contains("at most 200 bytes"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_job_of_a_client_that_has_gone_is_cancelled() {
    let dashboard = Dashboard::start(&["--pipelines", "in-order"]).await;
    let mut gone = client().get(format!("{}/long/10/300", dashboard.url)).send().await.unwrap();
    gone.chunk().await.unwrap();
    drop(gone);
    // In order, the next job begins when that one has ended.
    let since = Instant::now();
    let (status, text) = dashboard.get("/next/1/1").await;
    assert_eq!((status, text.lines().count()), (200, 1));
    assert!(since.elapsed() < Duration::from_millis(1500), "{:?}", since.elapsed());
}
