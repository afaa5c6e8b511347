//! All that the network knows, in a file.

use std::path::Path;

use anyhow::Context;
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};

use crate::comment::now;
use crate::network::people::People;

/// What was published, said, answered and mailed.
///
/// `tell` is how often something is still to be told by a webhook, and `due` when.
const TABLES: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE IF NOT EXISTS posts (n INTEGER PRIMARY KEY, key TEXT UNIQUE, text TEXT, again INTEGER DEFAULT 0);
    CREATE TABLE IF NOT EXISTS said (n INTEGER PRIMARY KEY, id TEXT UNIQUE, post TEXT, person TEXT, name TEXT, text TEXT,
        via TEXT, at INTEGER, tell INTEGER, due INTEGER);
    CREATE TABLE IF NOT EXISTS replies (n INTEGER PRIMARY KEY, key TEXT UNIQUE, answers TEXT, text TEXT, again INTEGER DEFAULT 0);
    CREATE TABLE IF NOT EXISTS mails (id TEXT PRIMARY KEY, recipient TEXT, text TEXT, again INTEGER DEFAULT 0);
    CREATE TABLE IF NOT EXISTS subscription (one INTEGER PRIMARY KEY, callback TEXT);";

/// How many comments are on a page, or in a webhook.
const PAGE: u32 = 20;

pub struct Records {
    file: Mutex<Connection>,
    people: People,
}

/// Something that was said.
#[derive(Clone, Debug)]
pub struct Said {
    pub n: i64,
    pub id: String,
    pub post: String,
    pub person: String,
    pub name: String,
    pub text: String,
    pub is_message: bool,
    pub at: i64,
}

impl Said {
    const COLUMNS: &str = "n, id, post, person, name, text, via = 'message', at";

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            n: row.get(0)?,
            id: row.get(1)?,
            post: row.get(2)?,
            person: row.get(3)?,
            name: row.get(4)?,
            text: row.get(5)?,
            is_message: row.get(6)?,
            at: row.get(7)?,
        })
    }

    /// As webhooks and pages of comments have it.
    pub fn json(&self) -> Value {
        if self.is_message {
            return json!({"sender": {"id": self.person, "name": self.name}, "timestamp": self.at,
                "message": {"mid": self.id, "text": self.text}});
        }
        json!({"item": "comment", "verb": "add", "comment_id": self.id, "post_id": self.post, "message": self.text,
            "from": {"id": self.person, "name": self.name}, "created_time": self.at})
    }
}

impl Records {
    pub fn open(file: &Path, people: People) -> anyhow::Result<Self> {
        let connection = Connection::open(file).with_context(|| format!("opening {}", file.display()))?;
        connection.execute_batch(TABLES)?;
        Ok(Self { file: Mutex::new(connection), people })
    }

    /// The id of the post; people begin to comment if it is new.
    pub fn publish(&self, key: &str, text: &str) -> anyhow::Result<String> {
        let mut file = self.file.lock();
        let file = file.transaction()?;
        let is_new =
            file.execute("INSERT OR IGNORE INTO posts (key, text) VALUES (?1, ?2)", params![key, text])? > 0;
        let n: i64 = file.query_row("SELECT n FROM posts WHERE key = ?1", params![key], |row| row.get(0))?;
        let id = format!("post_{n}");
        if is_new {
            for comment in self.people.comments(n, now()) {
                put(&file, &id, "comment", &comment)?;
            }
        } else {
            file.execute("UPDATE posts SET again = again + 1 WHERE n = ?1", params![n])?;
        }
        file.commit()?;
        Ok(id)
    }

    /// The id of the answer; who is asked something may say something to that.
    pub fn reply(&self, key: &str, to: &str, text: &str, choices: &[String]) -> anyhow::Result<String> {
        let mut file = self.file.lock();
        let file = file.transaction()?;
        let to_said = file
            .query_row(&format!("SELECT {} FROM said WHERE id = ?1", Said::COLUMNS), params![to], Said::read)
            .optional()?
            .with_context(|| format!("nobody has said `{to}`"))?;
        let inserted = "INSERT OR IGNORE INTO replies (key, answers, text) VALUES (?1, ?2, ?3)";
        if file.execute(inserted, params![key, to, text])? == 0 {
            file.execute("UPDATE replies SET again = again + 1 WHERE key = ?1", params![key])?;
        } else if let Some(message) = self.people.answer(&to_said, choices, now()) {
            put(&file, "", "message", &message)?;
        }
        let n: i64 =
            file.query_row("SELECT n FROM replies WHERE key = ?1", params![key], |row| row.get(0))?;
        file.commit()?;
        Ok(format!("reply_{n}"))
    }

