//! A run in the form of littleflow, to be shown.

use super::history::Loaded;
use super::{Error, RunId, Status, Workflows, keys, trace, wire};
use crate::knowledge::{ListCommand, Reply, Transaction};
use serde_json::Value as Json;
use std::sync::Arc;

/// An entry of a list of changes: its time, and a number a step.
pub type FormEntry = (String, Vec<i64>);

/// A run as programs on littleflow see it: what stands on a server in that form, and the same where it stands in no such
/// form.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PythonForm {
    /// The definition: an object with the matrix `F` and the steps `T`.
    pub definition: Json,
    /// How far it is; nothing if no word of littleflow stands there.
    pub status: Option<Status>,
    /// Which steps are active (`S`).
    pub active: Vec<i64>,
    /// What has come to steps (`A`).
    pub activations: Vec<i64>,
    /// The changes of what is active, newest first.
    pub active_trace: Vec<FormEntry>,
    /// The changes of what has come to steps, newest first.
    pub activations_trace: Vec<FormEntry>,
    /// 1 at each step that has failed; empty if none has.
    pub failed: Vec<u8>,
    /// The outputs of the steps; nothing where there is none.
    pub outputs: Vec<Option<Arc<Json>>>,
}

impl Workflows {
    /// A run in the form of littleflow. Flows of more than 1,000 steps have no traces where that form is not stored.
    ///
    /// # Errors
    ///
    /// [`Error::NoRun`], [`Error::Damaged`].
    ///
    /// # Cancel safety
    ///
    /// Yes: it only reads.
    pub async fn python_form(&self, id: &RunId) -> Result<PythonForm, Error> {
        let loaded = self.load(id).await?;
        self.form_of(id, &loaded).await
    }

    pub(super) async fn form_of(&self, id: &RunId, loaded: &Loaded) -> Result<PythonForm, Error> {
        let (definition, state) = (&loaded.definition, &loaded.state);
        let count = definition.graph().nodes().len();
        let mut failed = Vec::new();
        if !state.failures().is_empty() {
            failed = vec![0; count];
            for failure in state.failures() {
                if let Some(at) = failed.get_mut(failure.index as usize) {
                    *at = 1;
                }
            }
        }
        let mut form = PythonForm {
            definition: definition.graph().to_python_as_far_as_possible().0,
            status: loaded.wire.as_ref().map_or(Some(state.status()), |wire| wire::status(&wire.word)),
            active: (0..count).map(|node| wire::target_of(state, node)).collect(),
            activations: (0..count).map(|node| wire::arrived_at(state, node)).collect(),
            active_trace: Vec::new(),
            activations_trace: Vec::new(),
            failed,
            outputs: (0..count).map(|node| state.output_of(node).cloned()).collect(),
        };
        if loaded.wire.is_some() {
            let all = || ListCommand::Range(0, -1);
            let (active, activations) = (keys::active(id), keys::activations(id));
            let reading = Transaction::new().run(active.clone(), all()).run(activations.clone(), all());
            let mut replies = self.store().commit(reading).await?.replies.into_iter();
            let mut next = || replies.next().unwrap_or(Reply::Nil);
            (form.active, form.active_trace) = read(&next().list(&active)?, count);
            (form.activations, form.activations_trace) = read(&next().list(&activations)?, count);
        } else {
            let (active, activations) = trace::vectors(definition, &loaded.records);
            let wide = |trace: Vec<(String, Vec<i32>)>| {
                let entries = trace.into_iter();
                entries.map(|(at, entry)| (at, entry.into_iter().map(i64::from).collect())).collect()
            };
            (form.active_trace, form.activations_trace) = (wide(active), wide(activations));
        }
        Ok(form)
    }
}

/// What the lines of a list add up to, and its entries; lines that are none are left out.
fn read(lines: &[crate::knowledge::Data], count: usize) -> (Vec<i64>, Vec<FormEntry>) {
    let entries = lines.iter().filter_map(|line| {
        let mut words = line.as_str()?.split_ascii_whitespace();
        let at = words.next()?.to_owned();
        Some((at, wire::read_numbers(words, count)?))
    });
    (wire::sum(lines, count), entries.collect())
}
