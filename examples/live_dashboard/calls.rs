//! The jobs: how the services are asked, and what comes of it in parts.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures::stream::{self, Stream, StreamExt};
use mape::live::{Job, Live, Parts, answering, answering_lists};
use mape::prelude::*;
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::machine::Work;
use crate::said::say;
use crate::services::Services;

/// How many jobs of a kind are done at a time, unless the pipelines say less.
const AT_A_TIME: usize = 1024;
/// How long the processors are looked at for each part.
const GLANCE: Duration = Duration::from_millis(300);
/// How long a service that is busy is left alone.
const PAUSE: Duration = Duration::from_millis(700);

/// Lets elements do the jobs `reading`, `network`, `disk` and `processors`.
pub fn offer(app: &App, live: &Live, services: &Arc<Services>) -> anyhow::Result<()> {
    let caller = Caller::new()?;
    let jobs = app.create_loop("dashboard")?;
    let (asks, at) = (caller.clone(), services.readings);
    let readings = jobs
        .execute("readings")
        .each_unordered(AT_A_TIME, answering_lists(move |list| readings(asks.clone(), at, list)));
    live.job_lists("reading", &readings.spawn()?)?;
    let (asks, at) = (caller.clone(), services.network);
    let network = jobs
        .execute("network")
        .each_unordered(AT_A_TIME, answering(move |job, parts| network(asks.clone(), at, job, parts)));
    live.job("network", &network.spawn()?)?;
    let (asks, at) = (caller, services.disk);
    let disk = jobs
        .execute("disk")
        .each_unordered(AT_A_TIME, answering(move |job, parts| disk(asks.clone(), at, job, parts)));
    live.job("disk", &disk.spawn()?)?;
    let processors = jobs.monitor("processors").each_unordered(AT_A_TIME, answering(processors));
    live.job("processors", &processors.spawn()?)?;
    Ok(())
}

#[derive(Deserialize)]
struct OneReading {
    id: String,
}

/// One number for each job, in one call for all that come together: how many do, is a matter of pipelines.
async fn readings(caller: Caller, at: SocketAddr, list: Vec<Parts>) -> Result<(), BoxError> {
    let (mut ids, mut whose) = (Vec::new(), Vec::new());
    for parts in &list {
        match parts.job().input_as::<OneReading>() {
            Ok(OneReading { id }) if id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => {
                say(parts.job(), format_args!("asking for {id}"));
                ids.push(id);
                whose.push(parts);
            }
            Ok(OneReading { id }) => parts.send_error(format!("{id:?} is no name of a reading")).await?,
            Err(error) => parts.send_error(error).await?,
        }
    }
    if ids.is_empty() {
        return Ok(());
    }
    let answer = caller.get(at, &format!("/readings?ids={}", ids.join(","))).await?;
    for (n, parts) in whose.into_iter().enumerate() {
        match answer.get(n) {
            Some(read) => match read["error"].as_str() {
                Some(error) => parts.send_error(error.to_owned()).await?,
                None => parts.send(read).await?,
            },
            None => parts.send_error("the service has not answered that").await?,
        }
    }
    Ok(())
}

/// What comes in and goes out; when the service is busy, a part says so, and it is asked again.
async fn network(caller: Caller, at: SocketAddr, job: Job, parts: Parts) -> Result<(), BoxError> {
    for _ in 0..3 {
        say(&job, format_args!("asking"));
        match caller.get(at, "/network").await {
            Ok(traffic) => return Ok(parts.send(traffic).await?),
            Err(error) => parts.send_error(format!("{error:#}; asking again")).await?,
        }
        sleep(PAUSE).await;
    }
    Err("it is still busy".into())
}

/// How long a little and how long much takes to be on the disk, each as soon as it is known.
async fn disk(caller: Caller, at: SocketAddr, job: Job, parts: Parts) -> Result<(), BoxError> {
    for kib in [64, 1024] {
        say(&job, format_args!("asking for {kib} KiB"));
        parts.send(caller.get(at, &format!("/disk/{kib}")).await?).await?;
    }
    Ok(())
}

/// How busy the processors are, looked at several times.
async fn processors(job: Job, parts: Parts) -> Result<(), BoxError> {
    let mut before = Work::so_far()?;
    for glance in 1..=4 {
        sleep(GLANCE).await;
        let now = Work::so_far()?;
        say(&job, format_args!("glance {glance}"));
        parts.send(json!({"busy_percent": now.percent_since(before), "of": "/proc/stat"})).await?;
        before = now;
    }
    Ok(())
}

/// Asks services.
#[derive(Clone)]
pub struct Caller(reqwest::Client);

impl Caller {
    pub fn new() -> anyhow::Result<Self> {
        // Whoever was first has installed the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10));
        Ok(Self(client.build().context("making an HTTP client")?))
    }

    /// What a service answers; an error where it refuses.
    pub async fn get(&self, at: SocketAddr, path: &str) -> anyhow::Result<Value> {
        let asked = self.0.get(format!("http://{at}{path}")).send().await;
        let answer = asked.with_context(|| format!("asking for {path}"))?;
        let (status, body) = (answer.status(), answer.bytes().await?);
        if status != StatusCode::OK {
            let said: HashMap<String, String> = serde_json::from_slice(&body).unwrap_or_default();
            let reason = said.get("error").map_or("no reason given", |reason| reason);
            anyhow::bail!("{path} answered {status}: {reason}");
        }
        serde_json::from_slice(&body).with_context(|| format!("reading what {path} answered"))
    }
    /// The lines that a service answers with, as they come.
    pub async fn lines(
        &self,
        url: &str,
    ) -> anyhow::Result<impl Stream<Item = anyhow::Result<String>> + use<>> {
        let answer = self.0.get(url).send().await?.error_for_status()?;
        let mut begun = Vec::new();
        Ok(answer.bytes_stream().flat_map(move |bytes| {
            let mut lines = Vec::new();
            match bytes {
                Ok(bytes) => {
                    begun.extend_from_slice(&bytes);
                    while let Some(end) = begun.iter().position(|byte| *byte == b'\n') {
                        let line: Vec<u8> = begun.drain(..=end).collect();
                        lines.push(Ok(String::from_utf8_lossy(&line).trim_end().to_owned()));
                    }
                }
                Err(error) => lines.push(Err(error.into())),
            }
            stream::iter(lines)
        }))
    }
}
