//! Opening a backend: logins, names, certificates, servers that are not there or not suitable.

use super::log::Log;
use crate::server::{Cluster, Proxy, RedisServer, free_port};
use futures::{SinkExt, StreamExt};
use mape::backend::{Backend, Error, Options};
use mape::channel;
use mape::event::{Event, EventId};
use std::time::{Duration, Instant};

fn options(change: impl FnOnce(&mut Options)) -> Options {
    let mut options = Options::default();
    change(&mut options);
    options
}

async fn refused(url: &str, options: Options) -> Error {
    let begun = Instant::now();
    let error = Backend::open_with(url, options).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(5), "{error} after {:?}", begun.elapsed());
    error
}

#[tokio::test]
async fn a_wrong_password_is_told_at_once_and_not_tried_again_and_again() {
    let server = RedisServer::options().password("secret").start();
    let proxy = Proxy::before(&server);
    let place = format!("127.0.0.1:{}", proxy.port());
    let wrong = refused(&format!("redis://:guess@{place}"), Options::default()).await;
    assert!(matches!(&wrong, Error::Denied { address, .. } if *address == place), "{wrong}");
    assert!(wrong.to_string().contains("refuses the login: WRONGPASS"), "{wrong}");
    assert!(wrong.to_string().contains("correct user and password"), "{wrong}");
    let missing = refused(&format!("redis://{place}"), Options::default()).await;
    assert!(missing.to_string().contains("NOAUTH"), "{missing}");
    assert!(!format!("{wrong} {wrong:?} {missing:?}").contains("guess"));
    assert_eq!(proxy.connections_accepted(), 2);
    // Where the URL says none, the options do.
    let right = options(|options| options.password = Some("secret".into()));
    Backend::open_with(&format!("redis://{place}"), right).await.unwrap();
}

#[tokio::test]
async fn a_user_may_do_what_its_rules_say_and_is_told_what_not() {
    let server =
        RedisServer::options().acl("car", "on >p@ss:w%rd ~* resetchannels &car_* &mape:* +@all").start();
    let url = server.url_for("car", "p%40ss%3Aw%25rd");
    let login = options(|options| {
        options.username = Some("car".into());
        options.password = Some("p@ss:w%rd".into());
    });
    for backend in
        [Backend::open(&url).await.unwrap(), Backend::open_with(&server.url(), login).await.unwrap()]
    {
        let channels = backend.channels();
        let error = channels.publish("bus_a", &1).await.unwrap_err();
        assert!(matches!(error, channel::Error::Refused { .. }) && !error.is_retryable(), "{error:?}");
        let mut cars = channels.source::<u32>(channel::Topics::names(["car_a"])).await.unwrap();
        // One that is refused takes nobody with it, even if all are asked for at once.
        let topics = [channel::Topics::names(["car_b"]), channel::Topics::names(["bus_a"]), "car_*".into()];
        let [b, bus, all] = topics.map(|topics| channels.subscribe(topics));
        let (b, bus, all) = tokio::join!(b, bus, all);
        let error = bus.unwrap_err();
        assert!(matches!(error, channel::Error::Refused { .. }), "{error:?}");
        assert_eq!(error.to_string(), "the backend refuses bus_a");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.starts_with("NOPERM"), "{source}");
        assert!(b.is_ok() && all.is_ok(), "{b:?} {all:?}");
        channels.sink("car_a").send(1).await.unwrap();
        assert_eq!(cars.next().await, Some(Ok(1)));
        assert!(!backend.url().contains("p@ss") && !backend.url().contains("p%40ss"), "{}", backend.url());
    }
}

#[tokio::test]
async fn a_user_who_may_not_make_transactions_appends_one_by_one() {
    let server = RedisServer::options().acl("car", "on >pass ~* &* +@all -multi").start();
    let backend = Backend::open(&server.url_for("car", "pass")).await.unwrap();
    let log = backend.events().log("orders");
    let ids = log.append_all((0..300).map(|n| Event::new("order").with("n", n)).collect()).await.unwrap();
    let held = log.range(EventId::MIN, EventId::MAX, 1000).await.unwrap();
    assert_eq!(held.iter().map(|entry| entry.id).collect::<Vec<_>>(), ids);
}

