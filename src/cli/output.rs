//! Standard output, in text or JSON.

use anyhow::{Context, Result};
use serde::Serialize;
use std::fmt::Display;
use std::io::{ErrorKind, Write, stdout};

/// Where a command writes its results.
pub(super) struct Output {
    json: bool,
}

/// Whoever read the output has gone, as `head` does: the command ends, and that is no failure.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads the output any more")]
pub(super) struct ReaderGone;

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Writes one result: `text` for people, or `value` as a line of JSON.
    pub(super) fn write(&mut self, text: impl Display, value: &impl Serialize) -> Result<()> {
        self.line(&if self.json { serde_json::to_string(value)? } else { text.to_string() })
    }

    /// Whether it is for programs.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Writes a line, for programs and people alike.
    #[expect(clippy::unused_self, reason = "what is written goes through an output")]
    pub(super) fn line(&mut self, line: &str) -> Result<()> {
        let mut line = line.to_owned();
        if !line.ends_with('\n') {
            line.push('\n');
        }
        let mut stdout = stdout().lock();
        match stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(ReaderGone.into()),
            other => other.context("cannot write to standard output"),
        }
    }
}
