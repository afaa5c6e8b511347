//! Pages on which people read about the API: all of them served from the program itself.

use super::{Context, Problem};
use askama::Template;
use axum::Router;
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::Value;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

pub(super) fn routes(document: OpenApi) -> Router<Context> {
    let page = Page::of(&document);
    let page = page.render().unwrap_or_else(|error| error.to_string());
    let page: axum::body::Bytes = page.into();
    let described = super::workflows::described(&document);
    Router::new()
        .merge(described)
        .merge(SwaggerUi::new("/docs").url("/openapi.json", document))
        .route(
            "/redoc",
            get(move || async move { ([(header::CONTENT_TYPE, "text/html; charset=utf-8"), POLICY], page) }),
        )
        .layer(map_response(in_json))
}

/// The page has no script, and asks for nothing.
const POLICY: (HeaderName, &str) = (
    header::CONTENT_SECURITY_POLICY,
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
);

/// What is not there is told as everywhere.
async fn in_json(response: Response) -> Response {
    if response.status() == StatusCode::NOT_FOUND {
        return Problem::not_found("there is no such page; /docs and /redoc are").into_response();
    }
    response
}

/// The description, to be read.
#[derive(Template)]
#[template(path = "reading.html")]
struct Page {
    title: String,
    version: String,
    description: String,
    groups: Vec<Group>,
    shapes: Vec<Shape>,
}

struct Group {
    name: String,
    description: String,
    operations: Vec<Operation>,
}

struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    description: String,
    parameters: Vec<Field>,
    bodies: Vec<Body>,
    answers: Vec<Answer>,
}

struct Body {
    kind: String,
    shape: String,
}

struct Answer {
    status: String,
    description: String,
    bodies: Vec<Body>,
}

struct Shape {
    name: String,
    description: String,
    fields: Vec<Field>,
    values: Vec<String>,
}

struct Field {
    name: String,
    place: String,
    shape: String,
    is_needed: bool,
    description: String,
}

impl Page {
    fn of(document: &OpenApi) -> Self {
        let all = serde_json::to_value(document).unwrap_or_default();
        let groups = list(&all["tags"]).iter().map(|tag| {
            let name = text(&tag["name"]);
            let operations =
                operations(&all["paths"]).filter(|(_, _, operation)| operation["tags"][0] == tag["name"]);
            let operations =
                operations.map(|(method, path, operation)| Operation::of(method, path, operation));
            Group { description: text(&tag["description"]), operations: operations.collect(), name }
        });
        let shapes = entries(&all["components"]["schemas"]).map(|(name, shape)| Shape::of(name, shape));
        Self {
            title: text(&all["info"]["title"]),
            version: text(&all["info"]["version"]),
            description: text(&all["info"]["description"]),
            groups: groups.filter(|group| !group.operations.is_empty()).collect(),
            shapes: shapes.collect(),
        }
    }
}

impl Operation {
    fn of(method: &str, path: &str, from: &Value) -> Self {
        let parameters = list(&from["parameters"]).iter().map(|one| Field {
            name: text(&one["name"]),
            place: text(&one["in"]),
            shape: shape(&one["schema"]),
            is_needed: one["required"] == true,
            description: text(&one["description"]),
        });
        let answers = entries(&from["responses"]).map(|(status, answer)| Answer {
            status: status.clone(),
            description: text(&answer["description"]),
            bodies: bodies(answer),
        });
        Self {
            id: format!("{method}-{}", path.replace(['/', '{', '}'], "-")),
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary: text(&from["summary"]),
            description: text(&from["description"]),
            parameters: parameters.collect(),
            bodies: bodies(&from["requestBody"]),
            answers: answers.collect(),
        }
    }
}

impl Shape {
    fn of(name: &str, from: &Value) -> Self {
        let needed = |name: &str| list(&from["required"]).iter().any(|one| one == name);
        // What is put together of several has the fields of all.
        let parts = std::iter::once(from).chain(list(&from["allOf"]));
        let fields = parts.flat_map(|part| {
            entries(&part["properties"]).map(|(name, field)| Field {
                name: name.clone(),
                place: String::new(),
                shape: shape(field),
                is_needed: needed(name),
                description: text(&field["description"]),
            })
        });
        let one_of = list(&from["oneOf"]).iter().flat_map(|one| list(&one["enum"]));
        let values = list(&from["enum"])
            .iter()
            .chain(one_of)
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        Self {
            name: name.to_owned(),
            description: text(&from["description"]),
            fields: fields.collect(),
            values: values.collect(),
        }
    }
}

fn operations(paths: &Value) -> impl Iterator<Item = (&String, &String, &Value)> {
    entries(paths)
        .flat_map(|(path, item)| entries(item).map(move |(method, operation)| (method, path, operation)))
}

fn bodies(from: &Value) -> Vec<Body> {
    entries(&from["content"])
        .map(|(kind, content)| Body { kind: kind.clone(), shape: shape(&content["schema"]) })
        .collect()
}

/// A shape in a few words.
fn shape(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return name.rsplit('/').next().unwrap_or_default().to_owned();
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        let parts: Vec<_> = list(&schema[choice]).iter().map(shape).collect();
        if !parts.is_empty() {
            return parts.join(if choice == "allOf" { " and " } else { " or " });
        }
    }
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().map(text).collect::<Vec<_>>().join(" or "),
        Value::String(kind) if kind == "array" => format!("list of {}", shape(&schema["items"])),
        Value::String(kind) => kind.clone(),
        _ => "anything".to_owned(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
