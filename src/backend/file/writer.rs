//! The one thread that writes.

use super::database::Database;
use crate::backend::embedded::{Durable, Written};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

/// Starts the thread that keeps in `database` what is put into `durable`; it ends when that is closed.
pub(super) fn start(durable: Arc<Durable>, database: Database, dir: &Path) -> io::Result<JoinHandle<()>> {
    let dir = dir.display().to_string();
    Builder::new().name("mape-file".to_owned()).spawn(move || {
        // Also if it panics: nobody waits for what does not come.
        let end = End(durable);
        write_all(&end.0, database, &dir);
    })
}

struct End(Arc<Durable>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Batch after batch, each in one transaction; what gathers meanwhile is the next.
fn write_all(durable: &Durable, mut database: Database, dir: &str) {
    let mut former = Written::default();
    while let Some(batch) = durable.take(former) {
        let mut failures = 0_u64;
        while let Err(error) = database.write(&batch.steps) {
            failures += 1;
            if failures == 1 {
                tracing::error!(dir, %error, "writing fails; it is tried again every second");
            }
            let why = format!("writing to {dir} fails ({error}), which is tried again every second");
            if !durable.failed(&why) {
                tracing::error!(dir, steps = batch.steps.len(), "closed without having written everything");
                return;
            }
        }
        if failures > 0 {
            tracing::info!(dir, failures, "writing goes on");
        }
        former = durable.is_written(batch);
    }
}
