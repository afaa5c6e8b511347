//! littleflow's language of guards: that of the Python package `jsonpath2`, with the usual precedence of `and` and `or`.

use super::cursor::{Cursor, Fault, Read};
use super::method::Method;
use super::query::{Operand, Operator, Query, Segment, Selector, Slice, Test};
use serde_json::{Map, Value};

const WORDS: [&str; 6] = ["and", "or", "not", "true", "false", "null"];

const COMPARISON: &str = "a comparison stands in a filter: `$[?(@.a=1)]`";

/// Reads a whole text.
pub(super) fn parse(text: &str) -> Read<Query> {
    let mut cursor = Cursor::new(text);
    cursor.skip_blanks();
    if cursor.peek() != Some('$') {
        let help = "a path begins with `$`, which is the input: `$.a`";
        return Err(Fault { help: Some(help), ..cursor.fault("`$`") });
    }
    cursor.expect("$")?;
    let segments = segments(&mut cursor)?;
    match cursor.peek() {
        None => Ok(Query { absolute: true, segments }),
        Some(next) => {
            let fault = cursor.fault("`.`, `..`, `[` or the end");
            let compares =
                matches!(next, '=' | '!' | '<' | '>') || ["and", "or"].contains(&word(&mut cursor));
            let help = compares.then_some(COMPARISON);
            Err(Fault { help, ..fault })
        }
    }
}

fn segments(cursor: &mut Cursor<'_>) -> Read<Vec<Segment>> {
    let mut segments = Vec::new();
    loop {
        cursor.skip_blanks();
        let descends = cursor.take("..");
        if descends || cursor.take(".") {
            cursor.skip_blanks();
            let selectors = match cursor.peek() {
                Some('[') if descends => cursor.listed(selector)?,
                _ => vec![bare_word(cursor)?],
            };
            segments.push(Segment { descends, selectors });
        } else if cursor.peek() == Some('[') {
            segments.push(Segment { descends: false, selectors: cursor.listed(selector)? });
        } else {
            return Ok(segments);
        }
    }
}

/// A name, a call, or `*`.
fn bare_word(cursor: &mut Cursor<'_>) -> Read<Selector> {
    if cursor.take("*") {
        return Ok(Selector::Wildcard);
    }
    let start = cursor.at();
    let name = word(cursor);
    if name.is_empty() {
        let help = (cursor.peek() == Some('[')).then_some("brackets stand without a dot before them: `$[0]`");
        return Err(Fault { help, ..cursor.fault("a name or `*`") });
    }
    if WORDS.contains(&name) {
        let message = format!("`{name}` is no name here");
        return Err(Fault {
            at: start,
            message,
            help: Some("write it in brackets and quotes: `$[\"and\"]`"),
        });
    }
    cursor.skip_blanks();
    if cursor.peek() == Some('(') { call(cursor, start, name) } else { Ok(Selector::Name(name.to_owned())) }
}

fn word<'a>(cursor: &mut Cursor<'a>) -> &'a str {
    if cursor.peek().is_some_and(|char| char.is_ascii_alphabetic() || char == '_') {
        cursor.take_while(|char| char.is_ascii_alphanumeric() || char == '_')
    } else {
        ""
    }
}

fn call(cursor: &mut Cursor<'_>, start: usize, name: &str) -> Read<Selector> {
    cursor.expect("(")?;
    let mut arguments = Vec::new();
    cursor.skip_blanks();
    if !cursor.take(")") {
        loop {
            arguments.push(cursor.nested(operand)?);
            cursor.skip_blanks();
            if cursor.take(")") {
                break;
            }
            cursor.expect(",")?;
        }
    }
    let method = Method::new(name, arguments);
    method.map(Selector::Method).map_err(|message| Fault { at: start, message, help: None })
}

