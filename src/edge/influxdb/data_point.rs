//! Points and queries of the crate `influxdb2`.
//!
//! That crate shows of a point only the line that it writes, and writes lines that are not what was meant: a backslash at the
//! end of a tag takes the separator along, an end of line begins another point, backslashes in texts are not escaped. So a
//! line is read back by the crate's own rules, and whatever can't be told apart from something else is refused.

use super::source::Row;
use super::{FieldValue, InfluxSource, Point};
use crate::edge::Error;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use influxdb2::models::{DataPoint, Query, WriteDataPoint};
use influxdb2_structmap::value::Value as Cell;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::panic::AssertUnwindSafe;

impl TryFrom<DataPoint> for Point {
    type Error = String;

    /// The same point, to be written by [`InfluxSink::raw`](super::InfluxSink::raw).
    ///
    /// # Errors
    /// What of it the crate would write as something else.
    fn try_from(point: DataPoint) -> Result<Self, String> {
        let mut line = Vec::new();
        point.write_data_point_to(&mut line).map_err(|error| error.to_string())?;
        let line = String::from_utf8(line).map_err(|error| error.to_string())?;
        let line = line.strip_suffix('\n').unwrap_or(&line);
        read(line).ok_or_else(|| {
            let beginning: String = line.chars().take(80).collect();
            format!("the line that influxdb2 writes, {beginning:?}, could be another point; make a mape Point of it")
        })
    }
}

/// Reads a line as the crate has written it; nothing if that could be something else, too.
fn read(line: &str) -> Option<Point> {
    let mut rest = Line(line);
    let measurement = rest.text(&[',', ' '])?;
    if swallows(&measurement) {
        return None;
    }
    let mut point = Point::new(measurement);
    while rest.skip(',') {
        let name = rest.text(&['=', ',', ' '])?;
        let value = rest.skip('=').then(|| rest.text(&[',', '=', ' ']))??;
        if name.contains('=') || swallows(&value) {
            return None;
        }
        point.tags.insert(name, value);
    }
    let mut separator = ' ';
    while rest.skip(separator) {
        let name = rest.text(&['=', ',', ' '])?;
        let value = rest.skip('=').then(|| rest.value())??;
        if name.contains('=') {
            return None;
        }
        point.fields.insert(name, value);
        separator = ',';
    }
    if rest.skip(' ') {
        point.time = Some(rest.0.parse().ok()?);
        rest.0 = "";
    }
    (rest.0.is_empty() && !point.fields.is_empty()).then_some(point)
}

/// Whether backslashes at the ends of two texts may have made one of them, and of what was between them.
fn swallows(text: &str) -> bool {
    text.split_once([',', ' ']).is_some_and(|(_, after)| after.contains('='))
}

/// What is left of a line.
struct Line<'a>(&'a str);

impl Line<'_> {
    fn skip(&mut self, letter: char) -> bool {
        let rest = self.0.strip_prefix(letter);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// Up to one of these, which the crate escapes by a backslash; other backslashes are themselves.
    fn text(&mut self, ends: &[char]) -> Option<String> {
        let (mut text, mut letters) = (String::new(), self.0.char_indices().peekable());
        while let Some((at, letter)) = letters.next() {
            match (letter, letters.peek()) {
                ('\n', _) => return None,
                ('\\', Some((_, next))) if ends.contains(next) => {
                    text.push(*next);
                    letters.next();
                }
                (end, _) if ends.contains(&end) => {
                    self.0 = self.0.get(at..)?;
                    return Some(text);
                }
                _ => text.push(letter),
            }
        }
        None
    }

    fn value(&mut self) -> Option<FieldValue> {
        if self.skip('"') {
            let (mut text, mut letters) = (String::new(), self.0.char_indices().peekable());
            while let Some((at, letter)) = letters.next() {
                match (letter, letters.peek()) {
                    ('\\', Some((_, '"'))) => {
                        text.push('"');
                        letters.next();
                    }
                    ('"', _) => {
                        self.0 = self.0.get(at + 1..)?;
                        return Some(FieldValue::Text(text));
                    }
                    _ => text.push(letter),
                }
            }
            return None;
        }
        let end = self.0.find([',', ' ']).unwrap_or(self.0.len());
        let (value, rest) = self.0.split_at(end);
        self.0 = rest;
        match (value, value.strip_suffix('i')) {
            ("t", _) => Some(true.into()),
            ("f", _) => Some(false.into()),
            (_, Some(integer)) => integer.parse().ok().map(FieldValue::Integer),
            (float, None) => float.parse().ok().map(FieldValue::Float),
        }
    }
}

impl<T: DeserializeOwned> InfluxSource<T> {
    /// What a query gives by a client of the crate `influxdb2`. That reads the whole answer before the first row is there.
    #[must_use]
    pub fn influxdb2(client: influxdb2::Client, query: Query) -> Self {
        let host = client.base.host_str().unwrap_or_default();
        let port = client.base.port_or_known_default().unwrap_or_default();
        let place = format!("{}://{host}:{port}", client.base.scheme());
        let shown = place.clone();
        let answer = async move {
            // It panics when an answer breaks off.
            let records = AssertUnwindSafe(client.query_raw(Some(query))).catch_unwind().await;
            let records = match records {
                Ok(Ok(records)) => records,
                Ok(Err(error)) => return Err(Error::NoAnswer { place: shown, reason: error.to_string() }),
                Err(_) => {
                    let reason = "the client of the crate influxdb2 panicked".to_owned();
                    return Err(Error::NoAnswer { place: shown, reason });
                }
            };
            let rows = records.into_iter().map(|record| {
                let cells = record.values.into_iter();
                Ok(cells.map(|(name, cell)| (name, value(cell))).collect::<Row>())
            });
            Ok(stream::iter(rows))
        };
        Self::rows(place, answer.into_stream().try_flatten().boxed())
    }
}

fn value(cell: Cell) -> Value {
    match cell {
        Cell::String(text) => text.into(),
        Cell::Double(number) => number.0.into(),
        Cell::Bool(truth) => truth.into(),
        Cell::Long(number) => number.into(),
        Cell::UnsignedLong(number) => number.into(),
        Cell::TimeRFC(time) => time.to_rfc3339().into(),
        other => format!("{other:?}").into(),
    }
}
