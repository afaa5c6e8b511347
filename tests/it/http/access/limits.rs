//! How much a client may ask for, and encrypted connections.

use super::*;
use crate::suite::eventually;
use mape::http::{Limits, Tls};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_go_on() {
    let mut limits = Limits::default();
    limits.requests_per_second = std::num::NonZeroU32::new(3);
    let site = Site::with(Service::new(&App::new()).limits(limits)).await;
    let mut refused = None;
    for _ in 0..10 {
        let response = site.request(Method::GET, "/loops").send().await.unwrap();
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(response);
            break;
        }
    }
    let refused = refused.expect("one of ten is refused");
    assert_eq!(refused.headers()["retry-after"], "1");
}

#[tokio::test]
async fn a_client_that_dawdles_is_let_go_of() {
    let mut limits = Limits::default();
    (limits.head_within, limits.body_within) = (Duration::from_millis(100), Duration::from_millis(100));
    let site = Site::with(Service::new(&App::new()).limits(limits)).await;
    let mut stream = TcpStream::connect(site.serving.address()).await.unwrap();
    stream.write_all(b"GET /loops HTT").await.unwrap();
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest))
        .await
        .expect("the connection ends")
        .unwrap();
    for silent in [&b""[..], b"PRI * HT"] {
        let mut stream = TcpStream::connect(site.serving.address()).await.unwrap();
        stream.write_all(silent).await.unwrap();
        let ended = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "a connection that says {silent:?} ends");
    }
    let app = App::new();
    app.create_loop("l").unwrap().execute("e").act(|_: u8| ()).spawn().unwrap().expose();
    let mut limits = Limits::default();
    limits.body_within = Duration::from_millis(100);
    let site = Site::with(Service::new(&app).limits(limits)).await;
    let mut stream = TcpStream::connect(site.serving.address()).await.unwrap();
    stream
        .write_all(b"POST /loops/l/elements/e HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\n1")
        .await
        .unwrap();
    let mut head = [0; 12];
    tokio::time::timeout(Duration::from_secs(10), stream.read_exact(&mut head))
        .await
        .expect("it is answered")
        .unwrap();
    assert_eq!(&head, b"HTTP/1.1 408");
}

#[tokio::test]
async fn a_head_that_is_too_long_is_431() {
    let site = Site::of(&App::new()).await;
    let response = site.request(Method::GET, "/loops").header("x-long", "x".repeat(100_000)).send().await;
    // The connection may be reset before the answer has been read.
    assert!(response.is_err() || response.unwrap().status() == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
}

#[tokio::test]
async fn only_so_many_connections_are_served_at_once() {
    let mut limits = Limits::default();
    limits.connections = 1;
    let site = Site::with(Service::new(&App::new()).limits(limits)).await;
    let first = TcpStream::connect(site.serving.address()).await.unwrap();
    // The first one has the only seat once it is answered.
    let mut first = first;
    first.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut byte = [0];
    first.read_exact(&mut byte).await.unwrap();
    let second = tokio::spawn(site.request(Method::GET, "/health").send());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!second.is_finished(), "it waits for a seat");
    drop(first);
    assert_eq!(second.await.unwrap().unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_close_lets_requests_be_answered() {
    let app = App::new();
    let slow = app
        .create_loop("l")
        .unwrap()
        .analyze("e")
        .export_async("wait", |(): ()| async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            Ok::<_, mape::element::BoxError>("done")
        })
        .map(|n: u8| n)
        .spawn()
        .unwrap();
    slow.start().unwrap();
    let site = Site::of(&app).await;
    let asked = tokio::spawn(answer(site.request(Method::POST, "/loops/l/elements/e/methods/wait")));
    let address = site.serving.address();
    tokio::time::sleep(Duration::from_millis(50)).await;
    site.serving.close(Duration::from_secs(5)).await;
    assert_eq!(asked.await.unwrap(), (StatusCode::OK, Value::from("done")));
    eventually("nobody listens any more", || async { TcpStream::connect(address).await.is_err() }).await;
}

#[tokio::test]
async fn connections_are_encrypted_with_the_given_certificate() {
    let directory = crate::server::Directory::new();
    crate::server::make_certificates(directory.path());
    let [ca, certificate, key] =
        ["ca.crt", "server.crt", "server.key"].map(|file| directory.path().join(file));
    let tls = Tls::from_files(&certificate, &key).unwrap();
    let site = Site::with(Service::new(&App::new()).tls(tls)).await;
    assert!(site.serving.url().starts_with("https://"));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::pem::PemObject::from_pem_file(&ca).unwrap()).unwrap();
    let trusting = super::super::site::client_that_trusts(roots);
    assert_eq!(status(trusting.get(site.url("/health"))).await, StatusCode::OK);
    assert!(client().get(site.url("/health")).send().await.is_err(), "nobody vouches for it");
    let missing = Tls::from_files("/nonexistent.pem", &key).unwrap_err();
    assert!(missing.to_string().contains("/nonexistent.pem"), "{missing}");
    let wrong = Tls::from_files(&certificate, &certificate).unwrap_err();
    assert!(wrong.to_string().contains("private key"), "{wrong}");
}

#[tokio::test]
async fn http2_is_spoken_with_whoever_begins_with_it_and_a_request_in_single_bytes_is_answered() {
    let site = Site::of(&App::new()).await;
    let mut stream = TcpStream::connect(site.serving.address()).await.unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut settings = [0; 9];
    stream.read_exact(&mut settings).await.unwrap();
    assert_eq!(settings[3], 4, "a frame of settings comes first");
    // It begins as HTTP/2 does.
    let request = b"POST /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let mut stream = TcpStream::connect(site.serving.address()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for byte in request {
        stream.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 405"), "{}", String::from_utf8_lossy(&answer));
}
