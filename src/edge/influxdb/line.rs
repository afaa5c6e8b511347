//! Line protocol, as it is written.
//!
//! A backslash is an escape only before what has to be escaped; before anything else it is itself. So where one stands
//! before such a letter, or two in a row, servers differ in what they read: InfluxDB skips the letter behind a backslash
//! when it looks for the end of a tag, and skips pairs when it looks for the end of a field; `VictoriaMetrics` reads two
//! backslashes as one. What no server or not every server can read is refused here; what InfluxDB can read and others
//! can't is marked, so that it is sent to nobody else.
//!
//! Source: `InfluxDB`'s `models/points.go` (1.x and 2.x), the `influxdb-line-protocol` of 3, and `VictoriaMetrics`'
//! `lib/protoparser/influx`.

use super::{FieldValue, Point, Precision};
use std::io::Write;

/// A line that is being written; it has no end of line.
pub(super) struct Line<'a> {
    bytes: &'a mut Vec<u8>,
    /// Only InfluxDB reads what is meant.
    pub(super) ambiguous: bool,
    has_fields: bool,
}

/// The value of a tag or field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar<'a> {
    Null,
    Boolean(bool),
    Integer(i64),
    Unsigned(u64),
    Float(f64),
    Text(&'a str),
}

/// Where a text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Measurement,
    TagKey,
    TagValue,
    FieldKey,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Measurement => "measurement",
            Self::TagKey => "tag",
            Self::TagValue => "tag's value",
            Self::FieldKey => "field",
        }
    }

    fn is_escaped(self, byte: u8) -> bool {
        matches!(byte, b',' | b' ') || byte == b'=' && self != Self::Measurement
    }
}

/// The reserved name: it is the column of times.
const TIME: &str = "time";

/// Writes a line without its end, and says whether it is ambiguous; nothing if it has no field.
pub(super) fn encode(
    point: &Point,
    precision: Precision,
    bytes: &mut Vec<u8>,
) -> Result<Option<bool>, String> {
    if point.fields.values().all(|value| *value == FieldValue::Null) {
        return Ok(None);
    }
    let mut line = Line::new(bytes, &point.measurement)?;
    for (name, value) in &point.tags {
        line.tag(name, Scalar::Text(value))?;
    }
    for (name, value) in &point.fields {
        line.field(name, value.scalar())?;
    }
    if let Some(time) = point.time {
        line.time(time, precision)?;
    }
    Ok(Some(line.ambiguous))
}

/// What is looked at more closely in a name or tag.
fn is_special(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\\' | b'"' | b',' | b' ' | b'=')
}

impl<'a> Line<'a> {
    /// In place of what was there.
    pub(super) fn new(bytes: &'a mut Vec<u8>, measurement: &str) -> Result<Self, String> {
        bytes.clear();
        let mut line = Self { bytes, ambiguous: false, has_fields: false };
        line.text(Part::Measurement, measurement)?;
        Ok(line)
    }

    /// Adds a tag, unless it is empty; they come before the fields.
    pub(super) fn tag(&mut self, name: &str, value: Scalar<'_>) -> Result<(), String> {
        if matches!(value, Scalar::Null | Scalar::Text("")) {
            return Ok(());
        }
        self.bytes.push(b',');
        self.text(Part::TagKey, name)?;
        self.bytes.push(b'=');
        let bytes = &mut *self.bytes;
        let written = match value {
            Scalar::Null => Ok(()),
            Scalar::Text(text) => return self.text(Part::TagValue, text),
            Scalar::Boolean(value) => write!(bytes, "{value}"),
            Scalar::Integer(value) => write!(bytes, "{value}"),
            Scalar::Unsigned(value) => write!(bytes, "{value}"),
            Scalar::Float(value) => write!(bytes, "{value}"),
        };
        written.map_err(|error| error.to_string())
    }

    /// Adds a field, unless it is nothing.
    pub(super) fn field(&mut self, name: &str, value: Scalar<'_>) -> Result<(), String> {
        if value == Scalar::Null {
            return Ok(());
        }
        self.bytes.push(if self.has_fields { b',' } else { b' ' });
        self.has_fields = true;
        self.text(Part::FieldKey, name)?;
        self.bytes.push(b'=');
        self.value(name, value)
    }

    /// Adds the time, which is the last.
    pub(super) fn time(&mut self, time: i64, precision: Precision) -> Result<(), String> {
        let written = precision.written(time);
        let written = written.ok_or_else(|| format!("the time {time} ns is out of what servers keep"))?;
        write!(self.bytes, " {written}").map_err(|error| error.to_string())
    }

