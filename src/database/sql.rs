//! What is said to databases, in the words of each.

use super::rows::Kind;
use std::fmt::Write as _;

/// Which words a database understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
}

/// A column of a table that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    /// As the database names it.
    pub(super) type_name: String,
    /// Whether a row has to have a value for it.
    pub(super) needed: bool,
}

/// Where the cursors of bulk writers are, and what they have refused and not buried yet.
pub(super) const CURSORS: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS mape_cursors (name TEXT NOT NULL, log TEXT NOT NULL, position TEXT NOT NULL, \
     passed TEXT NOT NULL, PRIMARY KEY (name, log))",
    "CREATE TABLE IF NOT EXISTS mape_refused (name TEXT NOT NULL, log TEXT NOT NULL, id TEXT NOT NULL, \
     reason TEXT NOT NULL, event TEXT NOT NULL, PRIMARY KEY (name, log, id))",
];

/// A name as a database takes it, whatever is in it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(quoted).collect::<Vec<_>>().join(", ")
}

impl Dialect {
    /// A table as it is written; on a server the part before a dot is a schema.
    pub(super) fn table(self, name: &str) -> String {
        match self {
            Self::Sqlite => quoted(name),
            #[cfg(feature = "postgres")]
            Self::Postgres => name.split('.').map(quoted).collect::<Vec<_>>().join("."),
        }
    }

