//! The value of a literal: data, and nothing but data.
//!
//! YAML is read by the core schema of YAML 1.2, so that `no` and `2020-01-01` are texts; tags beyond it are errors, as
//! are numbers that JSON has not. Aliases and merge keys are followed as far as a budget allows, which is one for all
//! literals of a flow.

use super::token::Notation;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::options::NonFiniteFloatPolicy;
use std::fmt;

/// How deep maps and lists may be nested: everything that reads JSON can read it.
const MAX_DEPTH: usize = 64;

/// Values that aliases in all literals of a flow may be replaced by.
const MAX_REPEATED: usize = 100_000;

/// Characters before a literal in its line, up to which the next lines may be aligned with it.
const WIDEST: usize = 200;

/// What is left of what the literals of a flow may use.
pub(super) struct Budget {
    repeated: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { repeated: MAX_REPEATED }
    }
}

/// A literal that was read.
pub(super) struct Literal {
    pub(super) value: Value,
    /// A key that an object has twice.
    pub(super) duplicate: Option<String>,
}

/// Why a literal cannot be read.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) message: String,
    /// Where, in bytes of the token.
    pub(super) at: usize,
    /// How many bytes from there on are wrong; 0 if only the place is known.
    pub(super) length: usize,
    pub(super) help: Option<String>,
    /// It is too much of something, which another way to read it does not change.
    is_limit: bool,
}

/// Reads the text of a whole token, behind which so many characters of its line stand before it.
pub(super) fn read(
    token: &str,
    before: usize,
    notation: Notation,
    budget: &mut Budget,
) -> Result<Literal, Fault> {
    // The outermost characters belong to the language, the next ones to JSON.
    let skipped = if notation == Notation::Yaml { 2 } else { 1 };
    let text = token.get(skipped..token.len().saturating_sub(skipped)).unwrap_or_default();
    let read = if notation == Notation::Yaml { yaml(text, before + skipped, budget) } else { json(text) };
    read.map_err(|fault| Fault { at: fault.at + skipped, ..fault })
}

fn json(text: &str) -> Result<Literal, Fault> {
    let mut reader = Reader::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = Seed { reader: &mut reader, depth: 0 }.deserialize(&mut deserializer);
    match read.and_then(|value| deserializer.end().map(|()| value)) {
        Ok(value) => Ok(Literal { value, duplicate: reader.duplicate }),
        Err(error) => {
            let line = line_start(text, error.line());
            let at = floor(text, line + error.column().saturating_sub(1));
            let what = error.to_string();
            Err(Fault {
                message: message("JSON", &what),
                at,
                length: 0,
                help: json_help(text, at, &what),
                is_limit: false,
            })
        }
    }
}

fn json_help(text: &str, at: usize, message: &str) -> Option<String> {
    if is_too_deep(message) {
        return Some(DEPTH_HELP.to_owned());
    }
    if message.starts_with("expected ident") {
        return Some("a word in JSON is true, false or null; texts stand in double quotes".to_owned());
    }
    let found = text.get(at..)?.chars().next()?;
    let before = text.get(..at)?.trim_end().chars().last();
    Some(match found {
        '\'' => "JSON has double quotes only".to_owned(),
        '}' | ']' if before == Some(',') => "take the last comma away".to_owned(),
        '"' if message.starts_with("expected `,`") => "a comma may be missing before it".to_owned(),
        _ if found.is_alphabetic() && matches!(before, Some('{' | ',')) => {
            "keys stand in double quotes in JSON; YAML does without: `(- a: 1 -)`".to_owned()
        }
        _ if text.get(..=at)?.ends_with(['T', 'F', 'N']) => {
            "JSON writes true, false and null in lower case".to_owned()
        }
        _ => return None,
    })
}

