//! Interests that clients state and withdraw, and groups that they join and leave.

use super::clients::Unwanted;
use super::{Client, Hub, Known, LONGEST, State, check_name};
use crate::channel::Pattern;
use crate::live::audience::Statement;
use crate::live::client::Stated;
use crate::live::topic::{Present, Topic};
use crate::live::{Delivery, Error, Interest, Job, Join, Member, Position, metered};
use parking_lot::Mutex;
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::time::Instant;

/// The most patterns of names that an interest has.
const PATTERNS: usize = 100;
/// The longest that a member shows of itself.
const INFO: usize = 4 * 1024;

impl Hub {
    /// States interests by their names, in place of those of the same names, and joins groups; all or none. What was missed
    /// comes once, whichever of them it is for.
    pub(in crate::live) fn state(
        &self,
        client: &Arc<Client>,
        interests: Vec<(Arc<str>, Interest)>,
        joins: Vec<Join>,
        since: Option<&Position>,
    ) -> Result<Stated, Error> {
        check(&interests, &joins)?;
        // Behind the lock, so that it is dropped when that is not held any more.
        let mut unwanted = Unwanted::default();
        let stated = {
            let mut state = self.state.lock();
            let state = &mut *state;
            self.may_state(state, client, &interests, &joins)?;
            let mut statements = Vec::with_capacity(interests.len() + joins.len());
            for (name, interest) in interests {
                let statement = state.statement(client, name.clone(), interest);
                let Some(known) = state.clients.get_mut(&client.key) else { return Err(Error::Gone) };
                let before = known.statements.insert(name, statement.clone());
                self.put(state, &statement, before, &mut unwanted);
                statements.push(statement);
            }
            for Join { group, .. } in &joins {
                let interest = Interest::named([Pattern::literal(group)]);
                let statement = state.statement(client, group.clone(), interest);
                let Some(known) = state.clients.get_mut(&client.key) else { return Err(Error::Gone) };
                let before = known.groups.insert(group.clone(), statement.clone());
                self.put(state, &statement, before, &mut unwanted);
                statements.push(statement);
            }
            let stated = self.recover(state, client, &statements, since);
            let mut lost = 0;
            let is_member = !joins.is_empty();
            for Join { group, info, wants_presence } in joins {
                let (id, name) = (client.public.clone(), client.viewer.name.clone());
                let member = Arc::new(Member { client: id, name, info });
                lost += state.come(&group, Present { member, wants_presence, client: client.clone() });
            }
            self.meter.add(metered::MISSED, lost);
            if is_member {
                self.moved.notify_one();
            }
            stated
        };
        self.count_cancelled(&unwanted);
        Ok(stated)
    }

    pub(in crate::live) fn withdraw(&self, client: &Client, name: &str) -> bool {
        let mut unwanted = Unwanted::default();
        {
            let mut state = self.state.lock();
            let Some(known) = state.clients.get_mut(&client.key) else { return false };
            let Some(statement) = known.statements.remove(name) else { return false };
            state.strike(&statement, &mut unwanted);
        }
        self.count_cancelled(&unwanted);
        true
    }

    pub(in crate::live) fn leave_group(&self, client: &Client, group: &str) -> bool {
        let mut unwanted = Unwanted::default();
        {
            let mut state = self.state.lock();
            let Some(known) = state.clients.get_mut(&client.key) else { return false };
            let Some(statement) = known.groups.remove(group) else { return false };
            state.strike(&statement, &mut unwanted);
            let lost = state.depart(&statement.name, client.key);
            self.meter.add(metered::MISSED, lost);
        }
        self.moved.notify_one();
        self.count_cancelled(&unwanted);
        true
    }

    /// Ends the interests whose time is over; when the next one's is.
    pub(in crate::live) fn expire(&self) -> Option<Instant> {
        let now = Instant::now();
        let mut unwanted = Unwanted::default();
        let next = {
            let mut state = self.state.lock();
            loop {
                let Some(entry) = state.deadlines.first_entry() else { break None };
                if entry.key().0 > now {
                    break Some(entry.key().0);
                }
                let statement = entry.remove();
                if let Some(known) = state.clients.get_mut(&statement.client.key) {
                    known.statements.remove(&statement.name);
                }
                state.strike(&statement, &mut unwanted);
                statement.client.queue.tell(Delivery::Expired { interest: statement.name.clone() });
                statement.client.close_if_done();
            }
        };
        self.count_cancelled(&unwanted);
        next
    }

