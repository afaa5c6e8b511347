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
        let groups = list(at(&all, "tags")).iter().map(|tag| {
            let name = text(at(tag, "name"));
            let operations = operations(at(&all, "paths"))
                .filter(|(_, _, operation)| list(at(operation, "tags")).first() == tag.get("name"));
            let operations =
                operations.map(|(method, path, operation)| Operation::of(method, path, operation));
            Group { description: text(at(tag, "description")), operations: operations.collect(), name }
        });
        let shapes =
            entries(at(at(&all, "components"), "schemas")).map(|(name, shape)| Shape::of(name, shape));
        Self {
            title: text(at(at(&all, "info"), "title")),
            version: text(at(at(&all, "info"), "version")),
            description: text(at(at(&all, "info"), "description")),
            groups: groups.filter(|group| !group.operations.is_empty()).collect(),
            shapes: shapes.collect(),
        }
    }
}

impl Operation {
    fn of(method: &str, path: &str, from: &Value) -> Self {
        let parameters = list(at(from, "parameters")).iter().map(|one| Field {
            name: text(at(one, "name")),
            place: text(at(one, "in")),
            shape: shape(at(one, "schema")),
            is_needed: *at(one, "required") == true,
            description: text(at(one, "description")),
        });
        let answers = entries(at(from, "responses")).map(|(status, answer)| Answer {
            status: status.clone(),
            description: text(at(answer, "description")),
            bodies: bodies(answer),
        });
        Self {
            id: format!("{method}-{}", path.replace(['/', '{', '}'], "-")),
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary: text(at(from, "summary")),
            description: text(at(from, "description")),
            parameters: parameters.collect(),
            bodies: bodies(at(from, "requestBody")),
            answers: answers.collect(),
        }
    }
}

impl Shape {
    fn of(name: &str, from: &Value) -> Self {
        let needed = |name: &str| list(at(from, "required")).iter().any(|one| one == name);
        // What is put together of several has the fields of all.
        let parts = std::iter::once(from).chain(list(at(from, "allOf")));
        let fields = parts.flat_map(|part| {
            entries(at(part, "properties")).map(|(name, field)| Field {
                name: name.clone(),
                place: String::new(),
                shape: shape(field),
                is_needed: needed(name),
                description: text(at(field, "description")),
            })
        });
        let one_of = list(at(from, "oneOf")).iter().flat_map(|one| list(at(one, "enum")));
        let values = list(at(from, "enum"))
            .iter()
            .chain(one_of)
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        Self {
            name: name.to_owned(),
            description: text(at(from, "description")),
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
    entries(at(from, "content"))
        .map(|(kind, content)| Body { kind: kind.clone(), shape: shape(at(content, "schema")) })
        .collect()
}

/// A shape in a few words.
fn shape(schema: &Value) -> String {
    if let Some(name) = at(schema, "$ref").as_str() {
        return name.rsplit('/').next().unwrap_or_default().to_owned();
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        let parts: Vec<_> = list(at(schema, choice)).iter().map(shape).collect();
        if !parts.is_empty() {
            return parts.join(if choice == "allOf" { " and " } else { " or " });
        }
    }
    match at(schema, "type") {
        Value::Array(kinds) => kinds.iter().map(text).collect::<Vec<_>>().join(" or "),
        Value::String(kind) if kind == "array" => format!("list of {}", shape(at(schema, "items"))),
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

/// A part of a value; nothing, where there is none.
fn at<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}
