//! The network between a program and a server, with its faults.

use super::redis_server::RedisServer;
use super::tcp::on_free_ports;
use std::io;
use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Forwards connections to a port of 127.0.0.1. It runs on a thread and a clock of its own. Every method returns when
/// what it says is so.
pub(crate) struct Proxy {
    port: u16,
    url: String,
    traffic: Arc<Traffic>,
    state: watch::Sender<State>,
    // None only while it is dropped.
    orders: Option<mpsc::Sender<(Order, SyncSender<()>)>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Traffic {
    bytes: AtomicU64,
    connections: AtomicU64,
}

#[derive(Clone, Copy, Default)]
struct State {
    held: bool,
    delay: Duration,
}

enum Order {
    /// All that was ordered before is done.
    Nothing,
    Cut,
    Refuse(bool),
}

impl Proxy {
    pub(crate) fn before(server: &RedisServer) -> Self {
        Self::to(server.port(), &server.url())
    }

    /// Before whatever listens at a port, whose URL has it.
    pub(crate) fn to(port: u16, url: &str) -> Self {
        let (listener, own) = on_free_ports(|[own]| {
            let listener =
                StdListener::bind((Ipv4Addr::LOCALHOST, own)).map_err(|error| error.to_string())?;
            Ok((listener, own))
        });
        listener.set_nonblocking(true).unwrap();
        let (state, traffic) = (watch::Sender::new(State::default()), Arc::new(Traffic::default()));
        let (orders, ordered) = mpsc::channel(64);
        let acceptor = Acceptor {
            own,
            target: port,
            connections: JoinSet::new(),
            state: state.subscribe(),
            traffic: Arc::clone(&traffic),
        };
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(acceptor.run(listener, ordered));
        });
        let url = url.replace(&format!(":{port}"), &format!(":{own}"));
        Self { port: own, url, traffic, state, orders: Some(orders), thread: Some(thread) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The server's, by way of the proxy.
    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// Closes all connections; new ones are accepted.
    pub(crate) fn cut(&self) {
        self.order(Order::Cut);
    }

    /// Forwards nothing in either direction from now on; connections stay open and new ones are accepted. Nobody
    /// notices but by waiting.
    pub(crate) fn hold(&self) {
        self.state.send_modify(|state| state.held = true);
        self.order(Order::Nothing);
    }

    /// Forwards what was held, and goes on.
    pub(crate) fn resume(&self) {
        self.state.send_modify(|state| state.held = false);
    }

    /// Whether new connections are refused, as by a machine on which nobody listens. Those that are open stay so.
    pub(crate) fn refuse(&self, refuse: bool) {
        self.order(Order::Refuse(refuse));
    }

    /// How long each piece, of up to 64 KiB, waits before it is forwarded; those behind it wait for it too.
    pub(crate) fn delay(&self, delay: Duration) {
        self.state.send_modify(|state| state.delay = delay);
        self.order(Order::Nothing);
    }

    /// In both directions together; counted once they are handed on, so that a reader can be faster than the count.
    pub(crate) fn bytes_forwarded(&self) -> u64 {
        self.traffic.bytes.load(Ordering::Relaxed)
    }

    /// All that were accepted so far.
    pub(crate) fn connections_accepted(&self) -> u64 {
        self.traffic.connections.load(Ordering::Relaxed)
    }

    fn order(&self, order: Order) {
        let (done, is_done) = sync_channel(1);
        let orders = self.orders.as_ref().unwrap();
        assert!(orders.try_send((order, done)).is_ok(), "the proxy has ended, or has too many orders");
        is_done.recv_timeout(Duration::from_secs(30)).expect("the proxy does not obey");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.orders = None;
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking(), "the proxy's thread panicked");
    }
}

struct Acceptor {
    own: u16,
    target: u16,
    connections: JoinSet<()>,
    state: watch::Receiver<State>,
    traffic: Arc<Traffic>,
}

