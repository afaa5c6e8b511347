//! Parts that are to be pulled from the nodes that keep them.

use super::node::Node;
use super::pulling::Answer;
use super::{metered, wire};
use crate::event::EventId;
use crate::live::audience::Statement;
use crate::live::{Body, JobId};
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Notify, oneshot};

/// So many may wait to be pulled from one node.
const MOST: usize = 10_000;
/// So many are asked for at a time.
const AT_ONCE: usize = 64;

/// A part of which only values are known here, and that somebody is interested in.
pub(super) struct Wanted {
    /// The number by which its node knows it.
    pub(super) seq: u64,
    pub(super) name: Arc<str>,
    pub(super) job: Option<JobId>,
    pub(super) nr: u64,
    pub(super) offset: EventId,
    pub(super) to: Vec<Arc<Statement>>,
}

/// What is to be pulled, and who waits for answers.
#[derive(Default)]
pub(super) struct Pulls {
    lines: Mutex<HashMap<Arc<str>, Line>>,
    pub(super) more: Notify,
    requests: AtomicU64,
    answers: Mutex<HashMap<u64, oneshot::Sender<Vec<Answer>>>>,
}

/// What is to be pulled from one node, in its order.
#[derive(Default)]
struct Line {
    waiting: VecDeque<Wanted>,
    is_asked: bool,
}

impl Pulls {
    /// The nodes of which nobody has begun to pull what waits.
    pub(super) fn begin(&self) -> Vec<Arc<str>> {
        let mut lines = self.lines.lock();
        let unasked = lines.iter_mut().filter(|(_, line)| !line.is_asked && !line.waiting.is_empty());
        let begun = unasked.map(|(peer, line)| {
            line.is_asked = true;
            peer.clone()
        });
        begun.collect()
    }

    /// The numbers of the next ones; the line is let go of if there are none.
    pub(super) fn next(&self, peer: &str) -> Vec<u64> {
        let mut lines = self.lines.lock();
        let Some(line) = lines.get(peer) else { return Vec::new() };
        let next: Vec<_> = line.waiting.iter().take(AT_ONCE).map(|wanted| wanted.seq).collect();
        if next.is_empty() {
            lines.remove(peer);
        }
        next
    }

    /// The first one, if it has this number.
    pub(super) fn take(&self, peer: &str, seq: u64) -> Option<Wanted> {
        self.lines.lock().get_mut(peer)?.waiting.pop_front_if(|wanted| wanted.seq == seq)
    }

    /// All that is to be pulled from a node.
    pub(super) fn take_all(&self, peer: &str) -> VecDeque<Wanted> {
        self.lines.lock().get_mut(peer).map(|line| std::mem::take(&mut line.waiting)).unwrap_or_default()
    }

    /// A number for a request, and where its answer will be.
    pub(super) fn request(&self) -> (u64, oneshot::Receiver<Vec<Answer>>) {
        let request = self.requests.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.answers.lock().insert(request, sender);
        (request, receiver)
    }

    pub(super) fn answered(&self, request: u64, answers: Vec<Answer>) {
        let sender = self.answers.lock().remove(&request);
        if let Some(sender) = sender {
            // Whoever asked may have given up.
            let _ = sender.send(answers);
        }
    }

    pub(super) fn give_up(&self, request: u64) {
        self.answers.lock().remove(&request);
    }
}

impl Node {
    /// Lets a part be pulled, behind those before it.
    pub(super) fn want(&self, peer: &Arc<str>, wanted: Wanted) {
        let gave_way = {
            let mut lines = self.pulls.lines.lock();
            let line = lines.entry(peer.clone()).or_default();
            line.waiting.push_back(wanted);
            if line.waiting.len() > MOST { line.waiting.pop_front() } else { None }
        };
        if let Some(wanted) = gave_way {
            self.hand(&wanted, Err("more parts are to be pulled than may wait"));
        }
        self.pulls.more.notify_one();
    }

    /// Hands out a part that was pulled, or says why it was not.
    pub(super) fn hand(&self, wanted: &Wanted, body: Result<Body, &str>) {
        let (counter, body) = match body {
            Ok(body) => (metered::PULLED, body),
            Err(why) => (
                metered::UNPULLED,
                Body::Error(format!("a part that may be of interest is lost: {why}").into()),
            ),
        };
        self.meter.add(counter, 1);
        let Wanted { name, job, nr, offset, .. } = wanted;
        let part = wire::delivered(name.clone(), *job, *nr, Some(*offset), body);
        self.hub.hand_late(&part, &wanted.to);
    }
}
