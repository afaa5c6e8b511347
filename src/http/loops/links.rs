//! Links, made and changed while items flow.

use super::at::AtElement;
use crate::app::App;
use crate::element::{AnyElement, LinkError, LinkOptions, Overflow};
use crate::http::Problem;
use crate::http::extract::{Json, Path};
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A new link.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewLink)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    /// The element it leads to: `loop.element` or `level.loop.element`.
    to: String,
    /// How many items may wait. Default: 1,024.
    capacity: Option<usize>,
    /// What happens to the next one then. Default: the sender waits.
    #[serde(default)]
    overflow: Overflow,
    /// It closes a ring on purpose.
    #[serde(default)]
    feedback: bool,
}

/// What changes of a link.
#[derive(Deserialize, ToSchema)]
#[schema(as = LinkChanges)]
#[serde(deny_unknown_fields)]
pub(super) struct Changes {
    /// The element it is to lead to from the next item on.
    to: Option<String>,
    /// What is to happen when it is full.
    overflow: Option<Overflow>,
}

/// A link.
#[derive(Serialize, ToSchema)]
pub(super) struct Linked {
    /// Its number at its sender; another one after it was moved.
    id: u64,
}

#[derive(Deserialize)]
pub(super) struct Numbered {
    id: u64,
}

/// The most that may wait in a link made from outside.
const MOST: usize = 1 << 20;

/// Link an element to another that takes what it emits.
#[utoipa::path(
    post, path = "/loops/{loop}/elements/{element}/links", tag = "loops",
    params(("loop" = String, Path, description = "The loop's uid."), ("element" = String, Path, description = "The element's uid.")),
    request_body = New,
    responses(
        (status = 200, description = "Linked.", body = Linked),
        (status = 404, description = "There is no element at one of the paths."),
        (status = 409, description = "The link is refused: a ring of waiting links, or an element is gone."),
        (status = 413, description = "The body is too long."),
        (status = 422, description = "The body has the wrong shape, or the receiver takes other items.")
    )
)]
pub(super) async fn link(
    State(app): State<App>,
    Path(at): Path<AtElement>,
    Json(new): Json<New>,
) -> Result<axum::Json<Linked>, Problem> {
    let (from, to) = (at.find(&app)?, find(&app, &new.to)?);
    let mut options = LinkOptions::new().overflow(new.overflow);
    if let Some(capacity) = new.capacity {
        if capacity > MOST {
            return Err(Problem::unprocessable(format!(
                "`capacity` is {capacity}, and at most {MOST} may wait"
            )));
        }
        options = options.capacity(capacity);
    }
    let options = if new.feedback { options.feedback() } else { options };
    let id = from.link(&to, options).map_err(refused)?;
    Ok(axum::Json(Linked { id }))
}

/// Move a link to another element, or change what it does when it is full.
#[utoipa::path(
    patch, path = "/loops/{loop}/elements/{element}/links/{id}", tag = "loops",
    params(
        ("loop" = String, Path, description = "The loop's uid."), ("element" = String, Path, description = "The element's uid."),
        ("id" = u64, Path, description = "The link's number.")
    ),
    request_body = Changes,
    responses(
        (status = 200, description = "Changed; its number now.", body = Linked),
        (status = 400, description = "The number is none."),
        (status = 404, description = "There is no such element or link."),
        (status = 409, description = "The link is refused: a ring of waiting links, or an element is gone."),
        (status = 413, description = "The body is too long."),
        (status = 422, description = "The body has the wrong shape, or the receiver takes other items.")
    )
)]
pub(super) async fn change(
    State(app): State<App>,
    Path(at): Path<AtElement>,
    Path(Numbered { mut id }): Path<Numbered>,
    Json(changes): Json<Changes>,
) -> Result<axum::Json<Linked>, Problem> {
    let from = at.find(&app)?;
    let to = changes.to.map(|to| find(&app, &to)).transpose()?;
    let asked = id;
    let no_link = || Problem::not_found(format!("`{}` has no link {asked}", from.path()));
    if !from.info().output.links.iter().any(|link| link.id == id) {
        return Err(no_link());
    }
    // What may be refused comes first, so that either all changes or nothing.
    if let Some(to) = to {
        id = from.relink(id, &to).map_err(refused)?;
    }
    if let Some(overflow) = changes.overflow
        && !from.set_overflow(id, overflow)
    {
        return Err(no_link());
    }
    Ok(axum::Json(Linked { id }))
}

/// Cut a link: what was emitted before still arrives.
#[utoipa::path(
    delete, path = "/loops/{loop}/elements/{element}/links/{id}", tag = "loops",
    params(
        ("loop" = String, Path, description = "The loop's uid."), ("element" = String, Path, description = "The element's uid."),
        ("id" = u64, Path, description = "The link's number.")
    ),
    responses(
        (status = 204, description = "Cut."),
        (status = 400, description = "The number is none."),
        (status = 404, description = "There is no such element or link.")
    )
)]
pub(super) async fn unlink(
    State(app): State<App>,
    Path(at): Path<AtElement>,
    Path(Numbered { id }): Path<Numbered>,
) -> Result<StatusCode, Problem> {
    let from = at.find(&app)?;
    if from.cut(id) {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::not_found(format!("`{}` has no link {id}", from.path())))
}

fn find(app: &App, path: &str) -> Result<AnyElement, Problem> {
    app.get(path).map_err(|error| Problem::not_found(format!("`to`: {error}")))
}

fn refused(error: LinkError) -> Problem {
    match error {
        LinkError::Type { .. } | LinkError::ZeroCapacity => Problem::unprocessable(error),
        LinkError::Cut { .. } => Problem::not_found(error),
        other => Problem::conflict(other),
    }
}
