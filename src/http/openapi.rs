//! The description of the API.

use super::{Context, channels, goals, health, knowledge, live, loops, metrics, queues, workflows};
use axum::Router;
use serde::Serialize;
use serde_json::json;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi as Document, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;

/// What the description begins with.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "mape",
        description = "Loops of Monitor, Analyze, Plan and Execute elements, and workflows: look at them, push items \
                       into their ports, steer them."
    ),
    tags(
        (name = "loops", description = "Levels, loops, elements: what runs, items for their ports, their life, parameters, methods and links."),
        (name = "goals", description = "What is wanted, whether it is so, and by how much."),
        (name = "knowledge", description = "What loops share."),
        (name = "channels", description = "What loops tell each other."),
        (name = "live", description = "Results in parts, to whoever is interested, the moment they exist."),
        (name = "queues", description = "Task queues: jobs that wait their turn, and what became of them."),
        (name = "models", description = "Models that judge rows: their versions, and which is live."),
        (name = "littleflow", description = "Runs of flows, as littleflow's service has them."),
        (name = "runs", description = "Runs of flows: all there is to know and to do."),
        (name = "schedules", description = "Flows that begin by the clock."),
        (name = "events", description = "What flows wait for, and changes of runs as they happen."),
        (name = "service", description = "The service itself.")
    ),
    components(schemas(Detail, Refused))
)]
struct Head;

/// What is wrong, and what to do.
#[derive(Serialize, ToSchema)]
struct Detail {
    detail: String,
}

/// What is wrong, as littleflow says it.
#[derive(Serialize, ToSchema)]
struct Refused {
    #[schema(example = "Error")]
    status: String,
    message: String,
}

/// The routes that programs use, and their description.
pub(super) fn routes() -> (Router<Context>, Document) {
    let all = OpenApiRouter::<Context>::with_openapi(Head::openapi());
    #[cfg(feature = "inference")]
    let all = all.merge(super::models::routes());
    let (router, mut document) = all
        .merge(health::routes())
        .merge(metrics::routes())
        .merge(loops::routes())
        .merge(goals::routes())
        .merge(knowledge::routes())
        .merge(channels::routes())
        .merge(live::routes())
        .merge(queues::routes())
        .merge(workflows::routes())
        .split_for_parts();
    complete(&mut document);
    (router, document)
}

/// Adds what holds for all routes.
fn complete(document: &mut Document) {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
        "A token of `rest.tokens`, or a JSON Web Token if there is `rest.jwt`. Without any of them, on a loopback \
         address, none is needed.",
    ));
    let components = document.components.get_or_insert_with(Default::default);
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
    // With a token, or without one.
    document.security =
        Some(vec![SecurityRequirement::default(), SecurityRequirement::new("bearer", Vec::<String>::new())]);
    for (path, item) in &mut document.paths.paths {
        let is_littleflow = path.starts_with("/workflows") || path.starts_with("/inprogress");
        let error = if is_littleflow { "Refused" } else { "Detail" };
        let operations = [
            ("get", &mut item.get),
            ("put", &mut item.put),
            ("post", &mut item.post),
            ("delete", &mut item.delete),
            ("patch", &mut item.patch),
        ];
        for (method, operation) in operations {
            let Some(operation) = operation else { continue };
            operation.operation_id = Some(id(method, path));
            if let Some(RefOr::T(body)) = &mut operation.request_body
                && MAY_BE_LEFT_OUT.contains(&path.as_str())
            {
                body.required = None;
            }
            finish(operation, error);
        }
    }
}

/// Where a request without a body says something, too: nothing, or the end of items.
const MAY_BE_LEFT_OUT: [&str; 5] = [
    "/flows/check",
    "/live/clients/{id}/groups/{group}",
    "/loops/{loop}/elements/{element}",
    "/loops/{loop}/elements/{element}/methods/{name}",
    "/queues/{queue}/dead/replay",
];

/// The one name of an operation, such as `get_loops_loop_elements`.
fn id(method: &str, path: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    std::iter::once(method).chain(words).collect::<Vec<_>>().join("_")
}

/// What the door answers instead of any route, and what errors look like.
fn finish(operation: &mut Operation, error: &str) {
    const ANYWHERE: [(&str, &str); 6] = [
        ("400", "The request as a whole makes no sense."),
        ("401", "It needs a token, and has none that is known."),
        ("403", "The token's role is too low; or the request comes from a page of another site."),
        ("413", "The body is too long."),
        ("422", "A value has the wrong shape."),
        ("429", "More requests came from there than may; `Retry-After` says when to go on."),
    ];
    let responses = &mut operation.responses.responses;
    for (status, description) in ANYWHERE {
        responses
            .entry(status.to_owned())
            .or_insert_with(|| ResponseBuilder::new().description(description).build().into());
    }
    for (status, response) in responses {
        let RefOr::T(response) = response else { continue };
        if status.starts_with(['4', '5']) {
            describe(response, error);
        }
    }
}

fn describe(response: &mut Response, error: &str) {
    if response.content.is_empty() {
        let schema = Ref::from_schema_name(error);
        let content = ContentBuilder::new().schema(Some(schema));
        let content = if error == "Detail" {
            content.example(Some(json!({"detail": response.description})))
        } else {
            content.example(Some(json!({"message": response.description, "status": "Error"})))
        };
        response.content.insert("application/json".to_owned(), content.build().into());
    }
}
