//! One line of the log, as people and programs read it.

use super::log_fields::Fields;
use serde_json::{Map, Value as Json, json};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};
use tracing::Level;

/// What is said at one moment.
#[derive(Debug)]
pub(super) struct Line<'l> {
    /// Since the start of the log.
    pub(super) since: Duration,
    pub(super) at: SystemTime,
    pub(super) level: Level,
    pub(super) target: &'l str,
    pub(super) fields: Fields,
    /// What is under way, from the outside in.
    pub(super) spans: Vec<Around>,
}

/// A span around a line.
#[derive(Clone, Debug)]
pub(super) struct Around {
    pub(super) name: &'static str,
    pub(super) target: &'static str,
    pub(super) fields: Fields,
}

/// Who speaks when no client is involved.
const SERVER: &str = "S";
/// Under this name `tracing` has the text of a line.
const MESSAGE: &str = "message";
/// What every line for programs has at its top, of itself or of the spans around it.
const KNOWN: [&str; 6] = ["element", "task", "workflow", "client", "trace_id", "span_id"];

/// Colours of clients, which are all to be read on a light and on a dark ground; red and yellow are for what is wrong.
const CLIENTS: [u8; 8] = [32, 34, 35, 36, 92, 94, 95, 96];

/// The colour of a client: the same in every line, program and run.
fn color(client: &str) -> u8 {
    // FNV-1a, for it has to stay what it is.
    let hash =
        client.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    CLIENTS.get(hash as usize % CLIENTS.len()).copied().unwrap_or(32)
}

impl Line<'_> {
    /// What the line itself says of something, else the innermost span that does.
    fn find(&self, name: &str) -> Option<&str> {
        let around = self.spans.iter().rev().find_map(|span| span.fields.text(name));
        self.fields.text(name).or(around)
    }

    /// The element or task that speaks: the innermost span of one.
    fn place(&self) -> Option<&str> {
        let of = |fields: &Fields| ["task", "element"].iter().any(|name| fields.text(name).is_some());
        let around = self.spans.iter().rev().map(|span| &span.fields);
        let fields = std::iter::once(&self.fields).chain(around).find(|fields| of(fields))?;
        fields.text("task").or_else(|| fields.text("element"))
    }

    /// For people: milliseconds since the start, level, client, element or task, and what is said.
    pub(super) fn text(&self, colors: bool) -> String {
        let mut text = String::with_capacity(160);
        let paint = |code: u8| if colors && code > 0 { format!("\x1b[{code}m") } else { String::new() };
        let plain = if colors { "\x1b[0m" } else { "" };
        let client = self.find("client");
        let who = paint(client.map_or(0, color));
        let _ = write!(text, "{}{:>7}{} ", paint(2), self.since.as_millis(), if colors { plain } else { "" });
        let level = match self.level {
            Level::ERROR => 31,
            Level::WARN => 33,
            Level::DEBUG | Level::TRACE => 2,
            Level::INFO => 0,
        };
        let _ =
            write!(text, "{}{:>5}{} ", paint(level), self.level.as_str(), if level > 0 { plain } else { "" });
        let _ =
            write!(text, "{who}[{}] ", client.map_or(SERVER.into(), |client| Cow::Owned(harmless(client))));
        let place = self.place();
        if let Some(place) = place {
            let _ = write!(text, "{}: ", harmless(place));
        }
        for span in self.spans.iter().filter(|span| !span.target.starts_with("mape")) {
            text.push_str(span.name);
            let mut before = '{';
            for (name, value) in span.fields.iter() {
                let _ = write!(text, "{before}{name}={}", shown(value));
                before = ' ';
            }
            text.push_str(if before == '{' { ": " } else { "}: " });
        }
        text.push_str(&harmless(self.fields.text(MESSAGE).unwrap_or_default()));
        if client.is_some() {
            text.push_str(plain);
        }
        let told = |name: &str| {
            name == MESSAGE || (name == "client") || self.fields.text(name) == place && is_place(name)
        };
        for (name, value) in self.fields.iter().filter(|(name, _)| !told(name)) {
            let _ = write!(text, " {name}={}", shown(value));
        }
        if let Some(trace) = self.find("trace_id").and_then(|trace| trace.get(..8)) {
            let _ = write!(text, " {}trace={}{}", paint(2), harmless(trace), plain);
        }
        text.push('\n');
        text
    }

    /// For programs: one object.
    pub(super) fn json(&self) -> String {
        let at = jiff::Timestamp::try_from(self.at).unwrap_or_default();
        let mut line = Map::new();
        line.insert("timestamp".to_owned(), format!("{at:.6}").into());
        let millis = u64::try_from(self.since.as_millis()).unwrap_or(u64::MAX);
        line.insert("uptime_ms".to_owned(), millis.into());
        line.insert("level".to_owned(), self.level.as_str().into());
        line.insert("target".to_owned(), self.target.into());
        line.insert("fields".to_owned(), Json::Object(self.fields.object()));
        for name in KNOWN {
            if let Some(value) = self.find(name) {
                line.insert(name.to_owned(), value.into());
            }
        }
        if !self.spans.is_empty() {
            let span = |span: &Around| json!({"name": span.name, "target": span.target, "fields": span.fields.object()});
            line.insert("spans".to_owned(), self.spans.iter().map(span).collect());
        }
        let mut text = Json::Object(line).to_string();
        text.push('\n');
        text
    }
}