    /// What was commented on a post by now, and where the next page begins.
    pub fn comments(&self, post: &str, after: i64) -> anyhow::Result<(Vec<Value>, i64)> {
        let file = self.file.lock();
        let asked = format!(
            "SELECT {} FROM said WHERE post = ?1 AND n > ?2 AND at <= ?3 ORDER BY n LIMIT {PAGE}",
            Said::COLUMNS
        );
        let mut asked = file.prepare(&asked)?;
        let said: Vec<_> =
            asked.query_map(params![post, after, now()], Said::read)?.collect::<Result<_, _>>()?;
        let next = said.last().map_or(after, |said| said.n);
        Ok((said.iter().map(Said::json).collect(), next))
    }

    pub fn subscribe(&self, callback: &str) -> anyhow::Result<()> {
        let told = "INSERT OR REPLACE INTO subscription (one, callback) VALUES (1, ?1)";
        self.file.lock().execute(told, params![callback])?;
        Ok(())
    }

    /// What is to be told now, and to whom.
    pub fn due(&self) -> anyhow::Result<Option<(String, Vec<Said>)>> {
        let file = self.file.lock();
        let asked = "SELECT callback FROM subscription";
        let Some(callback) = file.query_row(asked, [], |row| row.get(0)).optional()? else { return Ok(None) };
        let asked = format!(
            "SELECT {} FROM said WHERE tell > 0 AND due <= ?1 ORDER BY due, n LIMIT {PAGE}",
            Said::COLUMNS
        );
        let mut asked = file.prepare(&asked)?;
        let said: Vec<_> = asked.query_map(params![now()], Said::read)?.collect::<Result<_, _>>()?;
        Ok((!said.is_empty()).then_some((callback, said)))
    }

    /// It was told; some of it is told again a little later.
    pub fn told(&self, said: &[Said]) -> anyhow::Result<()> {
        let mut file = self.file.lock();
        let file = file.transaction()?;
        for Said { n, .. } in said {
            file.execute("UPDATE said SET tell = tell - 1, due = ?2 + 300 WHERE n = ?1", params![n, now()])?;
        }
        Ok(file.commit()?)
    }

    /// Takes a mail, once.
    pub fn mail(&self, id: &str, recipient: &str, text: &str) -> anyhow::Result<()> {
        let file = self.file.lock();
        let put = "INSERT INTO mails (id, recipient, text) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET again = again + 1";
        file.execute(put, params![id, recipient, text])?;
        Ok(())
    }

    /// Everything, for who wants to look.
    pub fn all(&self) -> anyhow::Result<Value> {
        let file = self.file.lock();
        let rows = |asked: &str, row: fn(&Row<'_>) -> rusqlite::Result<Value>| {
            let mut asked = file.prepare(asked)?;
            let rows: Vec<Value> = asked.query_map([], row)?.collect::<Result<_, _>>()?;
            anyhow::Ok(rows)
        };
        Ok(json!({
            "posts": rows("SELECT n, text, again FROM posts", |row| Ok(json!({
                "id": format!("post_{}", row.get::<_, i64>(0)?), "text": row.get::<_, String>(1)?, "again": row.get::<_, i64>(2)?})))?,
            "said": rows("SELECT id, text, at, tell, via FROM said ORDER BY n", |row| Ok(json!({
                "id": row.get::<_, String>(0)?, "text": row.get::<_, String>(1)?, "at": row.get::<_, i64>(2)?,
                "tell": row.get::<_, i64>(3)?, "via": row.get::<_, String>(4)?})))?,
            "replies": rows("SELECT answers, text, again FROM replies ORDER BY n", |row| Ok(json!({
                "to": row.get::<_, String>(0)?, "text": row.get::<_, String>(1)?, "again": row.get::<_, i64>(2)?})))?,
            "mails": rows("SELECT recipient, text, again FROM mails ORDER BY rowid", |row| Ok(json!({
                "to": row.get::<_, String>(0)?, "text": row.get::<_, String>(1)?, "again": row.get::<_, i64>(2)?})))?,
        }))
    }
}

fn put(file: &Connection, post: &str, via: &str, said: &Said) -> rusqlite::Result<usize> {
    let Said { id, person, name, text, at, n, .. } = said;
    // Each fifth is told twice; each eleventh comment is found only by who looks for it.
    let tell = match (n % 11, n % 5) {
        (10, _) if !said.is_message => 0,
        (_, 4) => 2,
        _ => 1,
    };
    file.execute(
        "INSERT OR IGNORE INTO said (id, post, person, name, text, via, at, tell, due) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?7)",
        params![id, post, person, name, text, via, at, tell],
    )
}
