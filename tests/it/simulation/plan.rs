//! What happens in a simulation: flows and faults, all decided by the seed.

use super::ledger::{Fails, Trouble};
use crate::workflow::naive;
use fastrand::Rng;
use mape::flow::Graph;
use mape::workflow::RunId;
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// What happens in a simulation.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) scripts: Vec<Script>,
    /// In the order of their times.
    pub(super) faults: Vec<(Duration, Fault)>,
    /// Whether programs of other kinds share the backend, so that runs are kept in their form and what is done elsewhere
    /// is announced in the log.
    pub(super) is_open: bool,
    /// How many events in a thousand come twice.
    pub(super) twice: u64,
    /// How many events there are of which nobody knows anything.
    pub(super) nonsense: u32,
}

/// A run, and what whoever asked for it does.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) id: RunId,
    pub(super) flow: String,
    pub(super) graph: Graph,
    pub(super) input: Value,
    pub(super) begins: Duration,
    pub(super) trouble: Option<Trouble>,
    pub(super) terminate: Option<Duration>,
    /// Paused at the one time, resumed at the other.
    pub(super) pause: Option<(Duration, Duration)>,
}

/// What goes wrong at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Kill(usize),
    /// It ends as it should.
    Close(usize),
    Start(usize),
    /// Its calls hang.
    Hang(usize),
    /// Its calls fail.
    Cut(usize),
    Mend(usize),
    /// So many calls in a thousand go wrong.
    Flaky(usize, u64),
}

/// Processes by number: engines, who works elsewhere, and who asks for runs.
pub(super) const ENGINES: usize = 2;
pub(super) const WORKERS: usize = 2;
pub(super) const CLIENT: usize = ENGINES + WORKERS;
pub(super) const PROCESSES: usize = CLIENT + 1;

impl Plan {
    pub(super) fn of(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let scripts = (0..random.u64(1..3)).map(|number| script(&mut random, number)).collect();
        let mut faults = Vec::new();
        let weather = random.u8(..8);
        if weather >= 3 {
            for process in 0..PROCESSES {
                trouble_of(&mut random, process, weather, &mut faults);
            }
        }
        faults.sort_by_key(|(at, _)| *at);
        let twice = [0, 100, 500][random.usize(..3)];
        Self { scripts, faults, is_open: seed % 2 == 1, twice, nonsense: random.u32(..6) }
    }

    /// When the last fault is over.
    pub(super) fn calm(&self) -> Duration {
        self.faults.last().map_or(Duration::ZERO, |(at, _)| *at)
    }
}

/// The faults of a process: none in good weather, one after the other in bad.
fn trouble_of(random: &mut Rng, process: usize, weather: u8, faults: &mut Vec<(Duration, Fault)>) {
    let until = Duration::from_secs(random.u64(2..9));
    let mut at = Duration::from_millis(random.u64(100..3_000));
    while at < until {
        let lasts = Duration::from_millis(match random.u8(..4) {
            0 => random.u64(10..300),
            1 | 2 => random.u64(300..3_000),
            _ => random.u64(3_000..6_000),
        });
        let kind = if weather == 7 { random.u8(3..7) } else { weather };
        let (from, to) = match kind {
            3 if process == CLIENT => (Fault::Hang(process), Fault::Mend(process)),
            3 if random.u8(..4) == 0 => (Fault::Close(process), Fault::Start(process)),
            3 => (Fault::Kill(process), Fault::Start(process)),
            4 => (Fault::Hang(process), Fault::Mend(process)),
            5 => (Fault::Cut(process), Fault::Mend(process)),
            _ => (Fault::Flaky(process, random.u64(20..400)), Fault::Flaky(process, 0)),
        };
        faults.push((at, from));
        faults.push((at + lasts, to));
        at += lasts + Duration::from_millis(random.u64(200..4_000));
    }
}

