//! Workflows: a task that lets a model judge.

use super::{Error, Given, GivenRows, Judging, Models, RowError, Verdict};
use crate::workflow::{Invocation, Task, TaskError};
use serde_json::{Value as Json, json};

/// What tasks are called by that let a model judge.
const INFER: &str = "infer:";

impl Models {
    /// The tasks `infer:NAME`, which let the model of that name judge their input; their output is its verdict.
    ///
    /// The input is a row (a list of numbers, or a text for a model with a vocabulary) as the field `input` of an object, or
    /// the field that the parameter `field` names; or it is a list of rows, which are one batch: the output is a list then,
    /// with `{"error": why}` in the place of a row that is not in order.
    ///
    /// A single row that is not in order fails for good. While there is no model of that name, or it is busy, late or
    /// fails, another attempt may help.
    ///
    /// ```
    /// use mape::infer::{Models, Settings};
    /// use mape::workflow::Invocation;
    /// use serde_json::json;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let models = Models::new();
    /// # let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/models/mlp.onnx");
    /// models.load("interest", None, file, Settings::default()).await?;
    /// let input = json!({"id": 7, "words": vec![1; 44]});
    /// let invocation = Invocation::alone("infer:interest", json!({"field": "words"}), input);
    /// let verdict = models.task().attempt(invocation).await.unwrap();
    /// assert_eq!(verdict["model"], "interest");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn task(&self) -> Task {
        let models = self.clone();
        Task::new(&format!("{INFER}*"), move |invocation: Invocation| {
            let models = models.clone();
            async move {
                tokio::select! {
                    biased;
                    () = invocation.cancelled() => Err(TaskError::new("it was told to stop")),
                    judged = judge(&models, &invocation) => judged,
                }
            }
        })
    }
}

async fn judge(models: &Models, invocation: &Invocation) -> Result<Json, TaskError> {
    let base = invocation.base();
    let name = base.strip_prefix(INFER).unwrap_or(base);
    match rows(invocation)? {
        GivenRows::One(row) => {
            let mut verdicts = verdicts(models.judge(name, [&row])).await?;
            match verdicts.pop() {
                Some(Ok(verdict)) => Ok(json!(verdict)),
                Some(Err(error)) => Err(TaskError::for_good(format!("`{base}`: {}", error.reason()))),
                None => Err(TaskError::new(format!("`{base}` has no verdict"))),
            }
        }
        GivenRows::Several(rows) => {
            let verdicts = verdicts(models.judge(name, &rows)).await?;
            Ok(verdicts.iter().map(verdict_or_error).collect())
        }
    }
}

/// What became of a row among others, as JSON: its verdict, or `{"error": why}`.
pub(crate) fn verdict_or_error(judged: &Result<Verdict, RowError>) -> Json {
    match judged {
        Ok(verdict) => json!(verdict),
        Err(error) => json!({"error": error.reason()}),
    }
}

async fn verdicts(judging: Judging) -> Result<Vec<Result<Verdict, RowError>>, TaskError> {
    judging.await.map_err(|error| match error {
        // It would be as large the next time.
        Error::Batch { .. } => TaskError::for_good(error.to_string()),
        Error::UnknownModel { .. } => TaskError::new(error.to_string()),
        error if error.is_transient() => TaskError::new(error.to_string()),
        error => TaskError::for_good(error.to_string()),
    })
}

/// The rows of the input.
fn rows(invocation: &Invocation) -> Result<GivenRows, TaskError> {
    let base = invocation.base();
    let wrong = |what: String| TaskError::for_good(format!("`{base}`: {what}"));
    let Some(field) = invocation.parameters().get("field") else {
        return GivenRows::try_from(invocation.input().clone()).map_err(|error| wrong(error.to_string()));
    };
    let field =
        field.as_str().ok_or_else(|| wrong("its parameter `field` is no name of a field".to_owned()))?;
    let of = |item: &Json| {
        let row = item.get(field).ok_or_else(|| wrong(format!("its input has no field `{field}`")))?;
        Given::try_from(row.clone()).map_err(|error| wrong(format!("`{field}`: {error}")))
    };
    match invocation.input() {
        Json::Array(items) => items.iter().map(of).collect::<Result<_, _>>().map(GivenRows::Several),
        item => of(item).map(GivenRows::One),
    }
}
