//! Three masters that share the slots, and slots that move.

use super::command::ask;
use super::redis_server::RedisServer;
use super::wait::until;
use std::sync::OnceLock;

const SLOTS: usize = 16_384;
const MASTERS: usize = 3;

/// A Redis Cluster without replicas.
pub(crate) struct Cluster {
    nodes: Vec<RedisServer>,
    /// What the nodes call themselves.
    ids: Vec<String>,
}

impl Cluster {
    /// Takes somewhat over two seconds: masters wait so long before they trust in what they know.
    pub(crate) fn start() -> Self {
        let nodes: Vec<_> = (0..MASTERS).map(|_| RedisServer::options().cluster().start()).collect();
        let ports: Vec<_> = nodes.iter().map(RedisServer::port).collect();
        let told = |index: usize, words: &[&str]| {
            ask::<String>(ports[index], &[&["CLUSTER"], words].concat()).unwrap()
        };
        for index in 0..MASTERS {
            told(index, &["SET-CONFIG-EPOCH", &(index + 1).to_string()]);
            let (first, next) = (SLOTS * index / MASTERS, SLOTS * (index + 1) / MASTERS);
            told(index, &["ADDSLOTSRANGE", &first.to_string(), &(next - 1).to_string()]);
        }
        for node in &nodes[1..] {
            let bus = node.cli(&["CONFIG", "GET", "cluster-port"]);
            let bus = bus.lines().last().unwrap();
            told(0, &["MEET", "127.0.0.1", &node.port().to_string(), bus]);
        }
        let ids = (0..MASTERS).map(|index| told(index, &["MYID"])).collect();
        until("all masters know the whole cluster", || {
            (0..MASTERS).all(|index| {
                let info = told(index, &["INFO"]);
                let holds = |line: &str| info.lines().any(|other| other.trim_end() == line);
                holds("cluster_state:ok")
                    && holds(&format!("cluster_known_nodes:{MASTERS}"))
                    && holds(&format!("cluster_slots_ok:{SLOTS}"))
            })
        });
        Self { nodes, ids }
    }

    /// The one that all tests of this binary share: no slot of it moves and no node of it ends. A cluster has one
    /// database, so tests keep apart by the names of their keys and channels.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// `redis+cluster://127.0.0.1:P1,127.0.0.1:P2,127.0.0.1:P3`.
    pub(crate) fn url(&self) -> String {
        let places: Vec<_> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        format!("redis+cluster://{}", places.join(","))
    }

    /// The masters; functions that speak of a node mean its place here.
    pub(crate) fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    pub(crate) fn node_mut(&mut self, index: usize) -> &mut RedisServer {
        &mut self.nodes[index]
    }

    pub(crate) fn slot_of(&self, key: &str) -> u16 {
        self.tell_first(&["CLUSTER", "KEYSLOT", key]).parse().unwrap()
    }

    /// The node that has a slot; while it moves, the one that had it before.
    pub(crate) fn owner(&self, slot: u16) -> usize {
        let table = self.tell_first(&["CLUSTER", "NODES"]);
        let mut lines = table.lines().map(|line| line.split(' '));
        let mut owners = lines.find_map(|mut words| {
            let id = words.next()?;
            // Address, flags, master, two times, epoch and state of the link, then slots; those that move in brackets.
            words.skip(7).any(|range| includes(range, slot)).then_some(id)
        });
        let owner = owners.take().expect("every slot has an owner");
        self.ids.iter().position(|id| id == owner).unwrap()
    }

    /// Moves a slot with its keys.
    pub(crate) fn move_slot(&mut self, slot: u16, to: usize) {
        self.begin_move(slot, to);
        self.move_keys(slot, to);
        self.end_move(slot, to);
    }

    /// From now on, the owner sends those who ask for keys that it does not have to the other node (`ASK`).
    pub(crate) fn begin_move(&mut self, slot: u16, to: usize) {
        let (from, slot) = (self.owner(slot), slot.to_string());
        assert_ne!(from, to, "slot {slot} is there already");
        self.tell(to, &["CLUSTER", "SETSLOT", &slot, "IMPORTING", &self.ids[from]]);
        self.tell(from, &["CLUSTER", "SETSLOT", &slot, "MIGRATING", &self.ids[to]]);
    }

