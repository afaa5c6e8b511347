//! `human:approve`

use super::super::{Invocation, Task};
use super::answer::APPROVE;
use super::parameters::Parameters;
use super::patience::{Patience, WAITS, stopped};
use super::{laid_over, own_parameters};
use serde_json::json;

pub(super) const KNOWN: [&str; 4] = ["question", "who", "timeout", "default"];

/// Waits for somebody to say that it has ended; who that may be is shown by an inspection.
pub(super) fn task() -> Task {
    let task = Task::new(APPROVE, |invocation: Invocation| async move {
        let parameters = Parameters::of(&invocation, &KNOWN)?;
        let patience = Patience::of(&invocation, &parameters)?;
        let question = parameters.needed("question")?;
        parameters.texts("who")?;
        tokio::select! {
            biased;
            // Also when somebody has answered.
            () = invocation.cancelled() => Err(stopped()),
            () = patience.over() => {
                let no = laid_over(invocation.input(), &json!({"approved": false}), "approved");
                patience.given_up(&no, "approved", &format!("an answer to `{question}`"))
            }
        }
    });
    task.limit(WAITS).own_parameters(own_parameters(APPROVE))
}
