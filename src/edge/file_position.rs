//! How far a file was read, kept for the next start.

use super::Error;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Write};
use std::path::Path;

/// How much of its beginning a file is known again by.
pub(super) const HEAD: usize = 1024;

/// Which file it is, whatever its name is by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    #[cfg(unix)]
    pub(super) fn of(file: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self { device: file.dev(), inode: file.ino() }
    }

    /// Where files have no numbers, by when they were made.
    #[cfg(not(unix))]
    pub(super) fn of(file: &Metadata) -> Self {
        let made = file.created().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let nanos = made.map_or(0, |since| since.as_nanos());
        Self { device: 0, inode: u64::try_from(nanos).unwrap_or(u64::MAX) }
    }
}

/// A file, and how many bytes of it were read and taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FilePosition {
    #[serde(flatten)]
    pub(super) file: FileId,
    pub(super) offset: u64,
    /// How many bytes of its beginning have the digest: numbers of files are used again.
    pub(super) head_bytes: usize,
    head_sha256: [u8; 32],
}

impl FilePosition {
    pub(super) fn new(file: FileId, offset: u64, head: &[u8]) -> Self {
        let bytes = head.len().min(usize::try_from(offset).unwrap_or(usize::MAX));
        let head = head.get(..bytes).unwrap_or_default();
        Self { file, offset, head_bytes: bytes, head_sha256: digest(head) }
    }

    /// Whether a file that begins so is the one.
    pub(super) fn has_head(&self, head: &[u8]) -> bool {
        head.get(..self.head_bytes).is_some_and(|head| digest(head) == self.head_sha256)
    }

    /// The one that was kept in a file, if there is one.
    pub(super) fn load(kept: &Path) -> Result<Option<Self>, Error> {
        match fs::read(kept) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| wrong("reading the position in", kept, &error)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(wrong("reading the position in", kept, &error)),
        }
    }

    /// Keeps it: the file holds the former position or this, whatever happens meanwhile.
    pub(super) fn store(&self, kept: &Path) -> Result<(), Error> {
        let wrong = |error: &dyn std::fmt::Display| wrong("keeping the position in", kept, error);
        let bytes = serde_json::to_vec(self).map_err(|error| wrong(&error))?;
        let mut draft = OsString::from(kept);
        draft.push(".new");
        let written = File::create(&draft).and_then(|mut file| {
            file.write_all(&bytes)?;
            file.sync_data()
        });
        written.and_then(|()| fs::rename(&draft, kept)).map_err(|error| wrong(&error))
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// What went wrong with a file.
pub(super) fn wrong(doing: &'static str, file: &Path, reason: &dyn std::fmt::Display) -> Error {
    Error::File { doing, file: file.display().to_string(), reason: reason.to_string() }
}