impl Acceptor {
    /// Until no orders can come any more.
    async fn run(mut self, listener: StdListener, mut ordered: mpsc::Receiver<(Order, SyncSender<()>)>) {
        let mut listener = Some(TcpListener::from_std(listener).unwrap());
        loop {
            tokio::select! {
                order = ordered.recv() => {
                    let Some((order, done)) = order else { return };
                    match order {
                        Order::Nothing => {}
                        Order::Cut => self.connections.shutdown().await,
                        Order::Refuse(true) => listener = None,
                        Order::Refuse(false) if listener.is_some() => {}
                        Order::Refuse(false) => {
                            let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, self.own)).await;
                            listener = Some(bound.unwrap());
                        }
                    }
                    let _ = done.send(());
                }
                accepted = accept(listener.as_ref()) => {
                    if let Ok(client) = accepted {
                        self.traffic.connections.fetch_add(1, Ordering::Relaxed);
                        let (traffic, state) = (Arc::clone(&self.traffic), self.state.clone());
                        self.connections.spawn(connection(client, self.target, traffic, state));
                    }
                }
                Some(_) = self.connections.join_next() => {}
            }
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<TcpStream> {
    match listener {
        Some(listener) => Ok(listener.accept().await?.0),
        None => std::future::pending().await,
    }
}

/// Until either side fails or both have ended.
async fn connection(client: TcpStream, target: u16, traffic: Arc<Traffic>, state: watch::Receiver<State>) {
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await else { return };
    for stream in [&client, &server] {
        let _ = stream.set_nodelay(true);
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let there = forward(from_client, to_server, &traffic, state.clone());
    let back = forward(from_server, to_client, &traffic, state);
    let _ = tokio::try_join!(there, back);
}

async fn forward(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    traffic: &Traffic,
    mut state: watch::Receiver<State>,
) -> io::Result<()> {
    let mut piece = vec![0; 64 * 1024];
    loop {
        released(&mut state).await;
        let read = from.read(&mut piece).await?;
        let delay = state.borrow().delay;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        // The end of a stream is held as well.
        released(&mut state).await;
        let mut rest = &piece[..read];
        if rest.is_empty() {
            return to.shutdown().await;
        }
        while !rest.is_empty() {
            released(&mut state).await;
            let written = to.write(rest).await?;
            traffic.bytes.fetch_add(written as u64, Ordering::Relaxed);
            rest = &rest[written..];
        }
    }
}

async fn released(state: &mut watch::Receiver<State>) {
    // Of a proxy that is dropped, the connections are dropped as well.
    let _ = state.wait_for(|state| !state.held).await;
}

#[cfg(test)]
mod tests {
    use super::super::until;
    use super::*;
    use std::io::{ErrorKind, Read, Write};
    use std::net::TcpStream as Client;
    use std::time::Instant;

    fn connect(proxy: &Proxy) -> Client {
        let client = Client::connect(("127.0.0.1", proxy.port())).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        client
    }

    fn ping(client: &mut Client) -> io::Result<()> {
        client.write_all(b"PING\r\n")?;
        pong(client)
    }

    fn pong(client: &mut Client) -> io::Result<()> {
        let mut answer = [0; 7];
        client.read_exact(&mut answer)?;
        assert_eq!(&answer, b"+PONG\r\n");
        Ok(())
    }

    #[test]
    fn what_is_held_comes_once_it_is_resumed() {
        let server = RedisServer::start();
        let proxy = Proxy::before(&server);
        let mut client = connect(&proxy);
        ping(&mut client).unwrap();
        until("question and answer are counted", || proxy.bytes_forwarded() == 13);
        assert_eq!(proxy.connections_accepted(), 1);
        proxy.hold();
        client.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        assert_eq!(ping(&mut client).unwrap_err().kind(), ErrorKind::WouldBlock);
        let mut second = connect(&proxy);
        second.write_all(b"PING\r\n").unwrap();
        until("the second is accepted", || proxy.connections_accepted() == 2);
        assert_eq!(proxy.bytes_forwarded(), 13);
        client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        proxy.resume();
        pong(&mut client).unwrap();
        pong(&mut second).unwrap();
    }

    #[test]
    fn a_cut_closes_what_is_open_and_nothing_else() {
        let server = RedisServer::start();
        let proxy = Proxy::before(&server);
        let mut clients = [connect(&proxy), connect(&proxy)];
        for client in &mut clients {
            ping(client).unwrap();
        }
        proxy.hold();
        proxy.cut();
        proxy.resume();
        assert!(clients.iter_mut().all(|client| ping(client).is_err()));
        ping(&mut connect(&proxy)).unwrap();
        assert_eq!(redis::Client::open(proxy.url()).unwrap().get_connection().map(drop), Ok(()));
    }

    #[test]
    fn a_refusing_proxy_keeps_what_is_open() {
        let server = RedisServer::start();
        let proxy = Proxy::before(&server);
        let mut client = connect(&proxy);
        ping(&mut client).unwrap();
        for _ in 0..3 {
            proxy.refuse(true);
            let refused = Client::connect(("127.0.0.1", proxy.port()));
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
            ping(&mut client).unwrap();
            proxy.refuse(false);
            ping(&mut connect(&proxy)).unwrap();
        }
    }

    #[test]
    fn each_direction_is_delayed() {
        let server = RedisServer::start();
        let proxy = Proxy::before(&server);
        let mut client = connect(&proxy);
        ping(&mut client).unwrap();
        proxy.delay(Duration::from_millis(30));
        let begun = Instant::now();
        ping(&mut client).unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(60));
    }

    // A runtime and a clock that stand still are no matter.
    #[tokio::test(start_paused = true)]
    async fn a_proxy_works_while_the_tests_runtime_is_blocked() {
        let mut server = RedisServer::start();
        let proxy = Proxy::before(&server);
        ping(&mut connect(&proxy)).unwrap();
        server.kill_9();
        assert!(ping(&mut connect(&proxy)).is_err());
        server.restart();
        ping(&mut connect(&proxy)).unwrap();
    }
}
