//! A run turned by hand: tasks end in any order one likes.

use mape::workflow::{Cause, Command, Definition, Outcome, Place, State, Status, Time, Unchanged, step};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) struct Driver {
    pub(super) definition: Definition,
    pub(super) state: State,
    pub(super) now: Time,
    /// What was started and has not ended, in the order of the starts.
    pub(super) running: Vec<(Place, u32, Arc<Value>)>,
    /// All commands since the last look.
    pub(super) commands: Vec<Command>,
    /// Every start: node, input.
    pub(super) starts: Vec<(usize, Value)>,
    pub(super) waits: Vec<(Place, u32, Time)>,
}

impl Driver {
    pub(super) fn new(flow: &str) -> Self {
        Self::of(Definition::new(flow.parse::<mape::flow::Graph>().unwrap()).unwrap())
    }

    pub(super) fn of(definition: Definition) -> Self {
        let state = State::new(&definition);
        let (running, commands, starts, waits) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { definition, state, now: Time::from_micros(1), running, commands, starts, waits }
    }

    pub(super) fn begun(flow: &str, input: &Value) -> Self {
        let mut driver = Self::new(flow);
        driver.begin(input);
        driver
    }

    pub(super) fn begin(&mut self, input: &Value) {
        let input = (!input.is_null()).then(|| Arc::new(input.clone()));
        self.step(Cause::Begin { input }).unwrap();
    }

    pub(super) fn step(&mut self, cause: Cause) -> Result<(), Unchanged> {
        let from = self.commands.len();
        step(&self.definition, &mut self.state, self.now, cause, &mut self.commands)?;
        for command in &self.commands[from..] {
            match command {
                Command::Start { place, attempt, input } => {
                    self.running.retain(|(other, ..)| other != place);
                    self.starts.push((place.index(), Value::clone(input)));
                    self.running.push((*place, *attempt, input.clone()));
                }
                Command::Wait { place, attempt, until } => self.waits.push((*place, *attempt, *until)),
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn name(&self, place: Place) -> &str {
        let node = self.definition.graph().node(place.index()).unwrap();
        node.task().unwrap_or("resource")
    }

    /// Ends the attempt at `running[at]`.
    pub(super) fn end(&mut self, at: usize, outcome: Outcome) {
        let (place, attempt, _) = self.running.remove(at);
        self.step(Cause::Ended { place, attempt, outcome }).unwrap();
    }

    fn find(&self, name: &str) -> usize {
        let found = self.running.iter().position(|(place, ..)| self.name(*place) == name);
        found.unwrap_or_else(|| panic!("{name} does not run: {:?}", self.running))
    }

    /// Ends the first running task of that name.
    pub(super) fn give(&mut self, name: &str, output: Value) {
        self.end(self.find(name), output.into());
    }

    pub(super) fn fail(&mut self, name: &str, reason: &str) {
        self.end(self.find(name), Outcome::failed(reason));
    }

    /// Ends everything, the newest or oldest first as `pick` of the number of those that run says, with what `task` makes.
    pub(super) fn finish(
        &mut self,
        mut pick: impl FnMut(usize) -> usize,
        mut task: impl FnMut(&str, usize, &Value, &Value) -> Value,
    ) {
        while !self.running.is_empty() {
            let at = pick(self.running.len());
            let (place, _, input) = self.running[at].clone();
            let parameters = self.definition.graph().node(place.index()).unwrap().parameters().cloned();
            let output = task(self.name(place), place.index(), &parameters.unwrap_or(json!({})), &input);
            self.end(at, output.into());
        }
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.running.iter().map(|(place, ..)| self.name(*place)).collect()
    }

    pub(super) fn status(&self) -> Status {
        self.state.status()
    }

    pub(super) fn output(&self) -> Value {
        self.state.output().map_or(Value::Null, |output| Value::clone(output))
    }

    pub(super) fn failure(&self) -> String {
        self.state.failures().iter().map(|failure| failure.to_string() + "\n").collect()
    }

    /// The output of every node.
    pub(super) fn outputs(&self) -> BTreeMap<usize, Value> {
        let nodes = 0..self.definition.graph().nodes().len();
        nodes.filter_map(|node| Some((node, Value::clone(self.state.output_of(node)?)))).collect()
    }
}
