//! The routes of the live server, over real sockets.

mod access;
mod clients;
mod configured;
mod jobs;
mod many;
mod pipelines;
mod reader;
mod slow;
mod socket;
mod streams;
mod talk;

use super::site::Site;
use crate::suite::eventually;
use mape::http::Service;
use mape::live::{Live, Settings, answering};
use mape::prelude::*;
use reader::{Event, Events, Lines};
use serde::Deserialize;
use std::time::Duration;
use talk::Talk;

/// How a job counts.
#[derive(Deserialize)]
struct Count {
    parts: u64,
    /// Milliseconds between them.
    #[serde(default)]
    dt: u64,
}

/// An app whose live server counts (`count`), repeats what it is given (`echo`), fails (`fail`), and never ends (`hang`).
fn counting(settings: Settings) -> (App, Live) {
    let app = App::new();
    let live = Live::with(&app, settings, ());
    let jobs = app.create_loop("jobs").unwrap();
    let count = answering(|job, parts| async move {
        let Count { parts: many, dt } = job.input_as()?;
        for n in 0..many {
            if dt > 0 {
                tokio::time::sleep(Duration::from_millis(dt)).await;
            }
            parts.send(n).await?;
        }
        Ok::<(), BoxError>(())
    });
    let echo = answering(|job, parts| async move {
        parts.send(&**job.input()).await?;
        Ok::<(), BoxError>(())
    });
    let fail = answering(|_, parts| async move {
        parts.send("before").await?;
        Err::<(), BoxError>("no more coffee".into())
    });
    let hang = answering(|_, parts| async move {
        parts.send("begun").await?;
        std::future::pending::<Result<(), BoxError>>().await
    });
    live.job("count", &jobs.execute("count").each_unordered(5000, count).spawn().unwrap()).unwrap();
    live.job("echo", &jobs.execute("echo").each_unordered(100, echo).spawn().unwrap()).unwrap();
    live.job("fail", &jobs.execute("fail").each_unordered(100, fail).spawn().unwrap()).unwrap();
    live.job("hang", &jobs.execute("hang").each_unordered(1000, hang).spawn().unwrap()).unwrap();
    (app, live)
}

/// A service with such a live server.
async fn site() -> (Site, Live) {
    site_with(Settings::default(), |service| service).await
}

async fn site_with(settings: Settings, change: impl FnOnce(Service) -> Service) -> (Site, Live) {
    let (app, live) = counting(settings);
    let site = Site::with(change(Service::new(&app).live(&live))).await;
    (site, live)
}

/// Waits until nobody is there and nothing is done.
async fn idle(live: &Live) {
    eventually("all have gone", || async { live.counts().jobs == 0 && live.counts().clients == 0 }).await;
}
