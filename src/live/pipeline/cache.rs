//! The parts of jobs, for those who ask for the same.

use super::dedup::Key;
use crate::live::{Delivered, Settings};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Bytes of inputs and parts that a cache keeps, at most, and of parts of jobs under way.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// Bytes that a job takes of it besides, about.
const ENTRY: usize = 256;

/// How much is kept of the jobs of a stage that are under way.
pub(in crate::live) struct Recorded {
    bytes: AtomicUsize,
    most: usize,
}

impl Default for Recorded {
    fn default() -> Self {
        Self { bytes: AtomicUsize::new(0), most: MOST_BYTES }
    }
}

/// The parts of a job that were handed out, as long as they are not too many.
pub(in crate::live) struct Record {
    parts: Vec<Arc<Delivered>>,
    bytes: usize,
    most: usize,
    most_bytes: usize,
    all: Arc<Recorded>,
    is_whole: bool,
    keepers: Vec<(Arc<Cache>, Key)>,
}

impl Record {
    /// Of as many as may wait for a client.
    pub(in crate::live) fn new(settings: &Settings, all: Arc<Recorded>) -> Self {
        Self {
            parts: Vec::new(),
            bytes: 0,
            most: settings.client_buffer,
            most_bytes: settings.client_bytes,
            all,
            is_whole: true,
            keepers: Vec::new(),
        }
    }

    pub(in crate::live) fn push(&mut self, part: &Arc<Delivered>) {
        if !self.is_whole {
            return;
        }
        let bytes = part.json().len();
        self.bytes += bytes;
        let all = self.all.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if self.parts.len() >= self.most || self.bytes > self.most_bytes || all > self.all.most {
            self.is_whole = false;
            self.parts = Vec::new();
            self.count_out();
        } else {
            self.parts.push(part.clone());
        }
    }

    fn count_out(&mut self) {
        self.all.bytes.fetch_sub(std::mem::take(&mut self.bytes), Ordering::Relaxed);
    }

    /// All parts so far, if it has them all.
    pub(in crate::live) fn parts(&self) -> Option<&[Arc<Delivered>]> {
        self.is_whole.then_some(&*self.parts)
    }

    /// The job has ended well.
    pub(in crate::live) fn keep(mut self) {
        if !self.is_whole || self.parts.iter().any(|part| part.error().is_some()) {
            return;
        }
        let parts: Arc<[_]> = std::mem::take(&mut self.parts).into();
        for (cache, key) in std::mem::take(&mut self.keepers) {
            let bytes = self.bytes + size(&key);
            cache.keep(key, parts.clone(), bytes);
        }
    }

    pub(super) fn keep_in(&mut self, cache: Arc<Cache>, key: Key) {
        self.keepers.push((cache, key));
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.count_out();
    }
}

/// How much a key takes.
fn size((group, _, input): &Key) -> usize {
    struct Counted(usize);

    impl io::Write for Counted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut counted = Counted(ENTRY + group.as_ref().map_or(0, |group| group.len()));
    // Counting does not fail.
    let _written = serde_json::to_writer(&mut counted, &**input);
    counted.0
}

/// The parts of jobs that have ended well.
pub(in crate::live) struct Cache {
    state: Mutex<State>,
    recorded: Arc<Recorded>,
}

struct State {
    lasting: Duration,
    most: usize,
    known: HashMap<Key, Known>,
    /// The oldest first.
    order: BTreeMap<u64, Key>,
    numbers: u64,
    bytes: usize,
}

struct Known {
    parts: Arc<[Arc<Delivered>]>,
    bytes: usize,
    since: Instant,
    number: u64,
}

impl Cache {
    pub(super) fn new(lasting: Duration, most: usize) -> Arc<Self> {
        let state =
            State { lasting, most, known: HashMap::new(), order: BTreeMap::new(), numbers: 0, bytes: 0 };
        Arc::new(Self { state: Mutex::new(state), recorded: Arc::default() })
    }

    /// How much is kept of jobs that may come in here.
    pub(super) fn recorded(&self) -> &Arc<Recorded> {
        &self.recorded
    }

    pub(super) fn set(&self, lasting: Duration, most: usize) {
        let mut state = self.state.lock();
        (state.lasting, state.most) = (lasting, most);
        state.make_room();
    }

    pub(super) fn find(&self, key: &Key, now: Instant) -> Option<Arc<[Arc<Delivered>]>> {
        let mut state = self.state.lock();
        let known = state.known.get(key)?;
        if now < known.since + state.lasting {
            return Some(known.parts.clone());
        }
        state.forget(key);
        None
    }

    fn keep(&self, key: Key, parts: Arc<[Arc<Delivered>]>, bytes: usize) {
        let mut state = self.state.lock();
        state.forget(&key);
        state.numbers += 1;
        let number = state.numbers;
        state.bytes += bytes;
        state.order.insert(number, key.clone());
        state.known.insert(key, Known { parts, bytes, since: Instant::now(), number });
        state.make_room();
    }
}

impl State {
    fn forget(&mut self, key: &Key) {
        if let Some(known) = self.known.remove(key) {
            self.order.remove(&known.number);
            self.bytes -= known.bytes;
        }
    }

    fn make_room(&mut self) {
        while self.known.len() > self.most || self.bytes > MOST_BYTES {
            let Some((_, key)) = self.order.first_key_value() else { return };
            let key = key.clone();
            self.forget(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Part;
    use serde_json::{Value, json};

    fn record(all: &Arc<Recorded>) -> Record {
        Record::new(&Settings::default(), all.clone())
    }

    fn part() -> Arc<Delivered> {
        Part::new("x", "y".repeat(100)).delivered(None)
    }

    #[test]
    fn jobs_under_way_are_not_known_in_full_when_they_are_too_much_together() {
        let all = Arc::new(Recorded { bytes: AtomicUsize::new(0), most: 450 });
        let mut records: Vec<_> = (0..2).map(|_| record(&all)).collect();
        for record in &mut records {
            record.push(&part());
            record.push(&part());
        }
        assert!(records[0].parts().is_some() && records[1].parts().is_none());
        // There is room again behind it, and all is given back.
        records[0].push(&part());
        assert_eq!(records[0].parts().map(<[_]>::len), Some(3));
        drop(records);
        assert_eq!(all.bytes.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn inputs_count_as_well() {
        let cache = Cache::new(Duration::from_mins(1), 100_000);
        let key =
            |n: usize| -> Key { (None, "x".into(), Arc::new(json!([n, "z".repeat(10 * 1024 * 1024)]))) };
        let mut first = record(cache.recorded());
        first.keep_in(cache.clone(), key(0));
        first.keep();
        assert!(cache.find(&key(0), Instant::now()).is_some());
        for n in 1..10 {
            let mut other = record(cache.recorded());
            other.keep_in(cache.clone(), key(n));
            other.keep();
        }
        assert!(cache.find(&key(0), Instant::now()).is_none());
        assert_eq!(cache.state.lock().known.len(), 6);
        assert_eq!(size(&(Some("ab".into()), "x".into(), Arc::new(Value::from("cd")))), ENTRY + 2 + 4);
    }
}
