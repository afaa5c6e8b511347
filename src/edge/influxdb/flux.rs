//! Annotated CSV, as Flux answers.

use super::source::Row;
use csv_core::{ReadRecordResult, Reader};
use serde_json::Value;
use std::collections::VecDeque;

/// Reads tables, part by part.
pub(super) struct Tables {
    reader: Reader,
    /// The fields of a record, one after the other, and where they end.
    fields: Vec<u8>,
    ends: Vec<usize>,
    filled: usize,
    ended: usize,
    longest: usize,
    kinds: Vec<String>,
    defaults: Vec<String>,
    columns: Option<Vec<String>>,
}

impl Tables {
    pub(super) fn new(longest: usize) -> Self {
        Self {
            reader: Reader::new(),
            fields: vec![0; 1024],
            ends: vec![0; 32],
            filled: 0,
            ended: 0,
            longest,
            kinds: Vec::new(),
            defaults: Vec::new(),
            columns: None,
        }
    }

    /// Reads a part; an empty one is the end.
    pub(super) fn feed(&mut self, mut input: &[u8], rows: &mut VecDeque<Row>) -> Result<(), String> {
        loop {
            let (Some(fields), Some(ends)) =
                (self.fields.get_mut(self.filled..), self.ends.get_mut(self.ended..))
            else {
                return Ok(());
            };
            let (result, read, filled, ended) = self.reader.read_record(input, fields, ends);
            input = input.get(read..).unwrap_or_default();
            self.filled += filled;
            self.ended += ended;
            match result {
                ReadRecordResult::OutputFull if self.fields.len() >= self.longest => {
                    return Err(format!("a row is longer than {} bytes", self.longest));
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() >= self.longest => {
                    return Err("a row has too many columns".to_owned());
                }
                ReadRecordResult::OutputFull => self.fields.resize(self.fields.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return Ok(()),
                ReadRecordResult::Record => {
                    let record = self.record();
                    (self.filled, self.ended) = (0, 0);
                    rows.extend(self.read(record)?);
                    if input.is_empty() {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn record(&self) -> Vec<String> {
        let mut begin = 0;
        let ends = self.ends.iter().take(self.ended);
        let text = ends.map(|end| {
            let field = self.fields.get(begin..*end).unwrap_or_default();
            begin = *end;
            String::from_utf8_lossy(field).into_owned()
        });
        text.collect()
    }

    /// A row, if the record is one, and no annotation or header.
    fn read(&mut self, record: Vec<String>) -> Result<Option<Row>, String> {
        match record.first().map(String::as_str) {
            Some("#datatype") => {
                self.kinds = record;
                (self.columns, self.defaults) = (None, Vec::new());
                return Ok(None);
            }
            Some("#default") => {
                self.defaults = record;
                return Ok(None);
            }
            Some(other) if other.starts_with('#') => return Ok(None),
            _ => {}
        }
        let is_error = |record: &[String]| record.iter().skip(1).take(2).eq(["error", "reference"]);
        let Some(columns) = self.columns.as_ref().filter(|_| !is_error(&record)) else {
            self.columns = Some(record);
            return Ok(None);
        };
        if is_error(columns) {
            return Err(record.into_iter().nth(1).unwrap_or_default());
        }
        let mut row = Row::new();
        for (i, (column, text)) in
            columns.iter().zip(record).enumerate().filter(|(_, (name, _))| !name.is_empty())
        {
            let kind = self.kinds.get(i).map_or("string", String::as_str);
            let text = if text.is_empty() { self.defaults.get(i).cloned().unwrap_or_default() } else { text };
            let value = value(kind, text).map_err(|reason| format!("the column `{column}`: {reason}"))?;
            row.insert(column.clone(), value);
        }
        Ok(Some(row))
    }
}

/// What a text of a type is; nothing if it is empty, and numbers that are none.
fn value(kind: &str, text: String) -> Result<Value, String> {
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let wrong = || format!("`{text}` is no {kind}");
    Ok(match kind {
        "boolean" => Value::Bool(text.parse().map_err(|_| wrong())?),
        "long" => text.parse::<i64>().map_err(|_| wrong())?.into(),
        "unsignedLong" => text.parse::<u64>().map_err(|_| wrong())?.into(),
        "double" => text.parse::<f64>().map_err(|_| wrong())?.into(),
        _ => Value::String(text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ANSWER: &str = "#datatype,string,long,dateTime:RFC3339,double,string\r\n\
        #group,false,false,false,false,true\r\n#default,_result,,,,\r\n\
        ,result,table,_time,_value,sector\r\n\
        ,,0,2026-01-01T00:00:00Z,1.5,\"old, \"\"town\"\"\"\r\n\
        ,,0,2026-01-01T00:00:01Z,,\"two\r\nlines\"\r\n\r\n\
        #datatype,string,long,boolean,unsignedLong\r\n#group,false,false,false,false\r\n#default,other,,,\r\n\
        ,result,table,ok,count\r\n,,1,true,18446744073709551615\r\n\r\n";

    fn rows(answer: &str, part: usize) -> Result<Vec<Value>, String> {
        let (mut tables, mut rows) = (Tables::new(1 << 20), VecDeque::new());
        for part in answer.as_bytes().chunks(part) {
            tables.feed(part, &mut rows)?;
        }
        tables.feed(&[], &mut rows)?;
        Ok(rows.into_iter().map(Value::Object).collect())
    }

    #[test]
    fn rows_have_their_types_however_the_answer_is_cut() {
        let wanted = [
            json!({"result": "_result", "table": 0, "_time": "2026-01-01T00:00:00Z", "_value": 1.5,
                "sector": "old, \"town\""}),
            json!({"result": "_result", "table": 0, "_time": "2026-01-01T00:00:01Z", "_value": null,
                "sector": "two\r\nlines"}),
            json!({"result": "other", "table": 1, "ok": true, "count": u64::MAX}),
        ];
        for part in [1, 2, 7, 64, 10_000] {
            assert_eq!(rows(ANSWER, part).unwrap(), wanted, "{part}");
        }
    }

    #[test]
    fn an_error_between_the_rows_is_one() {
        let answer = format!("{ANSWER}#datatype,string,long\r\n,error,reference\r\n,it failed,897\r\n");
        assert_eq!(rows(&answer, 100), Err("it failed".to_owned()));
        let answer = format!("{ANSWER},error,reference\r\n,it failed,897\r\n");
        assert_eq!(rows(&answer, 100), Err("it failed".to_owned()));
        assert!(rows("#datatype,string,long\n,a,b\n,x,y\n", 100).unwrap_err().contains("no long"));
    }

    proptest::proptest! {
        #[test]
        fn no_answer_makes_it_panic(parts: Vec<Vec<u8>>, text in "[#,\"\r\na-c0-9]*") {
            let (mut tables, mut rows) = (Tables::new(4096), VecDeque::new());
            let fed = parts.iter().map(Vec::as_slice).chain([text.as_bytes(), &[]]);
            let _read = fed.into_iter().try_for_each(|part| tables.feed(part, &mut rows));
        }
    }

    #[test]
    fn a_row_without_end_is_refused() {
        let (mut tables, mut rows) = (Tables::new(2048), VecDeque::new());
        let fed = (0..100).try_for_each(|_| tables.feed(&[b'x'; 100], &mut rows));
        assert!(fed.unwrap_err().contains("longer than 2048"));
    }
}
