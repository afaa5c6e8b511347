//! What is known of a service.

use super::answers::{Counters, Element, Goal, Happened, LinkStats, Run, Runs, TaskQueue, Topology};
use super::trail::Trail;
use std::collections::{BTreeMap, HashMap, VecDeque};
use tokio::time::Instant;

/// How much of what has happened is kept.
const HAPPENED: usize = 200;

/// What is known of a service.
#[derive(Clone, Debug)]
pub(super) struct Model {
    /// The service, as it is shown.
    pub(super) service: String,
    pub(super) contact: Contact,
    /// In the order of the service: by level, loop, and as they were made.
    pub(super) elements: Vec<Shown>,
    /// The newest runs, or why there are none; nothing before it is known.
    pub(super) runs: Option<Result<Runs, String>>,
    /// How many runs are not over.
    pub(super) in_progress: Option<usize>,
    /// A run that is looked at, by its id.
    pub(super) run: Option<(String, Result<Run, String>)>,
    pub(super) queues: Option<Result<Vec<TaskQueue>, String>>,
    /// How many dead letters a task queue had when it was last looked at, and when they have last become more, by its name.
    dead: HashMap<String, (u64, Option<Instant>)>,
    pub(super) goals: Option<Result<Vec<Goal>, String>>,
    /// What has happened to elements, the newest last.
    pub(super) happened: VecDeque<(Instant, Happened)>,
    /// How much happened too fast to be told.
    pub(super) missed: u64,
}

/// Whether the service is there.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Contact {
    Here,
    /// It is not, since then; it is asked again and again.
    Away {
        since: Instant,
        why: String,
    },
}

/// An element as it is shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    pub(super) level: String,
    pub(super) in_loop: String,
    pub(super) is: Element,
    pub(super) trail: Trail,
    /// The fullest of the links that lead to it.
    pub(super) queue: Option<Queue>,
    /// When its errors have last become more.
    pub(super) failed: Option<Instant>,
    /// When what it lost has last become more.
    pub(super) lost: Option<Instant>,
    /// What it had lost when it was last looked at.
    dropped: Option<u64>,
}

/// How full a link is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Queue {
    pub(super) queued: u64,
    pub(super) capacity: u64,
    /// For how long it has held up its sender, if it does.
    pub(super) blocked_seconds: Option<f64>,
}

/// What is heard of a service.
#[derive(Debug)]
pub(super) enum News {
    Topology(Topology),
    Counters(BTreeMap<String, Counters>),
    Happened(Happened),
    Missed(u64),
    Away(String),
    Runs(Result<Runs, String>),
    InProgress(usize),
    Queues(Result<Vec<TaskQueue>, String>),
    Goals(Result<Vec<Goal>, String>),
    /// All of one element.
    Element(Box<Element>),
    /// All of one run.
    Run(String, Box<Result<Run, String>>),
}

impl Queue {
    /// From 0 to 1.
    pub(super) fn fill(&self) -> f64 {
        if self.capacity == 0 { 0.0 } else { (self.queued as f64 / self.capacity as f64).min(1.0) }
    }
}

impl Shown {
    /// What full links gave up, on the way to it, or from it to those who are no elements. A link that holds only the
    /// newest item gives up all others by design, which is no loss.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.unwrap_or_default()
    }

    fn take(&mut self, is: Element, now: Instant) {
        if is.errors > self.is.errors {
            self.failed = Some(now);
        }
        self.is = is;
    }

    fn look(&mut self, queue: Option<Queue>, given_up_by_design: u64, now: Instant) {
        let to_others =
            self.is.output.links.iter().filter(|link| link.to.is_none() && !link.stats.is_newest());
        let dropped = self.is.input.dropped.saturating_sub(given_up_by_design)
            + to_others.map(|link| link.stats.dropped).sum::<u64>();
        if self.dropped.is_some_and(|before| dropped > before) {
            self.lost = Some(now);
        }
        self.dropped = Some(dropped);
        self.queue = queue;
        self.trail.look(now, self.is.input.received, self.is.output.emitted);
    }
}