fn selector(cursor: &mut Cursor<'_>) -> Read<Selector> {
    match cursor.peek() {
        Some('*') => bare_word(cursor),
        Some('"') => Ok(Selector::Name(text(cursor)?)),
        Some('$' | '@') => Ok(Selector::Computed(path(cursor)?)),
        Some('?') => {
            cursor.expect("?")?;
            cursor.skip_blanks();
            if !cursor.take("(") {
                let help = "a filter stands in parentheses: `[?(@.a=1)]`";
                return Err(Fault { help: Some(help), ..cursor.fault("`(`") });
            }
            let test = cursor.nested(either)?;
            cursor.skip_blanks();
            cursor.expect(")")?;
            Ok(Selector::Filter(test))
        }
        Some(':') => slice(cursor, None),
        Some(char) if char.is_ascii_digit() || char == '-' => {
            let index = cursor.integer()?;
            cursor.skip_blanks();
            if cursor.peek() == Some(':') { slice(cursor, Some(index)) } else { Ok(Selector::Index(index)) }
        }
        Some(char) if char.is_ascii_alphabetic() || char == '_' => {
            let start = cursor.at();
            let name = word(cursor);
            cursor.skip_blanks();
            if cursor.peek() == Some('(') {
                return call(cursor, start, name);
            }
            let message = format!("the name `{name}` needs double quotes in brackets");
            let help = cursor.peek().is_some_and(|next| "=!<>".contains(next)).then_some(COMPARISON);
            Err(Fault { at: start, message, help })
        }
        _ => Err(cursor.fault("a name in double quotes, a number, `*`, a slice, a path or `?( )`")),
    }
}

fn slice(cursor: &mut Cursor<'_>, start: Option<i64>) -> Read<Selector> {
    let bound = |cursor: &mut Cursor<'_>| {
        cursor.skip_blanks();
        let is_number = cursor.peek().is_some_and(|char| char.is_ascii_digit() || char == '-');
        if is_number { cursor.integer().map(Some) } else { Ok(None) }
    };
    cursor.expect(":")?;
    let end = bound(cursor)?;
    cursor.skip_blanks();
    let at = cursor.at();
    let step = if cursor.take(":") { bound(cursor)?.unwrap_or(1) } else { 1 };
    if step == 0 {
        return Err(Fault { at, message: "a slice cannot have a step of 0".to_owned(), help: None });
    }
    Ok(Selector::Slice(Slice { start, end, step }))
}

/// A text in double quotes, taken as it is: a backslash keeps a quote in it, and stays.
fn text(cursor: &mut Cursor<'_>) -> Read<String> {
    let start = cursor.at();
    cursor.expect("\"")?;
    let inner = cursor.at();
    loop {
        cursor.take_while(|char| char != '"' && char != '\\');
        if cursor.take("\\") {
            let escaped = cursor.peek();
            if !matches!(escaped, Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' | 'u')) {
                return Err(cursor.fault("one of `\"\\/bfnrtu` behind `\\`"));
            }
            cursor.go_to(cursor.at() + 1);
            continue;
        }
        let end = cursor.at();
        if !cursor.take("\"") {
            return Err(Fault {
                at: start,
                message: "the text has no end: `\"` is missing".to_owned(),
                help: None,
            });
        }
        let after = cursor.at();
        cursor.go_to(inner);
        let content = cursor.rest().get(..end - inner).unwrap_or_default().to_owned();
        cursor.go_to(after);
        return Ok(content);
    }
}

fn path(cursor: &mut Cursor<'_>) -> Read<Query> {
    let absolute = cursor.take("$");
    if !absolute {
        cursor.expect("@")?;
    }
    Ok(Query { absolute, segments: segments(cursor)? })
}

/// Goes behind a word, which must not be the beginning of a longer one.
fn take_word(cursor: &mut Cursor<'_>, wanted: &str) -> bool {
    cursor.skip_blanks();
    let start = cursor.at();
    let found = word(cursor) == wanted;
    if !found {
        cursor.go_to(start);
    }
    found
}

fn either(cursor: &mut Cursor<'_>) -> Read<Test> {
    let mut tests = vec![both(cursor)?];
    while take_word(cursor, "or") {
        tests.push(both(cursor)?);
    }
    Ok(one_or(tests, Test::Any))
}