#[tokio::test]
async fn connections_have_a_name_and_a_database() {
    let server = RedisServer::start();
    for (name, database, options) in [
        ("mape", 0, Options::default()),
        ("van-7", 3, options(|options| options.client_name = Some("van-7".into()))),
    ] {
        let backend = Backend::open_with(&format!("{}/{database}", server.url()), options).await.unwrap();
        let heard = backend.channels().subscribe("*").await.unwrap();
        let clients = server.cli(&["CLIENT", "LIST"]);
        let own: Vec<_> = clients.lines().filter(|line| line.contains(&format!(" name={name} "))).collect();
        assert_eq!(own.len(), 2, "one for commands and one for subscriptions: {clients}");
        assert!(own.iter().all(|line| line.contains(&format!(" db={database} "))), "{clients}");
        // They go with the last handle.
        drop((backend, heard));
        crate::suite::eventually("its connections are closed", async || {
            !server.cli(&["CLIENT", "LIST"]).contains(&format!(" name={name} "))
        })
        .await;
    }
    let spaced = options(|options| options.client_name = Some("van 7".into()));
    let error = refused(&server.url(), spaced).await.to_string();
    assert!(error.contains("cannot be called \"van 7\""), "{error}");
    let error = refused(&format!("{}/77", server.url()), Options::default()).await;
    assert!(error.to_string().contains("DB index is out of range"), "{error}");
}

