//! Who owns a directory.

use crate::backend::Error;
use crate::stream::clock;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The file whose lock makes its holder the owner.
const NAME: &str = "owner";

/// A directory of which this process is the owner until this is dropped, or the process ends in any way.
#[derive(Debug)]
pub(super) struct Claim {
    dir: PathBuf,
    file: File,
}

/// What an owner writes about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    pub(super) name: String,
    pub(super) pid: u32,
    /// Since when it is the owner, in RFC 3339.
    pub(super) since: String,
}

impl Claim {
    /// Makes this process the owner of `dir`, which is made if it does not exist.
    ///
    /// # Errors
    /// [`Error::Owned`] if it has one; [`Error::File`] if the system refuses something.
    pub(super) fn take(dir: &Path, name: &str) -> Result<Self, Error> {
        if dir.exists() && !dir.is_dir() {
            return Err(Error::file("opening", dir, &"it is no directory"));
        }
        let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.map_err(|error| Error::file("making", dir, &error))?;
        // The same place also if the process changes its working directory.
        let dir = fs::canonicalize(dir).map_err(|error| Error::file("finding", dir, &error))?;
        let shared = fs::metadata(&dir).is_ok_and(|dir| dir.permissions().mode() & 0o022 != 0);
        if shared {
            tracing::warn!(dir = %dir.display(), "others may write to this directory; let only its user do that");
        }
        let path = dir.join(NAME);
        let fail = |error: std::io::Error| Error::file("claiming", &path, &error);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(&path).map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(owned(&dir, &mut file)),
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
        let since = Timestamp::try_from(clock::now()).unwrap_or_default();
        let owner = Owner { name: name.to_owned(), pid: std::process::id(), since: format!("{since:.0}") };
        let text = serde_json::to_string(&owner).unwrap_or_default();
        file.set_len(0).and_then(|()| file.write_all(text.as_bytes())).map_err(fail)?;
        Ok(Self { dir, file })
    }

    /// The directory, from the root.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Whoever reads it is not told of an owner that is gone; the lock goes with the file.
        if let Err(error) = self.file.set_len(0) {
            tracing::debug!(dir = %self.dir.display(), %error, "the name of the former owner stays");
        }
    }
}

fn owned(dir: &Path, file: &mut File) -> Error {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    // One that has just begun may not have written its name yet.
    let owner = read.ok().and_then(|_| serde_json::from_str::<Owner>(&text).ok());
    let owner = owner.map_or_else(
        || "a process that is just beginning or ending".to_owned(),
        |owner| format!("`{}` (process {}, since {})", owner.name, owner.pid, owner.since),
    );
    Error::Owned { dir: dir.display().to_string(), owner }
}
