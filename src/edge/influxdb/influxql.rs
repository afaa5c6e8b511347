//! Chunks of JSON, as `InfluxQL` answers.

use super::source::Row;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::VecDeque;

/// Reads chunks, a line each, part by part.
pub(super) struct Chunks {
    line: Vec<u8>,
    longest: usize,
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    results: Vec<Outcome>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Outcome {
    #[serde(default)]
    series: Vec<Series>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Series {
    name: Option<String>,
    #[serde(default)]
    tags: Map<String, Value>,
    columns: Vec<String>,
    #[serde(default)]
    values: Vec<Vec<Value>>,
}

impl Chunks {
    pub(super) fn new(longest: usize) -> Self {
        Self { line: Vec::new(), longest }
    }

    /// Reads a part; an empty one is the end.
    pub(super) fn feed(&mut self, input: &[u8], rows: &mut VecDeque<Row>) -> Result<(), String> {
        let mut parts = input.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            if self.line.len() + part.len() > self.longest {
                return Err(format!("a chunk is longer than {} bytes", self.longest));
            }
            self.line.extend_from_slice(part);
            if (parts.peek().is_some() || input.is_empty()) && !self.line.is_empty() {
                let chunk = serde_json::from_slice(&self.line).map_err(|error| error.to_string())?;
                self.line.clear();
                read(chunk, rows)?;
            }
        }
        Ok(())
    }
}

fn read(chunk: Chunk, rows: &mut VecDeque<Row>) -> Result<(), String> {
    if let Some(error) = chunk.error {
        return Err(error);
    }
    for outcome in chunk.results {
        for Series { name, tags, columns, values } in outcome.series {
            for values in values {
                let mut row = tags.clone();
                row.extend(name.clone().map(|name| ("_measurement".to_owned(), name.into())));
                row.extend(columns.iter().cloned().zip(values));
                rows.push_back(row);
            }
        }
        if let Some(error) = outcome.error {
            return Err(error);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows(answer: &str, part: usize) -> Result<Vec<Value>, String> {
        let (mut chunks, mut rows) = (Chunks::new(1000), VecDeque::new());
        for part in answer.as_bytes().chunks(part) {
            chunks.feed(part, &mut rows)?;
        }
        chunks.feed(&[], &mut rows)?;
        Ok(rows.into_iter().map(Value::Object).collect())
    }

    #[test]
    fn each_value_of_each_series_is_a_row_with_its_tags() {
        let answer = concat!(
            r#"{"results":[{"series":[{"name":"m","tags":{"t":"a"},"columns":["time","v"],"values":[[1,2.5],[2,null]]}]}]}"#,
            "\n",
            r#"{"results":[{"series":[{"name":"m","columns":["time","v"],"values":[[3,"x"]]}]}]}"#,
        );
        let wanted = [
            json!({"_measurement": "m", "t": "a", "time": 1, "v": 2.5}),
            json!({"_measurement": "m", "t": "a", "time": 2, "v": null}),
            json!({"_measurement": "m", "time": 3, "v": "x"}),
        ];
        for part in [1, 3, 50, 10_000] {
            assert_eq!(rows(answer, part).unwrap(), wanted, "{part}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_answer_makes_it_panic(parts: Vec<Vec<u8>>) {
            let (mut chunks, mut rows) = (Chunks::new(4096), VecDeque::new());
            let fed = parts.iter().map(Vec::as_slice).chain([b"\n".as_slice(), &[]]);
            let _read = fed.into_iter().try_for_each(|part| chunks.feed(part, &mut rows));
        }
    }

    #[test]
    fn errors_and_endless_chunks_are_told() {
        assert_eq!(rows(r#"{"results":[{"error":"no such thing"}]}"#, 9), Err("no such thing".to_owned()));
        assert_eq!(rows(r#"{"error":"database is required"}"#, 9), Err("database is required".to_owned()));
        assert!(rows(&" ".repeat(2000), 100).unwrap_err().contains("longer than 1000"));
    }
}
