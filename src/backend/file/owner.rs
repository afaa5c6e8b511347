//! What the owner of a directory runs.

use super::claim::Claim;
use super::control::{NAME, Server};
use crate::backend::embedded::{Durable, MemoryPubSub, MemoryStore};
use crate::backend::keeper::Keeper;
use crate::stream::Answer;
use parking_lot::Mutex;
use std::fs;
use std::sync::Arc;
use std::thread::JoinHandle;

/// Runs the writer and the socket; with the last handle all that is queued is written, then the directory is free.
pub(super) struct Owner {
    running: Arc<Running>,
}

struct Running {
    store: MemoryStore,
    pubsub: MemoryPubSub,
    durable: Arc<Durable>,
    server: Server,
    parts: Mutex<Option<Parts>>,
}

/// What ends one after the other.
struct Parts {
    writer: JoinHandle<()>,
    claim: Claim,
}

impl Owner {
    pub(super) fn new(
        (store, pubsub): (MemoryStore, MemoryPubSub),
        durable: Arc<Durable>,
        server: Server,
        writer: JoinHandle<()>,
        claim: Claim,
    ) -> Self {
        let parts = Mutex::new(Some(Parts { writer, claim }));
        Self { running: Arc::new(Running { store, pubsub, durable, server, parts }) }
    }
}

impl Keeper for Owner {
    fn close(&self) -> Answer<()> {
        let running = self.running.clone();
        Answer::pending(async move {
            running.server.leave().await;
            running.stop();
            running.durable.ended().await;
            running.free();
        })
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.running.stop();
        // Waits for the commit of what is queued.
        self.running.free();
    }
}

impl Running {
    fn stop(&self) {
        self.server.stop();
        self.durable.close();
        self.store.close();
        self.pubsub.close();
    }

    /// Waits for the writer and gives the directory up.
    fn free(&self) {
        let Some(Parts { writer, claim }) = self.parts.lock().take() else { return };
        if writer.join().is_err() {
            tracing::error!(dir = %claim.dir().display(), "the writer has panicked");
        }
        // Nobody listens there any more; where it cannot be removed, the next owner does it.
        let _ = fs::remove_file(claim.dir().join(NAME));
        drop(claim);
    }
}
