//! A client: one connection, one request, and the lines of an answer in chunks.

use std::net::{Ipv4Addr, SocketAddr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// So many connections come from one address, so that their ports suffice.
const FROM_ONE_ADDRESS: usize = 5000;

pub(super) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    chunks: Chunks,
}

impl Client {
    /// Connects as the client of this number, asks, and reads the head of the answer.
    pub(super) async fn open(port: u16, number: usize, request: &str) -> std::io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        let host = u8::try_from(1 + number / FROM_ONE_ADDRESS).expect("so many clients are not needed");
        socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, host), 0)))?;
        let mut stream = socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        stream.set_nodelay(true)?;
        stream.write_all(request.as_bytes()).await?;
        let mut buffer = Vec::with_capacity(4096);
        loop {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
            if !head.starts_with("http/1.1 200") || !head.contains("transfer-encoding: chunked") {
                return Err(std::io::Error::other(String::from_utf8_lossy(&buffer).into_owned()));
            }
            buffer.drain(..end + 4);
            return Ok(Self { stream, buffer, chunks: Chunks::default() });
        }
    }

    /// Hands over the lines of what comes next; whether there may be more.
    pub(super) async fn read(&mut self, each: impl FnMut(&[u8])) -> std::io::Result<bool> {
        if self.buffer.is_empty() && self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        self.chunks.feed(&self.buffer, each);
        self.buffer.clear();
        Ok(!self.chunks.ended)
    }
}

/// The request for what is at a path.
pub(super) fn get(port: u16, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\naccept: application/x-ndjson\r\n\r\n")
}

/// Lines out of a body in chunks, however it is cut.
#[derive(Default)]
struct Chunks {
    /// How much of the current chunk is to come.
    left: usize,
    /// The length that is being read, if a digit of it has come.
    length: Option<usize>,
    /// The chunk of length 0 has come.
    ended: bool,
    /// The beginning of a line whose end is to come.
    line: Vec<u8>,
}

impl Chunks {
    fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8])) {
        while !bytes.is_empty() && !self.ended {
            if self.left > 0 {
                let (data, rest) = bytes.split_at(self.left.min(bytes.len()));
                (self.left, bytes) = (self.left - data.len(), rest);
                self.lines(data, &mut each);
                continue;
            }
            match bytes[0] {
                b'\r' => {}
                b'\n' => match self.length.take() {
                    Some(0) => self.ended = true,
                    Some(length) => self.left = length,
                    // The end of the data before.
                    None => {}
                },
                digit => {
                    let digit = char::from(digit).to_digit(16).expect("the length of a chunk");
                    self.length = Some(self.length.unwrap_or(0) * 16 + digit as usize);
                }
            }
            bytes = &bytes[1..];
        }
    }

    fn lines(&mut self, mut data: &[u8], each: &mut impl FnMut(&[u8])) {
        while let Some(end) = memchr::memchr(b'\n', data) {
            if self.line.is_empty() {
                each(&data[..end]);
            } else {
                self.line.extend_from_slice(&data[..end]);
                each(&self.line);
                self.line.clear();
            }
            data = &data[end + 1..];
        }
        self.line.extend_from_slice(data);
    }
}
