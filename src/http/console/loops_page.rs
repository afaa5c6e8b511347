//! All loops as one picture, and as a list.

use super::super::Context;
use super::super::extract::Query;
use super::health::{Glance, is_of_engine};
use super::map::{HIGH, Map, WIDE};
use super::page::page;
use super::query::Drawn;
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
    with_engine: bool,
    /// Whether there is an engine, and more than that.
    may_choose: bool,
}

pub(super) async fn show(
    State(context): State<Context>,
    shell: Shell,
    Query(Drawn { engine }): Query<Drawn>,
) -> Response {
    let topology = context.app.topology();
    let all = || topology.levels.iter().flat_map(|level| &level.loops);
    let (has_engine, has_others) = (all().any(is_of_engine), all().any(|one| !is_of_engine(one)));
    // What an engine is made of is drawn where it is asked for, or where there is nothing else.
    let with_engine = engine || !has_others;
    let loops = Glance::all(&topology);
    let shell = shell.titled("Loops").at("loops");
    let map = Map::of(&topology, with_engine);
    let may_choose = has_engine && has_others;
    page(&Page { shell, map, loops, wide: WIDE, high: HIGH, with_engine, may_choose })
}
