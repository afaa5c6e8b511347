//! Paths by RFC 9535, with all of its functions.

use super::cursor::{Cursor, Fault, Read};
use super::dialect::one_or;
use super::function::{Function, Pattern};
use super::query::{Operand, Operator, Query, Segment, Selector, Slice, Test};
use serde_json::Value;

const FUNCTIONS: &str = "there are the functions length, count, match, search and value";

/// Reads a whole text.
pub(super) fn parse(text: &str) -> Read<Query> {
    let mut cursor = Cursor::new(text);
    cursor.expect("$")?;
    let segments = segments(&mut cursor)?;
    match cursor.peek() {
        None => Ok(Query { absolute: true, segments }),
        Some(_) => Err(cursor.fault("`.`, `..`, `[` or the end")),
    }
}

fn segments(cursor: &mut Cursor<'_>) -> Read<Vec<Segment>> {
    let mut segments = Vec::new();
    loop {
        let before = cursor.at();
        cursor.skip_blanks();
        let descends = cursor.take("..");
        if descends || cursor.take(".") {
            let selectors = match cursor.peek() {
                Some('[') if descends => cursor.listed(selector)?,
                _ => vec![shorthand(cursor)?],
            };
            segments.push(Segment { descends, selectors });
        } else if cursor.peek() == Some('[') {
            segments.push(Segment { descends: false, selectors: cursor.listed(selector)? });
        } else {
            cursor.go_to(before);
            return Ok(segments);
        }
    }
}

fn shorthand(cursor: &mut Cursor<'_>) -> Read<Selector> {
    if cursor.take("*") {
        return Ok(Selector::Wildcard);
    }
    let first = |char: char| char.is_ascii_alphabetic() || char == '_' || !char.is_ascii();
    if !cursor.peek().is_some_and(first) {
        return Err(cursor.fault("a name or `*`"));
    }
    let name = cursor.take_while(|char| first(char) || char.is_ascii_digit());
    Ok(Selector::Name(name.to_owned()))
}

fn selector(cursor: &mut Cursor<'_>) -> Read<Selector> {
    match cursor.peek() {
        Some('*') => shorthand(cursor),
        Some('"' | '\'') => text(cursor).map(Selector::Name),
        Some('?') => {
            cursor.expect("?")?;
            cursor.skip_blanks();
            either(cursor).map(Selector::Filter)
        }
        Some(':') => slice(cursor, None),
        Some(char) if char.is_ascii_digit() || char == '-' => {
            let index = integer(cursor)?;
            let behind = cursor.at();
            cursor.skip_blanks();
            if cursor.peek() == Some(':') {
                return slice(cursor, Some(index));
            }
            cursor.go_to(behind);
            Ok(Selector::Index(index))
        }
        _ => Err(cursor.fault("a name in quotes, a number, `*`, a slice or a filter")),
    }
}

/// A whole number that every program can hold.
fn integer(cursor: &mut Cursor<'_>) -> Read<i64> {
    const LARGEST: i64 = (1 << 53) - 1;
    let start = cursor.at();
    let negative = cursor.take("-");
    let digits = cursor.take_while(|char| char.is_ascii_digit());
    let number = digits.parse::<i64>().ok().filter(|number| *number <= LARGEST);
    match number {
        _ if digits.is_empty() => Err(cursor.fault("a digit")),
        Some(0) if negative || digits.len() > 1 => {
            Err(Fault { at: start, ..cursor.fault("a number without a leading 0 or a sign before 0") })
        }
        Some(number) if number == 0 || !digits.starts_with('0') => {
            Ok(if negative { -number } else { number })
        }
        Some(_) => Err(Fault { at: start, ..cursor.fault("a number without a leading 0") }),
        None => Err(Fault { at: start, ..cursor.fault("a number below 2^53") }),
    }
}

