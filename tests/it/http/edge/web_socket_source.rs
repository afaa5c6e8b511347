//! Real sockets, of servers that close, refuse and fall silent, through a network that breaks.

use super::peer::Peer;
use crate::server::{Directory, Proxy, make_certificates};
use axum::extract::Request;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Router, middleware};
use futures::{SinkExt, StreamExt};
use mape::edge::{Client, Error, PostFormat, WebSocketSource};
use mape::stream::Backoff;
use serde_json::{Value, json};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const SOON: Duration = Duration::from_millis(10);

fn source(service: &str) -> WebSocketSource<Value> {
    let source = WebSocketSource::new(&format!("ws://{service}/feed?token=s3cret")).unwrap();
    source.backoff(Backoff::constant(SOON))
}

async fn next<T: serde::de::DeserializeOwned>(source: &mut WebSocketSource<T>) -> Result<T, Error> {
    tokio::time::timeout(Duration::from_secs(10), source.next()).await.expect("nothing comes").unwrap()
}

/// A server that talks so, and how many have connected.
fn talking<F>(
    talk: impl Fn(usize, WebSocket) -> F + Clone + Send + Sync + 'static,
) -> (Peer, Arc<AtomicUsize>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let connected = Arc::<AtomicUsize>::default();
    let counted = connected.clone();
    let upgrade = async move |upgrade: WebSocketUpgrade| {
        let number = counted.fetch_add(1, Ordering::SeqCst);
        upgrade.on_upgrade(move |socket| talk(number, socket))
    };
    (Peer::start(Router::new().route("/feed", get(upgrade))), connected)
}

fn is_interrupted(error: &Error, by: &str) -> bool {
    matches!(error, Error::Interrupted { reason, .. } if reason.contains(by))
}

#[tokio::test]
async fn messages_are_items_and_what_is_none_is_an_error_in_its_place() {
    let (peer, _) = talking(async |_, mut socket: WebSocket| {
        socket.send("{\"a\": 1}".into()).await.unwrap();
        socket.send("no JSON".into()).await.unwrap();
        socket.send(Message::Binary("[2]".into())).await.unwrap();
        socket.send(Message::Ping("x".into())).await.unwrap();
        // It is answered, and only then comes the rest.
        while !matches!(socket.recv().await, Some(Ok(Message::Pong(_)))) {}
        socket.send("3".into()).await.unwrap();
        std::future::pending::<()>().await;
    });
    let mut items = source(&peer.service());
    assert_eq!(next(&mut items).await.unwrap(), json!({"a": 1}));
    let error = next(&mut items).await.unwrap_err();
    assert!(matches!(error, Error::Decode { .. }) && error.to_string().contains("ws://127.0.0.1"), "{error}");
    assert!(!error.to_string().contains("s3cret"));
    assert_eq!(next(&mut items).await.unwrap(), json!([2]));
    assert_eq!(next(&mut items).await.unwrap(), json!(3));
    let (peer, _) = talking(async |_, mut socket: WebSocket| {
        // The text "car" in MessagePack.
        socket.send(Message::Binary(vec![0xa3, b'c', b'a', b'r'].into())).await.unwrap();
        std::future::pending::<()>().await;
    });
    let mut items = source(&peer.service()).binary(PostFormat::MessagePack);
    assert_eq!(next(&mut items).await.unwrap(), json!("car"));
}

