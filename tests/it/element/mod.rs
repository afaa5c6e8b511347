//! Elements, links and their life, through the public API.

mod again;
mod asynchronous;
mod calls;
mod errors;
mod growth;
mod life;
mod links;
mod messages;
mod panics;
mod parameters;
mod ports;
mod stress;

use mape::prelude::*;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// More than any of these takes; a hang fails instead of lasting.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// An app with one loop.
pub(crate) fn one_loop() -> (App, Loop) {
    let app = App::new();
    let l = app.create_loop("l").unwrap();
    (app, l)
}

/// A started element that hands items on.
pub(crate) fn pass<T: mape::element::Item>(l: &Loop, uid: &str) -> Element<T, T> {
    let element = l.monitor(uid).map(|x: T| x).spawn().unwrap();
    element.start().unwrap();
    element
}

/// An element that keeps what it gets.
pub(crate) fn collect<T: mape::element::Item>(l: &Loop, uid: &str) -> (Element<T, ()>, Arc<Mutex<Vec<T>>>) {
    let all = Arc::new(Mutex::new(Vec::new()));
    let into = all.clone();
    (l.execute(uid).act(move |x: T| into.lock().push(x)).spawn().unwrap(), all)
}

/// Waits until something holds, by yielding, for at most [`SOON`].
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !holds() {
        assert!(start.elapsed() < SOON, "never happened: {what}");
        tokio::task::yield_now().await;
    }
}