/// Takes what was asked for; from a service that is away nothing can be learned, so what was known stays.
fn learn<T>(known: &mut Option<Result<T, String>>, told: Result<T, String>, contact: &Contact) {
    let stays = told.is_err() && matches!((contact, &known), (Contact::Away { .. }, Some(Ok(_))));
    if !stays {
        *known = Some(told);
    }
}

impl Model {
    /// Before anything is heard.
    pub(super) fn new(service: &str) -> Self {
        Self {
            service: service.to_owned(),
            contact: Contact::Here,
            elements: Vec::new(),
            runs: None,
            in_progress: None,
            run: None,
            queues: None,
            dead: HashMap::new(),
            goals: None,
            happened: VecDeque::new(),
            missed: 0,
        }
    }

    pub(super) fn element(&self, path: &str) -> Option<&Shown> {
        self.elements.iter().find(|element| element.is.path == path)
    }

    /// When the dead letters of a task queue have last become more.
    pub(super) fn died(&self, queue: &str) -> Option<Instant> {
        self.dead.get(queue).and_then(|(_, grown)| *grown)
    }

    fn count_dead(&mut self, queues: &[TaskQueue], now: Instant) {
        let mut before = std::mem::take(&mut self.dead);
        self.dead.extend(queues.iter().map(|queue| {
            let (name, dead) = (queue.name.clone(), queue.stats.dead);
            let grown = match before.remove(&name) {
                Some((had, _)) if dead > had => Some(now),
                Some((_, grown)) => grown,
                None => None,
            };
            (name, (dead, grown))
        }));
    }

    /// The loops by their uids, in order.
    pub(super) fn loops(&self) -> impl Iterator<Item = (&str, &[Shown])> {
        self.elements
            .chunk_by(|a, b| a.in_loop == b.in_loop)
            .filter_map(|of| Some((of.first()?.in_loop.as_str(), of)))
    }

    pub(super) fn hear(&mut self, news: News, now: Instant) {
        match news {
            News::Topology(topology) => self.take(topology, now),
            News::Counters(counters) => self.count(&counters, now),
            News::Happened(happened) => {
                self.happened.push_back((now, happened));
                if self.happened.len() > HAPPENED {
                    self.happened.pop_front();
                }
            }
            News::Missed(count) => self.missed += count,
            News::Away(why) => {
                let since = match &self.contact {
                    Contact::Away { since, .. } => *since,
                    Contact::Here => now,
                };
                self.contact = Contact::Away { since, why };
            }
            News::Runs(runs) => learn(&mut self.runs, runs, &self.contact),
            News::InProgress(count) => self.in_progress = Some(count),
            News::Queues(queues) => {
                if let Ok(queues) = &queues {
                    self.count_dead(queues, now);
                }
                learn(&mut self.queues, queues, &self.contact);
            }
            News::Goals(goals) => learn(&mut self.goals, goals, &self.contact),
            News::Element(is) => {
                if let Some(shown) = self.elements.iter_mut().find(|shown| shown.is.path == is.path) {
                    shown.take(*is, now);
                }
            }
            News::Run(id, run) => self.run = Some((id, *run)),
        }
    }

    /// Nothing was heard for a while: what was counted still holds now.
    pub(super) fn still(&mut self, now: Instant) {
        if self.contact == Contact::Here {
            self.look(now);
        }
    }

    fn take(&mut self, topology: Topology, now: Instant) {
        self.contact = Contact::Here;
        let mut known: HashMap<String, Shown> =
            self.elements.drain(..).map(|shown| (shown.is.path.clone(), shown)).collect();
        for level in topology.levels {
            for one in level.loops {
                for is in one.elements {
                    let known = known.remove(&is.path);
                    // What it counted before anybody looked is no news.
                    let mut shown = known.unwrap_or_else(|| Shown { is: is.clone(), ..Shown::default() });
                    shown.take(is, now);
                    shown.level.clone_from(&level.uid);
                    shown.in_loop.clone_from(&one.uid);
                    self.elements.push(shown);
                }
            }
        }
        self.look(now);
    }