fn slice(cursor: &mut Cursor<'_>, start: Option<i64>) -> Read<Selector> {
    let bound = |cursor: &mut Cursor<'_>| {
        cursor.skip_blanks();
        let is_number = cursor.peek().is_some_and(|char| char.is_ascii_digit() || char == '-');
        if is_number { integer(cursor).map(Some) } else { Ok(None) }
    };
    cursor.expect(":")?;
    let end = bound(cursor)?;
    cursor.skip_blanks();
    let step = if cursor.take(":") { bound(cursor)?.unwrap_or(1) } else { 1 };
    Ok(Selector::Slice(Slice { start, end, step }))
}

/// A text in quotes, with escapes as in JSON and one for the quote.
fn text(cursor: &mut Cursor<'_>) -> Read<String> {
    let start = cursor.at();
    let quote = if cursor.take("'") { '\'' } else { '"' };
    if quote == '"' {
        cursor.expect("\"")?;
    }
    let mut text = String::new();
    loop {
        text += cursor.take_while(|char| char != quote && char != '\\' && char >= ' ');
        if cursor.take(&quote.to_string()) {
            return Ok(text);
        }
        match cursor.peek() {
            Some('\\') => text.push(escape(cursor, quote)?),
            Some(_) => return Err(cursor.fault("no control character in a text")),
            None => {
                let message = format!("the text has no end: `{quote}` is missing");
                return Err(Fault { at: start, message, help: None });
            }
        }
    }
}

fn escape(cursor: &mut Cursor<'_>, quote: char) -> Read<char> {
    cursor.expect("\\")?;
    let at = cursor.at();
    let escaped = cursor.peek();
    cursor.go_to(at + escaped.map_or(0, char::len_utf8));
    Ok(match escaped {
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('/') => '/',
        Some('\\') => '\\',
        Some(char) if char == quote => quote,
        Some('u') => {
            let first = hex(cursor)?;
            let code = if (0xd800..0xdc00).contains(&first) && cursor.take("\\u") {
                let second = hex(cursor)?;
                0x10000 + ((first - 0xd800) << 10) + second.wrapping_sub(0xdc00)
            } else {
                first
            };
            char::from_u32(code).ok_or_else(|| Fault { at, ..cursor.fault("a character behind `\\u`") })?
        }
        _ => return Err(Fault { at, ..cursor.fault("one of `bfnrtu/\\` or the quote behind `\\`") }),
    })
}

fn hex(cursor: &mut Cursor<'_>) -> Read<u32> {
    let digits = cursor.rest().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let Some(code) = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) else {
        return Err(cursor.fault("four hexadecimal digits"));
    };
    cursor.go_to(cursor.at() + 4);
    Ok(code)
}

fn either(cursor: &mut Cursor<'_>) -> Read<Test> {
    let mut tests = vec![both(cursor)?];
    while follows(cursor, "||") {
        tests.push(both(cursor)?);
    }
    Ok(one_or(tests, Test::Any))
}

fn both(cursor: &mut Cursor<'_>) -> Read<Test> {
    let mut tests = vec![single(cursor)?];
    while follows(cursor, "&&") {
        tests.push(single(cursor)?);
    }
    Ok(one_or(tests, Test::All))
}

fn follows(cursor: &mut Cursor<'_>, sign: &str) -> bool {
    let before = cursor.at();
    cursor.skip_blanks();
    let found = cursor.take(sign);
    if !found {
        cursor.go_to(before);
    }
    found
}

fn single(cursor: &mut Cursor<'_>) -> Read<Test> {
    cursor.skip_blanks();
    let not = cursor.take("!");
    cursor.skip_blanks();
    let test = if cursor.take("(") {
        let test = cursor.nested(either)?;
        cursor.skip_blanks();
        cursor.expect(")")?;
        test
    } else {
        comparison(cursor, not)?
    };
    Ok(if not { Test::Not(Box::new(test)) } else { test })
}

