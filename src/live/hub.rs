//! Who is interested in what, and what was published last: hands parts out.

mod among_nodes;
mod clients;
mod history;
mod presence;
mod stating;

pub(super) use among_nodes::Arrived;

use super::audience::{Audience, Statement};
use super::client::{Inner as Client, takes};
use super::nodes::Elsewhere;
use super::topic::Topic;
use super::{Delivered, Error, Job, Part, Position, Security, Settings, metered};
use crate::condition::Search;
use crate::event::EventId;
use crate::stream::meter::Meter;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The longest name.
const LONGEST: usize = 200;

/// Who is interested in what, and what was published last.
pub(super) struct Hub {
    state: Mutex<State>,
    security: Box<dyn Security>,
    settings: Settings,
    /// Members have come or gone.
    pub(super) moved: Notify,
    /// An interest ends sooner than those before.
    pub(super) sooner: Notify,
    pub(super) meter: Arc<Meter>,
    /// How many histories there were.
    epochs: AtomicU64,
}

struct State {
    clients: HashMap<u64, Known>,
    by_id: HashMap<Arc<str>, Arc<Client>>,
    topics: HashMap<Arc<str>, Topic>,
    /// Who is interested whatever the name.
    unnamed: Audience,
    /// How many topics are held by statements that give their names as such.
    held: usize,
    /// Those with patterns that names to come may match.
    patterned: BTreeMap<u64, Arc<Statement>>,
    deadlines: BTreeMap<(Instant, u64), Arc<Statement>>,
    /// Numbers clients, statements and parts.
    numbers: u64,
    epoch: Arc<str>,
    position: EventId,
    /// Of all that is kept: where it is, and under which name.
    order: BTreeMap<EventId, Arc<str>>,
    kept_bytes: usize,
    /// Nothing up to here is kept of names that were forgotten.
    floor: EventId,
    search: Search,
    /// Members of groups whose clients are at other nodes.
    elsewhere: Elsewhere,
    is_shared: bool,
    /// What others have published before is still being read.
    is_beginning: bool,
    /// The places of parts that are yet to come, behind later ones.
    pulled: BTreeSet<EventId>,
    is_closed: bool,
}

struct Known {
    client: Arc<Client>,
    statements: HashMap<Arc<str>, Arc<Statement>>,
    groups: HashMap<Arc<str>, Arc<Statement>>,
}

impl Hub {
    pub(super) fn new(settings: Settings, security: Box<dyn Security>) -> Self {
        let state = State {
            clients: HashMap::new(),
            by_id: HashMap::new(),
            topics: HashMap::new(),
            unnamed: Audience::new(settings.steps),
            held: 0,
            patterned: BTreeMap::new(),
            deadlines: BTreeMap::new(),
            numbers: 0,
            epoch: format!("{:016x}", fastrand::u64(..)).into(),
            position: EventId::MIN,
            order: BTreeMap::new(),
            kept_bytes: 0,
            floor: EventId::MIN,
            search: Search::new(),
            elsewhere: Elsewhere::default(),
            is_shared: false,
            is_beginning: false,
            pulled: BTreeSet::new(),
            is_closed: false,
        };
        Self {
            state: Mutex::new(state),
            security,
            settings,
            moved: Notify::new(),
            sooner: Notify::new(),
            meter: Meter::new(&metered::LIVE, ""),
            epochs: AtomicU64::new(0),
        }
    }

    pub(super) fn security(&self) -> &dyn Security {
        &*self.security
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn position(&self) -> Position {
        self.state.lock().whereabouts()
    }

    /// How many clients and names there are.
    pub(super) fn counts(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.clients.len(), state.topics.len())
    }

    /// Hands out parts, in their order, while they are kept, and with them their jobs.
    pub(super) fn hand_out(&self, parts: &[Part]) {
        if parts.is_empty() {
            return;
        }
        // What takes long is done before.
        let drafts: Vec<_> = parts.iter().map(Part::draft).collect();
        let mut state = self.state.lock();
        let now = Instant::now();
        for (part, draft) in parts.iter().zip(drafts) {
            self.deliver_one(&mut state, part, draft, now);
        }
    }

    fn deliver_one(&self, state: &mut State, part: &Part, draft: Delivered, now: Instant) {
        state.position = state.position.next();
        let delivered = Arc::new(draft.at(state.position));
        let owners = part.job.as_ref().map(Job::owners).unwrap_or_default();
        if let Some(record) = part.job.as_ref().and_then(Job::recorded) {
            record.lock().push(&delivered);
        }
        self.hand(state, &delivered, &owners, &[], now);
        self.keep(state, &delivered);
    }

    /// Hands a part to those who asked for it and to those who are interested, but for some who have it.
    fn hand(
        &self,
        state: &mut State,
        delivered: &Arc<Delivered>,
        owners: &[Arc<Client>],
        have: &[u64],
        now: Instant,
    ) {
        state.numbers += 1;
        let number = state.numbers;
        self.topic(state, &delivered.name);
        let State { topics, unnamed, search, .. } = state;
        let Some(topic) = topics.get(&delivered.name) else { return };
        let (mut handed, mut lost) = (0, 0);
        let mut hand = |client: &Client, is_own| {
            if !have.contains(&client.key) && takes(client, number, delivered, &*self.security, is_own) {
                handed += 1;
                lost += client.queue.push(delivered).0;
            }
        };
        for owner in owners {
            hand(owner, true);
        }
        let mut unjudged = 0;
        for audience in [&topic.audience, &*unnamed] {
            let found = audience.find(delivered.data(), search, |statement| {
                if statement.holds_at(now) {
                    hand(&statement.client, false);
                }
            });
            unjudged += found.unjudged;
        }
        self.meter.add(metered::PARTS, 1);
        self.meter.add(metered::HANDED, handed);
        self.meter.add(metered::MISSED, lost);
        self.meter.add(metered::UNJUDGED, unjudged as u64);
    }

    /// Makes sure that a name is known.
    fn topic(&self, state: &mut State, name: &Arc<str>) {
        if state.topics.contains_key(name) {
            return;
        }
        if state.topics.len() >= self.settings.names {
            state.forget_names(self.settings.names / 10 + 1);
        }
        // What was published under it before, and forgotten, is not known.
        let mut topic = Topic::new(self.settings.steps, state.floor);
        for statement in state.patterned.values() {
            if statement.interest.matches_name(name) {
                topic.audience.enter(statement);
            }
        }
        state.topics.insert(name.clone(), topic);
    }
}

impl State {
    fn whereabouts(&self) -> Position {
        Position { epoch: self.epoch.clone(), offset: self.position }
    }
}

pub(super) fn check_name(what: &'static str, name: &str) -> Result<(), Error> {
    let length = name.len();
    if (1..=LONGEST).contains(&length) { Ok(()) } else { Err(Error::Name { what, length }) }
}