    fn text(&mut self, part: Part, text: &str) -> Result<(), String> {
        let wrong = |reason: &str| Err(format!("the {} {} {reason}", part.name(), shown(text)));
        match text.as_bytes().first() {
            None => return Err(format!("a {} has no name", part.name())),
            Some(b'#') if part == Part::Measurement => {
                return wrong("would be a comment: it begins with `#`");
            }
            Some(b'\t' | 0) if matches!(part, Part::Measurement | Part::FieldKey) => {
                return wrong("begins with what servers skip");
            }
            Some(_) if text == TIME && matches!(part, Part::TagKey | Part::FieldKey) => {
                return wrong("has the name of the column of times; give it another");
            }
            Some(_) => {}
        }
        if !text.bytes().any(is_special) {
            self.bytes.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        let mut bytes = text.bytes().peekable();
        while let Some(byte) = bytes.next() {
            match byte {
                b'\n' => return wrong("has an end of line, which only the text of a field may have"),
                b'\\' => match bytes.peek() {
                    None => return wrong("ends in a backslash, which would escape what follows"),
                    Some(b',' | b'=' | b' ' | b'"') => {
                        return wrong("has a backslash before a letter that it would escape");
                    }
                    next => self.ambiguous |= next == Some(&b'\\'),
                },
                // There it may open a text, for those who look for the end of the fields first.
                b'"' if part == Part::FieldKey => self.ambiguous = true,
                _ if part.is_escaped(byte) => self.bytes.push(b'\\'),
                _ => {}
            }
            self.bytes.push(byte);
        }
        Ok(())
    }

    fn value(&mut self, name: &str, value: Scalar<'_>) -> Result<(), String> {
        let line = &mut *self.bytes;
        let written = match value {
            Scalar::Null => Ok(()),
            Scalar::Boolean(value) => write!(line, "{value}"),
            Scalar::Integer(value) => write!(line, "{value}i"),
            Scalar::Unsigned(value) => write!(line, "{value}u"),
            Scalar::Float(value) if value.is_finite() => write!(line, "{value:?}"),
            Scalar::Float(value) => {
                return Err(format!("the field {} is {value}, which is no number", shown(name)));
            }
            Scalar::Text(text) => {
                line.push(b'"');
                if !text.bytes().any(|byte| matches!(byte, b'"' | b'\\' | b'\n')) {
                    line.extend_from_slice(text.as_bytes());
                    line.push(b'"');
                    return Ok(());
                }
                for byte in text.bytes() {
                    if matches!(byte, b'"' | b'\\') {
                        line.push(b'\\');
                    }
                    // VictoriaMetrics begins another point with what follows.
                    self.ambiguous |= byte == b'\n';
                    line.push(byte);
                }
                line.push(b'"');
                Ok(())
            }
        };
        written.map_err(|error| error.to_string())
    }
}

/// The beginning of a text, in quotes.
fn shown(text: &str) -> String {
    const SHOWN: usize = 40;
    let beginning: String = text.chars().take(SHOWN).collect();
    let more = if beginning.len() < text.len() { "…" } else { "" };
    format!("{beginning:?}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(point: &Point) -> Result<Option<String>, String> {
        point.line(Precision::Nanoseconds)
    }

    #[test]
    fn what_has_a_meaning_in_a_line_is_escaped_where_it_has_it() {
        let point = Point::new(r#"a,b c=d"e"#)
            .tag(r#"k,e y="1""#, r#"v,a l=""#)
            .tag("path", r"C:\temp")
            .field("f,i e=", r#"say "hi", \o/"#)
            .at_nanoseconds(-7);
        let wanted = r#"a\,b\ c=d"e,k\,e\ y\="1"=v\,a\ l\=",path=C:\temp f\,i\ e\=="say \"hi\", \\o/" -7"#;
        assert_eq!(line(&point), Ok(Some(wanted.to_owned())));
    }

    #[test]
    fn each_type_has_its_own_form() {
        let point = Point::new("m")
            .field("a", 1.0)
            .field("b", 1)
            .field("c", u64::MAX)
            .field("d", true)
            .field("e", 1e300)
            .field("f", -0.0)
            .field("g", 0.1_f32)
            .field("h", 7_usize)
            .field("i", None::<f64>);
        let wanted = "m a=1.0,b=1i,c=18446744073709551615u,d=true,e=1e300,f=-0.0,g=0.1,h=7i";
        assert_eq!(line(&point), Ok(Some(wanted.to_owned())));
    }

    #[test]
    fn what_is_empty_is_left_out_and_a_point_without_a_field_is_none() {
        let point = Point::new("m").tag("a", "").field("b", None::<bool>);
        assert_eq!(line(&point), Ok(None));
        assert_eq!(line(&point.field("c", 1)), Ok(Some("m c=1i".to_owned())));
    }

    #[test]
    fn what_cannot_be_written_is_refused_with_the_reason() {
        let point = |measurement: &str| Point::new(measurement).field("v", 1);
        for (point, says) in [
            (point(""), "has no name"),
            (point("#m"), "comment"),
            (point("\tm"), "skip"),
            (point("a\nb"), "end of line"),
            (point(r"a\"), "backslash"),
            (point("m").tag("t", "C:\\"), "ends in a backslash"),
            (point("m").tag("t", "a\\ b"), "would escape"),
            (point("m").tag("t", "a\nb v=1"), "end of line"),
            (point("m").tag("", "a"), "has no name"),
            (point("m").tag("time", "a"), "column of times"),
            (point("m").field("time", 1), "column of times"),
            (point("m").field("f\\", 1), "ends in a backslash"),
            (point("m").field("f", f64::NAN), "no number"),
            (point("m").field("f", f64::NEG_INFINITY), "no number"),
            (point("m").at_nanoseconds(i64::MAX), "out of what"),
        ] {
            let reason = line(&point).unwrap_err();
            assert!(reason.contains(says), "{reason}");
        }
    }

    #[test]
    fn what_only_influxdb_reads_is_marked() {
        let is_ambiguous = |point: Point| point.encode(Precision::Seconds, &mut Vec::new()).unwrap().unwrap();
        let point = || Point::new("m").field("v", 1);
        assert!(is_ambiguous(point().tag("share", r"\\server\share")));
        assert!(is_ambiguous(point().field("text", "two\nlines")));
        assert!(is_ambiguous(point().field("a\"b", 1)));
        assert!(!is_ambiguous(point().tag("path", r"C:\temp").field("text", r#"\\ "quoted""#)));
    }
}
