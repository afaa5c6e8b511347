//! Loops, asked and steered over HTTP.

mod live;
mod looks;
mod pushes;
mod steers;

use super::site::{Site, answer};
use crate::suite::eventually;
use mape::app::App;
use mape::element::{Element, Parameter};
use mape::prelude::*;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// A loop on a level, with two linked elements that are exposed, and one that is not.
pub(super) fn sample() -> (App, Element<f64, f64>, Element<f64, bool>) {
    let app = App::new();
    let room = app.level("house").unwrap().create_loop("room").unwrap();
    let sense = room
        .monitor("sense")
        .ops_in(|s| s.distinct_until_changed().skip(0))
        .map(|t: f64| t)
        .ops_out(|s| s.moving_average(1))
        .spawn()
        .unwrap();
    let limit = Parameter::new("limit", 21.0).within(0.0..=40.0);
    let judge = room
        .analyze("judge")
        .parameter(&limit)
        .export("double", |n: i64| Ok::<_, BoxError>(n * 2))
        .map(move |t: f64| t > limit.get())
        .spawn()
        .unwrap();
    room.execute("hidden").act(|_: bool| ()).spawn().unwrap();
    sense.expose_fully();
    judge.expose_fully();
    sense.link(&judge).unwrap();
    judge.start().unwrap();
    sense.start().unwrap();
    (app, sense, judge)
}
