//! Who is interested in what, and what was published last: hands parts out.

mod among_nodes;

pub(super) use among_nodes::Arrived;

use super::audience::{Audience, Statement};
use super::client::{Inner as Client, Stated, takes};
use super::nodes::Elsewhere;
use super::queue::Queue;
use super::topic::{Present, Topic};
use super::{Closed, Delivered, Delivery, Error, Interest, Job, Member, Part, Position, Security, Settings};
use super::{Viewer, metered};
use crate::channel::Pattern;
use crate::condition::Search;
use crate::event::EventId;
use crate::stream::meter::Meter;
use parking_lot::Mutex;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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
    /// Those with patterns of names, which names to come may match.
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

    // --- clients -------------------------------------------------------------------------------------------------

    pub(super) fn enter(&self, viewer: Viewer) -> Arc<Client> {
        let Settings { client_buffer, client_bytes, when_full, .. } = self.settings;
        let mut state = self.state.lock();
        state.numbers += 1;
        let queue = Queue::new(client_buffer, client_bytes, when_full);
        let client = Arc::new(Client::new(state.numbers, viewer, queue));
        if state.is_closed {
            client.queue.close(Some(Closed::ShuttingDown));
        }
        let known = Known { client: client.clone(), statements: HashMap::new(), groups: HashMap::new() };
        state.clients.insert(client.key, known);
        state.by_id.insert(client.id.clone(), client.clone());
        self.meter.set(metered::CLIENTS, state.clients.len() as f64);
        client
    }

    pub(super) fn find(&self, id: &str) -> Option<Arc<Client>> {
        self.state.lock().by_id.get(id).cloned()
    }

    pub(super) fn leave(&self, client: &Client) {
        {
            let mut state = self.state.lock();
            let Some(known) = state.clients.remove(&client.key) else { return };
            state.by_id.remove(&client.id);
            known.statements.values().for_each(|statement| state.strike(statement));
            for (group, statement) in &known.groups {
                state.strike(statement);
                state.depart(group, client.key);
            }
            if !known.groups.is_empty() {
                self.moved.notify_one();
            }
            self.meter.set(metered::CLIENTS, state.clients.len() as f64);
        }
        let jobs = std::mem::take(&mut *client.jobs.lock());
        for (_, running) in jobs {
            if let Some(running) = running.upgrade() {
                self.give_up(client.key, Job::from(running));
            }
        }
    }

    /// A client no longer wants a job; one that nobody else wants is cancelled. Who is interested in all jobs of its
    /// name wants it, too; who is interested in anything does not.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "it may end with it, which is not for when the lock is held"
    )]
    pub(super) fn give_up(&self, client: u64, job: Job) {
        // Nobody begins to share it meanwhile.
        let state = self.state.lock();
        if !job.running().disown(client) {
            return;
        }
        let is_wanted =
            state.topics.get(&**job.name()).is_some_and(|topic| topic.audience.has_other_than(client));
        if !is_wanted {
            self.meter.add(metered::CANCELLED, 1);
            job.cancel();
        }
    }

    /// Lets a client have a job that is under way, too: it gets the parts so far, and then the rest. `false` if nobody wants
    /// the job any more, or not all of its parts are known.
    pub(super) fn share(&self, client: &Arc<Client>, job: &Job) -> bool {
        let _state = self.state.lock();
        let Some(record) = job.recorded() else { return false };
        let record = record.lock();
        let Some(parts) = record.parts().filter(|_| !job.is_cancelled()) else { return false };
        if job.own(client.clone()) {
            let visible = parts.iter().filter(|part| self.security.may_see(&client.viewer, part));
            let lost = visible.map(|part| client.queue.push(part).0).sum();
            self.meter.add(metered::MISSED, lost);
        }
        true
    }

    /// Closes all clients behind what waits for them, and those that come.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        state.clients.values().for_each(|known| known.client.queue.close(Some(Closed::ShuttingDown)));
    }

    // --- interests -----------------------------------------------------------------------------------------------

    /// States interests by their names, in place of those of the same names; all or none.
    pub(super) fn state(
        &self,
        client: &Arc<Client>,
        interests: Vec<(Arc<str>, Interest)>,
        since: Option<&Position>,
    ) -> Result<Stated, Error> {
        for (name, _) in &interests {
            check_name("an interest", name)?;
        }
        let mut state = self.state.lock();
        let state = &mut *state;
        self.may_state(state, client, |known| {
            interests.iter().filter(|(name, _)| !known.statements.contains_key(name)).count()
        })?;
        let mut statements = Vec::with_capacity(interests.len());
        for (name, interest) in interests {
            let statement = state.statement(client, name.clone(), interest);
            let Some(known) = state.clients.get_mut(&client.key) else { return Err(Error::Gone) };
            if let Some(before) = known.statements.insert(name, statement.clone()) {
                state.strike(&before);
            }
            self.list(state, &statement);
            statements.push(statement);
        }
        Ok(self.recover(state, client, &statements, since))
    }

    pub(super) fn withdraw(&self, client: &Client, name: &str) -> bool {
        let mut state = self.state.lock();
        let Some(known) = state.clients.get_mut(&client.key) else { return false };
        let Some(statement) = known.statements.remove(name) else { return false };
        state.strike(&statement);
        true
    }

    pub(super) fn join(
        &self,
        client: &Arc<Client>,
        group: &str,
        info: Value,
        wants_presence: bool,
        since: Option<&Position>,
    ) -> Result<Stated, Error> {
        check_name("a group", group)?;
        let group: Arc<str> = group.into();
        let mut state = self.state.lock();
        let state = &mut *state;
        self.may_state(state, client, |known| usize::from(!known.groups.contains_key(&group)))?;
        if let Some(before) = state.clients.get_mut(&client.key).and_then(|known| known.groups.remove(&group))
        {
            state.strike(&before);
        }
        self.topic(state, &group);
        let interest = Interest::named([Pattern::literal(&group)]);
        let statement = state.statement(client, group.clone(), interest);
        if let Some(known) = state.clients.get_mut(&client.key) {
            known.groups.insert(group.clone(), statement.clone());
        }
        self.list(state, &statement);
        let stated = self.recover(state, client, &[statement], since);
        let member = Member { client: client.id.clone(), name: client.viewer.name.clone(), info };
        state.arrive(&group, Present { member: Arc::new(member), wants_presence, client: client.clone() });
        self.moved.notify_one();
        Ok(stated)
    }

    pub(super) fn leave_group(&self, client: &Client, group: &str) -> bool {
        let mut state = self.state.lock();
        let Some(known) = state.clients.get_mut(&client.key) else { return false };
        let Some(statement) = known.groups.remove(group) else { return false };
        state.strike(&statement);
        state.depart(group, client.key);
        self.moved.notify_one();
        true
    }

    pub(super) fn members(&self, group: &str) -> Vec<Member> {
        let state = self.state.lock();
        let present = state.topics.get(group).map(|topic| topic.present.values());
        let here = present.into_iter().flatten().map(|present| &*present.member);
        here.chain(state.elsewhere.members(group)).cloned().collect()
    }

    fn may_state(&self, state: &State, client: &Client, more: impl Fn(&Known) -> usize) -> Result<(), Error> {
        let known = state.clients.get(&client.key).ok_or(Error::Gone)?;
        let (limit, more) = (self.settings.interests, more(known));
        if more > 0 && known.statements.len() + known.groups.len() + more > limit {
            return Err(Error::Interests { limit });
        }
        if client.queue.is_closed() { Err(Error::Gone) } else { Ok(()) }
    }

    /// Enters a statement wherever it has a say.
    fn list(&self, state: &mut State, statement: &Arc<Statement>) {
        if let Some(until) = statement.until {
            let first = state.deadlines.first_key_value().map(|((first, _), _)| *first);
            state.deadlines.insert((until, statement.number), statement.clone());
            if first.is_none_or(|first| until < first) {
                self.sooner.notify_one();
            }
        }
        if statement.interest.names.is_empty() {
            state.unnamed.enter(statement);
            return;
        }
        for pattern in &statement.interest.names {
            if !is_glob(pattern.as_str()) && pattern.as_str().len() <= LONGEST {
                self.topic(state, &pattern.as_str().into());
            }
        }
        state.patterned.insert(statement.number, statement.clone());
        for (name, topic) in &mut state.topics {
            if statement.interest.matches_name(name) {
                topic.audience.enter(statement);
            }
        }
    }

    /// Hands over what was missed, as far as that is known in full.
    fn recover(
        &self,
        state: &State,
        client: &Client,
        statements: &[Arc<Statement>],
        since: Option<&Position>,
    ) -> Stated {
        if let Some(since) = since.filter(|since| state.is_behind(since)) {
            client.set_ahead(since.offset);
            return Stated { position: since.clone(), recovered: Some(true) };
        }
        let position = state.whereabouts();
        let recovered = since.map(|since| {
            let missed =
                if since.epoch == state.epoch { state.missed(statements, since.offset) } else { None };
            let Some(mut missed) = missed else { return false };
            let wants = |part: &Delivered| {
                statements.iter().any(|statement| statement.wants(part, self.settings.steps))
            };
            missed.retain(|part| wants(part) && self.security.may_see(&client.viewer, part));
            let bytes: usize = missed.iter().map(|part| part.json().len()).sum();
            if missed.len() > self.settings.client_buffer || bytes > self.settings.client_bytes {
                return false;
            }
            for part in missed {
                client.queue.push(part);
            }
            true
        });
        Stated { position, recovered }
    }

    /// Ends the interests whose time is over; when the next one's is.
    pub(super) fn expire(&self) -> Option<Instant> {
        let now = Instant::now();
        let mut state = self.state.lock();
        while let Some(entry) = state.deadlines.first_entry() {
            if entry.key().0 > now {
                return Some(entry.key().0);
            }
            let statement = entry.remove();
            if let Some(known) = state.clients.get_mut(&statement.client.key) {
                known.statements.remove(&statement.name);
            }
            state.strike(&statement);
            statement.client.queue.tell(Delivery::Expired { interest: statement.name.clone() });
            statement.client.close_if_done();
        }
        None
    }

    // --- parts ---------------------------------------------------------------------------------------------------

    /// Hands out parts, in their order, while they are kept, and with them their jobs.
    pub(super) fn hand_out(&self, parts: &[Part]) {
        if parts.is_empty() {
            return;
        }
        let mut state = self.state.lock();
        let now = Instant::now();
        for part in parts {
            self.deliver_one(&mut state, part, now);
        }
    }

    fn deliver_one(&self, state: &mut State, part: &Part, now: Instant) {
        state.position = state.position.next();
        let delivered = part.delivered(Some(state.position));
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

    /// Keeps a part for clients that come back.
    fn keep(&self, state: &mut State, part: &Arc<Delivered>) {
        let Some(offset) = part.offset() else { return };
        let Some(topic) = state.topics.get_mut(part.name()) else { return };
        topic.last = offset;
        if self.settings.history == 0 {
            topic.floor = offset;
            return;
        }
        if topic.kept.len() >= self.settings.history {
            state.kept_bytes -= topic.forget_oldest();
            state.order.remove(&topic.floor);
        }
        topic.kept.push_back(part.clone());
        state.order.insert(offset, part.name.clone());
        state.kept_bytes += part.json().len();
        while state.kept_bytes > self.settings.history_bytes {
            let Some((_, name)) = state.order.pop_first() else { break };
            let Some(topic) = state.topics.get_mut(&name) else { continue };
            state.kept_bytes -= topic.forget_oldest();
        }
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
    fn statement(&mut self, client: &Arc<Client>, name: Arc<str>, interest: Interest) -> Arc<Statement> {
        self.numbers += 1;
        // What lasts longer than time can be told lasts for ever.
        let until = interest.lifetime.and_then(|lifetime| Instant::now().checked_add(lifetime));
        client.interests.fetch_add(1, Ordering::AcqRel);
        Arc::new(Statement { client: client.clone(), number: self.numbers, name, interest, until })
    }

    fn whereabouts(&self) -> Position {
        Position { epoch: self.epoch.clone(), offset: self.position }
    }

    /// Takes a statement from wherever it has a say.
    fn strike(&mut self, statement: &Arc<Statement>) {
        if let Some(until) = statement.until {
            self.deadlines.remove(&(until, statement.number));
        }
        statement.client.interests.fetch_sub(1, Ordering::AcqRel);
        if self.patterned.remove(&statement.number).is_none() {
            self.unnamed.strike(statement);
            return;
        }
        for (name, topic) in &mut self.topics {
            if statement.interest.matches_name(name) {
                topic.audience.strike(statement);
            }
        }
    }

    fn arrive(&mut self, group: &str, present: Present) {
        let Some(topic) = self.topics.get_mut(group) else { return };
        topic.tell_presence(group, &present.member, true);
        topic.present.insert(present.client.key, present);
    }

    fn depart(&mut self, group: &str, client: u64) {
        let Some(topic) = self.topics.get_mut(group) else { return };
        if let Some(present) = topic.present.remove(&client) {
            topic.tell_presence(group, &present.member, false);
        }
    }

    /// The parts behind `since` under names that interests are in, in their order; `None` if some are not kept any
    /// more.
    fn missed(&self, statements: &[Arc<Statement>], since: EventId) -> Option<Vec<&Arc<Delivered>>> {
        let is_pulled = self.pulled.first().is_some_and(|first| *first <= since);
        if since > self.position || self.floor > since || is_pulled || self.is_beginning {
            return None;
        }
        let mut missed = Vec::new();
        for (name, topic) in &self.topics {
            if !statements.iter().any(|statement| statement.interest.matches_name(name)) {
                continue;
            }
            if topic.floor > since {
                return None;
            }
            let behind = topic.kept.partition_point(|part| part.offset() <= Some(since));
            missed.extend(topic.kept.range(behind..));
        }
        missed.sort_by_key(|part| part.offset());
        Some(missed)
    }

    /// Forgets some of the names that nobody listens to, the longest silent first.
    fn forget_names(&mut self, count: usize) {
        let idle = self.topics.iter().filter(|(_, topic)| topic.is_idle());
        let mut idle: Vec<_> = idle.map(|(name, topic)| (topic.last, name.clone())).collect();
        idle.sort();
        for (last, name) in idle.into_iter().take(count) {
            let Some(topic) = self.topics.remove(&name) else { continue };
            for part in &topic.kept {
                self.kept_bytes -= part.json().len();
                if let Some(offset) = part.offset() {
                    self.order.remove(&offset);
                }
            }
            self.floor = self.floor.max(last);
        }
    }
}

impl Topic {
    fn tell_presence(&self, group: &str, member: &Member, joined: bool) {
        for present in self.present.values().filter(|present| present.wants_presence) {
            let member = member.clone();
            present.client.queue.tell(Delivery::Presence { group: group.into(), member, joined });
        }
    }
}

pub(super) fn check_name(what: &'static str, name: &str) -> Result<(), Error> {
    let length = name.len();
    if (1..=LONGEST).contains(&length) { Ok(()) } else { Err(Error::Name { what, length }) }
}

fn is_glob(pattern: &str) -> bool {
    pattern.contains(['*', '?', '[', '\\'])
}