/// A comparison, or a path or function by itself.
fn comparison(cursor: &mut Cursor<'_>, negated: bool) -> Read<Test> {
    let start = cursor.at();
    let left = operand(cursor)?;
    let behind = cursor.at();
    cursor.skip_blanks();
    let operators = [
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ];
    let Some((_, operator)) = operators.into_iter().find(|(sign, _)| cursor.take(sign)) else {
        if cursor.peek() == Some('=') {
            return Err(Fault { help: Some("equality is written `==` in RFC 9535"), ..cursor.fault("`==`") });
        }
        cursor.go_to(behind);
        return match left {
            Operand::Query(query) => Ok(Test::Exists(query)),
            Operand::Function(function) if matches!(*function, Function::Matches { .. }) => {
                Ok(Test::Holds(*function))
            }
            _ => {
                let message = "a value by itself is no condition: it has to be compared".to_owned();
                Err(Fault { at: start, message, help: None })
            }
        };
    };
    if negated {
        let message = "`!` stands before a path, a function or parentheses".to_owned();
        return Err(Fault { at: start, message, help: Some("put the comparison in parentheses: `!(…)`") });
    }
    comparable(&left, start)?;
    cursor.skip_blanks();
    let start = cursor.at();
    let right = operand(cursor)?;
    comparable(&right, start)?;
    Ok(Test::Compare(operator, left, right))
}

fn comparable(operand: &Operand, at: usize) -> Read<()> {
    let (message, help) = match operand {
        Operand::Query(query) if !query.is_singular() => {
            ("a path that is compared must match one value at most", Some("filter by it: `[?@.a[?@ == 1]]`"))
        }
        Operand::Function(function) if matches!(**function, Function::Matches { .. }) => {
            ("`match()` and `search()` say yes or no, and cannot be compared", None)
        }
        _ => return Ok(()),
    };
    Err(Fault { at, message: message.to_owned(), help })
}

fn operand(cursor: &mut Cursor<'_>) -> Read<Operand> {
    match cursor.peek() {
        Some('@' | '$') => path(cursor).map(Operand::Query),
        Some('"' | '\'') => text(cursor).map(|text| Operand::Value(Value::String(text))),
        Some(char) if char.is_ascii_digit() || char == '-' => {
            cursor.number().map(|number| Operand::Value(Value::Number(number)))
        }
        Some(char) if char.is_ascii_lowercase() => word(cursor),
        _ => Err(cursor.fault("a path, a function or a value")),
    }
}

fn path(cursor: &mut Cursor<'_>) -> Read<Query> {
    let absolute = cursor.take("$");
    if !absolute {
        cursor.expect("@")?;
    }
    Ok(Query { absolute, segments: segments(cursor)? })
}

/// A function, or a value that is a word.
fn word(cursor: &mut Cursor<'_>) -> Read<Operand> {
    let start = cursor.at();
    let name = cursor.take_while(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_');
    if !cursor.take("(") {
        return match name {
            "true" => Ok(Operand::Value(true.into())),
            "false" => Ok(Operand::Value(false.into())),
            "null" => Ok(Operand::Value(Value::Null)),
            _ => Err(Fault {
                at: start,
                help: Some(FUNCTIONS),
                ..cursor.fault("`(` behind the name of a function")
            }),
        };
    }
    let function = cursor.nested(|cursor| function(cursor, name, start))?;
    cursor.skip_blanks();
    cursor.expect(")")?;
    Ok(Operand::Function(Box::new(function)))
}

fn function(cursor: &mut Cursor<'_>, name: &str, start: usize) -> Read<Function> {
    cursor.skip_blanks();
    Ok(match name {
        "length" => Function::Length(argument(cursor)?),
        "count" => Function::Count(path(cursor)?),
        "value" => Function::Value(path(cursor)?),
        "match" | "search" => {
            let whole = name == "match";
            let text = argument(cursor)?;
            cursor.skip_blanks();
            cursor.expect(",")?;
            cursor.skip_blanks();
            Function::Matches { text, pattern: Pattern::new(argument(cursor)?, whole), whole }
        }
        _ => {
            let message = format!("there is no function `{name}()`");
            return Err(Fault { at: start, message, help: Some(FUNCTIONS) });
        }
    })
}

/// An argument that is one value.
fn argument(cursor: &mut Cursor<'_>) -> Read<Operand> {
    let start = cursor.at();
    let argument = operand(cursor)?;
    comparable(&argument, start)?;
    Ok(argument)
}
