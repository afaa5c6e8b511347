//! Declared pipelines.

mod declared;
mod files;
mod jobs;
mod lists;
mod results;
mod swaps;

use mape::live::{Job, Live, Pipeline, Pipelines, Settings, Viewer, answering};
use mape::prelude::*;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

/// A server whose jobs `count` make parts `{"who", "nr"}`, as many as the input's `parts`, 10 ms apart; any number at a
/// time.
fn counting(app: &App) -> Live {
    let live = Live::new(app);
    let count = app.create_loop("jobs").unwrap().execute("count").each_unordered(
        1000,
        answering(|job: Job, parts| async move {
            let (who, count) = (job.input()["who"].clone(), job.input()["parts"].as_u64().unwrap());
            for nr in 1..=count {
                sleep(ms(10)).await;
                parts.send(json!({"who": who, "nr": nr})).await?;
            }
            Ok::<_, BoxError>(())
        }),
    );
    live.job("count", &count.spawn().unwrap()).unwrap();
    live
}

/// A server that publishes what it is asked for, at once.
fn echoing(app: &App) -> Live {
    let mut settings = Settings::default();
    settings.client_jobs = settings.jobs;
    let live = Live::with(app, settings, ());
    let echo = app.create_loop("jobs").unwrap().execute("echo").each_unordered(
        1000,
        answering(|job: Job, parts| async move {
            if let Some(error) = job.input()["fail"].as_str() {
                return Err(BoxError::from(error.to_owned()));
            }
            parts.send((**job.input()).clone()).await?;
            Ok(())
        }),
    );
    live.job("echo", &echo.spawn().unwrap()).unwrap();
    live
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn for_jobs(live: &Live, pipeline: Pipeline) {
    live.set_pipelines(Pipelines::new().for_jobs(pipeline)).unwrap();
}

fn for_results(live: &Live, pipeline: Pipeline) {
    live.set_pipelines(Pipelines::new().for_results(pipeline)).unwrap();
}

fn somebody(name: &str) -> Viewer {
    Viewer::named(name)
}

/// What a meter of pipelines counts.
fn counted(pipeline: &str, counter: usize) -> u64 {
    let all = mape::stream::meter::all();
    let meter = all.iter().find(|meter| meter.kind().name == "pipeline" && meter.name() == pipeline);
    meter.map_or(0, |meter| meter.counter(counter))
}

fn count(who: u64, parts: u64) -> Value {
    json!({"who": who, "parts": parts})
}
