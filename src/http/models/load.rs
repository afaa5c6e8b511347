//! Models from clients.

use super::super::extract::{Path, Query, json};
use super::super::{Context, Problem};
use super::look;
use super::new_version::{Asked, Named};
use crate::infer::{Error, Kind, Listed, Model, Settings};
use axum::Json;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;
use std::error::Error as StdError;
use std::path::Path as FilePath;
use std::time::Duration;
use tokio::time::timeout;

/// How long the bytes of a model may take to come: nobody else can send one meanwhile.
const UPLOAD_AT_MOST: Duration = Duration::from_mins(5);
const SLOW: &str = "the model did not come within 5 minutes, and others wait to be sent: send it over a faster line, or put \
                    its file into `rest.model_files` and name it";

/// Loads a version of a model: the body is its file, or JSON that names one in the directory `rest.model_files`.
///
/// It is tried before the answer is there. The first version of a name is live at once, another when it is swapped in; what
/// takes or gives something else than the live version is refused, for whoever uses the name relies on that. The body may
/// be as long as the model's limit `file_bytes` says, 256 MiB for a new one.
#[utoipa::path(
    put, path = "/models/{model}", tag = "models",
    params(("model" = String, Path, description = "The model."), Asked),
    request_body(content(("application/octet-stream"), (Named = "application/json"))),
    responses(
        (status = 200, description = "It is there, and not live yet.", body = Listed),
        (status = 201, description = "The model is new, and live.", body = Listed),
        (status = 404, description = "There is no such file."),
        (status = 408, description = "The body did not come in time."),
        (status = 409, description = "There is a version of that name already, or as many as there may be."),
        (status = 413, description = "The model is too large."),
        (status = 422, description = "It does not load, or takes or gives something else than the live version."),
        (status = 429, description = "Another one is being loaded; try again in a moment."),
        (status = 503, description = "There is no thread to load it on.")
    )
)]
pub(super) async fn put(
    State(context): State<Context>,
    Path(look::Named { model }): Path<look::Named>,
    Query(asked): Query<Asked>,
    request: Request,
) -> Result<Response, Problem> {
    let served = &context.models;
    // Its bytes are in memory until it is loaded, also if the client no longer waits for that.
    let Ok(turn) = served.loading.clone().try_acquire_owned() else {
        let detail = "another model is being loaded, and one is at a time: try again in a moment";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(1));
    };
    let live = served.models.model(&model).ok();
    let mut settings = live.as_ref().map_or_else(Settings::default, |live| live.settings().clone());
    settings.kind = None;
    let mut version = asked.over(&mut settings)?;
    let is_json = is_json(request.headers());
    let limit = if is_json { context.body_limit } else { file_limit(&settings) };
    let body = timeout(UPLOAD_AT_MOST, read(request.into_body(), limit, is_json)).await;
    let body = body.map_err(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, SLOW))??;
    let (name, bytes) = if is_json {
        let named: Named = json(&body)?;
        let file = named.file.clone();
        version = named.over(&mut settings)?.or(version);
        let bytes = open(&context, &file, file_limit(&settings)).await?;
        (file, bytes)
    } else {
        settings.kind = settings.kind.or_else(|| looks_like(&body));
        (format!("upload of {model}"), body.into())
    };
    let loaded = Model::read_holding(name, bytes, settings, turn).await;
    let loaded = loaded.inspect_err(|_| served.models.has_not_loaded(&model));
    let added = loaded.and_then(|loaded| served.models.add(&model, version.as_deref(), loaded));
    added.inspect_err(|error| {
        tracing::warn!(model, version, error = error as &dyn StdError, "a version of a model is not taken");
    })?;
    let status = if live.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(served.models.get(&model)?)).into_response())
}

fn file_limit(settings: &Settings) -> usize {
    usize::try_from(settings.limits.file_bytes).unwrap_or(usize::MAX)
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// What the bytes begin with: the number of the format, which ONNX has first, or the first node of a graph.
fn looks_like(bytes: &[u8]) -> Option<Kind> {
    match bytes.first() {
        Some(0x08) | None => Some(Kind::Onnx),
        Some(0x0a) => Some(Kind::Tensorflow),
        Some(_) => None,
    }
}

async fn read(body: Body, limit: usize, is_json: bool) -> Result<Bytes, Problem> {
    to_bytes(body, limit).await.map_err(|error| {
        let is_long = error.source().is_some_and(|source| source.is::<LengthLimitError>());
        match is_long {
            true if is_json => Problem::too_large(limit),
            true => {
                let detail = format!(
                    "the model is longer than {limit} bytes: allow more by `file_bytes` among the limits of the model \
                     that is live, where the service is configured"
                );
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
            }
            false => Problem::of_body(&error),
        }
    })
}

/// Reads a file of the directory for models. A name has no directory in it, and what a link leads to may be anywhere.
async fn open(context: &Context, name: &str, limit: usize) -> Result<Vec<u8>, Problem> {
    let Some(directory) = &context.models.files else {
        return Err(Problem::unprocessable(
            "this service takes no files by name: set `rest.model_files`, or send the bytes of the model",
        ));
    };
    let is_plain = |c: char| c.is_alphanumeric() || "-_. ".contains(c);
    if name.is_empty() || name.len() > 200 || name.starts_with('.') || !name.chars().all(is_plain) {
        return Err(Problem::unprocessable(format!(
            "`{name}` is no name of a file in `rest.model_files`: letters, digits, -, _ and . without a directory"
        )));
    }
    let nowhere = || Problem::not_found(format!("there is no file `{name}` in `rest.model_files`"));
    let path = FilePath::new(directory).join(name);
    let found = tokio::fs::symlink_metadata(&path).await.map_err(|_| nowhere())?;
    if !found.is_file() {
        return Err(nowhere());
    }
    if found.len() > limit as u64 {
        return Err(Error::Large { file: name.to_owned(), bytes: found.len(), limit: limit as u64 }.into());
    }
    tokio::fs::read(&path).await.map_err(|error| {
        tracing::warn!(file = %path.display(), %error, "a model cannot be read");
        Problem::unavailable(format!("the file `{name}` of `rest.model_files` cannot be read: {error}"))
    })
}