    /// Moves all keys of a slot whose move has begun, and says how many.
    pub(crate) fn move_keys(&mut self, slot: u16, to: usize) -> usize {
        let (from, slot) = (self.nodes[self.owner(slot)].port(), slot.to_string());
        let port = self.nodes[to].port().to_string();
        let mut moved = 0;
        loop {
            let of_slot = ["CLUSTER", "GETKEYSINSLOT", &slot, "100"];
            let keys: Vec<Vec<u8>> = ask(from, &of_slot).unwrap();
            if keys.is_empty() {
                return moved;
            }
            moved += keys.len();
            let words = ["MIGRATE", "127.0.0.1", &port, "", "0", "10000", "KEYS"];
            let words: Vec<_> = words.iter().map(|word| word.as_bytes().to_vec()).chain(keys).collect();
            // NOKEY when they were deleted meanwhile.
            ask::<String>(from, &words).unwrap();
        }
    }

    /// From now on, the slot is the other node's, and the one that had it sends everybody there (`MOVED`).
    pub(crate) fn end_move(&mut self, slot: u16, to: usize) {
        // The new owner first, so that nobody is sent to a node that knows of nothing.
        let from = self.owner(slot);
        let others = (0..MASTERS).filter(|index| *index != to && *index != from);
        for index in [to, from].into_iter().chain(others) {
            self.tell(index, &["CLUSTER", "SETSLOT", &slot.to_string(), "NODE", &self.ids[to]]);
        }
    }

    fn tell(&self, index: usize, words: &[&str]) {
        ask::<()>(self.nodes[index].port(), words).unwrap();
    }

    /// The answer of a node that runs.
    fn tell_first(&self, words: &[&str]) -> String {
        let mut answers = self.nodes.iter().map(|node| ask(node.port(), words));
        answers.find_map(Result::ok).expect("no node of the cluster answers")
    }
}

/// Whether `5`, `5-9` and so on include a slot.
fn includes(range: &str, slot: u16) -> bool {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    match (first.parse::<u16>(), last.parse::<u16>()) {
        (Ok(first), Ok(last)) => (first..=last).contains(&slot),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_moves_with_its_keys() {
        let mut cluster = Cluster::start();
        let keys: Vec<_> = (0..250).map(|number| format!("{{tag}}{number}")).collect();
        let slot = cluster.slot_of("tag");
        assert_eq!(cluster.slot_of(&keys[0]), slot);
        let from = cluster.owner(slot);
        let to = (from + 1) % MASTERS;
        let get = |cluster: &Cluster, node: usize, key: &str| {
            ask::<String>(cluster.nodes()[node].port(), &["GET", key])
        };
        for key in &keys {
            ask::<()>(cluster.nodes()[from].port(), &["SET", key, key]).unwrap();
        }
        assert_eq!(get(&cluster, to, &keys[0]).unwrap_err().code(), Some("MOVED"));

        cluster.begin_move(slot, to);
        assert_eq!(get(&cluster, from, &keys[0]).as_ref(), Ok(&keys[0]));
        assert_eq!(get(&cluster, from, "{tag}new").unwrap_err().code(), Some("ASK"));
        assert_eq!(cluster.move_keys(slot, to), keys.len());
        assert_eq!(get(&cluster, from, &keys[0]).unwrap_err().code(), Some("ASK"));
        assert_eq!(cluster.owner(slot), from);
        cluster.end_move(slot, to);

        assert_eq!(cluster.owner(slot), to);
        assert!(keys.iter().all(|key| get(&cluster, to, key).as_ref() == Ok(key)));
        for node in (0..MASTERS).filter(|node| *node != to) {
            assert_eq!(get(&cluster, node, &keys[0]).unwrap_err().code(), Some("MOVED"));
        }
        cluster.move_slot(slot, from);
        assert_eq!((cluster.owner(slot), get(&cluster, from, &keys[0]).as_ref()), (from, Ok(&keys[0])));
    }

    #[test]
    fn ranges_of_slots_are_read_and_those_that_move_are_none() {
        assert!(includes("5", 5) && includes("5-9", 5) && includes("5-9", 9));
        assert!(!includes("5-9", 10) && !includes("5", 4) && !includes("[5->-abc]", 5));
    }
}