/// Reads YAML, before which so many characters stand in its line.
fn yaml(text: &str, before: usize, budget: &mut Budget) -> Result<Literal, Fault> {
    let fault = match yaml_as_it_is(text, budget) {
        Err(fault) => fault,
        read => return read,
    };
    if fault.is_limit {
        return Err(fault);
    }
    // A first line that stands behind the delimiter is indented by it; the others are not at all, or are by what they
    // seem to be.
    let stripped = text.trim();
    let aligned =
        if before <= WIDEST && text.contains('\n') { " ".repeat(before) + text } else { String::new() };
    let mut others = [stripped, &aligned].into_iter().filter(|other| !other.is_empty() && *other != text);
    others.find_map(|other| yaml_as_it_is(other, budget).ok()).ok_or(fault)
}

/// Reads a text whose tags are all of the core schema.
fn yaml_as_it_is(text: &str, budget: &mut Budget) -> Result<Literal, Fault> {
    let literal = yaml_with(text, budget, BinaryTag::Ignored)?;
    let mut written = ["!!binary", ":binary"].into_iter();
    let Some((at, length)) = written.find_map(|tag| Some((text.find(tag)?, tag.len()))) else {
        return Ok(literal);
    };
    // The reader knows one tag too many; where it has an effect, it was a tag and no text.
    match yaml_with(text, &mut Budget::default(), BinaryTag::Decoded) {
        Ok(decoded) if decoded.value == literal.value => Ok(literal),
        _ => {
            let message = "the literal is no YAML: unsupported tag `!!binary`".to_owned();
            Err(Fault { message, at, length, help: Some(TAG_HELP.to_owned()), is_limit: false })
        }
    }
}

/// What becomes of a text with the tag `!!binary`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BinaryTag {
    Ignored,
    Decoded,
}

fn yaml_with(text: &str, budget: &mut Budget, binary: BinaryTag) -> Result<Literal, Fault> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            // Longer literals are as long as the text they stand in.
            max_nodes: 1_000_000,
            max_events: 4_000_000,
            // What is nested deeper than that is refused before.
            max_depth: MAX_DEPTH + 1,
        },
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        ignore_binary_tag_for_string: binary == BinaryTag::Ignored,
        non_finite_float_policy: NonFiniteFloatPolicy::Reject,
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: budget.repeated },
        with_snippet: false,
    };
    let mut reader = Reader::default();
    let read = serde_saphyr::with_deserializer_from_str_with_options(text, options, |deserializer| {
        Seed { reader: &mut reader, depth: 0 }.deserialize(deserializer)
    });
    // Each value has taken a character, unless an alias stood for it.
    budget.repeated = budget.repeated.saturating_sub(reader.values.saturating_sub(text.len()));
    match read {
        Ok(value) => Ok(Literal { value, duplicate: None }),
        Err(error) => {
            let place = error.location();
            let start = place.map_or(0, |place| line_start(text, place.line().try_into().unwrap_or(1)));
            let column = place.map_or(0, |place| place.column().saturating_sub(1).try_into().unwrap_or(0));
            let line = text.get(start..).unwrap_or_default();
            let at = start + line.char_indices().nth(column).map_or(line.len(), |(at, _)| at);
            let what = error.without_snippet().to_string();
            let help = yaml_help(&what);
            let is_limit = ["limit exceeded", "budget breached"].iter().any(|part| what.contains(part));
            let (at, length) = tag(text, at, &what).unwrap_or((at, 0));
            Err(Fault { message: message("YAML", &what), at, length, help, is_limit })
        }
    }
}

/// Where the tag stands that a message is about, and its length; the place that is known is that of what it tags.
fn tag(text: &str, tagged: usize, message: &str) -> Option<(usize, usize)> {
    let before = text.get(..tagged)?;
    if let Some((_, name)) = message.split_once("unsupported tag `") {
        let name = name.split('`').next()?;
        return Some((before.rfind(name)?, name.len()));
    }
    // Not all messages name it.
    if !message.contains("tagged scalar") {
        return None;
    }
    let last = before.rfind('!')?;
    let at = before.get(..last)?.trim_end_matches('!').len();
    let length = before.get(at..)?.find(char::is_whitespace)?;
    Some((at, length))
}

const TAG_HELP: &str = "a literal is data: maps, lists, texts, numbers, true, false and null";

