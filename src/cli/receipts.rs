//! `mape receipts`

use super::receipts_archive::{Archive, line};
use super::signal::told_to_end;
use super::{Global, Output, backend, note};
use anyhow::Result;
use clap::Args;
use mape::event::{LogName, ReceiptBatch, Receipts};
use std::path::PathBuf;
use std::pin::{Pin, pin};

#[derive(Debug, Args)]
pub(super) struct ReceiptsArguments {
    /// Append them to a file a day in this directory in place of printing them
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
}

/// Takes receipts until Ctrl-C or SIGTERM.
pub(super) async fn run(global: &Global, arguments: &ReceiptsArguments, output: &mut Output) -> Result<()> {
    let archive = arguments.archive.as_ref().map(Archive::in_directory).transpose()?;
    let backend = backend::on_redis(global).await?;
    // Not before: until there is something to let go of, a signal ends the program at once.
    let told = pin!(told_to_end()?);
    let log = backend.events().log(LogName::from(global.stream.as_str()));
    let receipts = Receipts::of(&log).await?;
    let what = format!("taking the receipts of {} on {}; Ctrl-C ends it", global.stream, backend.url());
    note(global, "ready", &what);
    let done = take(receipts, archive, told, output).await;
    backend.close().await;
    done
}

async fn take(
    mut receipts: Receipts,
    archive: Option<Archive>,
    mut told: Pin<&mut impl Future<Output = ()>>,
    output: &mut Output,
) -> Result<()> {
    loop {
        let batch = tokio::select! {
            biased;
            () = told.as_mut() => return Ok(()),
            batch = receipts.next() => batch?,
        };
        // What was not kept is not acknowledged, and falls to whoever takes receipts next.
        match &archive {
            Some(archive) => archive.keep(batch.receipts())?,
            None => print(&batch, output)?,
        }
        tokio::select! {
            biased;
            // It is said at the first poll.
            kept = receipts.kept(batch) => kept?,
            () = told.as_mut() => return Ok(()),
        }
    }
}

fn print(batch: &ReceiptBatch, output: &mut Output) -> Result<()> {
    for receipt in batch.receipts() {
        output.line(&line(receipt)?)?;
    }
    Ok(())
}
