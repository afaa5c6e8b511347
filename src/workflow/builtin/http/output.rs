//! What is taken of an answer.

use super::super::super::TaskError;
use super::super::laid_over;
use super::super::parameters::{Parameters, wrong};
use super::client::{Answered, Client};
use reqwest::StatusCode;
use serde_json::{Map, Value, json};

/// Which parts of an answer are output.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Output {
    status: bool,
    text: bool,
    json: bool,
}

impl Output {
    /// What they are called.
    pub(super) const MODES: [&str; 3] = ["status", "response_text", "response_json"];

    pub(super) fn of(parameters: &Parameters<'_>) -> Result<Self, TaskError> {
        let mut output = Self::default();
        for mode in parameters.texts("output_mode")? {
            match mode.as_str() {
                "status" => output.status = true,
                "response_text" => output.text = true,
                "response_json" => output.json = true,
                other => {
                    let known = "status, response_text or response_json, or a list of them";
                    return Err(wrong(&format!("`output_mode` is {known}, not `{other}`")));
                }
            }
        }
        Ok(output)
    }

    /// The output of a step with this input.
    pub(super) fn take(
        self,
        client: &Client,
        input: &Value,
        answered: &Answered,
    ) -> Result<Value, TaskError> {
        let mut taken = Map::new();
        if self.status {
            taken.insert("request_status".to_owned(), json!(answered.status.as_u16()));
        }
        if self.json {
            let value = serde_json::from_slice(&answered.body).map_err(|error| {
                wrong(&format!("the answer is no JSON ({error}), but {}", excerpt(client, answered)))
            })?;
            taken.insert("response".to_owned(), client.secrets.without_in(value));
        } else if self.text {
            let text = String::from_utf8_lossy(&answered.body);
            taken.insert("response".to_owned(), client.secrets.without(&text).into());
        }
        Ok(if taken.is_empty() { input.clone() } else { laid_over(input, &Value::Object(taken), "response") })
    }
}

/// The failure that a status is.
pub(in super::super) fn failed(client: &Client, place: &str, answered: &Answered) -> TaskError {
    let status = answered.status;
    let reason = format!("{place} answered {status}: {}", excerpt(client, answered));
    let again = status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
    if again { TaskError::new(reason) } else { TaskError::for_good(reason) }
}

/// The beginning of an answer.
fn excerpt(client: &Client, answered: &Answered) -> String {
    const LONGEST: usize = 200;
    let text = client.secrets.without(&String::from_utf8_lossy(&answered.body));
    let mut excerpt: String = text.chars().take(LONGEST).filter(|c| !c.is_control() || *c == ' ').collect();
    if text.chars().nth(LONGEST).is_some() {
        excerpt.push('…');
    }
    if excerpt.is_empty() { "nothing".to_owned() } else { excerpt }
}