fn both(cursor: &mut Cursor<'_>) -> Read<Test> {
    let mut tests = vec![single(cursor)?];
    while take_word(cursor, "and") {
        tests.push(single(cursor)?);
    }
    Ok(one_or(tests, Test::All))
}

/// The only one, or all of them together.
pub(super) fn one_or(mut tests: Vec<Test>, all: impl FnOnce(Vec<Test>) -> Test) -> Test {
    match (tests.len(), tests.pop()) {
        (1, Some(test)) => test,
        (_, last) => {
            tests.extend(last);
            all(tests)
        }
    }
}

fn single(cursor: &mut Cursor<'_>) -> Read<Test> {
    if take_word(cursor, "not") {
        return Ok(Test::Not(Box::new(cursor.nested(single)?)));
    }
    if cursor.take("(") {
        let test = cursor.nested(either)?;
        cursor.skip_blanks();
        cursor.expect(")")?;
        return Ok(test);
    }
    let left = operand(cursor)?;
    cursor.skip_blanks();
    let operator = match cursor.peek() {
        Some('=') => Some(Operator::Equal),
        Some('!') if cursor.rest().starts_with("!=") => Some(Operator::NotEqual),
        Some('<') if cursor.rest().starts_with("<=") => Some(Operator::LessOrEqual),
        Some('<') => Some(Operator::Less),
        Some('>') if cursor.rest().starts_with(">=") => Some(Operator::GreaterOrEqual),
        Some('>') => Some(Operator::Greater),
        _ => None,
    };
    let Some(operator) = operator else {
        return Ok(match left {
            Operand::Query(query) => Test::Exists(query),
            Operand::Value(value) => Test::Constant(is_true(&value)),
            Operand::Function(function) => Test::Holds(*function),
        });
    };
    cursor.take_while(|char| matches!(char, '!' | '<' | '>'));
    cursor.take("=");
    Ok(Test::Compare(operator, left, operand(cursor)?))
}

/// A path, or a value as JSON has it.
fn operand(cursor: &mut Cursor<'_>) -> Read<Operand> {
    cursor.skip_blanks();
    match cursor.peek() {
        Some('$' | '@') => path(cursor).map(Operand::Query),
        _ => value(cursor).map(Operand::Value),
    }
}

fn value(cursor: &mut Cursor<'_>) -> Read<Value> {
    cursor.skip_blanks();
    for (name, value) in [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)] {
        if take_word(cursor, name) {
            return Ok(value);
        }
    }
    match cursor.peek() {
        Some('"') => text(cursor).map(Value::String),
        Some('[') => {
            cursor.expect("[")?;
            cursor.nested(|cursor| items(cursor, "]", value)).map(Value::Array)
        }
        Some('{') => {
            cursor.expect("{")?;
            let entries = cursor.nested(|cursor| {
                items(cursor, "}", |cursor| {
                    cursor.skip_blanks();
                    let key = text(cursor)?;
                    cursor.skip_blanks();
                    cursor.expect(":")?;
                    Ok((key, value(cursor)?))
                })
            })?;
            Ok(Value::Object(entries.into_iter().collect::<Map<_, _>>()))
        }
        Some(char) if char.is_ascii_digit() || char == '-' => cursor.number().map(Value::Number),
        _ => Err(cursor.fault("a path or a value")),
    }
}

fn items<T>(cursor: &mut Cursor<'_>, end: &str, read: impl Fn(&mut Cursor<'_>) -> Read<T>) -> Read<Vec<T>> {
    let mut items = Vec::new();
    cursor.skip_blanks();
    if cursor.take(end) {
        return Ok(items);
    }
    loop {
        items.push(read(cursor)?);
        cursor.skip_blanks();
        if cursor.take(end) {
            return Ok(items);
        }
        cursor.expect(",")?;
    }
}

/// Truth as Python has it.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(bool) => *bool,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}
