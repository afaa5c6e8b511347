//! The file in which everything is kept.

use super::row;
use crate::backend::Error;
use crate::backend::embedded::Redo;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::fs::{self, File, Permissions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The name of the file in its directory.
const NAME: &str = "mape.db";
/// What the header of every file of ours holds: `mape`.
const APPLICATION: u32 = u32::from_be_bytes(*b"mape");
/// The format that is written and read.
const FORMAT: u32 = 1;

/// A journal that was once longer is cut to this many bytes.
const JOURNAL: i64 = 64 << 20;

/// `space` is the number of a [`Space`](crate::backend::embedded::Space), `key` a key, a log or `["log","group"]`.
/// All the rest is as it was given, as text where it is text, so that `sqlite3 mape.db` shows it to people.
const SCHEMA: &str = "
    CREATE TABLE parts (
        space INTEGER NOT NULL, key TEXT NOT NULL, part ANY NOT NULL, value ANY NOT NULL,
        PRIMARY KEY (space, key, part)
    ) STRICT, WITHOUT ROWID;";
const PUT: &str = "INSERT OR REPLACE INTO parts (space, key, part, value) VALUES (?1, ?2, ?3, ?4)";
const REMOVE: &str = "DELETE FROM parts WHERE space = ?1 AND key = ?2 AND part = ?3";
const CLEAR: &str = "DELETE FROM parts WHERE space = ?1 AND key = ?2";
const ALL: &str = "SELECT space, key, part, value FROM parts ORDER BY space, key, part";

/// A database that is ours alone.
#[derive(Debug)]
pub(super) struct Database {
    connection: Connection,
    path: PathBuf,
}

impl Database {
    /// The database in `dir`, a new one if there is none.
    ///
    /// # Errors
    /// If there is something else, or something damaged: it stays as it is.
    pub(super) fn open(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(NAME);
        match File::open(&path) {
            Ok(file) => check_header(file, &path)?,
            Err(error) if error.kind() == ErrorKind::NotFound => create(dir, &path)?,
            Err(error) => return Err(Error::file("reading", &path, &error)),
        }
        let fail = |error: rusqlite::Error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Error::file("locking", &path, &"another program has it open")
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) | None => damaged(&path, &error),
            Some(_) => Error::file("opening", &path, &error),
        };
        // Without the flag that lets SQLite make a file: what is missing by now is not made anew.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags).map_err(fail)?;
        // As long as it may be damaged, closing it does not write what is beside it into it.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(fail)?;
        // Nobody else may change what is in memory here; and a commit costs less when nobody has to be asked.
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(fail)?;
        let verdict: String =
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(fail)?;
        if verdict != "ok" {
            return Err(damaged(&path, &verdict));
        }
        connection.pragma_update(None, "synchronous", "FULL").map_err(fail)?;
        connection.pragma_update(None, "journal_size_limit", JOURNAL).map_err(fail)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(fail)?;
        Ok(Self { connection, path })
    }

    /// Hands every part to `f`, ordered by space, owner and part.
    ///
    /// # Errors
    /// If one cannot be read, or `f` refuses it.
    pub(super) fn read<E: std::error::Error>(
        &self,
        mut f: impl FnMut(Redo) -> Result<(), E>,
    ) -> Result<(), Error> {
        let fail = |error: rusqlite::Error| damaged(&self.path, &error);
        let mut statement = self.connection.prepare(ALL).map_err(fail)?;
        let mut rows = statement.query([]).map_err(fail)?;
        while let Some(columns) = rows.next().map_err(fail)? {
            let step = row::read(columns).map_err(|problem| damaged(&self.path, &problem))?;
            f(step).map_err(|problem| damaged(&self.path, &problem))?;
        }
        Ok(())
    }

    /// Keeps all of these, or nothing.
    pub(super) fn write(&mut self, steps: &[Redo]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut put = transaction.prepare_cached(PUT)?;
            let mut remove = transaction.prepare_cached(REMOVE)?;
            let mut clear = transaction.prepare_cached(CLEAR)?;
            for step in steps {
                match step {
                    Redo::Put(space, owner, part, content) => {
                        put.execute((*space as i64, row::key(owner), row::part(part), row::value(content)))?
                    }
                    Redo::Remove(space, owner, part) => {
                        remove.execute((*space as i64, row::key(owner), row::part(part)))?
                    }
                    Redo::Clear(space, owner) => clear.execute((*space as i64, row::key(owner)))?,
                };
            }
        }
        transaction.commit()
    }
}

/// A new file appears under its name only when it is whole; so an empty one is never taken for a new one.
fn create(dir: &Path, path: &Path) -> Result<(), Error> {
    let unfinished = dir.join(format!("{NAME}.new"));
    let fail = |error: rusqlite::Error| Error::file("making", path, &error);
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(Error::file("removing", &unfinished, &error));
        }
        _ => {}
    }
    let connection = Connection::open(&unfinished).map_err(fail)?;
    connection.pragma_update(None, "application_id", APPLICATION).map_err(fail)?;
    connection.pragma_update(None, "user_version", FORMAT).map_err(fail)?;
    connection.execute_batch(SCHEMA).map_err(fail)?;
    // Stays in the file.
    connection.pragma_update(None, "journal_mode", "WAL").map_err(fail)?;
    connection.close().map_err(|(_, error)| fail(error))?;
    // SQLite gives what it keeps beside it the same rights.
    let named = fs::set_permissions(&unfinished, Permissions::from_mode(0o600))
        .and_then(|()| fs::rename(&unfinished, path))
        .and_then(|()| File::open(dir)?.sync_all());
    named.map_err(|error| Error::file("making", path, &error))
}

/// Looks at the file before `SQLite` does, which would mend what it can.
fn check_header(mut file: File, path: &Path) -> Result<(), Error> {
    let mut header = [0; 100];
    match file.read_exact(&mut header) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            return Err(damaged(path, &"it ends before its header does"));
        }
        Err(error) => return Err(Error::file("reading", path, &error)),
        Ok(()) => {}
    }
    let number = |at: usize| {
        let bytes = header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_be_bytes)
    };
    let (format, application) = (number(60), number(68));
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(damaged(path, &"it does not begin as a database does"));
    }
    if application != APPLICATION {
        return Err(Error::Foreign { path: path.display().to_string() });
    }
    if format != FORMAT {
        return Err(Error::OtherFormat { path: path.display().to_string(), found: format, known: FORMAT });
    }
    Ok(())
}

fn damaged(path: &Path, problem: &dyn std::fmt::Display) -> Error {
    Error::Damaged { path: path.display().to_string(), problem: problem.to_string() }
}
