//! One request over HTTP and its answer, for servers that are asked by it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// The answer to a request.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Exchange {
    /// Asks a server of this machine, on a connection of its own; nothing if nobody answers.
    pub(crate) fn of(port: u16, method: &str, target: &str, head: &str, body: &str) -> Option<Self> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
        // In HTTP 1.0 a body has no chunks and ends with the connection.
        let length = body.len();
        let request = format!("{method} {target} HTTP/1.0\r\nContent-Length: {length}\r\n{head}\r\n{body}");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Self { status, body: body.to_owned() })
    }
}

/// A text as part of a query.
pub(crate) fn percent(text: &str) -> String {
    let digits: Vec<_> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    digits.concat()
}
