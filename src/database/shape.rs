//! Whether rows fit into a table.

use super::engine::{Failure, Upsert};
use super::rows::Rows;
use super::sql::Column;
use super::{Database, Error};
use std::sync::Arc;

/// How rows of certain columns get into a table that was looked at.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) columns: Vec<Arc<str>>,
    /// All columns that the table has.
    pub(super) known: Arc<[String]>,
    pub(super) upsert: Arc<Upsert>,
}

/// What is asked of a table.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) table: String,
    pub(super) keys: Vec<String>,
    pub(super) create: bool,
}

impl Wanted {
    /// Looks at the table, makes it if that is wanted, and finds out how these rows get into it.
    pub(super) async fn shape(&self, database: &Database, rows: &Rows) -> Result<Shape, Error> {
        let (engine, dialect) = (database.engine(), database.engine().dialect);
        let failed = |failure| database.failed(&self.table, failure);
        let mut there = self.columns(database).await?;
        if there.is_empty() {
            if !self.create {
                return Err(failed(Failure::Wrong(
                    "there is no such table; make it, or ask for it by `create`".into(),
                )));
            }
            let columns: Vec<_> =
                rows.columns().iter().enumerate().map(|(n, name)| (&**name, rows.kind(n))).collect();
            let create = dialect.create(&self.table, &columns, &self.keys);
            let made = engine.transact(vec![super::engine::Step::run(create, &[])]).await;
            there = self.columns(database).await?;
            // Another may have made it at the same time.
            if there.is_empty() {
                made.map_err(failed)?;
            }
        }
        let columns =
            self.matched(database, rows, &there).map_err(|problem| failed(Failure::Wrong(problem)))?;
        engine.query(&dialect.trial(&self.table, &columns, &self.keys), &[]).await.map_err(failed)?;
        let place = |key: &String| rows.columns().iter().position(|column| dialect.is_same(column, key));
        let keys = self.keys.iter().filter_map(place).collect();
        Ok(Shape {
            columns: rows.columns().to_vec(),
            upsert: Arc::new(Upsert { sql: dialect.upsert(&self.table, &columns, &self.keys), keys }),
            known: there.iter().map(|column| column.name.clone()).collect(),
        })
    }

    async fn columns(&self, database: &Database) -> Result<Vec<Column>, Error> {
        let dialect = database.engine().dialect;
        let found = database.engine().query(dialect.columns(), &[&dialect.asked(&self.table)]).await;
        let found = found.map_err(|failure| database.failed(&self.table, failure))?;
        let column = |row: Vec<Option<String>>| {
            let mut parts = row.into_iter().map(Option::unwrap_or_default);
            let (name, type_name) = (parts.next()?, parts.next()?);
            Some(Column { name, type_name, needed: parts.next()? == "1" })
        };
        Ok(found.into_iter().filter_map(column).collect())
    }

    /// The column of the table for each of the rows; what does not fit.
    fn matched<'c>(
        &self,
        database: &Database,
        rows: &Rows,
        there: &'c [Column],
    ) -> Result<Vec<&'c Column>, String> {
        let same = |a: &str, b: &str| database.engine().dialect.is_same(a, b);
        let names = there.iter().map(|column| column.name.as_str());
        let mut missing = Vec::new();
        let mut columns = Vec::new();
        for name in rows.columns() {
            match there.iter().find(|column| same(&column.name, name)) {
                Some(column) => columns.push(column),
                None => missing.push(match crate::hint::nearest(name, names.clone()) {
                    Some(near) => format!("`{name}` (did you mean `{near}`?)"),
                    None => format!("`{name}`"),
                }),
            }
        }
        if !missing.is_empty() {
            let has = names.collect::<Vec<_>>().join(", ");
            return Err(format!("it has no column {}; it has {has}", missing.join(", ")));
        }
        let absent = |key: &&String| !rows.columns().iter().any(|column| same(column, key));
        if let Some(key) = self.keys.iter().find(absent) {
            let has = rows.columns().iter().map(|column| &**column).collect::<Vec<_>>().join(", ");
            return Err(format!("the key `{key}` is no field of the rows; they have {has}"));
        }
        let lacking =
            |column: &&Column| column.needed && !rows.columns().iter().any(|name| same(&column.name, name));
        let lacking: Vec<_> =
            there.iter().filter(lacking).map(|column| format!("`{}`", column.name)).collect();
        if !lacking.is_empty() {
            let needs = lacking.join(", ");
            return Err(format!("it needs a value for {needs}, and the rows have none; give it a default"));
        }
        Ok(columns)
    }
}
