//! The lines of a file, and the points in them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::time::SystemTime;

use anyhow::Context;
use mape::edge::influxdb::Point;
use serde_json::{Map, Value};

/// The longest line that is read.
const LONGEST: u64 = 16 * 1024 * 1024;
/// What a line may be.
const LOOKS: &str = r#"a point looks like {"measurement": "water", "tags": {"sector": "north"}, "fields": {"flow": 42.5}, "time": 1700000000000000000}"#;

/// The lines of a file, none longer than it may be.
pub struct Lines {
    reader: Box<dyn BufRead>,
    /// Of the last line that was read.
    pub number: u64,
}

impl Lines {
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let reader: Box<dyn BufRead> = if path.as_os_str() == "-" {
            Box::new(BufReader::new(io::stdin()))
        } else {
            let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
            Box::new(BufReader::with_capacity(256 * 1024, file))
        };
        Ok(Self { reader, number: 0 })
    }

    /// The next line, or why it can't be one.
    pub fn next(&mut self) -> io::Result<Option<Result<Vec<u8>, String>>> {
        let mut line = Vec::new();
        if (&mut self.reader).take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if line.len() as u64 == LONGEST && !line.ends_with(b"\n") {
            self.reader.skip_until(b'\n')?;
            return Ok(Some(Err(format!("it is longer than {LONGEST} bytes"))));
        }
        Ok(Some(Ok(line)))
    }
}

/// The point that a line is, at the present time if it says none.
pub fn point(line: &[u8]) -> Result<Point, String> {
    let line = line.trim_ascii_end();
    let value: Value =
        serde_json::from_slice(line).map_err(|error| format!("no JSON, {}; {LOOKS}", placed(&error)))?;
    let Value::Object(parts) = &value else {
        return Err(format!("it is {}; {LOOKS}", kind(&value)));
    };
    check(parts)?;
    let point: Point = serde_json::from_slice(line).map_err(|error| placed(&error))?;
    let has_time = parts.get("time").is_some_and(|time| !time.is_null());
    Ok(if has_time { point } else { point.at(SystemTime::now()) })
}

/// Says in words what serde would say in its own.
fn check(parts: &Map<String, Value>) -> Result<(), String> {
    const KNOWN: [&str; 4] = ["measurement", "tags", "fields", "time"];
    if let Some(unknown) = parts.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(format!("`{unknown}` is not known; {LOOKS}"));
    }
    match parts.get("measurement") {
        Some(Value::String(_)) => {}
        Some(other) => return Err(format!("`measurement` is {}, and has to be a text", kind(other))),
        None => return Err(format!("it has no `measurement`; {LOOKS}")),
    }
    match parts.get("fields") {
        Some(Value::Object(fields)) => {
            if let Some((name, value)) =
                fields.iter().find(|(_, value)| value.is_array() || value.is_object())
            {
                let is = kind(value);
                return Err(format!(
                    "the field `{name}` is {is}, and has to be a number, a text, true, false or null"
                ));
            }
        }
        Some(other) => return Err(format!("`fields` is {}, and has to be an object; {LOOKS}", kind(other))),
        None => return Err(format!("it has no `fields`; {LOOKS}")),
    }
    match parts.get("tags") {
        Some(Value::Object(tags)) => {
            if let Some((name, value)) = tags.iter().find(|(_, value)| !value.is_string()) {
                return Err(format!("the tag `{name}` is {}, and has to be a text", kind(value)));
            }
        }
        Some(other) => return Err(format!("`tags` is {}, and has to be an object; {LOOKS}", kind(other))),
        None => {}
    }
    match parts.get("time") {
        Some(time) if !time.is_null() && !time.is_i64() => {
            Err(format!("`time` is {}, and has to be a whole number of nanoseconds since 1970", shown(time)))
        }
        _ => Ok(()),
    }
}

/// An error of JSON in one line: the column is all of the place.
fn placed(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let what = said.rsplit_once(" at line ").map_or(said.as_str(), |(what, _)| what);
    format!("at column {}: {what}", error.column())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A number as it is, of others what they are.
fn shown(value: &Value) -> String {
    if value.is_number() { value.to_string() } else { kind(value).to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_point_is_said_in_words_with_one_place_at_most() {
        for (line, words) in [
            (r#"[1]"#, "it is a list; a point looks like {"),
            (r#"5"#, "it is a number; a point looks like {"),
            (
                r#"{"measurement":"m","fields":[1]}"#,
                "`fields` is a list, and has to be an object; a point looks",
            ),
            (r#"{"measurement":"m","fields":{"v":[1]}}"#, "the field `v` is a list, and has to be a number"),
            (r#"{"measurement":"m"}"#, "it has no `fields`"),
            (r#"{"measurement":1,"fields":{}}"#, "`measurement` is a number"),
            (r#"{"measurement":"m","tags":{"t":1},"fields":{}}"#, "the tag `t` is a number"),
            (r#"{"measurement":"m","fields":{},"time":1.5}"#, "`time` is 1.5, and has to be a whole number"),
            (r#"{"measurement":"m","fields":{},"tgas":{}}"#, "`tgas` is not known"),
            ("{\"measurement\":\n", "no JSON, at column 15: "),
        ] {
            let said = point(line.as_bytes()).unwrap_err();
            assert!(said.starts_with(words), "{line}: {said}");
            let jargon = ["untagged", "struct", "variant", "expected sequence", "line 1", "map"];
            assert!(jargon.iter().all(|word| !said.contains(word)), "{said}");
        }
        assert!(point(br#"{"measurement":"m","fields":{"v":1},"time":null}"#).is_ok());
    }
}
