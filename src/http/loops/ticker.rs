//! One look at everything, twice a second, for all who watch.

use crate::app::{App, ElementStatus};
use crate::element::{Event, Subscription};
use crate::http::streams::Part;
use futures::stream::{self, Stream, StreamExt};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

/// How often it looks.
const PERIOD: Duration = Duration::from_millis(500);
/// What a watcher may take of the time in which all are served, and how long that is at most.
const EACH: Duration = Duration::from_micros(200);
const SPREAD: Duration = Duration::from_millis(250);
/// How many parts wait for a slow watcher before it is shown everything anew.
const WAITING: usize = 64;
/// How many events of elements are told each time; a failing element has thousands.
const EVENTS: usize = 50;

/// Makes a [`Ticker`] when somebody watches, and lets it go with the last who does.
#[derive(Debug, Default)]
pub(crate) struct Tickers(Mutex<Weak<Ticker>>);

impl Tickers {
    /// What there is, and what changes.
    pub(crate) fn watch(&self, app: &App) -> impl Stream<Item = Part> + Send + 'static {
        let ticker = {
            let mut running = self.0.lock();
            running.upgrade().unwrap_or_else(|| {
                let ticker = Ticker::start(app.clone());
                *running = Arc::downgrade(&ticker);
                ticker
            })
        };
        let parts = ticker.parts.subscribe();
        let first = ticker.whole(app);
        let turn = fastrand::f64();
        let rest = stream::unfold((ticker, parts, app.clone()), move |(ticker, mut parts, app)| async move {
            match next(&mut parts, turn, &ticker.parts).await {
                Ok(part) => Some((part, (ticker, parts, app))),
                Err(RecvError::Lagged(_)) => {
                    parts = parts.resubscribe();
                    let whole = ticker.whole(&app);
                    Some((whole, (ticker, parts, app)))
                }
                Err(RecvError::Closed) => None,
            }
        });
        stream::iter([first]).chain(rest)
    }
}

/// The next part for one watcher. A crowd of them is served in turns, over a part of the time until the next look, so
/// that whoever else asks for something does not wait for all of them.
async fn next(
    parts: &mut broadcast::Receiver<Part>,
    turn: f64,
    all: &broadcast::Sender<Part>,
) -> Result<Part, RecvError> {
    match parts.try_recv() {
        Ok(part) => return Ok(part),
        Err(TryRecvError::Lagged(count)) => return Err(RecvError::Lagged(count)),
        Err(TryRecvError::Empty | TryRecvError::Closed) => {}
    }
    let part = parts.recv().await?;
    let crowd = u32::try_from(all.receiver_count().saturating_sub(1)).unwrap_or(u32::MAX);
    tokio::time::sleep(EACH.saturating_mul(crowd).min(SPREAD).mul_f64(turn)).await;
    Ok(part)
}

/// Looks as long as somebody watches.
#[derive(Debug)]
struct Ticker {
    parts: broadcast::Sender<Part>,
    /// Everything, as it was last seen.
    last: Arc<Mutex<Option<Part>>>,
    task: JoinHandle<()>,
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Ticker {
    fn start(app: App) -> Arc<Self> {
        let (parts, _) = broadcast::channel(WAITING);
        let last = Arc::default();
        let look = Look {
            app,
            parts: parts.clone(),
            last: Arc::clone(&last),
            seen: HashMap::new(),
            loops: Vec::new(),
        };
        let task = tokio::spawn(look.run());
        Arc::new(Self { parts, last, task })
    }

    /// Everything, not older than a look.
    fn whole(&self, app: &App) -> Part {
        let mut last = self.last.lock();
        last.get_or_insert_with(|| Part::event("topology", &app.topology())).clone()
    }
}

struct Look {
    app: App,
    parts: broadcast::Sender<Part>,
    last: Arc<Mutex<Option<Part>>>,
    /// Of each element what was told last.
    seen: HashMap<String, Told>,
    /// The loops of each level.
    loops: Vec<(String, Vec<String>)>,
}

#[derive(PartialEq)]
struct Told {
    /// To whom it is linked: what a picture is drawn of.
    wiring: Vec<(u64, Option<String>)>,
    counters: Value,
}

impl Look {
    async fn run(mut self) {
        let mut events = self.app.events();
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut missed = 0;
        loop {
            ticks.tick().await;
            self.tell_events(&mut events, &mut missed);
            self.look();
        }
    }

