//! Channels: listened to by pattern, and published on.

use super::extract::{Json, Path, Query};
use super::streams::{Form, Part};
use super::{Context, Problem};
use crate::channel::{self, ChannelName, Pattern, Received, Topics};
use crate::stream::Notification;
use axum::extract::State;
use axum::response::Response;
use futures::StreamExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new().routes(routes!(publish)).routes(routes!(stream))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Heard {
    /// Names, in which `*`, `?` and `[…]` stand for others, such as `car_*.detect`.
    #[serde(default = "all")]
    pattern: String,
    /// The payloads are plain JSON, without the envelope of `mape`.
    #[serde(default)]
    bare: bool,
}

fn all() -> String {
    "*".to_owned()
}

/// What is published from now on on the channels that match.
///
/// The data of an event are `channel`, `value`, `src`, `seq` and `at`. Events `error` and `completed` tell of what
/// publishers say so; losses are errors, too.
#[utoipa::path(
    get, path = "/channels/stream", tag = "channels", params(Heard),
    responses(
        (status = 200, description = "The items, until the service ends.", content((String = "text/event-stream"))),
        (status = 422, description = "A parameter of the query is no good."), (status = 503, description = "The backend does not answer.")
    )
)]
async fn stream(State(context): State<Context>, Query(heard): Query<Heard>) -> Result<Response, Problem> {
    let topics = Topics::patterns([Pattern::new(&heard.pattern)]);
    let source = context.app.channels().source::<Value>(topics).await.map_err(refused)?;
    let source = if heard.bare { source.bare() } else { source };
    // What backends tell each other is no item.
    let items = source.received().filter(|received| {
        std::future::ready(!received.channel.as_ref().is_some_and(|channel| is_internal(channel.as_str())))
    });
    Ok(Form::Events.answer(&context, items.map(part)))
}

/// Whether it is a channel of backends: who watches what, and what Redis tells of keys.
fn is_internal(name: &str) -> bool {
    name.starts_with("mape:") || name.starts_with("__key")
}

fn part(received: Received<Value>) -> Part {
    let Received { channel, origin, notification, .. } = received;
    match notification {
        Notification::Next(value) => {
            let at = origin.as_ref().and_then(|origin| Timestamp::try_from(origin.at?).ok());
            let item = json!({
                "channel": channel, "value": value,
                "src": origin.as_ref().map(|origin| &origin.src), "seq": origin.as_ref().map(|origin| origin.seq),
                "at": at.map(|at| format!("{at:.6}")),
            });
            Part::item(item.to_string())
        }
        Notification::Error(error) => {
            Part::event("error", &json!({"channel": channel, "error": error.to_string()}))
        }
        Notification::Completed => Part::event("completed", &json!({"channel": channel})),
    }
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

/// How an item is published.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct How {
    /// As plain JSON, without the envelope of `mape`.
    #[serde(default)]
    bare: bool,
}

/// Whom an item has reached.
#[derive(Serialize, ToSchema)]
struct Reached {
    /// How many subscriptions, as far as the backend can tell.
    reached: u64,
}

/// Publish an item on a channel.
#[utoipa::path(
    post, path = "/channels/{name}", tag = "channels", params(("name" = String, Path, description = "The channel."), How),
    request_body = Value,
    responses(
        (status = 200, description = "Published.", body = Reached), (status = 413, description = "The body is too long."), (status = 422, description = "The body is no JSON."),
        (status = 503, description = "The backend does not answer.")
    )
)]
async fn publish(
    State(context): State<Context>,
    Path(named): Path<Named>,
    Query(how): Query<How>,
    Json(value): Json<Value>,
) -> Result<axum::Json<Reached>, Problem> {
    if is_internal(&named.name) {
        let detail = format!("`{}` is a channel on which backends talk: take another name", named.name);
        return Err(Problem::unprocessable(detail));
    }
    let name = ChannelName::from(named.name.as_str());
    let published = context.app.channels().publish_once(&name, &value, how.bare).await;
    Ok(axum::Json(Reached { reached: published.map_err(refused)? }))
}

fn refused(error: channel::Error) -> Problem {
    Problem::unavailable(error).retry_after(1)
}
