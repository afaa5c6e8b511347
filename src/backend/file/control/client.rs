//! A client's end of the socket.

use super::frame;
use super::link::Link;
use super::message::{FromOwner, PROTOCOL, ToOwner};
use super::socket;
use crate::stream::Backoff;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;

/// How long an owner may take to answer a hello.
const HELLO: Duration = Duration::from_secs(10);
/// How long to wait before looking again for an owner that is gone.
const FIRST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_millis(500);

/// A connection to the owner of a directory that is made again whenever it is lost; ends when it is dropped.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) link: Arc<Link>,
    driver: JoinHandle<()>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotConnected {
    /// Nobody listens.
    #[error("nobody owns the directory")]
    NoOwner,
    /// Somebody listens and does not let us in.
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Client {
    /// Connects to the owner of `dir`.
    pub(super) async fn connect(dir: &Path, name: &str) -> Result<Self, NotConnected> {
        let connection = Connection::open(dir, name).await?;
        let link = Arc::new(Link::new());
        let place = (dir.to_owned(), name.to_owned());
        let driver = tokio::spawn({
            let link = link.clone();
            async move { drive(&link, connection, &place.0, &place.1).await }
        });
        Ok(Self { link, driver })
    }

    pub(super) fn close(&self) {
        self.driver.abort();
        self.link.close();
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.close();
    }
}

/// Keeps the link up for ever.
async fn drive(link: &Arc<Link>, mut connection: Connection, dir: &Path, name: &str) {
    loop {
        let lost = connection.serve(link).await;
        let why = match lost {
            Ok(()) => "it ended".to_owned(),
            Err(error) => error.to_string(),
        };
        let why = format!("the connection to the owner of {} is lost: {why}", dir.display());
        tracing::warn!(why, "it is looked for again");
        link.down(&why);
        let (backoff, mut attempt) = (Backoff::exponential(FIRST, LONGEST), 0);
        connection = loop {
            tokio::time::sleep(backoff.wait(attempt).unwrap_or(LONGEST)).await;
            attempt = attempt.saturating_add(1);
            match Connection::open(dir, name).await {
                Ok(connection) => break connection,
                Err(error) => tracing::debug!(dir = %dir.display(), %error, "the owner is not there yet"),
            }
        };
        tracing::info!(dir = %dir.display(), "an owner is there again");
        link.up();
    }
}

struct Connection(UnixStream);

impl Connection {
    async fn open(dir: &Path, name: &str) -> Result<Self, NotConnected> {
        let mut stream = socket::connect(dir).await.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => NotConnected::NoOwner,
            _ => NotConnected::Io(error),
        })?;
        let hello = ToOwner::Hello { protocol: PROTOCOL, name: name.to_owned() };
        let hello = frame::encode(&hello).map_err(|error| NotConnected::Refused(error.to_string()))?;
        let greeting = async {
            stream.write_all(&hello).await?;
            let welcome = frame::read(&mut stream).await?.ok_or(NotConnected::NoOwner)?;
            match serde_json::from_slice(&welcome) {
                Ok(FromOwner::<()>::Welcome { protocol: PROTOCOL, .. }) => Ok(()),
                Ok(FromOwner::Welcome { protocol, version }) => Err(NotConnected::Refused(format!(
                    "its owner is mape {version} and speaks version {protocol} of the protocol, not {PROTOCOL}"
                ))),
                Ok(FromOwner::Refused(why)) => Err(NotConnected::Refused(why)),
                _ => Err(NotConnected::Refused("what listens there is no owner".to_owned())),
            }
        };
        let silent = || io::Error::new(io::ErrorKind::TimedOut, "the owner does not answer");
        tokio::time::timeout(HELLO, greeting).await.map_err(|_| silent())??;
        Ok(Self(stream))
    }

    async fn serve(self, link: &Arc<Link>) -> io::Result<()> {
        let (reader, mut writer) = self.0.into_split();
        let writing = async {
            loop {
                let bytes = link.outgoing().await;
                writer.write_all(&bytes).await?;
            }
        };
        let mut reader = BufReader::new(reader);
        tokio::select! {
            ended = hear(&mut reader, link) => ended,
            ended = writing => ended,
        }
    }
}

async fn hear(reader: &mut (impl AsyncRead + Unpin), link: &Arc<Link>) -> io::Result<()> {
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    while let Some(frame) = frame::read(reader).await? {
        match serde_json::from_slice(&frame).map_err(invalid)? {
            FromOwner::Answer(number, answer) => link.answered(number, answer),
            FromOwner::Item(number, item) => {
                // If there is none, it was cancelled and the owner does not know yet.
                if let Some(sink) = link.sink(number) {
                    sink.send(item.get()).map_err(invalid)?;
                }
            }
            FromOwner::End(number) => link.ended(number),
            FromOwner::Goodbye => link.left(),
            FromOwner::Welcome { .. } | FromOwner::Refused(_) => {}
        }
    }
    Ok(())
}
