//! Which loop or element a path means.

use crate::app::{App, Loop};
use crate::element::AnyElement;
use crate::element::ports::Ports;
use crate::http::Problem;
use axum::http::StatusCode;
use serde::Deserialize;
use std::sync::Arc;

/// A loop.
#[derive(Deserialize)]
pub(super) struct AtLoop {
    #[serde(rename = "loop")]
    pub(super) uid: String,
}

/// An element of a loop.
#[derive(Deserialize)]
pub(super) struct AtElement {
    #[serde(rename = "loop")]
    pub(super) in_loop: String,
    pub(super) element: String,
}

impl AtLoop {
    pub(super) fn find(&self, app: &App) -> Result<Loop, Problem> {
        app.find_loop(&self.uid).map_err(Problem::not_found)
    }
}

impl AtElement {
    pub(super) fn find(&self, app: &App) -> Result<AnyElement, Problem> {
        let Self { in_loop, element } = self;
        if let Some(found) = app.element_at(in_loop, element) {
            return Ok(found);
        }
        app.find_loop(in_loop).map_err(Problem::not_found)?.element(element).map_err(Problem::not_found)
    }
}

/// The ports of an element for others, if it lets them.
pub(super) fn ports(element: &AnyElement) -> Result<Arc<dyn Ports>, Problem> {
    element.ports().ok_or_else(|| {
        let detail = format!("`{}` is not exposed: its program has to call `expose()` on it", element.path());
        Problem::new(StatusCode::FORBIDDEN, detail)
    })
}