    fn count(&mut self, counters: &BTreeMap<String, Counters>, now: Instant) {
        self.contact = Contact::Here;
        for shown in &mut self.elements {
            if let Some(counters) = counters.get(&shown.is.path) {
                let mut is = shown.is.clone();
                counters.apply_to(&mut is);
                shown.take(is, now);
            }
        }
        self.look(now);
    }

    /// What follows from the counters as they are now.
    fn look(&mut self, now: Instant) {
        let (mut queues, mut by_design) = (HashMap::<&str, Queue>::new(), HashMap::<&str, u64>::new());
        let links = self.elements.iter().flat_map(|shown| &shown.is.output.links);
        for (to, stats) in links.filter_map(|link| Some((link.to.as_deref()?, &link.stats))) {
            if stats.is_newest() {
                *by_design.entry(to).or_default() += stats.dropped;
                continue;
            }
            let queue = Queue {
                queued: stats.queued,
                capacity: stats.capacity,
                blocked_seconds: stats.blocked_seconds,
            };
            let fullest = queues.entry(to).or_insert(queue);
            let rank = |queue: &Queue| (queue.blocked_seconds.is_some(), queue.fill());
            if rank(&queue) > rank(fullest) {
                *fullest = queue;
            }
        }
        let of = |shown: &Shown| {
            let path = shown.is.path.as_str();
            (queues.get(path).copied(), by_design.get(path).copied().unwrap_or_default())
        };
        let found: Vec<_> = self.elements.iter().map(of).collect();
        for (shown, (queue, given_up)) in self.elements.iter_mut().zip(found) {
            shown.look(queue, given_up, now);
        }
    }
}

impl LinkStats {
    /// It holds only the newest item.
    fn is_newest(&self) -> bool {
        self.capacity == 1 && self.overflow == "drop_oldest"
    }
}