    /// Finds the columns of a table: name, type, whether it needs a value. Its text is for [`Self::asked`].
    pub(super) fn columns(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT name, type, CASE WHEN \"notnull\" AND dflt_value IS NULL \
                 AND NOT (pk AND upper(type) = 'INTEGER') THEN '1' ELSE '0' END FROM pragma_table_info($1)"
            }
            #[cfg(feature = "postgres")]
            Self::Postgres => {
                "SELECT attname::text, format_type(atttypid, -1), \
                 CASE WHEN attnotnull AND NOT atthasdef AND attidentity = '' THEN '1' ELSE '0' END \
                 FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped \
                 AND attgenerated = '' ORDER BY attnum"
            }
        }
    }

    /// The table as [`Self::columns`] asks for it.
    pub(super) fn asked(self, name: &str) -> String {
        match self {
            Self::Sqlite => name.to_owned(),
            #[cfg(feature = "postgres")]
            Self::Postgres => self.table(name),
        }
    }

    /// Whether two names are the same column.
    pub(super) fn is_same(self, a: &str, b: &str) -> bool {
        match self {
            Self::Sqlite => a.eq_ignore_ascii_case(b),
            #[cfg(feature = "postgres")]
            Self::Postgres => a == b,
        }
    }

    fn type_of(self, kind: Option<Kind>) -> &'static str {
        match self {
            Self::Sqlite => match kind {
                Some(Kind::Boolean | Kind::Integer) => "INTEGER",
                Some(Kind::Real) => "REAL",
                Some(Kind::Bytes) => "BLOB",
                Some(Kind::Text | Kind::Json) | None => "TEXT",
            },
            #[cfg(feature = "postgres")]
            Self::Postgres => match kind {
                Some(Kind::Boolean) => "boolean",
                Some(Kind::Integer) => "bigint",
                Some(Kind::Real) => "double precision",
                Some(Kind::Bytes) => "bytea",
                Some(Kind::Json) => "jsonb",
                Some(Kind::Text) | None => "text",
            },
        }
    }

    /// Makes a table for rows of these columns.
    pub(super) fn create(self, table: &str, columns: &[(&str, Option<Kind>)], keys: &[String]) -> String {
        let columns = columns.iter().map(|(name, kind)| format!("{} {}", quoted(name), self.type_of(*kind)));
        let mut parts: Vec<_> = columns.collect();
        if !keys.is_empty() {
            parts.push(format!("PRIMARY KEY ({})", list(keys.iter().map(String::as_str))));
        }
        format!("CREATE TABLE IF NOT EXISTS {} ({})", self.table(table), parts.join(", "))
    }

    /// Puts rows of these columns into the table, in place of those that have the same keys, if there are keys.
    pub(super) fn upsert(self, table: &str, columns: &[&Column], keys: &[String]) -> String {
        let mut sql = self.insert(table, columns);
        match self {
            Self::Sqlite => {
                let values: Vec<_> = (1..=columns.len()).map(|n| format!("${n}")).collect();
                let _ = write!(sql, "VALUES ({})", values.join(", "));
            }
            #[cfg(feature = "postgres")]
            Self::Postgres => {
                // Column by column: each value as the type that the table has, out of an array of what it is here.
                let numbers = || 1..=columns.len();
                let casts =
                    columns.iter().zip(numbers()).map(|(column, n)| format!("u.c{n}::{}", column.type_name));
                let arrays: Vec<_> = numbers().map(|n| format!("${n}")).collect();
                let names: Vec<_> = numbers().map(|n| format!("c{n}")).collect();
                let casts: Vec<_> = casts.collect();
                let _ = write!(
                    sql,
                    "SELECT {} FROM unnest({}) AS u({})",
                    casts.join(", "),
                    arrays.join(", "),
                    names.join(", ")
                );
            }
        }
        sql.push_str(&self.on_conflict(columns, keys));
        sql
    }

    /// Says whether that could be done, and does nothing.
    pub(super) fn trial(self, table: &str, columns: &[&Column], keys: &[String]) -> String {
        let nothing = vec!["NULL"; columns.len()].join(", ");
        let insert = self.insert(table, columns);
        format!("EXPLAIN {insert}SELECT {nothing} WHERE false{}", self.on_conflict(columns, keys))
    }

    fn insert(self, table: &str, columns: &[&Column]) -> String {
        let names = list(columns.iter().map(|column| column.name.as_str()));
        format!("INSERT INTO {} ({names}) ", self.table(table))
    }

    fn on_conflict(self, columns: &[&Column], keys: &[String]) -> String {
        if keys.is_empty() {
            return String::new();
        }
        let others = columns.iter().filter(|column| !keys.iter().any(|key| self.is_same(key, &column.name)));
        let others: Vec<_> = others
            .map(|column| quoted(&column.name))
            .map(|column| format!("{column} = excluded.{column}"))
            .collect();
        let keys = list(keys.iter().map(String::as_str));
        if others.is_empty() {
            return format!(" ON CONFLICT ({keys}) DO NOTHING");
        }
        format!(" ON CONFLICT ({keys}) DO UPDATE SET {}", others.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str) -> Column {
        Column { name: name.to_owned(), type_name: "bigint".to_owned(), needed: false }
    }

    #[test]
    fn names_are_quoted_whatever_is_in_them() {
        let (a, b) = (column("a"), column("b\"; DROP TABLE x; --"));
        let keys = ["a".to_owned()];
        assert_eq!(
            Dialect::Sqlite.upsert("my \"table\"", &[&a, &b], &keys),
            "INSERT INTO \"my \"\"table\"\"\" (\"a\", \"b\"\"; DROP TABLE x; --\") VALUES ($1, $2) \
             ON CONFLICT (\"a\") DO UPDATE SET \"b\"\"; DROP TABLE x; --\" = excluded.\"b\"\"; DROP TABLE x; --\""
        );
        assert!(Dialect::Sqlite.upsert("t", &[&a], &keys).ends_with("ON CONFLICT (\"a\") DO NOTHING"));
        assert!(Dialect::Sqlite.upsert("t", &[&a], &[]).ends_with("VALUES ($1)"));
        #[cfg(feature = "postgres")]
        assert_eq!(
            Dialect::Postgres.upsert("shop.t", &[&a], &[]),
            "INSERT INTO \"shop\".\"t\" (\"a\") SELECT u.c1::bigint FROM unnest($1) AS u(c1)"
        );
    }
}
