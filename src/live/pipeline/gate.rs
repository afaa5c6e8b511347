//! So many at a time.

use super::chain::{Group, Unit, wanted};
use super::jobs::Lot;
use super::metered;
use crate::stream::meter::Meter;
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Lets so many of a group run at a time; others wait in their order. It needs no task: who ends lets the next one go.
pub(super) struct Gate {
    state: Mutex<State>,
    meter: Arc<Meter>,
}

struct State {
    places: usize,
    groups: HashMap<Group, Queue>,
    waiting: usize,
}

#[derive(Default)]
struct Queue {
    running: usize,
    waiting: VecDeque<Lot>,
}

/// A place at a gate; given up when the jobs that have it have ended.
struct Place {
    gate: Arc<Gate>,
    group: Group,
}

/// Who may go, and who has no need to any more.
#[derive(Default)]
struct Turn {
    starts: Vec<(Lot, Group)>,
    gone: Vec<Lot>,
}

impl Gate {
    pub(super) fn new(places: usize, meter: &Arc<Meter>) -> Arc<Self> {
        let state = State { places, groups: HashMap::new(), waiting: 0 };
        Arc::new(Self { state: Mutex::new(state), meter: meter.clone() })
    }

    /// Has so many places from now on. More of those that wait may go; nobody who runs is stopped.
    pub(super) fn set_places(self: &Arc<Self>, places: usize) {
        let mut turn = Turn::default();
        {
            let mut state = self.state.lock();
            state.places = places;
            let groups: Vec<_> = state.groups.keys().cloned().collect();
            for group in &groups {
                state.turn(group, &mut turn);
            }
            self.meter.set(metered::WAITING, state.waiting as f64);
        }
        self.start(turn);
    }

    /// Waits for its [turn](Self::turn), behind those that came before.
    pub(super) fn enter(&self, lot: Lot, group: &Group) {
        let mut state = self.state.lock();
        state.waiting += lot.len();
        state.groups.entry(group.clone()).or_default().waiting.push_back(lot);
    }

    /// Lets those of a group go for whom there is a place. Not while a lock is held: jobs may end here.
    pub(super) fn turn(self: &Arc<Self>, group: &Group) {
        self.turn_behind(group, 0);
    }

    fn turn_behind(self: &Arc<Self>, group: &Group, left: usize) {
        let mut turn = Turn::default();
        {
            let mut state = self.state.lock();
            if let Some(queue) = state.groups.get_mut(group) {
                queue.running = queue.running.saturating_sub(left);
            }
            state.turn(group, &mut turn);
            self.meter.set(metered::WAITING, state.waiting as f64);
        }
        self.start(turn);
    }

    /// Those that nobody wants any more.
    pub(super) fn take_cancelled(&self) -> Vec<Lot> {
        let mut state = self.state.lock();
        let mut gone = Vec::new();
        for queue in state.groups.values_mut() {
            queue.waiting = wanted(std::mem::take(&mut queue.waiting), &mut gone).collect();
        }
        state.waiting -= gone.iter().map(Lot::len).sum::<usize>();
        self.meter.set(metered::WAITING, state.waiting as f64);
        gone
    }

    /// With no lock held, for jobs may end here.
    fn start(self: &Arc<Self>, turn: Turn) {
        let mut over = Vec::new();
        for (lot, group) in turn.starts {
            let place = Arc::new(Place { gate: self.clone(), group });
            lot.hold(&place);
            self.meter.add(metered::PASSED, lot.len() as u64);
            over.extend(lot.start().err());
        }
        if !over.is_empty() {
            // Nobody does jobs any more; one by one they would end within each other.
            let queues: Vec<_> = {
                let mut state = self.state.lock();
                state.waiting = 0;
                state.groups.values_mut().map(|queue| std::mem::take(&mut queue.waiting)).collect()
            };
            drop(queues);
        }
    }
}

impl State {
    fn turn(&mut self, group: &Group, turn: &mut Turn) {
        let Some(queue) = self.groups.get_mut(group) else { return };
        while queue.running < self.places
            && let Some(lot) = queue.waiting.pop_front()
        {
            self.waiting -= lot.len();
            let (wanted, unwanted) = lot.part_unwanted();
            turn.gone.extend(unwanted);
            if let Some(lot) = wanted {
                queue.running += 1;
                turn.starts.push((lot, group.clone()));
            }
        }
        if queue.running == 0 && queue.waiting.is_empty() {
            self.groups.remove(group);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gate.turn_behind(&self.group, 1);
    }
}
