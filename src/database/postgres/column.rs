//! A column of rows as an array, as the server's protocol has it.

use crate::database::rows::{Kind, Rows, Value};
use bytes::{BufMut, BytesMut};
use std::collections::HashSet;
use std::error::Error;
use std::fmt::Write as _;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// The picked values of one column.
#[derive(Debug)]
pub(super) struct Column<'r> {
    rows: &'r Rows,
    picks: &'r [usize],
    place: usize,
    /// What all of them are, or can be written as.
    kind: Kind,
}

impl<'r> Column<'r> {
    pub(super) fn new(rows: &'r Rows, picks: &'r [usize], place: usize) -> Self {
        let kinds = picks.iter().filter_map(|row| rows.row(*row).get(place)?.kind());
        let kind = kinds.reduce(common).unwrap_or(Kind::Text);
        Self { rows, picks, place, kind }
    }

    pub(super) fn array(&self) -> Type {
        match self.kind {
            Kind::Boolean => Type::BOOL_ARRAY,
            Kind::Integer => Type::INT8_ARRAY,
            Kind::Real => Type::FLOAT8_ARRAY,
            Kind::Text | Kind::Json => Type::TEXT_ARRAY,
            Kind::Bytes => Type::BYTEA_ARRAY,
        }
    }

    fn element(&self) -> Type {
        match self.kind {
            Kind::Boolean => Type::BOOL,
            Kind::Integer => Type::INT8,
            Kind::Real => Type::FLOAT8,
            Kind::Text | Kind::Json => Type::TEXT,
            Kind::Bytes => Type::BYTEA,
        }
    }

    fn put(&self, value: Value, out: &mut BytesMut) {
        match (self.kind, value) {
            (Kind::Boolean, Value::Boolean(value)) => out.put_u8(value.into()),
            (Kind::Integer, Value::Integer(value)) => out.put_i64(value),
            (Kind::Real, Value::Real(value)) => out.put_f64(value),
            #[expect(clippy::cast_precision_loss, reason = "the other values of the column are of this kind")]
            (Kind::Real, Value::Integer(value)) => out.put_f64(value as f64),
            (Kind::Bytes, Value::Bytes(span)) => out.put_slice(self.rows.bytes(span)),
            (_, value) => self.put_text(value, out),
        }
    }

    fn put_text(&self, value: Value, out: &mut BytesMut) {
        // Writing to memory does not fail.
        let _ = match value {
            Value::Null => Ok(()),
            Value::Boolean(value) => write!(out, "{value}"),
            Value::Integer(value) => write!(out, "{value}"),
            Value::Real(value) => write!(out, "{value}"),
            Value::Text(span) | Value::Json(span) => {
                out.put_slice(self.rows.bytes(span));
                Ok(())
            }
            Value::Bytes(span) => {
                let _ = out.write_str("\\x");
                self.rows.bytes(span).iter().try_for_each(|byte| write!(out, "{byte:02x}"))
            }
        };
    }
}

/// What values of both kinds can be written as.
fn common(a: Kind, b: Kind) -> Kind {
    match (a, b) {
        (a, b) if a == b => a,
        (Kind::Integer, Kind::Real) | (Kind::Real, Kind::Integer) => Kind::Real,
        _ => Kind::Text,
    }
}

impl ToSql for Column<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let values = || {
            self.picks.iter().map(|row| self.rows.row(*row).get(self.place).copied().unwrap_or(Value::Null))
        };
        out.reserve(20 + 12 * self.picks.len());
        // One dimension, whether there are NULLs, of what, how many, from which number on.
        out.put_i32(1);
        out.put_i32(values().any(|value| value == Value::Null).into());
        out.put_u32(self.element().oid());
        out.put_i32(i32::try_from(self.picks.len())?);
        out.put_i32(1);
        for value in values() {
            if value == Value::Null {
                out.put_i32(-1);
                continue;
            }
            let at = out.len();
            out.put_i32(0);
            self.put(value, out);
            let len = i32::try_from(out.len() - at - 4)?;
            if let Some(place) = out.get_mut(at..at + 4) {
                place.copy_from_slice(&len.to_be_bytes());
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Of rows with the same keys only the last: a statement may not replace a row twice.
pub(super) fn last_of_each(rows: &Rows, picks: &[usize], keys: &[usize]) -> Vec<usize> {
    let mut seen = HashSet::with_capacity(picks.len());
    let mut last: Vec<_> =
        picks.iter().rev().copied().filter(|row| seen.insert(key(rows, *row, keys))).collect();
    last.reverse();
    last
}

/// The values of a row in these columns, as bytes that are the same for the same values only.
fn key(rows: &Rows, row: usize, keys: &[usize]) -> Vec<u8> {
    let mut key = Vec::with_capacity(keys.len() * 12);
    for value in keys.iter().filter_map(|place| rows.row(row).get(*place)) {
        match *value {
            // NULLs are never the same.
            Value::Null => key.extend_from_slice(&row.to_be_bytes()),
            Value::Boolean(value) => key.push(value.into()),
            Value::Integer(value) => key.extend_from_slice(&value.to_be_bytes()),
            Value::Real(value) => key.extend_from_slice(&value.to_be_bytes()),
            Value::Text(span) | Value::Json(span) | Value::Bytes(span) => {
                let bytes = rows.bytes(span);
                key.extend_from_slice(&bytes.len().to_be_bytes());
                key.extend_from_slice(bytes);
            }
        }
        key.push(match value.kind() {
            Some(Kind::Integer) => 1,
            Some(Kind::Real) => 2,
            Some(Kind::Boolean) => 3,
            Some(_) => 4,
            None => 5,
        });
    }
    key
}
