//! Files in a directory, and none outside.

use super::super::TaskError;
use super::parameters::wrong;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Component, Path, PathBuf};

/// A directory that flows may read and write files in. Whatever leads out of it is refused: `..`, other roots, links.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) directory: PathBuf,
    /// The longest file that is read or written, in bytes.
    pub(super) longest: usize,
}

impl Files {
    /// Reads a file.
    pub(super) async fn load(&self, path: String) -> Result<Vec<u8>, TaskError> {
        let files = self.clone();
        blocking(move || files.load_now(&path)).await
    }

    /// Writes a file, in place of the one that is there; nobody sees it half written.
    pub(super) async fn store(&self, path: String, bytes: Vec<u8>) -> Result<(), TaskError> {
        let files = self.clone();
        blocking(move || files.store_now(&path, &bytes)).await
    }

    fn load_now(&self, path: &str) -> Result<Vec<u8>, TaskError> {
        let fail = |error: std::io::Error| said("read", path, &error);
        let root = self.root()?;
        let file = fs::canonicalize(root.join(self.inside(&root, path)?)).map_err(fail)?;
        within(&root, &file, path)?;
        if !fs::metadata(&file).map_err(fail)?.is_file() {
            return Err(wrong(&format!("{path} is no file")));
        }
        let (mut bytes, longest) = (Vec::new(), u64::try_from(self.longest).unwrap_or(u64::MAX));
        let file = File::open(&file).map_err(fail)?;
        file.take(longest.saturating_add(1)).read_to_end(&mut bytes).map_err(fail)?;
        if bytes.len() > self.longest {
            return Err(wrong(&format!("{path} is longer than {longest} bytes")));
        }
        Ok(bytes)
    }

    fn store_now(&self, path: &str, bytes: &[u8]) -> Result<(), TaskError> {
        let fail = |error: std::io::Error| said("write", path, &error);
        if bytes.len() > self.longest {
            return Err(wrong(&format!("{path} would be longer than {} bytes", self.longest)));
        }
        let root = self.root()?;
        let file = root.join(self.inside(&root, path)?);
        let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else {
            return Err(wrong(&format!("{path} names no file")));
        };
        // What exists of the way is inside before the rest is made.
        let known = folder.ancestors().find(|folder| fs::symlink_metadata(folder).is_ok()).unwrap_or(&root);
        within(&root, &fs::canonicalize(known).map_err(fail)?, path)?;
        fs::create_dir_all(folder).map_err(fail)?;
        let folder = fs::canonicalize(folder).map_err(fail)?;
        within(&root, &folder, path)?;
        let file = folder.join(name);
        match fs::symlink_metadata(&file) {
            Ok(there) if !there.is_file() => {
                return Err(wrong(&format!("{path} is no file, and is left as it is")));
            }
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(fail(error)),
            _ => {}
        }
        let draft = folder.join(format!(".{}.{:016x}", name.to_string_lossy(), fastrand::u64(..)));
        let written = OpenOptions::new().write(true).create_new(true).open(&draft).and_then(|mut draft| {
            draft.write_all(bytes)?;
            draft.sync_all()
        });
        written.and_then(|()| fs::rename(&draft, &file)).map_err(|error| {
            // It may not even be there.
            let _ = fs::remove_file(&draft);
            fail(error)
        })
    }

    fn root(&self) -> Result<PathBuf, TaskError> {
        fs::canonicalize(&self.directory).map_err(|error| {
            wrong(&format!(
                "the directory of resources, {}, cannot be used: {error}",
                self.directory.display()
            ))
        })
    }

    /// A path below the root, by its text.
    fn inside(&self, root: &Path, path: &str) -> Result<PathBuf, TaskError> {
        let given = Path::new(path);
        let below = if given.is_absolute() {
            let below = given.strip_prefix(root).or_else(|_| given.strip_prefix(&self.directory));
            below.map_err(|_| outside(root, path))?
        } else {
            given
        };
        let mut inside = PathBuf::new();
        for part in below.components() {
            match part {
                Component::Normal(part) => inside.push(part),
                Component::CurDir => {}
                _ => return Err(outside(root, path)),
            }
        }
        if inside.as_os_str().is_empty() || path.contains('\0') {
            return Err(wrong(&format!("{path:?} names no file")));
        }
        Ok(inside)
    }
}

fn within(root: &Path, found: &Path, path: &str) -> Result<(), TaskError> {
    if found.starts_with(root) { Ok(()) } else { Err(outside(root, path)) }
}

fn outside(root: &Path, path: &str) -> TaskError {
    wrong(&format!("{path} is outside of {}, where the resources of flows are", root.display()))
}

fn said(what: &str, path: &str, error: &std::io::Error) -> TaskError {
    let reason = format!("cannot {what} {path}: {error}");
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::NotADirectory => {
            TaskError::for_good(reason)
        }
        _ => TaskError::new(reason),
    }
}

async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, TaskError> + Send + 'static,
) -> Result<R, TaskError> {
    tokio::task::spawn_blocking(work).await?
}
