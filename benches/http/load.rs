//! The load: connections that send the same request again and again.

use mape_benches::Run;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection that is kept.
pub(super) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    /// The bytes of a request that pushes into an element of the loop `load`.
    pub(super) fn post(port: u16, element: &str, kind: &str, body: &[u8]) -> Vec<u8> {
        let length = body.len();
        let head = format!(
            "POST /loops/load/elements/{element} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: {kind}\r\n\
             content-length: {length}\r\n\r\n"
        );
        [head.as_bytes(), body].concat()
    }

    pub(super) async fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, answer: Vec::with_capacity(4096) }
    }

    /// Sends a request and reads the answer, whose length it says.
    pub(super) async fn ask(&mut self, request: &[u8]) -> &[u8] {
        self.stream.write_all(request).await.unwrap();
        self.answer.clear();
        loop {
            assert!(self.stream.read_buf(&mut self.answer).await.unwrap() > 0, "the connection ended");
            let Some(end) = self.answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = std::str::from_utf8(&self.answer[..end]).unwrap();
            assert!(head.starts_with("HTTP/1.1 200"), "{}", String::from_utf8_lossy(&self.answer));
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.unwrap().parse().unwrap();
            while self.answer.len() < end + 4 + length {
                assert!(self.stream.read_buf(&mut self.answer).await.unwrap() > 0, "the connection ended");
            }
            return &self.answer[end + 4..];
        }
    }
}

/// So many requests of so many items each, over so many connections, each of which asks as soon as it was answered.
pub(super) async fn flood(port: u16, request: &[u8], connections: usize, requests: u64, items: u64) -> Run {
    let each = requests / connections as u64;
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(port).await);
    }
    let clock = Instant::now();
    let done = open.into_iter().map(|mut connection| {
        let request = request.to_vec();
        tokio::spawn(async move {
            for _ in 0..each {
                connection.ask(&request).await;
            }
        })
    });
    for task in done.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let count = each * connections as u64 * items;
    Run { count, wall: clock.elapsed(), cpu: std::time::Duration::ZERO }
}