#[tokio::test]
async fn without_a_server_it_waits_with_a_warning_and_then_says_what_to_do() {
    let (log, _listening) = Log::listen();
    let place = format!("127.0.0.1:{}", free_port());
    let url = format!("redis://:secret@{place}/2");
    let error = refused(&url, options(|options| options.wait = Duration::from_millis(400))).await;
    let expected = format!(
        "opening the backend redis://{place}/2: {place} cannot be reached after 0 s: connection refused; start a server there, correct the URL or wait longer"
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!(
        log.warnings(&format!("waiting for redis at {place}: connection refused")).len(),
        1,
        "{:?}",
        log.all()
    );
    assert!(!format!("{error:?} {:?}", log.all()).contains("secret"));
    let unknown =
        refused("redis://no.such.host.invalid", options(|options| options.wait = Duration::ZERO)).await;
    assert!(matches!(&unknown, Error::Unreachable { address, .. } if address == "no.such.host.invalid:6379"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_comes_later_is_waited_for() {
    let mut server = RedisServer::start();
    server.kill_9();
    let url = server.url();
    let opening = tokio::spawn(async move { Backend::open(&url).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!opening.is_finished());
    tokio::task::block_in_place(|| server.restart());
    let backend = opening.await.unwrap().unwrap();
    assert_eq!(backend.channels().publish("a", &1).await.unwrap(), 0);
}

#[tokio::test]
async fn tls_is_for_those_whom_one_trusts() {
    let (server, other) = (RedisServer::options().tls().start(), RedisServer::options().tls().start());
    let trusting =
        |server: &RedisServer| options(|options| options.ca_file = Some(server.ca_file().to_owned()));
    let backend = Backend::open_with(&server.url(), trusting(&server)).await.unwrap();
    let mut heard = backend.channels().source::<u32>("a").await.unwrap();
    backend.channels().sink("a").send(1).await.unwrap();
    assert_eq!(heard.next().await, Some(Ok(1)));

    for options in [trusting(&other), Options::default()] {
        let error = refused(&server.url(), options).await;
        assert!(matches!(&error, Error::Untrusted { .. } | Error::Certificates { .. }), "{error}");
        assert!(error.to_string().contains("ca_file") || error.to_string().contains("PEM"), "{error}");
    }
    let by_name = server.url().replace("127.0.0.1", "localhost");
    Backend::open_with(&by_name, trusting(&server)).await.unwrap();

    let missing = options(|options| options.ca_file = Some("/no/such/file.pem".into()));
    let error = refused(&server.url(), missing).await;
    assert!(error.to_string().contains("/no/such/file.pem"), "{error}");
}

#[tokio::test]
async fn tls_on_one_side_only_is_told() {
    let (plain, secure) = (RedisServer::start(), RedisServer::options().tls().start());
    let trusting = options(|options| {
        options.ca_file = Some(secure.ca_file().to_owned());
        options.wait = Duration::from_millis(100);
    });
    let error = refused(&plain.url().replace("redis:", "rediss:"), trusting).await;
    assert!(error.to_string().contains("write `redis:` instead of `rediss:`"), "{error}");
    let short = options(|options| options.wait = Duration::from_millis(100));
    let error = refused(&secure.url().replace("rediss:", "redis:"), short).await;
    assert!(error.to_string().contains("does it ask for TLS"), "{error}");
}

#[tokio::test]
async fn a_server_of_another_kind_is_told_with_what_to_write() {
    let (server, cluster) = (RedisServer::start(), Cluster::shared());
    let place = format!("127.0.0.1:{}", server.port());
    let node = format!("redis://127.0.0.1:{}", cluster.nodes()[0].port());
    for (url, expected) in [
        (node, "it is a node of a cluster; write `redis+cluster://HOST:PORT`"),
        (format!("redis+cluster://{place}"), "it is no node of a cluster; write `redis://HOST:PORT`"),
        (format!("redis+sentinel://{place}/main"), "it is no sentinel; write `redis://HOST:PORT`"),
    ] {
        let error = refused(&url, Options::default()).await;
        assert!(matches!(error, Error::Unsuitable { .. }) && error.to_string().contains(expected), "{error}");
    }
    let untagged = options(|options| options.prefix = Some("plant-7:".into()));
    let error = refused(&cluster.url(), untagged).await;
    assert!(error.to_string().contains("\"plant-7:\" spreads keys over all nodes"), "{error}");
    assert!(error.to_string().contains("such as `{mape}`"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_too_old_is_told() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap();
    // As Redis 5 answers.
    let old = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut asked = [0; 1024];
        while client.read(&mut asked).await.is_ok_and(|n| n > 0) {
            let answer = b"-ERR unknown command `HELLO`, with args beginning with: `3`\r\n".repeat(3);
            client.write_all(&answer).await.unwrap();
        }
    });
    let error = refused(&format!("redis://{place}"), Options::default()).await;
    assert!(matches!(error, Error::TooOld { .. }), "{error}");
    assert!(error.to_string().contains("6.2 or newer is needed"), "{error}");
    old.abort();
}

#[tokio::test]
async fn a_socket_in_the_file_system_does_as_well() {
    let place = RedisServer::start();
    let path = place.directory().join("socket").display().to_string();
    let server = RedisServer::options().config("unixsocket", &path).start();
    let url = format!("redis+unix://{path}");
    let backend = Backend::open(&url).await.unwrap();
    assert_eq!((backend.channels().publish("a", &1).await.unwrap(), backend.url()), (0, url.as_str()));
    drop(server);
}

#[tokio::test]
async fn no_secret_shows_in_a_log_an_error_or_debug() {
    let (log, _listening) = Log::listen();
    let mut server = RedisServer::options().password("s3cret").start();
    let backend = Backend::open(&server.url()).await.unwrap();
    let channels = backend.channels();
    let mut heard = channels.subscribe("a").await.unwrap();
    server.kill_9();
    let _ = channels.publish("a", &1).await.unwrap_err();
    let error = channels.publish("a", &1).await.unwrap_err();
    server.restart();
    assert_eq!(heard.next().await, Some(channel::Incoming::Interrupted));
    let shown = format!("{backend:?} {channels:?} {heard:?} {error} {error:?} {:?}", log.all());
    assert!(!shown.contains("s3cret"), "{shown}");
    assert!(shown.contains("connection refused"), "the cause is told: {shown}");
    assert!(log.all().len() >= 4, "{shown}");
}
