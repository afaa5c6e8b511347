//! Three clients ask at the same time, first in order, then in parallel.

use std::io::{self, Write};
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::Dashboard;
use crate::calls::Caller;
use crate::pipelines::{self, Kind};

/// Shows both, on a free port.
pub async fn run() -> anyhow::Result<()> {
    let dashboard = Dashboard::start("127.0.0.1:0", Kind::InOrder).await?;
    for (kind, words) in [(Kind::InOrder, "in order"), (Kind::Parallel, "in parallel")] {
        pipelines::declare(&dashboard.live, kind)?;
        ask(&dashboard.serving.url(), words).await?;
    }
    dashboard.close().await;
    Ok(())
}

/// Each client asks for three parts, the first one for the quickest; what comes is shown as it comes.
async fn ask(url: &str, words: &str) -> anyhow::Result<()> {
    let (asks, since) = (Caller::new()?, Instant::now());
    let (came, mut lines) = mpsc::channel(16);
    let clients: Vec<_> = (1..=3_u32)
        .map(|client| {
            let (asks, came, url) =
                (asks.clone(), came.clone(), format!("{url}/job{client}/3/{}", 100 * client));
            async move {
                sleep(Duration::from_millis(10) * client).await;
                let mut parts = Box::pin(asks.lines(&url).await?);
                while let Some(line) = parts.next().await {
                    came.send((client, line?)).await?;
                }
                anyhow::Ok(())
            }
        })
        .collect();
    drop(came);
    let show = async {
        let mut out = io::stdout();
        while let Some((client, line)) = lines.recv().await {
            writeln!(out, "{words:<11}  client {client}  {line}")?;
        }
        let millis = since.elapsed().as_millis();
        writeln!(out, "{words:<11}  all done after {millis} ms")
    };
    let (asked, shown) = tokio::join!(join_all(clients), show);
    asked.into_iter().collect::<anyhow::Result<Vec<()>>>()?;
    Ok(shown?)
}
