//! What is written under some names, told in the order of the answers.

use redis::{Cmd, PushInfo, PushKind, Value};
use std::sync::OnceLock;

/// Names of keys of which the shared connection is told when they are written, if somebody asked for it.
///
/// The server calls it tracking. A subscription would do as well, but for one thing: a connection that has one counts as a
/// subscriber, and is closed when answers of 32 MB wait on it.
#[derive(Default)]
pub(super) struct Control(OnceLock<Listener>);

struct Listener {
    prefix: String,
    heard: Heard,
}

type Heard = Box<dyn Fn(&[u8]) + Send + Sync>;

impl Control {
    /// Says what to listen to; the first one counts.
    pub(super) fn set(&self, prefix: String, heard: impl Fn(&[u8]) + Send + Sync + 'static) {
        if self.0.set(Listener { prefix, heard: Box::new(heard) }).is_err() {
            tracing::error!("names are listened to already; a bug of mape");
        }
    }

    /// The command by which a connection listens.
    pub(super) fn command(&self) -> Option<Cmd> {
        self.0.get().map(|listener| {
            let mut cmd = redis::cmd("CLIENT");
            cmd.arg("TRACKING").arg("ON").arg("BCAST").arg("PREFIX").arg(&listener.prefix);
            cmd
        })
    }

    pub(super) fn take(&self, push: &PushInfo) {
        let Some(Listener { prefix, heard }) = self.0.get() else { return };
        if push.kind != PushKind::Invalidate {
            return;
        }
        let Some(Value::Array(keys)) = push.data.first() else {
            // Everything was deleted.
            heard(b"");
            return;
        };
        for key in keys {
            if let Value::BulkString(key) = key
                && let Some(rest) = key.strip_prefix(prefix.as_bytes())
            {
                heard(rest);
            }
        }
    }
}