    fn may_state(
        &self,
        state: &State,
        client: &Client,
        interests: &[(Arc<str>, Interest)],
        joins: &[Join],
    ) -> Result<(), Error> {
        let known = state.clients.get(&client.key).ok_or(Error::Gone)?;
        let more = known.lacks(interests, joins);
        let limit = self.settings.interests;
        if more > 0 && known.statements.len() + known.groups.len() + more > limit {
            return Err(Error::Interests { limit });
        }
        let limit = self.settings.names;
        let is_new = |name: &str| state.topics.get(name).is_none_or(|topic| topic.held == 0);
        let mut new = HashSet::new();
        for (_, interest) in interests {
            new.extend(interest.literals().filter(|name| is_name(name) && is_new(name)));
        }
        new.extend(joins.iter().map(|join| Cow::from(&*join.group)).filter(|name| is_new(name)));
        if !new.is_empty() && state.held + new.len() > limit {
            return Err(Error::Names { limit });
        }
        if client.queue.is_closed() { Err(Error::Gone) } else { Ok(()) }
    }

    /// Enters a statement wherever it has a say, and then takes out the one in whose place it is.
    fn put(
        &self,
        state: &mut State,
        statement: &Arc<Statement>,
        before: Option<Arc<Statement>>,
        unwanted: &mut Unwanted,
    ) {
        self.list(state, statement);
        if let Some(before) = before {
            state.strike(&before, unwanted);
        }
    }

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
        for name in &statement.literals {
            self.topic(state, name);
            let Some(topic) = state.topics.get_mut(name) else { continue };
            topic.audience.enter(statement);
            state.held += usize::from(topic.held == 0);
            topic.held += 1;
        }
        if statement.interest.has_globs() {
            state.patterned.insert(statement.number, statement.clone());
            for (name, topic) in &mut state.topics {
                if statement.interest.matches_name(name) {
                    topic.audience.enter(statement);
                }
            }
        }
    }
}

impl State {
    fn statement(&mut self, client: &Arc<Client>, name: Arc<str>, interest: Interest) -> Arc<Statement> {
        self.numbers += 1;
        // What lasts longer than time can be told lasts for ever.
        let until = interest.lifetime.and_then(|lifetime| Instant::now().checked_add(lifetime));
        client.interests.fetch_add(1, Ordering::AcqRel);
        let literals: HashSet<Arc<str>> =
            interest.literals().filter(|name| is_name(name)).map(|name| name.as_ref().into()).collect();
        Arc::new(Statement {
            client: client.clone(),
            number: self.numbers,
            name,
            literals: literals.into_iter().collect(),
            interest,
            until,
            from: Mutex::new(self.position),
        })
    }

    /// Takes a statement from wherever it has a say; and cancels the jobs that went on for it alone.
    pub(super) fn strike(&mut self, statement: &Arc<Statement>, unwanted: &mut Unwanted) {
        if let Some(until) = statement.until {
            self.deadlines.remove(&(until, statement.number));
        }
        statement.client.interests.fetch_sub(1, Ordering::AcqRel);
        if statement.interest.names.is_empty() {
            self.unnamed.strike(statement);
            return;
        }
        for name in &statement.literals {
            let Some(topic) = self.topics.get_mut(name) else { continue };
            topic.audience.strike(statement);
            topic.held -= 1;
            self.held -= usize::from(topic.held == 0);
            topic.let_go(name, unwanted);
        }
        if self.patterned.remove(&statement.number).is_some() {
            for (name, topic) in &mut self.topics {
                if statement.interest.matches_name(name) {
                    topic.audience.strike(statement);
                    topic.let_go(name, unwanted);
                }
            }
        }
    }
}

impl Topic {
    /// Cancels the jobs that nobody asks for and nobody is interested in any more.
    fn let_go(&mut self, name: &str, unwanted: &mut Unwanted) {
        let Self { unowned, audience, .. } = self;
        unowned.retain(|(running, last)| {
            let Some(job) = running.upgrade().map(Job::from) else { return false };
            let is_owned = job.running().is_owned();
            let is_wanted = !is_owned && audience.has_other_who_means(name, *last);
            if !is_owned && !is_wanted {
                job.cancel();
                unwanted.cancelled += 1;
            }
            unwanted.jobs.push(job);
            is_wanted
        });
    }
}

impl Known {
    /// How many of these it does not have yet.
    fn lacks(&self, interests: &[(Arc<str>, Interest)], joins: &[Join]) -> usize {
        let interests = interests.iter().filter(|(name, _)| !self.statements.contains_key(name));
        interests.count() + joins.iter().filter(|join| !self.groups.contains_key(&join.group)).count()
    }
}

fn check(interests: &[(Arc<str>, Interest)], joins: &[Join]) -> Result<(), Error> {
    for (name, interest) in interests {
        check_name("an interest", name)?;
        if interest.names.len() > PATTERNS {
            return Err(Error::Patterns { limit: PATTERNS });
        }
    }
    for Join { group, info, .. } in joins {
        check_name("a group", group)?;
        let length = serde_json::to_string(info).map_or(0, |text| text.len());
        if length > INFO {
            return Err(Error::Info { limit: INFO, length });
        }
    }
    Ok(())
}

/// Whether something may be published under it.
fn is_name(name: &str) -> bool {
    (1..=LONGEST).contains(&name.len())
}
