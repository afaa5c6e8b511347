//! The pure heart: what a cause makes of a run.

use super::advance::Turn;
use super::cause::{Cause, Failed, Outcome};
use super::slot::Phase;
use super::state::State;
use super::status::Status;
use super::{Command, Definition, Place, Time};
use std::sync::Arc;

/// Why a cause changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unchanged {
    /// It speaks of an attempt that is not the one that runs: it comes late, twice, or of something unknown.
    #[error("it is not about an attempt that runs: it comes late, twice, or of something unknown")]
    Stale,
    /// The run has begun before.
    #[error("the run has begun before")]
    HasBegun,
    /// The run is in no status for that.
    #[error("the run is {status}{}: {help}", if *.paused { " and paused" } else { "" })]
    Status {
        /// The status it is in.
        status: Status,
        /// Whether it is paused.
        paused: bool,
        /// In which it would have to be.
        help: &'static str,
    },
    /// Nothing failed, was cancelled or is held.
    #[error("there is nothing to go on with")]
    NothingToRestart,
    /// A restart has to begin where the run has been.
    #[error("cannot restart from {step}: {reason}")]
    NotFromThere {
        /// The step.
        step: String,
        /// Why not.
        reason: &'static str,
    },
}

/// Lets a run go a step: changes its state as `cause`, which happens `now`, demands, and adds to `commands` what is to be
/// done.
///
/// It is pure: the same state, time and cause give the same. Its cost grows with the edges of the nodes it is about, not
/// with the flow; only the causes that are about the whole run look at all of it.
///
/// - A node is fired when something has come over every forward edge into it, or over one back edge. Its input is what
///   its predecessors have given, or what came over the back edge.
/// - A step whose guard is not fulfilled gives its input as output and the run goes on behind it; but nothing goes over a
///   back edge then, so a guard before a back edge ends the cycle.
/// - The run is over when nothing is in work. If its end has not been reached, that is a failure, which says who waits
///   for whom.
///
/// # Errors
///
/// [`Unchanged`]: why the cause changes nothing. State and commands are as before.
///
/// ```
/// use mape::workflow::{Cause, Command, Definition, Outcome, Place, State, Status, Time, step};
/// use serde_json::json;
/// let graph: mape::flow::Graph = "greet".parse()?;
/// let (definition, mut commands) = (Definition::new(graph)?, Vec::new());
/// let mut state = State::new(&definition);
/// let now = Time::default();
/// step(&definition, &mut state, now, Cause::Begin { input: None }, &mut commands)?;
/// let (place, attempt) = (Place::node(1), 1);
/// assert!(matches!(commands[..], [Command::Start { .. }]));
/// let outcome = Outcome::from(json!({"said": "hello"}));
/// step(&definition, &mut state, now, Cause::Ended { place, attempt, outcome }, &mut commands)?;
/// assert_eq!(state.status(), Status::Finished);
/// # Ok::<(), mape::element::BoxError>(())
/// ```
pub fn step(
    definition: &Definition,
    state: &mut State,
    now: Time,
    cause: Cause,
    commands: &mut Vec<Command>,
) -> Result<(), Unchanged> {
    let before = state.status;
    let mut turn = Turn::new(definition, state, now, commands);
    match cause {
        Cause::Begin { input } => turn.begin(input)?,
        Cause::Ended { place, attempt, outcome } => turn.ended(place, attempt, outcome)?,
        Cause::TimedOut { place, attempt } => turn.timed_out(place, attempt)?,
        Cause::Due { place, attempt } => turn.due(place, attempt)?,
        Cause::Lost { place, attempt } => turn.lost(place, attempt)?,
        Cause::Cancelled { place, attempt } => turn.cancelled(place, attempt)?,
        Cause::Terminate => turn.terminate()?,
        Cause::Pause => turn.pause()?,
        Cause::Resume => turn.resume()?,
        Cause::Restart { from: None } => turn.restart()?,
        Cause::Restart { from: Some(node) } => turn.restart_from(node)?,
        Cause::Found(found) => {
            turn.found(&found);
            return Ok(());
        }
    }
    turn.settle();
    if state.status != before {
        state.ended = state.status.is_over().then_some(now);
        commands.push(Command::Became(state.status));
    }
    Ok(())
}

