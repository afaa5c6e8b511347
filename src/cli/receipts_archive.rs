//! The files in which receipts are kept.

use anyhow::{Context, Result};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use mape::event::{Entry, Event, EventId, Receipt};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A directory with a file for each day, `receipts-2026-11-25.ndjson`, a receipt a line. The day is that of the receipt,
/// in UTC, so that one that is kept twice is in the same file.
#[derive(Debug)]
pub(super) struct Archive {
    directory: PathBuf,
}

impl Archive {
    /// Makes the directory if it is not there.
    pub(super) fn in_directory(directory: impl AsRef<Path>) -> Result<Self> {
        let directory = directory.as_ref().to_owned();
        fs::create_dir_all(&directory)
            .with_context(|| format!("cannot make the directory {}", directory.display()))?;
        Ok(Self { directory })
    }

    /// Keeps receipts; they are on the disk then. If it fails none of a day's is, or all of them are.
    pub(super) fn keep(&self, receipts: &[Receipt]) -> Result<()> {
        let mut days: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for receipt in receipts {
            let lines = days.entry(day(receipt)).or_default();
            lines.extend(line(receipt)?.into_bytes());
            lines.push(b'\n');
        }
        for (day, lines) in days {
            let file = self.directory.join(format!("receipts-{day}.ndjson"));
            self.append(&file, &lines).with_context(|| {
                format!("cannot keep receipts in {}; they stay in the log", file.display())
            })?;
        }
        Ok(())
    }

    fn append(&self, path: &Path, lines: &[u8]) -> std::io::Result<()> {
        let mut file = File::options().create(true).read(true).append(true).open(path)?;
        // Others may keep receipts in the same directory.
        file.lock()?;
        let length = whole(&mut file)?;
        if let Err(error) = file.write_all(lines).and_then(|()| file.sync_all()) {
            // A part of a line is of no use; if it cannot be taken away, whoever appends next does.
            let _ = file.set_len(length);
            return Err(error);
        }
        // Perhaps it is new, or whoever made it did not get here.
        #[cfg(unix)]
        File::open(&self.directory)?.sync_all()?;
        Ok(())
    }
}

/// How long the file is, without the beginning of a line that was not written to its end.
fn whole(file: &mut File) -> std::io::Result<u64> {
    const PART: u64 = 64 * 1024;
    let length = file.metadata()?.len();
    let mut end = length;
    while end > 0 {
        let from = end.saturating_sub(PART);
        let mut part = Vec::new();
        file.seek(SeekFrom::Start(from))?;
        Read::by_ref(file).take(end - from).read_to_end(&mut part)?;
        if let Some(last) = part.iter().rposition(|byte| *byte == b'\n') {
            end = from + u64::try_from(last).unwrap_or(0) + 1;
            break;
        }
        end = from;
    }
    if end < length {
        file.set_len(end)?;
    }
    Ok(end)
}

/// The day of a receipt.
fn day(receipt: &Receipt) -> String {
    let millis = i64::try_from(receipt.receipt.id.millis).unwrap_or(i64::MAX);
    let at = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d").to_string()
}

/// A receipt as it is written: the receipt and what it is for, which is `null` if it is gone.
#[derive(Serialize)]
struct Line<'r> {
    receipt: Shown<'r>,
    target: Option<Shown<'r>>,
}

#[derive(Serialize)]
struct Shown<'r> {
    id: EventId,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'r Event>,
    /// The fields of what is no event.
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<&'r [(String, String)]>,
}

impl<'r> Shown<'r> {
    fn of(entry: &'r Entry) -> Self {
        let fields = entry.event.as_ref().err().map(|malformed| malformed.fields.as_slice());
        Self { id: entry.id, event: entry.event.as_ref().ok(), fields }
    }
}

/// A receipt as one line of JSON.
pub(super) fn line(receipt: &Receipt) -> Result<String> {
    let target = receipt.target.as_ref().map(Shown::of);
    let line = serde_json::to_string(&Line { receipt: Shown::of(&receipt.receipt), target })?;
    // Others may write fields over several lines; such an end of a line means nothing in JSON.
    Ok(line.replace(['\n', '\r'], " "))
}
