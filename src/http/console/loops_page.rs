//! All loops as one picture, and as a list.

use super::super::Context;
use super::health::Glance;
use super::map::{HIGH, Map, WIDE};
use super::page::page;
use super::shell::Shell;
use askama::Template;
use axum::extract::State;
use axum::response::Response;

#[derive(Template)]
#[template(path = "loops.html")]
struct Page {
    shell: Shell,
    map: Map,
    loops: Vec<Glance>,
    wide: f64,
    high: f64,
}

pub(super) async fn show(State(context): State<Context>, shell: Shell) -> Response {
    let topology = context.app.topology();
    let loops = Glance::all(&topology);
    let shell = shell.titled("Loops").at("loops");
    page(&Page { shell, map: Map::of(&topology), loops, wide: WIDE, high: HIGH })
}