impl Turn<'_> {
    fn begin(&mut self, input: Option<Arc<serde_json::Value>>) -> Result<(), Unchanged> {
        if self.state.began.is_some() {
            return Err(Unchanged::HasBegun);
        }
        self.state.began = Some(self.now);
        self.arrive_at_start(input.unwrap_or_else(super::input::empty));
        Ok(())
    }

    /// Whether this attempt is the one that runs, or else why nothing changes.
    fn is_current(&self, place: Place, attempt: u32, phase: Phase) -> Result<(), Unchanged> {
        let current =
            self.state.slot(place).is_some_and(|slot| slot.phase == phase && slot.attempt == attempt);
        if current { Ok(()) } else { Err(Unchanged::Stale) }
    }

    fn ended(&mut self, place: Place, attempt: u32, outcome: Outcome) -> Result<(), Unchanged> {
        self.is_current(place, attempt, Phase::Active)?;
        match outcome {
            Outcome::Output(output) if output.is_object() || output.is_array() => {
                self.close();
                self.done(place, output, false);
            }
            Outcome::Output(output) if output.is_null() => {
                self.close();
                self.done(place, super::input::empty(), false);
            }
            Outcome::Output(output) => {
                let given = super::input::shown(&output);
                let reason = format!("its output has to be an object or a list, and is {given}");
                self.attempt_failed(place, Failed { reason, again: false });
            }
            Outcome::Failed(failed) => self.attempt_failed(place, failed),
        }
        Ok(())
    }

    fn timed_out(&mut self, place: Place, attempt: u32) -> Result<(), Unchanged> {
        self.is_current(place, attempt, Phase::Active)?;
        let limit = self.definition.policy(place.node).and_then(|policy| policy.timeout);
        let reason = limit
            .map_or_else(|| "it took too long".to_owned(), |limit| format!("it took longer than {limit:?}"));
        self.commands.push(Command::Cancel { place, attempt });
        self.attempt_failed(place, Failed { reason, again: true });
        Ok(())
    }

    fn attempt_failed(&mut self, place: Place, failed: Failed) {
        let retry = self.definition.policy(place.node).and_then(|policy| policy.retry);
        let goes_on = failed.again && self.state.status == Status::Running;
        let now = self.now;
        let Some(slot) = self.state.slot_mut(place) else { return };
        slot.reason = Some(failed.reason.as_str().into());
        if let Some(retry) = retry.filter(|retry| goes_on && slot.tries < retry.attempts) {
            slot.phase = Phase::BackingOff;
            slot.due = now.after(retry.before(slot.tries));
            slot.tries += 1;
            self.commands.push(Command::Wait { place, attempt: slot.attempt, until: slot.due });
            return;
        }
        let reason = match slot.tries {
            0 => failed.reason,
            tries => format!("{} (after {} attempts)", failed.reason, tries + 1),
        };
        self.close();
        self.fail(place, &reason);
    }

    fn due(&mut self, place: Place, attempt: u32) -> Result<(), Unchanged> {
        self.is_current(place, attempt, Phase::BackingOff)?;
        self.start_again(place);
        Ok(())
    }

    fn lost(&mut self, place: Place, attempt: u32) -> Result<(), Unchanged> {
        self.is_current(place, attempt, Phase::Active)?;
        if self.state.status == Status::Terminating {
            return self.cancelled(place, attempt);
        }
        self.start_again(place);
        Ok(())
    }

    fn cancelled(&mut self, place: Place, attempt: u32) -> Result<(), Unchanged> {
        self.is_current(place, attempt, Phase::Active)?;
        self.cancel_slot(place);
        Ok(())
    }

    fn cancel_slot(&mut self, place: Place) {
        let now = self.now;
        if let Some(slot) = self.state.slot_mut(place) {
            slot.phase = Phase::Cancelled;
            slot.ended = now;
            self.close();
        }
    }

    fn terminate(&mut self) -> Result<(), Unchanged> {
        let status = self.state.status;
        let waits = self.state.places(|phase| phase == Phase::BackingOff);
        let active = self.state.places(|phase| phase == Phase::Active);
        match status {
            Status::Running => self.state.status = Status::Terminating,
            // What still goes on beside a failure is to end, too.
            Status::Failed if self.state.open > 0 => self.state.status = Status::Terminating,
            Status::Terminating => {}
            Status::Finished | Status::Failed | Status::Terminated => {
                return Err(self.wrong_status("only what runs can be terminated"));
            }
        }
        for place in waits {
            self.cancel_slot(place);
        }
        for place in active {
            let attempt = self.state.attempt(place);
            self.commands.push(Command::Cancel { place, attempt });
            if status == Status::Terminating {
                self.cancel_slot(place);
            }
        }
        Ok(())
    }

    fn pause(&mut self) -> Result<(), Unchanged> {
        if self.state.paused || self.state.status.is_over() {
            return Err(self.wrong_status("only what runs can be paused"));
        }
        self.state.paused = true;
        Ok(())
    }

    fn resume(&mut self) -> Result<(), Unchanged> {
        if !self.state.paused {
            return Err(self.wrong_status("only what is paused can be resumed"));
        }
        self.state.paused = false;
        self.release();
        Ok(())
    }

    pub(super) fn wrong_status(&self, help: &'static str) -> Unchanged {
        Unchanged::Status { status: self.state.status, paused: self.state.paused, help }
    }
}
