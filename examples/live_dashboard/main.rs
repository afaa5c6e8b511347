//! A dashboard that shows parts of results the moment they exist.
//!
//! ```text
//!   browser ── POST /live/jobs ──▶ jobs ──▶ pipelines ──▶ readings, network, disk, processors ──▶ slow services
//!      ▲                                                          │
//!      └──── parts, as they come ◀── hub ◀────────────────────────┤
//!                                                                 ├── calls   a file that is followed
//!                                                                 └── pulse   a WebSocket of another service
//! ```
//!
//! The services are on this machine too, and slow on purpose; what they say is measured here: `services.rs`. How jobs go
//! through the server is declared, and can be changed while they do: in order, in parallel, or many of them in one call:
//! `pipelines.rs`.
//!
//! ```text
//! cargo run --example live_dashboard -- --listen 127.0.0.1:8080    # then open http://127.0.0.1:8080/dashboard
//! cargo run --example live_dashboard -- --demo                     # three clients, in order and in parallel; it ends
//!
//! curl -N http://127.0.0.1:8080/job1/3/500                         # 3 parts, 500 ms apart
//! curl -N 'http://127.0.0.1:8080/live/jobs/reading?id=load'
//! curl -N -G http://127.0.0.1:8080/live/stream --data-urlencode 'interest=** contains joe@doe.com'
//! curl -X PUT --data-binary @examples/live_dashboard/pipelines/in_order.json http://127.0.0.1:8080/live/pipelines
//! ```
#![allow(unreachable_pub, reason = "an example has no outside; what its modules share is `pub`")]

mod calls;
mod demo;
#[path = "../pages/files.rs"]
mod files;
mod in_parts;
mod journal;
mod machine;
mod open_files;
mod page;
mod pipelines;
mod said;
mod services;
mod sources;

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use mape::http::{Service, Serving};
use mape::live::{Live, Settings};
use mape::prelude::*;
use mape::telemetry::Reporting;

use crate::journal::Journal;
use crate::pipelines::Kind;
use crate::services::Services;

/// How long what is under way may take after a signal to end.
const FAREWELL: Duration = Duration::from_secs(2);

/// A dashboard that shows parts of results the moment they exist.
#[derive(Parser)]
struct Args {
    /// Where to listen.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    listen: String,
    /// How jobs go through the server at first.
    #[arg(long, value_enum, default_value_t = Kind::Parallel)]
    pipelines: Kind,
    /// What is logged, such as `info,live_dashboard=debug`, which is each part; that is usual on a terminal, else `info`.
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// Three clients ask, first in order, then in parallel; then it ends.
    #[arg(long)]
    demo: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let usual = if io::stderr().is_terminal() && !args.demo { "info,live_dashboard=debug" } else { "info" };
    let reports = Reporting::new().filter(args.log.as_deref().unwrap_or(usual)).start()?;
    if let Some(limit) = open_files::raise() {
        tracing::info!(limit, "so many files may be open");
    }
    if args.demo {
        demo::run().await?;
    } else {
        let dashboard = Dashboard::start(&args.listen, args.pipelines).await?;
        // Whoever reads nothing may be gone.
        let _ = writeln!(io::stdout(), "the dashboard is at {}/dashboard", dashboard.serving.url());
        told_to_end().await;
        dashboard.close().await;
    }
    reports.close().await;
    Ok(())
}

/// All of it.
struct Dashboard {
    app: App,
    live: Live,
    serving: Serving,
    _services: Arc<Services>,
    _journal: Arc<Journal>,
}

impl Dashboard {
    async fn start(listen: &str, pipelines: Kind) -> anyhow::Result<Self> {
        let journal = Arc::new(Journal::begin()?);
        let services = Arc::new(Services::start(&journal).await?);
        let app = App::new();
        let mut settings = Settings::default();
        // Room for all parts of one job, so that none is lost however slowly its client reads.
        settings.client_buffer = usize::try_from(in_parts::MOST_PARTS)? + 100;
        let live = Live::with(&app, settings, ());
        calls::offer(&app, &live, &services)?;
        in_parts::offer(&app, &live)?;
        sources::follow(&app, &live, &journal, &services)?;
        pipelines::declare(&live, pipelines)?;
        let routes = page::routes().merge(pipelines::routes(&live)).merge(in_parts::routes(&live));
        let serving = Service::new(&app).live(&live).routes(routes).listen(listen).await?;
        Ok(Self { app, live, serving, _services: services, _journal: journal })
    }

    /// Clients get what waits for them, and are told.
    async fn close(self) {
        self.live.close();
        self.serving.close(FAREWELL).await;
        for late in self.app.shutdown(FAREWELL).await.unfinished {
            tracing::warn!(%late, "not at its end");
        }
    }
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
