//! `human:approve`

use super::super::{Invocation, Task};
use super::answer::{APPROVE, wrong_answer};
use super::known::{Known, text, texts, time};
use super::parameters::{Parameters, wrong};
use super::patience::{Patience, WAITS, stopped};
use super::{laid_over, own_parameters};
use serde_json::{Value, json};

const KNOWN: [Known; 4] = [
    Known::needed("question", text),
    Known::may("who", texts),
    Known::may("timeout", time),
    Known::may("default", answer),
];

fn answer(default: &Value) -> Result<(), String> {
    wrong_answer(default).map_or(Ok(()), |reason| Err(format!("is no answer: {reason}")))
}

/// Waits for somebody to say that it has ended; who that may be is shown by an inspection.
pub(super) fn task() -> Task {
    let task = Task::new(APPROVE, |invocation: Invocation| async move {
        let parameters = Parameters::of(&invocation, &KNOWN)?;
        let patience = Patience::of(&invocation, &parameters)?;
        let question = parameters.needed("question")?;
        parameters.texts("who")?;
        if let Some(default) = parameters.value("default")? {
            answer(&default).map_err(|reason| wrong(&format!("the parameter `default` {reason}")))?;
        }
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
    task.limit(WAITS).own_parameters(own_parameters(APPROVE)).with_known(&KNOWN, |_, _| None)
}
