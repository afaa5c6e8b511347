//! `GET /workflows` and `GET /inprogress`

use super::super::super::Context;
use super::super::answers;
use super::fault::{Fault, Query, runs};
use axum::Json;
use axum::extract::State;
use axum::http::uri::Scheme;
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new().routes(routes!(workflows)).routes(routes!(in_progress))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Page {
    /// The place in the list from which on, newest first; the first is 0.
    #[param(value_type = Option<u64>, default = 0, maximum = 9_007_199_254_740_991_u64)]
    next: Option<String>,
    /// At most how many.
    #[param(value_type = Option<u64>, default = 50, minimum = 1, maximum = 10_000)]
    size: Option<String>,
}

/// A run in the list.
#[derive(ToSchema)]
#[schema(as = ListedWorkflow)]
#[expect(dead_code, reason = "it is only described")]
struct Listed {
    /// Its id, in the short form.
    id: String,
    /// How far it is; `UNKNOWN` if that is not known.
    state: String,
}

/// How many runs are on a page unless it is said, and at most.
const SIZE: usize = 50;
const MOST: usize = 10_000;
/// The greatest number that any JSON has exactly.
const FARTHEST: usize = 9_007_199_254_740_991;

fn number(
    name: &str,
    text: Option<&str>,
    absent: usize,
    allowed: std::ops::RangeInclusive<usize>,
) -> Result<usize, Fault> {
    let Some(text) = text else { return Ok(absent) };
    let number = text.parse().ok().filter(|number| allowed.contains(number));
    number.ok_or_else(|| {
        let (first, last) = allowed.clone().into_inner();
        Fault::new(format!("The parameter {name} is a number from {first} to {last}, not {text}"))
    })
}

/// The runs, newest first. A page that is full has a header `Link` that leads to the next one.
#[utoipa::path(
    get, path = "/workflows", tag = "littleflow", params(Page),
    responses(
        (status = 200, description = "The runs.", body = Vec<Listed>,
         headers(("Link" = String, description = "The next page, with `rel=\"next\"`."))),
        answers::Faults
    )
)]
async fn workflows(
    State(context): State<Context>,
    Query(page): Query<Page>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let next = number("next", page.next.as_deref(), 0, 0..=FARTHEST)?;
    let size = number("size", page.size.as_deref(), SIZE, 1..=MOST)?;
    let listed = runs(&context)?.listed(next, size).await.map_err(|error| Fault::behind("", error))?;
    let is_full = listed.len() == size;
    let list: Vec<Value> = listed
        .iter()
        .map(|(id, status)| json!({"id": id.short(), "state": status.map_or("UNKNOWN", |status| status.word())}))
        .collect();
    let mut response = Json(list).into_response();
    if is_full {
        let given = page.size.map_or_else(String::new, |size| format!("&size={size}"));
        let link = format!(
            "<{}/workflows?next={}{given}>; rel=\"next\"",
            base(&uri, &headers),
            next.saturating_add(size)
        );
        if let Ok(link) = link.parse() {
            response.headers_mut().insert(header::LINK, link);
        }
    }
    Ok(response)
}

/// Where the client has asked, as far as that is known.
fn base(uri: &Uri, headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let Some(host) = uri.authority().map(|authority| authority.as_str()).or(host) else {
        return String::new();
    };
    let told = headers.get("x-forwarded-proto").and_then(|scheme| scheme.to_str().ok());
    let is_https = uri.scheme() == Some(&Scheme::HTTPS) || told == Some("https");
    format!("{}://{host}", if is_https { "https" } else { "http" })
}

/// The ids of the runs that are not over.
#[utoipa::path(
    get, path = "/inprogress", tag = "littleflow",
    responses((status = 200, description = "The ids, in the short form.", body = Vec<String>), answers::Faults)
)]
async fn in_progress(State(context): State<Context>) -> Result<Json<Vec<String>>, Fault> {
    let ids = runs(&context)?.in_progress().await.map_err(|error| Fault::behind("", error))?;
    Ok(Json(ids.iter().map(|id| id.short().to_owned()).collect()))
}