    fn look(&mut self) {
        let topology = self.app.topology();
        let told: HashMap<_, _> = topology
            .elements()
            .map(|element| (element.info.path.as_str().to_owned(), Told::of(element)))
            .collect();
        let loops: Vec<_> = topology
            .levels
            .iter()
            .map(|level| (level.uid.clone(), level.loops.iter().map(|one| one.uid.clone()).collect()))
            .collect();
        let is_rewired = told.len() != self.seen.len()
            || told.iter().any(|(path, now)| self.seen.get(path).is_none_or(|was| was.wiring != now.wiring))
            || loops != self.loops;
        if is_rewired {
            let part = Part::event("topology", &topology);
            *self.last.lock() = Some(part.clone());
            let _ = self.parts.send(part);
        } else {
            // Whoever comes now is shown what is there now.
            *self.last.lock() = None;
            let changed: Map<String, Value> = told
                .iter()
                .filter(|(path, now)| self.seen.get(*path).is_none_or(|was| was.counters != now.counters))
                .map(|(path, now)| (path.clone(), now.counters.clone()))
                .collect();
            if !changed.is_empty() {
                let _ = self.parts.send(Part::event("counters", &changed));
            }
        }
        (self.seen, self.loops) = (told, loops);
    }

    fn tell_events(&self, events: &mut Subscription<Event>, missed: &mut u64) {
        let mut count = 0;
        while let Some(event) = events.try_next() {
            count += 1;
            if count <= EVENTS {
                let _ = self.parts.send(Part::event("event", &in_json(&event)));
            }
        }
        let dropped = events.stats().dropped;
        let lost = dropped - std::mem::replace(missed, dropped) + count.saturating_sub(EVENTS) as u64;
        if lost > 0 {
            let _ = self.parts.send(Part::event("missed", &json!({"missed": lost})));
        }
    }
}

impl Told {
    fn of(element: &ElementStatus) -> Self {
        let info = &element.info;
        let links: Map<String, Value> = info
            .output
            .links
            .iter()
            .map(|link| {
                let stats = &link.stats;
                let fill = json!({
                    "queued": stats.queued,
                    "capacity": stats.capacity,
                    "dropped": stats.dropped,
                    "blocked_seconds": stats.blocked.map(|time| time.as_secs_f64()),
                });
                (link.id.to_string(), fill)
            })
            .collect();
        let counters = json!({
            "state": info.state,
            "received": info.input.received,
            "emitted": info.output.emitted,
            "received_per_second": element.received_per_second,
            "emitted_per_second": element.emitted_per_second,
            "queued": info.input.queued,
            "dropped": info.input.dropped,
            "skipped": info.input.skipped,
            "errors": info.errors,
            "restarts": info.restarts,
            "latency": info.latency,
            "links": links,
        });
        let to =
            |link: &crate::element::LinkInfo| (link.id, link.to.as_ref().map(|to| to.as_str().to_owned()));
        Self { wiring: info.output.links.iter().filter(|link| link.to.is_some()).map(to).collect(), counters }
    }
}

/// An event as others read it.
fn in_json(event: &Event) -> Value {
    match event {
        Event::State { path, state } => json!({"kind": "state", "path": path, "state": state}),
        Event::Error(error) => json!({"kind": "error", "path": error.path, "error": error.kind.to_string()}),
        Event::Escalated(error) => {
            json!({"kind": "escalated", "path": error.path, "error": error.kind.to_string()})
        }
        Event::Parameter { path, name, value } => {
            json!({"kind": "parameter", "path": path, "name": name, "value": value})
        }
    }
}