fn yaml_help(message: &str) -> Option<String> {
    let help = if message.contains("tag") {
        TAG_HELP
    } else if message.contains("unclosed quote") {
        "a literal ends at the first `-)` or `->`, in quotes too; write it as JSON if a text has that in it"
    } else if message.contains("null into string") || message.contains("expected string scalar") {
        "keys are texts, numbers, true or false"
    } else if message.contains("non-finite") {
        "JSON has finite numbers only; write it as a text, in quotes"
    } else if message.contains("unexpected character") {
        "put a text that begins with such a character in quotes"
    } else if message.contains("tab") {
        "YAML is indented by blanks"
    } else if message.contains("mapping values are not allowed") {
        "put a text that holds `: ` in quotes, and keys that share a line in `{ }`; keys of one map begin in one column"
    } else if message.contains("multiple YAML documents") {
        "a literal is one document, without `---`"
    } else if message.contains("after single-quoted") {
        "in single quotes, a quote is written twice: `'it''s'`; or put the text in double quotes"
    } else if message.contains("after double-quoted") {
        "in double quotes, a quote is written `\\\"`; or put the text in single quotes"
    } else if message.contains("unclosed bracket") {
        "each `{` needs a `}`, and each `[` a `]`, before the end of the literal"
    } else if message.contains("bracket") {
        "`{` is closed by `}`, and `[` by `]`; put a text that holds brackets in quotes"
    } else if is_too_deep(message) {
        DEPTH_HELP
    } else if message.contains("alias") && message.contains("limit") {
        "write less of it, or send it as the input"
    } else {
        return None;
    };
    Some(help.to_owned())
}

const DEPTH_HELP: &str = "use fewer levels, such as by giving an inner part as a text that holds JSON";

fn is_too_deep(message: &str) -> bool {
    message.contains("recursion limit exceeded") || message.contains("nested more than")
}

/// The message of a library, without the place, which ours begin with, and without its own words and options.
fn message(what: &str, message: &str) -> String {
    let cut = [" at line ", ", set DuplicateKeyPolicy", "; use ", " rejected by the configured policy"];
    let message = cut.iter().fold(message, |message, end| message.split(end).next().unwrap_or(message));
    let message = match message {
        // The scanner looks ahead of what is read.
        "recursion limit exceeded" => &format!("it is nested more than {MAX_DEPTH} deep"),
        "expected ident" => "expected true, false or null",
        "cannot deserialize null into string" => "null cannot be a key",
        "expected string scalar" => "a map or list cannot be a key",
        "cannot deserialize tagged scalar into string" => "unsupported tag",
        "recursive references require weak recursion types" => "an alias stands in its own anchor",
        _ if message.starts_with("alias replay limit exceeded") => {
            &format!("aliases stand for more than {MAX_REPEATED} values in this flow")
        }
        _ if message.starts_with("budget breached") => "it has too many values",
        _ => message,
    };
    format!("the literal is no {what}: {message}")
}

/// Where a line begins, in bytes; the first is 1.
fn line_start(text: &str, line: usize) -> usize {
    let mut lines = text.split_inclusive('\n');
    lines.by_ref().take(line.saturating_sub(1)).map(str::len).sum()
}

/// The character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// What is noticed while a value is read.
#[derive(Default)]
struct Reader {
    values: usize,
    duplicate: Option<String>,
}

/// Reads a value that is not nested too deep.
struct Seed<'a> {
    reader: &'a mut Reader,
    depth: usize,
}

impl Seed<'_> {
    /// How deep the values in this one are nested.
    fn deeper<E: serde::de::Error>(&self) -> Result<usize, E> {
        if self.depth < MAX_DEPTH {
            return Ok(self.depth + 1);
        }
        Err(E::custom(format!("it is nested more than {MAX_DEPTH} deep")))
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.reader.values += 1;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, bool: bool) -> Result<Value, E> {
        Ok(Value::Bool(bool))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Value, E> {
        Number::from_f64(number).map(Value::Number).ok_or_else(|| E::custom("a number must be finite"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Seed { reader: self.reader, depth })? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(Seed { reader: self.reader, depth })?;
            if map.contains_key(&key) {
                self.reader.duplicate.get_or_insert_with(|| key.clone());
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}
