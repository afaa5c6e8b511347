//! Rows, judged for whoever asks.

use super::super::extract::{Json as Body, Path};
use super::super::{Context, Problem};
use super::answers;
use super::look::Named;
use crate::infer::{Given, GivenRows, Verdict, verdict_or_error};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use utoipa::ToSchema;

/// A row: a list of numbers, a text for a model with a vocabulary, or an object whose field `input` is one of the two.
#[derive(ToSchema)]
#[schema(as = ModelRow)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is only described")]
pub(super) enum RowShape {
    /// Its numbers.
    Numbers(Vec<f64>),
    /// A text.
    Text(String),
    /// One of the two, and whatever else.
    Item {
        /// The row.
        #[schema(value_type = Value)]
        input: (),
    },
}

/// A row, or a list of rows.
#[derive(ToSchema)]
#[schema(as = ModelRows)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is only described")]
pub(super) enum RowsShape {
    /// One.
    One(RowShape),
    /// Several.
    Several(Vec<RowShape>),
}

/// What became of a row among several.
#[derive(ToSchema)]
#[schema(as = ModelJudged)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is only described")]
pub(super) enum JudgedShape {
    /// Its verdict.
    Verdict(Verdict),
    /// It is not in order, or the answer to it is none.
    Wrong {
        /// Why.
        error: String,
    },
}

/// What became of the rows.
#[derive(ToSchema)]
#[schema(as = ModelAnswer)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is only described")]
pub(super) enum AnswerShape {
    /// Of one.
    One(Verdict),
    /// Of several, in their order.
    Several(Vec<JudgedShape>),
}

/// Lets the version judge that is live.
///
/// A row is a flat list of numbers, or a text for a model with a vocabulary; several rows are one batch. Of one row the
/// answer is its verdict, whose `scores` are the outputs; of several a list of them, with `{"error": why}` in the place of
/// a row that is not in order.
#[utoipa::path(
    post, path = "/models/{model}/run", tag = "models", request_body = RowsShape,
    params(("model" = String, Path, description = "The model.")),
    responses(
        (status = 200, description = "What it says.", body = AnswerShape),
        (status = 500, description = "The model failed at it."),
        (status = 503, description = "It is busy, or took too long."),
        answers::Unknown, answers::Body
    )
)]
pub(super) async fn run(
    State(context): State<Context>,
    Path(Named { model }): Path<Named>,
    Body(rows): Body<GivenRows>,
) -> Result<Response, Problem> {
    let judge = |rows: &[Given]| context.models.models.judge(&model, rows);
    match rows {
        GivenRows::One(row) => {
            let mut verdicts = judge(std::slice::from_ref(&row)).await?;
            let none = || Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "there is no verdict");
            Ok(Json(verdicts.pop().ok_or_else(none)??).into_response())
        }
        GivenRows::Several(rows) => {
            let verdicts = judge(&rows).await?;
            Ok(Json(verdicts.iter().map(verdict_or_error).collect::<Vec<Value>>()).into_response())
        }
    }
}
