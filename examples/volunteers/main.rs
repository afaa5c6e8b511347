//! Volunteers for an organiser's posts, from comments on a social network: found by a model, written down, answered, and
//! shown the moment they come.
//!
//! ```text
//!  page ── POST /posts ─▶ [publishing] ─▶ publish ──▶ the network (a double) ──▶ people comment
//!                                                         │  webhooks, signed; some twice, some never
//!            fetch, each minute ◀─ what no webhook told ──┤
//!                   │                                     ▼
//!                   └─▶ [preprocessing] ◀──────────── POST /webhook
//!                             │ tokens, stems, a bag of words
//!                             ▼
//!                        log comments ─▶ judge, in batches ─▶ log interested: all verdicts
//!                                                                  │
//!                        the database ◀─ write, in bulk ◀──────────┘
//!                             │ after the commit
//!                             ├─▶ the page: group interested_POST of the live server
//!                             └─▶ [reply] ─▶ the network ─▶ [database_write] ─▶ the database, the page
//! ```
//!
//! What stands in brackets is a queue; `volunteers.yaml` has how they work. `[email]` sends the PIN by which an organiser
//! proves a mail address before anything is published.
//!
//! ```text
//! cargo run --example volunteers --features inference                 # all in one process; it says where the page is
//! cargo run --example volunteers --features inference -- --demo       # the same on the terminal; it ends
//!
//! export MAPE_NETWORK__SECRET=$(openssl rand -hex 24) MAPE_NETWORK__VERIFY_TOKEN=$(openssl rand -hex 24)
//! export MAPE_ORGANISERS__ADA__TOKEN=$(openssl rand -hex 24) MAPE_ORGANISERS__BEN__TOKEN=$(openssl rand -hex 24)
//! cargo run --example volunteers --features inference -- --backend redis://127.0.0.1 --data ./data --stage judge
//! ```
//!
//! The last line is one of ten stages, each a process of its own, as many of each as one likes: any of them may be killed at
//! any time.
#![allow(unreachable_pub, reason = "an example has no outside; what its modules share is `pub`")]

mod comment;
mod conversation;
mod demo;
mod email;
mod fetch;
#[path = "../pages/files.rs"]
mod files;
mod graph;
mod judge;
mod model;
mod network;
mod outcomes;
mod page;
mod preprocess;
mod publish;
mod reply;
mod rows;
mod settings;
mod shared;
mod stage;
mod verification;
mod web;
mod webhook;
#[cfg(test)]
mod whole_way;
mod write;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;
use clap::{Parser, ValueEnum};
use mape::telemetry::Reporting;

use crate::settings::Settings;
use crate::shared::Shared;
use crate::stage::{Running, Stage};

/// How long what is in hand may take after a signal to end.
const FAREWELL: Duration = Duration::from_secs(3);

/// Volunteers for an organiser's posts, from comments on a social network.
#[derive(Parser)]
struct Args {
    /// Only these parts of the work, in this process; others are elsewhere. Needs a server as backend.
    #[arg(long, value_enum, value_name = "STAGE", value_delimiter = ',')]
    stage: Vec<Stage>,
    /// Where queues, logs and knowledge are, such as `redis://127.0.0.1`; in memory unless said.
    #[arg(long, value_name = "URL")]
    backend: Option<String>,
    /// Where rows and the network's records are: the same for all stages. A directory of its own unless said.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The configuration, in place of the one that comes with the example.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Shows on the terminal what happens to one post; then it ends.
    #[arg(long, conflicts_with = "stage")]
    demo: bool,
    /// What is logged, such as `info` or `mape=debug`.
    #[arg(long, value_name = "FILTER", default_value = "warn")]
    log: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let reports = Reporting::new().filter(&args.log).start()?;
    let is_alone = args.stage.is_empty();
    let is_server = args.backend.as_ref().is_some_and(|url| url.starts_with("redis"));
    ensure!(
        is_alone || is_server,
        "stages in processes of their own meet on a server: --backend redis://HOST"
    );
    ensure!(is_alone || args.data.is_some(), "all stages need the same directory: --data DIR");
    let mut settings = Settings::load(args.config, args.backend.as_deref(), is_alone)?;
    let (data, is_own) = match args.data {
        Some(data) => (data, false),
        None => (std::env::temp_dir().join(format!("volunteers-{}", std::process::id())), true),
    };
    if args.demo {
        demo::quicken(&mut settings)?;
    }
    let shared = Shared::open(settings, data.clone()).await?;
    let mut running = Running::default();
    let stages = if is_alone { Stage::value_variants() } else { &args.stage[..] };
    for stage in stages {
        running.start(*stage, &shared).await?;
    }
    let done =
        if args.demo { demo::run(&shared, &running).await } else { serve(&shared, &running, is_alone).await };
    shared.live.close();
    running.close(FAREWELL).await;
    shared.live.flush().await;
    for late in shared.app.shutdown(FAREWELL).await.unfinished {
        tracing::warn!(%late, "not at its end");
    }
    if is_own {
        let _ = std::fs::remove_dir_all(data);
    }
    reports.close().await;
    done
}

/// Until it is told to end.
async fn serve(shared: &Shared, running: &Running, is_alone: bool) -> anyhow::Result<()> {
    if let Some(page) = &running.page {
        for (name, token) in &shared.settings.organisers {
            // Whoever reads nothing may be gone. What is behind `#` is sent to nobody.
            let shown = if is_alone || io::stdout().is_terminal() { token.expose() } else { "…" };
            let _ = writeln!(io::stdout(), "{name}'s page is at {page}#{shown}");
        }
    }
    if is_alone {
        demo::begin(shared, running).await?;
        let _ = writeln!(io::stdout(), "ada has published a post, and people comment; Ctrl+C ends it");
    } else {
        let _ = writeln!(io::stdout(), "ready");
    }
    told_to_end().await;
    Ok(())
}

async fn told_to_end() {
    #[cfg(unix)]
    if let Ok(mut term) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = term.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        return;
    }
    let _ = tokio::signal::ctrl_c().await;
}
