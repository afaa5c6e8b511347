//! How jobs go through the server: three declarations, as `PUT /live/pipelines` takes them.
//!
//! The page puts them in force by buttons, and so does
//!
//! ```text
//! curl -X PUT --data-binary @examples/live_dashboard/pipelines/batched.json http://127.0.0.1:8080/live/pipelines
//! ```
//!
//! Jobs that run go on, and none is lost.

use axum::extract::State;
use axum::http::header;
use axum::routing::get;
use axum::{Json, Router};
use clap::ValueEnum;
use mape::live::{Live, Pipelines};
use serde_json::{Value, json};

/// Three ways to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// One job after the other.
    InOrder,
    /// All at once.
    Parallel,
    /// All at once, but jobs for the service that answers lists together, in one call.
    Batched,
}

impl Kind {
    const ALL: [Self; 3] = [Self::InOrder, Self::Parallel, Self::Batched];

    /// Its name, with the declaration.
    fn declared(self) -> (&'static str, &'static str) {
        match self {
            Self::InOrder => ("in_order", include_str!("pipelines/in_order.json")),
            Self::Parallel => ("parallel", include_str!("pipelines/parallel.json")),
            Self::Batched => ("batched", include_str!("pipelines/batched.json")),
        }
    }

    fn pipelines(self) -> anyhow::Result<Pipelines> {
        Ok(Pipelines::from_json(self.declared().1)?)
    }
}

/// Puts one in force.
pub fn declare(live: &Live, kind: Kind) -> anyhow::Result<()> {
    Ok(live.set_pipelines(kind.pipelines()?)?)
}

/// The declarations, for the page, and which of them is in force.
pub fn routes(live: &Live) -> Router {
    let router = Router::new().route("/dashboard/pipelines", get(in_force)).with_state(live.clone());
    Kind::ALL.into_iter().fold(router, |router, kind| {
        let (name, text) = kind.declared();
        let path = format!("/dashboard/pipelines/{name}.json");
        router.route(&path, get(move || async move { ([(header::CONTENT_TYPE, "application/json")], text) }))
    })
}

async fn in_force(State(live): State<Live>) -> Json<Value> {
    let now = live.pipelines();
    let kind = Kind::ALL.into_iter().find(|kind| kind.pipelines().is_ok_and(|one| one == *now));
    Json(json!({"kind": kind.map(|kind| kind.declared().0)}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_declarations_hold() {
        for kind in Kind::ALL {
            kind.pipelines().and_then(|pipelines| Ok(pipelines.check()?)).unwrap();
        }
    }
}
