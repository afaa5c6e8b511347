//! What the page shows at first: rows of the database, read without holding anybody up.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rusqlite::{Connection, OpenFlags, Row, params};
use serde::Serialize;

/// The most rows that a page is given.
const MOST: u32 = 5_000;

/// A signup as it is shown.
#[derive(Debug, Serialize)]
pub struct Shown {
    pub id: String,
    pub name: String,
    pub text: String,
    pub via: String,
    pub said: i64,
    pub class: String,
    pub score: f64,
    pub interested: bool,
    /// What was answered.
    pub reply: Option<String>,
}

/// The signups of a post, the newest first.
pub async fn signups(file: PathBuf, post: String) -> anyhow::Result<Vec<Shown>> {
    tokio::task::spawn_blocking(move || read(&file, &post)).await?
}

fn read(file: &std::path::Path, post: &str) -> anyhow::Result<Vec<Shown>> {
    // Whoever writes makes it.
    if !file.exists() {
        return Ok(Vec::new());
    }
    let rows = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    rows.busy_timeout(std::time::Duration::from_secs(5))?;
    let has = |table: &str| rows.table_exists(None, table);
    if !has("signups")? {
        return Ok(Vec::new());
    }
    let mut replies = BTreeMap::new();
    if has("outcomes")? {
        let mut found = rows.prepare("SELECT id, text FROM outcomes WHERE post = ?1 AND what = 'replied'")?;
        for reply in found.query_map(params![post], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))? {
            let (id, text) = reply?;
            replies.insert(id, text);
        }
    }
    let mut found = rows.prepare(
        "SELECT id, name, text, via, said, class, score, interested FROM signups WHERE post = ?1 \
         ORDER BY said DESC, id DESC LIMIT ?2",
    )?;
    let shown = |row: &Row<'_>| {
        let id: String = row.get(0)?;
        Ok(Shown {
            reply: replies.get(&id).cloned(),
            id,
            name: row.get(1)?,
            text: row.get(2)?,
            via: row.get(3)?,
            said: row.get(4)?,
            class: row.get(5)?,
            score: row.get(6)?,
            interested: row.get(7)?,
        })
    };
    Ok(found.query_map(params![post, MOST], shown)?.collect::<Result<_, _>>()?)
}
