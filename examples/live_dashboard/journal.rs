//! The file that the services write: a line for each call. The dashboard follows it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// How long the file gets before the next one is begun; the former is kept beside it.
const LONGEST: u64 = 256 * 1024;

/// One call of a service.
#[derive(Debug, Serialize)]
pub struct Call<'a> {
    pub service: &'a str,
    pub asked: &'a str,
    pub status: u16,
    pub took_ms: u64,
}

/// A file in a directory of its own, which goes with it.
pub struct Journal {
    directory: PathBuf,
    file: Mutex<File>,
}

impl Journal {
    pub fn begin() -> io::Result<Self> {
        let directory = std::env::temp_dir().join(format!("live_dashboard-{}", process::id()));
        fs::create_dir_all(&directory)?;
        let file = Mutex::new(open(&directory.join("calls.log"))?);
        Ok(Self { directory, file })
    }

    pub fn path(&self) -> PathBuf {
        self.directory.join("calls.log")
    }

    /// Where else something may be written.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Appends a line.
    pub fn note(&self, call: &Call<'_>) {
        if let Err(error) = self.write(call) {
            tracing::warn!(%error, file = %self.path().display(), "a call could not be noted");
        }
    }

    fn write(&self, call: &Call<'_>) -> io::Result<()> {
        let mut line = serde_json::to_vec(call)?;
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.metadata()?.len() > LONGEST {
            fs::rename(self.path(), self.directory.join("calls.log.1"))?;
            *file = open(&self.path())?;
        }
        file.write_all(&line)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}
