//! An HTTP service on a socket, which notes what it is asked and answers what it is told to.

use parking_lot::Mutex;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request, as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What is answered: a status with headers, each after a line end, and a body; nothing: the connection is closed, and
/// `hang`: nothing ever.
pub(super) struct Service {
    pub(super) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    serving: JoinHandle<()>,
}

type Answers = Arc<dyn Fn(&Asked) -> (String, String) + Send + Sync>;

impl Service {
    pub(super) async fn new(
        answers: impl Fn(&Asked) -> (&'static str, String) + Send + Sync + 'static,
    ) -> Self {
        Self::with(move |asked| {
            let (status, body) = answers(asked);
            (status.to_owned(), body)
        })
        .await
    }

    pub(super) async fn with(answers: impl Fn(&Asked) -> (String, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, answers): (Arc<Mutex<Vec<Asked>>>, Answers) = (Arc::default(), Arc::new(answers));
        let notes = asked.clone();
        let serving = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, notes.clone(), answers.clone()));
            }
        });
        Self { address, asked, serving }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().clone()
    }

    pub(super) fn last(&self) -> Asked {
        self.asked().pop().expect("it was asked nothing")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(mut stream: TcpStream, notes: Arc<Mutex<Vec<Asked>>>, answers: Answers) -> Option<()> {
    let mut read = Vec::new();
    let head = loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8_lossy(&read[..head]).into_owned();
    let mut lines = text.lines();
    let mut first = lines.next()?.split(' ').map(str::to_owned);
    let (method, target) = (first.next()?, first.next()?);
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
    while read.len() < head + length {
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8_lossy(&read[head..]).into_owned();
    let asked = Asked { method, target, headers, body };
    let (status, body) = answers(&asked);
    notes.lock().push(asked);
    if status == "hang" {
        std::future::pending::<()>().await;
    }
    if !status.is_empty() {
        let answer =
            format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await.ok()?;
        stream.shutdown().await.ok()?;
    }
    Some(())
}