impl Counters {
    fn apply_to(&self, element: &mut Element) {
        element.state.clone_from(&self.state);
        (element.input.received, element.output.emitted) = (self.received, self.emitted);
        (element.input.queued, element.input.dropped) = (self.queued, self.dropped);
        (element.input.skipped, element.errors) = (self.skipped, self.errors);
        element.restarts = self.restarts;
        element.latency = self.latency.or(element.latency);
        for link in &mut element.output.links {
            if let Some(fill) = self.links.get(&link.id.to_string()) {
                (link.stats.queued, link.stats.capacity) = (fill.queued, fill.capacity);
                (link.stats.dropped, link.stats.blocked_seconds) = (fill.dropped, fill.blocked_seconds);
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::time::Duration;

    /// What a service says of an element.
    pub(in crate::cli::top) fn element(path: &str, more: Value) -> Value {
        let mut element = json!({
            "path": path, "role": "monitor", "state": "running", "start": "manual", "acts_only": false,
            "input": {"item": "Reading", "operators": [], "received": 0, "skipped": 0, "dropped": 0, "queued": 0, "sources": 1},
            "output": {"item": "Reading", "operators": [], "emitted": 0, "unheard": 0, "links": []},
            "errors": 0, "restarts": 0, "parameters": {}, "methods": [], "destinations": [],
            "received_per_second": 0.0, "emitted_per_second": 0.0, "unknown": "to us",
        });
        merge(&mut element, more);
        element
    }

    fn merge(into: &mut Value, more: Value) {
        match (into, more) {
            (Value::Object(into), Value::Object(more)) => {
                for (key, value) in more {
                    merge(into.entry(key).or_insert(Value::Null), value);
                }
            }
            (into, more) => *into = more,
        }
    }

    pub(in crate::cli::top) fn topology(loops: &[(&str, Vec<Value>)]) -> News {
        let loops: Vec<Value> =
            loops.iter().map(|(uid, elements)| json!({"uid": uid, "elements": elements})).collect();
        News::Topology(serde_json::from_value(json!({"levels": [{"uid": "", "loops": loops}]})).unwrap())
    }

    fn counters(path: &str, counters: &Value) -> News {
        News::Counters(serde_json::from_value(json!({ path: counters })).unwrap())
    }

    fn link(to: &str, queued: u64) -> Value {
        json!({"id": 1, "to": to, "feedback": false, "stats": {
            "offered": 0, "received": 0, "dropped": 0, "skipped": 0, "queued": queued, "capacity": 100,
            "overflow": "wait", "blocked_seconds": null}})
    }

    #[test]
    fn what_is_told_of_elements_becomes_rates_fills_and_what_has_become_worse() {
        let (mut model, start) = (Model::new("here"), Instant::now());
        let at = |n: u64| start + Duration::from_millis(500 * n);
        let sensor = element("car.sensor", json!({"output": {"links": [link("car.plan", 10)]}}));
        let second = element("car.second", json!({"output": {"links": [link("car.plan", 90)]}}));
        let plan = element("car.plan", json!({"errors": 7, "role": "plan"}));
        model.hear(topology(&[("car", vec![sensor, second, plan])]), at(0));
        let plan = model.element("car.plan").unwrap();
        assert_eq!(format!("{:.3}", plan.queue.unwrap().fill()), "0.900");
        assert_eq!((plan.failed, plan.lost), (None, None), "what was before is no news");
        assert_eq!(model.loops().map(|(uid, of)| (uid, of.len())).collect::<Vec<_>>(), [("car", 3)]);

        for n in 1..=4 {
            let now = json!({"state": "running", "received": n * 5, "emitted": n, "queued": 0, "dropped": 0,
                "skipped": 0, "errors": 0, "restarts": 0,
                "links": {"1": {"queued": 100, "capacity": 100, "dropped": 0, "blocked_seconds": 0.5}}});
            model.hear(counters("car.sensor", &now), at(n));
        }
        let sensor = model.element("car.sensor").unwrap();
        assert_eq!((sensor.trail.received_per_second(), sensor.trail.emitted_per_second()), (10.0, 2.0));
        let plan = model.element("car.plan").unwrap();
        assert_eq!(plan.queue.unwrap().blocked_seconds, Some(0.5), "the link that holds up is shown");
        assert_eq!(plan.is.errors, 7, "who is not told of has not changed");

        let now = json!({"state": "failed", "errors": 8, "dropped": 3, "restarts": 1});
        model.hear(counters("car.plan", &now), at(5));
        let plan = model.element("car.plan").unwrap();
        assert_eq!((plan.failed, plan.lost), (Some(at(5)), Some(at(5))));
        assert_eq!((plan.is.state.as_str(), plan.dropped()), ("failed", 3));
    }

    #[test]
    fn what_a_link_gives_up_that_holds_only_the_newest_is_no_loss() {
        let (mut model, start) = (Model::new("here"), Instant::now());
        let mut newest = link("car.plan", 1);
        let stats = &mut newest["stats"];
        (stats["capacity"], stats["overflow"], stats["dropped"]) =
            (json!(1), json!("drop_oldest"), json!(500));
        let sensor = element("car.sensor", json!({"output": {"links": [newest, link("car.plan", 3)]}}));
        let plan = element("car.plan", json!({"input": {"dropped": 502}}));
        model.hear(topology(&[("car", vec![sensor, plan])]), start);
        let plan = model.element("car.plan").unwrap();
        assert_eq!((plan.dropped(), plan.queue.unwrap().capacity), (2, 100));
    }

    #[test]
    fn who_is_away_is_so_since_the_first_failure_and_until_something_is_heard() {
        let (mut model, start) = (Model::new("here"), Instant::now());
        let later = start + Duration::from_secs(5);
        model.hear(News::Away("gone".to_owned()), start);
        model.hear(News::Away("still gone".to_owned()), later);
        assert_eq!(model.contact, Contact::Away { since: start, why: "still gone".to_owned() });
        model.hear(topology(&[]), later);
        assert_eq!(model.contact, Contact::Here);
    }

    #[test]
    fn what_has_happened_is_kept_up_to_a_bound() {
        let (mut model, now) = (Model::new("here"), Instant::now());
        for n in 0..1000 {
            let error = Some(n.to_string());
            model.hear(News::Happened(Happened { error, ..Happened::default() }), now);
        }
        assert_eq!(model.happened.len(), HAPPENED);
        assert_eq!(model.happened.back().unwrap().1.error.as_deref(), Some("999"));
    }
}
