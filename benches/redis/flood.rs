//! A publisher in a thread of its own that costs as little as it can, and never lets more wait than a subscriber keeps.

use crate::envelope::Outgoing;
use jiff::Timestamp;
use mape_benches::Reading;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// How many payloads are sent at once.
const BLOCK: u64 = 256;
/// How many may be under way.
pub(crate) const WINDOW: u64 = 4096;

/// The payloads of one channel, ready to be sent.
#[derive(Clone)]
pub(crate) struct Flood {
    blocks: Arc<[Vec<u8>]>,
    port: u16,
}

impl Flood {
    /// The readings below `count`, a multiple of 256, as envelopes or bare.
    pub(crate) fn new(port: u16, channel: &str, count: u64, bare: bool) -> Self {
        assert_eq!(count % BLOCK, 0);
        let json = |tick| {
            let reading = Reading::number(tick);
            let (kind, value, src, epoch, seq) = ("next", &reading, channel, 5_172_911_046_208_113, tick + 1);
            let envelope = Outgoing { kind, value, src, epoch, seq, at: Timestamp::now() };
            if bare { serde_json::to_vec(&reading) } else { serde_json::to_vec(&envelope) }
        };
        let block = |first| {
            let mut bytes = Vec::new();
            for tick in first..first + BLOCK {
                let mut cmd = redis::cmd("PUBLISH");
                cmd.arg(channel).arg(json(tick).unwrap()).write_packed_command(&mut bytes);
            }
            bytes
        };
        Self { blocks: (0..count / BLOCK).map(|n| block(n * BLOCK)).collect(), port }
    }

    /// Sends everything, at most [`WINDOW`] ahead of what `received` says.
    pub(crate) fn start(&self, received: Arc<AtomicU64>) -> thread::JoinHandle<()> {
        let Self { blocks, port } = self.clone();
        thread::spawn(move || {
            let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
            socket.set_nodelay(true).unwrap();
            // To each `PUBLISH` the answer is `:1\r\n`, for there is one subscriber.
            let mut answers = b":1\r\n".repeat(BLOCK.try_into().unwrap());
            let mut read = |socket: &mut TcpStream| {
                socket.read_exact(&mut answers).unwrap();
                assert!(answers.chunks(4).all(|answer| answer == b":1\r\n"), "nobody is subscribed");
            };
            for (sent, block) in (0..).zip(&*blocks) {
                while sent * BLOCK + BLOCK > received.load(Ordering::Relaxed) + WINDOW {
                    thread::park_timeout(Duration::from_micros(20));
                }
                socket.write_all(block).unwrap();
                if sent > 0 {
                    read(&mut socket);
                }
            }
            read(&mut socket);
        })
    }
}
