//! The sensor: rows of a CSV file, `Time,Water flow [l/s]`.

use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, ensure};
use csv::{ReaderBuilder, StringRecord, Trim};

use crate::hour::Hour;

/// The readings that come with the project, found from any working directory.
pub const WATER_FLOW: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/water-flow.csv");

/// What the flow meter said about one hour.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Reading {
    /// Line of the file, the header being line 1.
    pub line: u64,
    pub hour: Hour,
    /// Litres per second.
    pub flow: f64,
}

/// A row of the file.
pub type Row = Result<Reading, Malformed>;

/// A row that is no reading, and why.
#[derive(Clone, Debug, thiserror::Error, Serialize, Deserialize)]
#[error("line {line}: {reason}")]
pub struct Malformed {
    pub line: u64,
    pub reason: String,
}

/// The rows of `path`, each a reading or the reason why it is none; a bad row does not end them.
pub fn rows(path: &Path) -> anyhow::Result<impl Iterator<Item = Row> + use<>> {
    let file = File::open(path).with_context(|| format!("opening the readings in {}", path.display()))?;
    rows_of(file).with_context(|| format!("reading {}", path.display()))
}

fn rows_of<R: Read>(input: R) -> anyhow::Result<impl Iterator<Item = Row> + use<R>> {
    let mut reader = ReaderBuilder::new().flexible(true).trim(Trim::All).from_reader(input);
    let header = reader.headers()?;
    let first = header.get(0).unwrap_or_default();
    ensure!(Hour::parse(first).is_err(), "the first line must name the columns, but it is a reading");
    Ok(reader.into_records().map(|row| reading(&row.map_err(|error| malformed(&error))?)))
}

fn reading(row: &StringRecord) -> Row {
    let line = row.position().map_or(0, csv::Position::line);
    let refuse = |reason: String| Malformed { line, reason };
    let fields: Vec<&str> = row.iter().collect();
    let [time, flow] = fields.as_slice() else {
        return Err(refuse(format!("expected a time and a flow, found {} fields", fields.len())));
    };
    let hour = Hour::parse(time).map_err(|why| refuse(format!("`{time}` is no time: {why}")))?;
    let flow = flow.parse().map_err(|_| refuse(format!("`{flow}` is no flow in l/s")))?;
    Ok(Reading { line, hour, flow })
}

fn malformed(error: &csv::Error) -> Malformed {
    Malformed { line: error.position().map_or(0, csv::Position::line), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &'static [u8]) -> Vec<Row> {
        rows_of(text).unwrap().collect()
    }

    #[test]
    fn every_row_of_the_real_readings_is_read() {
        let rows: Vec<_> = rows(Path::new(WATER_FLOW)).unwrap().collect();
        assert_eq!(rows.len(), 1268);
        assert!(rows.iter().all(Result::is_ok));
    }

    #[test]
    fn a_malformed_row_is_told_by_its_line_and_the_next_one_is_read() {
        let rows = read(
            b"Time,Flow\n\
              2022-03-20T11:00:00+01:00,100.59\n\
              2022-03-20T12:00:00+01:00,much\n\
              2022-03-20T13:00:00+01:00\n\
              \xff,1\n\
              soon,100\n\
              2022-03-20T16:00:00+01:00, 101.5 \n",
        );
        let bad: Vec<u64> = rows.iter().filter_map(|row| row.as_ref().err()).map(|bad| bad.line).collect();
        assert_eq!(bad, [3, 4, 5, 6]);
        assert!(rows[1].as_ref().unwrap_err().to_string().starts_with("line 3: `much` is no flow"));
        assert_eq!(rows[5].as_ref().unwrap().flow.to_string(), "101.5");
    }

    #[test]
    fn a_file_without_a_header_is_refused_rather_than_losing_its_first_row() {
        assert!(rows_of(&b"2022-03-20T11:00:00+01:00,100.59\n"[..]).is_err());
    }
}