#[tokio::test]
async fn what_is_said_first_is_said_after_each_connecting() {
    let (peer, connected) = talking(async |number, mut socket: WebSocket| {
        for _ in 0..2 {
            let heard = socket.recv().await.unwrap().unwrap();
            socket.send(heard).await.unwrap();
        }
        if number > 0 {
            std::future::pending::<()>().await;
        }
    });
    let source = source(&peer.service()).first(&json!({"subscribe": "a"})).unwrap();
    let mut source = source.first(&2).unwrap();
    for round in 0..2 {
        assert_eq!(next(&mut source).await.unwrap(), json!({"subscribe": "a"}));
        assert_eq!(next(&mut source).await.unwrap(), json!(2));
        if round == 0 {
            assert!(is_interrupted(&next(&mut source).await.unwrap_err(), ""));
        }
    }
    assert_eq!(connected.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn the_code_by_which_a_server_closes_is_told() {
    let (peer, _) = talking(async |number, mut socket: WebSocket| {
        let (code, reason) = if number == 0 { (1008, "no such feed") } else { (4000, "") };
        let closing = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        socket.send(closing).await.unwrap();
        while socket.recv().await.is_some() {}
    });
    let mut source = source(&peer.service());
    let error = next(&mut source).await.unwrap_err();
    assert!(matches!(&error, Error::Disconnected { code: 1008, .. }), "{error}");
    assert!(error.to_string().contains("with code 1008: no such feed;"), "{error}");
    let error = next(&mut source).await.unwrap_err();
    assert!(error.to_string().contains("with code 4000;"), "{error}");
}

#[tokio::test]
async fn a_message_that_is_too_long_costs_the_connection_and_is_told() {
    let (peer, _) = talking(async |number, mut socket: WebSocket| {
        if number == 0 {
            socket.send(format!("\"{}\"", "x".repeat(100_000)).into()).await.unwrap();
        }
        socket.send("1".into()).await.unwrap();
        while socket.recv().await.is_some() {}
    });
    let mut source = source(&peer.service()).longest(1000);
    let error = next(&mut source).await.unwrap_err();
    assert!(matches!(error, Error::ItemTooLong { longest: 1000, .. }), "{error}");
    assert!(is_interrupted(&next(&mut source).await.unwrap_err(), "too long"));
    assert_eq!(next(&mut source).await.unwrap(), json!(1));
}

#[tokio::test]
async fn a_broken_and_a_silent_network_are_told_and_outlived() {
    let (peer, _) = talking(async |_, mut socket: WebSocket| {
        socket.send("1".into()).await.unwrap();
        while socket.recv().await.is_some() {}
    });
    let proxy = Proxy::to(peer.address.port(), &peer.service());
    let mut source = source(&proxy.url()).heartbeat(SOON * 5, SOON * 20);
    assert_eq!(next(&mut source).await.unwrap(), json!(1));
    // Pings are answered, so that a quiet connection is no silent one.
    assert!(tokio::time::timeout(SOON * 60, source.next()).await.is_err());
    proxy.cut();
    assert!(is_interrupted(&next(&mut source).await.unwrap_err(), ""));
    assert_eq!(next(&mut source).await.unwrap(), json!(1));
    proxy.hold();
    assert!(is_interrupted(&next(&mut source).await.unwrap_err(), "nothing was heard for 250ms"));
    proxy.refuse(true);
    proxy.cut();
    let error = next(&mut source).await.unwrap_err();
    assert!(matches!(error, Error::NoAnswer { .. }) && !error.to_string().contains("s3cret"), "{error}");
    proxy.refuse(false);
    proxy.resume();
    while next(&mut source).await.is_err() {}
}

#[tokio::test]
async fn who_may_not_listen_is_told_so_once_and_tries_again() {
    let (upgrades, asked) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let (counted, let_in) = (asked.clone(), upgrades.clone());
    let guard = middleware::from_fn(move |headers: HeaderMap, request: Request, next: middleware::Next| {
        let is_early = counted.fetch_add(1, Ordering::SeqCst) < 5;
        async move {
            assert_eq!(headers["authorization"], "Bearer hunter2");
            if is_early { StatusCode::UNAUTHORIZED.into_response() } else { next.run(request).await }
        }
    });
    let upgrade = async move |upgrade: WebSocketUpgrade| {
        let_in.fetch_add(1, Ordering::SeqCst);
        upgrade.on_upgrade(async |mut socket: WebSocket| drop(socket.send("1".into()).await))
    };
    let peer = Peer::start(Router::new().route("/feed", get(upgrade)).layer(guard));
    let client = Client::new().token("hunter2").unwrap();
    let mut source = source(&peer.service()).client(&client);
    let error = next(&mut source).await.unwrap_err();
    assert!(error.to_string().ends_with("/feed answered 401"), "{error}");
    assert_eq!(next(&mut source).await.unwrap(), json!(1));
    assert!(!format!("{source:?}").contains("hunter2"));
    // What is no WebSocket at all.
    let peer = Peer::start(Router::new().fallback(|| async { "hello" }));
    let error = next(&mut self::source(&peer.service())).await.unwrap_err();
    assert!(error.to_string().ends_with("answered 200: hello"), "{error}");
}

#[tokio::test]
async fn a_slow_reader_holds_the_server_up_and_loses_nothing() {
    let sent = Arc::<AtomicUsize>::default();
    let counted = sent.clone();
    let (peer, connected) = talking(move |_, mut socket: WebSocket| {
        let counted = counted.clone();
        async move {
            for number in 0..3000_usize {
                let text = json!([number, "x".repeat(10_000)]).to_string();
                if socket.send(text.into()).await.is_err() {
                    return;
                }
                counted.store(number + 1, Ordering::SeqCst);
            }
            while socket.recv().await.is_some() {}
        }
    });
    let mut source = source(&peer.service()).capacity(NonZeroUsize::MIN);
    assert_eq!(next(&mut source).await.unwrap()[0], 0);
    let mut before = 0;
    // It stands still once all buffers on the way are full.
    while before != sent.load(Ordering::SeqCst) {
        before = sent.load(Ordering::SeqCst);
        tokio::time::sleep(SOON * 10).await;
    }
    assert!(before < 3000, "30 MB are nowhere");
    for number in 1..3000 {
        assert_eq!(next(&mut source).await.unwrap()[0], number);
    }
    assert_eq!(connected.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_dropped_source_closes_its_connection() {
    let gone = Arc::<AtomicUsize>::default();
    let counted = gone.clone();
    let (peer, _) = talking(move |_, mut socket: WebSocket| {
        let counted = counted.clone();
        async move {
            socket.send("1".into()).await.unwrap();
            while matches!(socket.recv().await, Some(Ok(_))) {}
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let mut source = source(&peer.service());
    assert_eq!(next(&mut source).await.unwrap(), json!(1));
    drop(source);
    crate::suite::eventually("it is closed", async || gone.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test]
async fn a_certificate_is_checked() {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let directory = Directory::new();
    let authority = make_certificates(directory.path());
    let certificate = CertificateDer::from_pem_file(directory.path().join("server.crt")).unwrap();
    let key = PrivateKeyDer::from_pem_file(directory.path().join("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls =
        rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let tls = tls.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await
                && let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await
            {
                socket.send("1".into()).await.unwrap();
            }
        }
    });
    let source = || WebSocketSource::<Value>::new(&format!("wss://{address}/feed")).unwrap();
    let error = next(&mut source()).await.unwrap_err();
    assert!(matches!(error, Error::NoAnswer { .. }) && error.to_string().contains("ertificate"), "{error}");
    let client = Client::new().ca_file(authority);
    assert_eq!(next(&mut source().client(&client)).await.unwrap(), json!(1));
    server.abort();
}

#[test]
fn what_is_no_place_is_refused() {
    for url in ["ftp://h/x", "ws://", "wss://h/x#y"] {
        assert!(matches!(WebSocketSource::<Value>::new(url), Err(Error::Target { .. })), "{url}");
    }
    let mut source = source("127.0.0.1:1");
    let all: Vec<_> = futures::executor::block_on(source.by_ref().collect());
    assert!(matches!(all[..], [Err(Error::NoRuntime { .. })]), "{all:?}");
}
