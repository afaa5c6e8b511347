//! A service on this machine that stands in for one elsewhere, for demonstrations and tests.
#![allow(unreachable_pub, reason = "an example has no outside; what its modules share is `pub`")]

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// What it is asked.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// `null` without a body.
    pub body: Value,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What it answers: a status, and a body of JSON or text.
pub type Answer = (u16, Value);

/// A service over HTTP on a free port. It ends with the value.
pub struct StandIn {
    pub url: String,
    serving: JoinHandle<()>,
}

impl StandIn {
    /// Starts one that answers each request so, after a while.
    pub async fn start(
        takes: Duration,
        answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let answer = Arc::new(answer);
        let serving = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, takes, answer.clone()));
            }
        });
        Ok(Self { url, serving })
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    takes: Duration,
    answer: Arc<impl Fn(&Asked) -> Answer>,
) -> anyhow::Result<()> {
    let Some(asked) = read(&mut stream).await? else { return Ok(()) };
    tokio::time::sleep(takes).await;
    let (status, body) = answer(&asked);
    let (kind, body) = match body {
        Value::String(text) => ("text/plain", text),
        Value::Null => ("text/plain", String::new()),
        json => ("application/json", json.to_string()),
    };
    let head = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await?;
    Ok(stream.shutdown().await?)
}

/// A request; nothing if whoever was to make it has gone.
async fn read(stream: &mut TcpStream) -> anyhow::Result<Option<Asked>> {
    let mut bytes = Vec::new();
    let (head, begins) = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break (String::from_utf8_lossy(bytes.get(..at).unwrap_or_default()).into_owned(), at + 4);
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(Ok(0), |(_, value)| value.parse())?;
    while bytes.len() < begins + length {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
    let body = serde_json::from_slice(bytes.get(begins..).unwrap_or_default()).unwrap_or_default();
    Ok(Some(Asked { method, path, headers, body }))
}
