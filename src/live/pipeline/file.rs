//! Declarations in a file, which is followed.

use super::{InvalidPipelines, Pipelines, Station};
use crate::live::{Error, Live};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// How often it is looked into the file.
const LOOK: Duration = Duration::from_millis(100);
/// How often it has to look the same before it counts: who writes it may not be done.
const SAME: u32 = 2;
/// The longest file.
const LONGEST: u64 = 1024 * 1024;

impl Live {
    /// Puts in force what a file declares, now and less than half a second after each time it has changed. It is YAML, or
    /// JSON.
    ///
    /// Later on, what is wrong with it is logged with its place, and what was in force stays; so it does while the file is not
    /// there. What was declared otherwise meanwhile stays until the file changes.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::PipelinesFile`]: it can't be read, or what it declares is wrong, now.
    pub fn follow_pipelines(&self, file: impl Into<PathBuf>) -> Result<(), Error> {
        let file = file.into();
        let text =
            read(&file).map_err(|error| Error::File { file: file.clone(), reason: error.to_string() })?;
        let station = self.0.station.clone();
        put(&station, &text).map_err(|invalid| Error::PipelinesFile { file: file.clone(), invalid })?;
        self.own(follow(file, text, station));
        Ok(())
    }
}

async fn follow(file: PathBuf, mut known: String, station: Arc<Station>) {
    // What it may be soon, and how often it was that.
    let mut next: Option<(String, u32)> = None;
    let mut is_there = true;
    loop {
        sleep(LOOK).await;
        let path = file.clone();
        let Ok(looked) = spawn_blocking(move || read(&path)).await else { continue };
        let text = match looked {
            Ok(text) => text,
            Err(error) => {
                if std::mem::take(&mut is_there) {
                    tracing::warn!(file = %file.display(), %error, "the pipelines can't be read; those before stay");
                }
                next = None;
                continue;
            }
        };
        is_there = true;
        if text == known {
            next = None;
            continue;
        }
        let times = match next.take() {
            Some((before, times)) if before == text => times + 1,
            _ => 0,
        };
        if times < SAME {
            next = Some((text, times));
            continue;
        }
        match put(&station, &text) {
            Ok(()) => tracing::info!(file = %file.display(), "the pipelines are in force"),
            Err(error) => {
                tracing::warn!(file = %file.display(), %error, "the pipelines are wrong; those before stay");
            }
        }
        known = text;
    }
}

fn put(station: &Station, text: &str) -> Result<(), InvalidPipelines> {
    #[cfg(any(feature = "flow", feature = "config"))]
    let pipelines = Pipelines::from_yaml(text)?;
    #[cfg(not(any(feature = "flow", feature = "config")))]
    let pipelines = Pipelines::from_json(text)?;
    station.set(pipelines)
}

fn read(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    // One byte more than may be: then it is refused.
    std::fs::File::open(file)?.take(LONGEST + 1).read_to_string(&mut text)?;
    Ok(text)
}
