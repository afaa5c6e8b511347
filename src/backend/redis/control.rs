//! What one channel says, told in the order of the answers.

use redis::{PushInfo, PushKind, Value};
use std::sync::OnceLock;

/// A channel that the shared connection listens to, if somebody asked for it.
#[derive(Default)]
pub(super) struct Control(OnceLock<Listener>);

struct Listener {
    channel: String,
    heard: Heard,
}

type Heard = Box<dyn Fn(&[u8]) + Send + Sync>;

impl Control {
    /// Says what to listen to; the first one counts.
    pub(super) fn set(&self, channel: String, heard: impl Fn(&[u8]) + Send + Sync + 'static) -> bool {
        self.0.set(Listener { channel, heard: Box::new(heard) }).is_ok()
    }

    pub(super) fn channel(&self) -> Option<&str> {
        self.0.get().map(|listener| listener.channel.as_str())
    }

    pub(super) fn take(&self, push: &PushInfo) {
        let Some(Listener { channel, heard }) = self.0.get() else { return };
        if let (PushKind::Message, [Value::BulkString(name), Value::BulkString(payload)]) =
            (&push.kind, push.data.as_slice())
            && name == channel.as_bytes()
        {
            heard(payload);
        }
    }
}
