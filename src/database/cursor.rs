//! Where a bulk writer is: kept in the database, moved in the transaction of its rows.

use super::Database;
use super::engine::{Failure, Step};
use super::sql::CURSORS;
use crate::event::{EventId, LogName};
use std::collections::BTreeMap;

/// The cursor of one writer on one log.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    pub(super) database: Database,
    pub(super) name: String,
    pub(super) log: LogName,
}

/// What it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Places {
    /// Everything up to here is in the database.
    pub(super) position: EventId,
    /// Everything up to here has been passed on.
    pub(super) passed: EventId,
}

/// What was refused and is not forgotten yet: why, and the event.
pub(super) type Refused = BTreeMap<EventId, (String, String)>;

impl Cursor {
    /// Makes it, if there is none, behind this place.
    pub(super) async fn make(&self, after: EventId) -> Result<(), Failure> {
        let engine = self.database.engine();
        if let Err(failure) = engine.transact(CURSORS.iter().map(|sql| Step::run(*sql, &[])).collect()).await
        {
            // Others may make the tables at the same moment, or be the only ones who may.
            if engine.query("SELECT id FROM mape_refused WHERE name = $1", &[""]).await.is_err() {
                return Err(failure);
            }
        }
        let sql = "INSERT INTO mape_cursors (name, log, position, passed) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (name, log) DO NOTHING";
        let after = after.to_string();
        engine
            .transact(vec![Step::run(sql, &[&self.name, self.log.as_str(), &after, &after])])
            .await
            .map(drop)
    }

    pub(super) async fn read(&self) -> Result<Places, Failure> {
        let sql = "SELECT position, passed FROM mape_cursors WHERE name = $1 AND log = $2";
        let found = self.database.engine().query(sql, &[&self.name, self.log.as_str()]).await?;
        let mut places = found.into_iter().flatten().flatten().map(|text| text.parse::<EventId>());
        match (places.next(), places.next()) {
            (Some(Ok(position)), Some(Ok(passed))) => Ok(Places { position, passed }),
            (None, None) => Err(Failure::Wrong(format!("mape_cursors has lost `{}`", self.name))),
            _ => Err(Failure::Wrong(format!("mape_cursors has no places for `{}`", self.name))),
        }
    }

    /// Moves the position, if it is where it is taken to be.
    pub(super) fn moved(&self, from: EventId, to: EventId) -> Step {
        let sql = "UPDATE mape_cursors SET position = $1 WHERE name = $2 AND log = $3 AND position = $4";
        Step::run(sql, &[&to.to_string(), &self.name, self.log.as_str(), &from.to_string()]).fenced()
    }

    /// Moves on what has been passed on, if it is where it is taken to be.
    pub(super) fn passed(&self, from: EventId, to: EventId) -> Step {
        let sql = "UPDATE mape_cursors SET passed = $1 WHERE name = $2 AND log = $3 AND passed = $4";
        Step::run(sql, &[&to.to_string(), &self.name, self.log.as_str(), &from.to_string()])
    }

    /// Remembers that an event was refused.
    pub(super) fn refused(&self, id: EventId, reason: &str, event: &str) -> Step {
        let sql = "INSERT INTO mape_refused (name, log, id, reason, event) VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (name, log, id) DO NOTHING";
        let reason = reason.replace('\0', "\u{fffd}");
        Step::run(sql, &[&self.name, self.log.as_str(), &id.to_string(), &reason, event])
    }

    /// What was refused.
    pub(super) async fn all_refused(&self) -> Result<Refused, Failure> {
        let sql = "SELECT id, reason, event FROM mape_refused WHERE name = $1 AND log = $2";
        let found = self.database.engine().query(sql, &[&self.name, self.log.as_str()]).await?;
        let one = |row: Vec<Option<String>>| {
            let mut parts = row.into_iter().map(Option::unwrap_or_default);
            let id = parts.next()?.parse().ok()?;
            Some((id, (parts.next()?, parts.next()?)))
        };
        Ok(found.into_iter().filter_map(one).collect())
    }

    /// Forgets what was refused.
    pub(super) async fn forget(&self, ids: impl Iterator<Item = EventId>) -> Result<(), Failure> {
        let sql = "DELETE FROM mape_refused WHERE name = $1 AND log = $2 AND id = $3";
        let steps = ids.map(|id| Step::run(sql, &[&self.name, self.log.as_str(), &id.to_string()]));
        let steps: Vec<_> = steps.collect();
        if steps.is_empty() { Ok(()) } else { self.database.engine().transact(steps).await.map(drop) }
    }
}