fn is_place(name: &str) -> bool {
    matches!(name, "element" | "task")
}

/// A value in a line: a text that is one word is shown as it is.
fn shown(value: &Json) -> String {
    match value {
        Json::String(text) if !text.is_empty() && !text.contains(char::is_whitespace) => harmless(text),
        value => harmless(&value.to_string()),
    }
}

/// Nothing in a text moves the cursor of a terminal or looks like another line.
fn harmless(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("\n                "),
            c if c.is_control() && c != '\t' => safe.extend(c.escape_default()),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(all: &[(&'static str, Json)]) -> Fields {
        let mut fields = Fields::default();
        for (name, value) in all {
            fields.put(name, value.clone());
        }
        fields
    }

    fn line(all: &[(&'static str, Json)], spans: &[&[(&'static str, Json)]]) -> Line<'static> {
        let around =
            |span: &&[(&'static str, Json)]| Around { name: "span", target: "mape::x", fields: fields(span) };
        Line {
            since: Duration::from_millis(1234),
            at: SystemTime::UNIX_EPOCH + Duration::from_millis(1500),
            level: Level::INFO,
            target: "mape::element",
            fields: fields(all),
            spans: spans.iter().map(around).collect(),
        }
    }

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_line_says_when_how_bad_for_whom_where_and_what() {
        let it = line(&[("message", "served".into()), ("items", 3.into()), ("by", "a b".into())], &[]);
        assert_eq!(it.text(false), "   1234  INFO [S] served items=3 by=\"a b\"\n");
        let element = [("element", "car.detect".into())];
        let request = [("client", "10.0.0.7".into()), ("trace_id", TRACE.into()), ("span_id", "00f0".into())];
        let it = line(&[("message", "taken".into())], &[&request, &element]);
        assert_eq!(it.text(false), "   1234  INFO [10.0.0.7] car.detect: taken trace=4bf92f35\n");
        let both = line(&[("message", "x".into())], &[&element, &[("task", "fetch".into())]]);
        assert_eq!(both.text(false), "   1234  INFO [S] fetch: x\n");
        let own = line(&[("message", "x".into()), ("element", "car.stop".into())], &[&element]);
        assert_eq!(own.text(false), "   1234  INFO [S] car.stop: x\n");
    }

    #[test]
    fn spans_of_others_are_named_with_their_fields() {
        let mut it = line(&[("message", "x".into())], &[&[("order", 7.into())], &[]]);
        it.spans.iter_mut().for_each(|span| span.target = "shop");
        assert_eq!(it.text(false), "   1234  INFO [S] span{order=7}: span: x\n");
    }

    #[test]
    fn a_client_has_one_colour_in_every_line_and_the_server_none() {
        let of = |client: &str, message: &str| {
            line(&[("message", message.into())], &[&[("client", client.into())]]).text(true)
        };
        assert_eq!(of("10.0.0.7", "a").replace("a\x1b", "b\x1b"), of("10.0.0.7", "b"));
        assert_eq!(of("x", "a"), format!("\x1b[2m   1234\x1b[0m  INFO \x1b[{}m[x] a\x1b[0m\n", color("x")));
        let server = line(&[("message", "a".into())], &[]).text(true);
        assert_eq!(server, "\x1b[2m   1234\x1b[0m  INFO [S] a\n");
        // They stay what they are, from one program to the next.
        assert_eq!(["127.0.0.1", "10.0.0.7", "ops"].map(color), [95, 36, 36]);
        let all: std::collections::BTreeSet<u8> = (0..64).map(|n| color(&format!("10.0.0.{n}"))).collect();
        assert!(all.len() > 5, "{all:?}");
    }

    #[test]
    fn what_others_have_written_can_neither_move_the_cursor_nor_forge_a_line() {
        let it = line(&[("message", "a\x1b[2J\nb".into()), ("k", "c\nd".into())], &[]);
        assert_eq!(it.text(false), "   1234  INFO [S] a\\u{1b}[2J\n                b k=\"c\\nd\"\n");
    }

    #[test]
    fn a_line_for_programs_is_one_object_with_its_trace() {
        let request =
            [("client", "ops".into()), ("trace_id", TRACE.into()), ("span_id", "00f067aa0ba902b7".into())];
        let it = line(&[("message", "a\nb".into()), ("n", 3.into())], &[&request]).json();
        assert_eq!(it.matches('\n').count(), 1);
        let it: Json = serde_json::from_str(&it).unwrap();
        assert_eq!(
            it,
            json!({
                "timestamp": "1970-01-01T00:00:01.500000Z", "uptime_ms": 1234, "level": "INFO",
                "target": "mape::element", "fields": {"message": "a\nb", "n": 3}, "client": "ops", "trace_id": TRACE,
                "span_id": "00f067aa0ba902b7",
                "spans": [{"name": "span", "target": "mape::x", "fields": {
                    "client": "ops", "trace_id": TRACE, "span_id": "00f067aa0ba902b7"}}],
            })
        );
    }
}