fn script(random: &mut Rng, number: u64) -> Script {
    let mut maker = Maker { random, text: String::new(), tasks: Vec::new() };
    maker.chain(2);
    let (mut text, tasks) = (maker.text, maker.tasks);
    let troubled = tasks[random.usize(..tasks.len())].clone();
    let how = match random.u8(..10) {
        // Whoever works elsewhere cannot say yet that another attempt may help.
        0 | 1 if troubled.starts_with("near") => Some(Fails::Times(random.u32(1..3))),
        2 => Some(Fails::UntilRestart),
        3 => Some(Fails::Always),
        _ => None,
    };
    let trouble = how.map(|how| Trouble { task: troubled.clone(), how });
    if matches!(how, Some(Fails::Times(_))) {
        // A name is in the text once: no name begins with another.
        let wait = [50, 300, 1_500][random.usize(..3)];
        text =
            text.replacen(&troubled, &format!("{troubled} (- retry: {{attempts: 3, wait: {wait}ms}} -)"), 1);
    }
    let begins = Duration::from_millis(random.u64(..2_000));
    let later = |random: &mut Rng| begins + Duration::from_millis(random.u64(..3_000));
    let terminate = (random.u8(..5) == 0).then(|| later(random));
    let pause = (random.u8(..8) == 0).then(|| (later(random), later(random) + Duration::from_secs(3)));
    let graph: Graph = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    let input = if random.bool() { json!({"x": number}) } else { Value::Null };
    Script { id: format!("r{number}").into(), flow: text, graph, input, begins, trouble, terminate, pause }
}

/// Writes a flow.
struct Maker<'a> {
    random: &'a mut Rng,
    text: String,
    tasks: Vec<String>,
}

impl Maker<'_> {
    fn chain(&mut self, depth: u32) {
        let items = if depth == 2 { self.random.u8(1..4) } else { self.random.u8(1..3) };
        for item in 0..items {
            if item > 0 {
                self.text += " → ";
                match self.random.u8(..8) {
                    0 => self.text += "> ",
                    1 => self.text += "* ",
                    _ => {}
                }
            }
            self.item(depth);
        }
    }

    fn item(&mut self, depth: u32) {
        if self.random.u8(..5) == 0 && !self.tasks.is_empty() {
            let asked = self.random.usize(..=self.tasks.len());
            let name = self.tasks.get(asked).map_or("never", String::as_str);
            let _ = write!(self.text, "? `$.{}` ", key(name));
        }
        if depth > 0 && self.random.u8(..10) < 4 {
            self.text += "{ ";
            for _ in 0..self.random.u8(1..3) {
                self.chain(depth - 1);
                self.text += "  ";
            }
            self.text += "}";
        } else {
            let kind = if self.random.u8(..3) == 0 { "far" } else { "near" };
            let letter = char::from(b'a' + u8::try_from(self.tasks.len() % 26).unwrap());
            let name = format!("{kind}:{letter}{}", self.tasks.len() / 26);
            self.text += &name;
            self.tasks.push(name);
        }
    }
}

/// What a task gives.
pub(super) fn output(name: &str, input: &Value) -> Value {
    let text = input.to_string();
    let digest = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    json!({key(name): 1, "of": format!("{digest:x}")})
}

/// A task in the outputs.
fn key(name: &str) -> String {
    name.replace(':', "_")
}

impl Script {
    /// The outputs of all nodes, and of the run, as the rules say them; nothing if it can only end as a failure.
    pub(super) fn expected(&self) -> Option<(BTreeMap<usize, Value>, Value)> {
        let fails = self.trouble.as_ref().filter(|trouble| trouble.how == Fails::Always);
        let failed = Cell::new(false);
        let outputs = naive::run(&self.graph, &self.input, &|name, _, _, input| {
            failed.set(failed.get() || fails.is_some_and(|trouble| trouble.task == name));
            output(name, input)
        });
        (!failed.get()).then_some(outputs)
    }

    pub(super) fn can_be_mended(&self) -> bool {
        self.trouble.as_ref().is_some_and(|trouble| trouble.how == Fails::UntilRestart)
    }
}
