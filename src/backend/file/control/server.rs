//! The owner's end of the socket.

use super::connection;
use super::frame;
use super::message::FromOwner;
use super::socket;
use crate::backend::embedded::{MemoryPubSub, MemoryStore};
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

/// How many clients there may be at a time.
const CONNECTIONS: usize = 64;
/// How long to wait before listening again if the system has no room for another connection.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves other processes until it is dropped.
#[derive(Debug)]
pub(in crate::backend::file) struct Server {
    task: JoinHandle<()>,
    leaving: watch::Sender<bool>,
}

/// How long the clients are given at the end to get their answers.
const FAREWELL: Duration = Duration::from_secs(1);

/// What is served.
#[derive(Clone, Debug)]
pub(in crate::backend::file) struct Served {
    pub(in crate::backend::file) store: MemoryStore,
    pub(in crate::backend::file) pubsub: MemoryPubSub,
}

impl Server {
    /// Listens in `dir`; inside of a runtime.
    ///
    /// # Errors
    /// As the system says.
    pub(in crate::backend::file) fn start(dir: &Path, served: Served) -> io::Result<Self> {
        let listener = socket::bind(dir)?;
        let (leaving, leave) = watch::channel(false);
        Ok(Self { task: tokio::spawn(listen(listener, served, leave)), leaving })
    }

    /// Takes no more calls, answers those it has, says goodbye to the clients, and ends.
    pub(in crate::backend::file) fn leave(&self) -> impl Future<Output = ()> + Send + use<> {
        self.leaving.send_replace(true);
        let leaving = self.leaving.clone();
        async move {
            // Closed when the listener and every connection have let go of it.
            let _ = timeout(FAREWELL, leaving.closed()).await;
        }
    }

    pub(in crate::backend::file) fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(listener: UnixListener, served: Served, mut leave: watch::Receiver<bool>) {
    let mut clients = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = leave.wait_for(|leaving| *leaving) => break,
        };
        match accepted {
            Ok((stream, _)) => {
                while clients.try_join_next().is_some() {}
                if clients.len() < CONNECTIONS {
                    clients.spawn(connection::serve(stream, served.clone(), leave.clone()));
                } else {
                    tracing::warn!(CONNECTIONS, "the control socket has no room for another client");
                    clients.spawn(refuse(stream));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the control socket takes no client at the moment");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    // Who comes now finds nobody and takes the directory over.
    drop(listener);
    while clients.join_next().await.is_some() {}
}

/// Says why, as far as that can be said without waiting for one who does not listen.
async fn refuse(mut stream: UnixStream) {
    let why = format!("the owner has {CONNECTIONS} clients already; end one of them");
    if let Ok(frame) = frame::encode(&FromOwner::<()>::Refused(why)) {
        let _ = timeout(PAUSE, stream.write_all(&frame)).await;
    }
}
