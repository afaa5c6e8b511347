//! Where archives are kept.

use super::super::super::Context;
use super::fault::Fault;
use std::io::ErrorKind;
use std::path::PathBuf;

/// Where an archive is.
pub(super) struct Place {
    path: PathBuf,
    name: String,
}

impl Place {
    /// What a URI means: `file:NAME` is a file in the directory of archives. Nothing else can be one of them: a name has no
    /// directory in it.
    pub(super) fn of(context: &Context, uri: &str) -> Result<Self, Fault> {
        if uri.starts_with("s3://") {
            return Err(Fault::new(
                "S3 is not built into this program: use file:NAME, or download the archive",
            ));
        }
        let Some(name) = uri.strip_prefix("file:") else {
            return Err(Fault::new(format!(
                "Only file: URIs are currently supported, such as file:NAME, and not {uri}"
            )));
        };
        let Some(directory) = &context.archives else {
            return Err(Fault::new(
                "There is no directory for archives: set one where the service is started",
            ));
        };
        let is_plain = |c: char| c.is_alphanumeric() || "-_. ".contains(c);
        if name.is_empty() || name.len() > 200 || name.starts_with('.') || !name.chars().all(is_plain) {
            return Err(Fault::new(format!(
                "{uri} names no archive: behind file: stands a name of letters, digits, -, _ and . without a directory"
            )));
        }
        Ok(Self { path: directory.join(name), name: name.to_owned() })
    }

    pub(super) fn uri(&self) -> String {
        format!("file:{}", self.name)
    }

    pub(super) async fn read(self) -> Result<Vec<u8>, Fault> {
        let failed = |error: &dyn std::fmt::Display| {
            Fault::new(format!("Error reading archive {}: {error}", self.name))
        };
        // What a link leads to may be anywhere.
        let found = tokio::fs::symlink_metadata(&self.path).await.map_err(|error| match error.kind() {
            ErrorKind::NotFound => failed(&"there is no such file"),
            _ => failed(&error),
        })?;
        if !found.is_file() {
            return Err(failed(&"it is no file"));
        }
        tokio::fs::read(&self.path).await.map_err(|error| failed(&error))
    }

    /// Writes an archive as a whole: who reads sees the one before or this one.
    pub(super) async fn write(&self, content: String) -> Result<(), Fault> {
        let failed =
            |error: std::io::Error| Fault::new(format!("Error writing archive {}: {error}", self.name));
        let beside = self.path.with_file_name(format!(".{}.{:016x}", self.name, fastrand::u64(..)));
        let written = async {
            tokio::fs::write(&beside, content).await?;
            // A link of that name is replaced, not followed.
            tokio::fs::rename(&beside, &self.path).await
        };
        if let Err(error) = written.await {
            drop(tokio::fs::remove_file(&beside).await);
            return Err(failed(error));
        }
        Ok(())
    }
}
