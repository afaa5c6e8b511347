//! The JSON form, both ways.

use super::lexer::PREFIXES;
use super::literal::{convert, kept};
use super::operator::Operator;
use super::path::Path;
use super::text::{self, subject};
use super::tree::{self, Atom, Chain, Join, Node, Room, Subject};
use super::value::size;
use super::{Diagnostic, Error, Syntax};
use serde_json::Value;

/// Reads a condition: a list, a text, or `true` and `false`.
pub(super) fn read(value: &Value) -> Result<Node, Error> {
    match value {
        Value::Bool(is) => Ok(Node::Constant(*is)),
        Value::String(text) => from_text(text, Syntax::new()),
        Value::Array(items) => Reader { room: Room::new() }.chain(items, "", 0),
        _ => Err(wrong("", "a condition is a list, a text, `true` or `false`").into()),
    }
}

/// Reads a text, which may hold the JSON form.
pub(super) fn from_text(text: &str, syntax: Syntax) -> Result<Node, Error> {
    text::short_enough(text)?;
    if !text.trim_start().starts_with('[') {
        return text::read(text, 0..text.len(), syntax);
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value) => read(&value),
        Err(error) => text::read(text, 0..text.len(), syntax).map_err(|wrong| {
            // What has commas behind quotes was meant as JSON.
            if !text.contains("\",") {
                return wrong;
            }
            let line =
                text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
            let at = line + error.column().saturating_sub(1);
            Diagnostic::in_text(text, &(at..at), no_json(&error)).into()
        }),
    }
}

/// What is wrong with a text that was to be JSON, without the place.
pub(super) fn no_json(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let reason = said.rsplit_once(" at line ").map_or(said.as_str(), |(reason, _)| reason);
    format!("this is no JSON: {reason}")
}

struct Reader {
    room: Room,
}

impl Reader {
    /// Conditions that are joined.
    fn chain(&mut self, items: &[Value], at: &str, depth: usize) -> Result<Node, Error> {
        tree::depth(depth).map_err(|message| wrong(at, message))?;
        let mut place = 0;
        let first = self.operand(items, &mut place, at, depth)?;
        let mut rest = Vec::new();
        while let Some(item) = items.get(place) {
            let Some(join) = item.as_str().and_then(join) else {
                let diagnostic =
                    wrong(&format!("{at}/{place}"), "\"and\", \"or\" or \"xor\" is expected here");
                return Err(diagnostic
                    .help_with("conditions that are joined may stand in lists of their own")
                    .into());
            };
            place += 1;
            rest.push((join, self.operand(items, &mut place, at, depth)?));
        }
        Ok(Node::chain(first, rest))
    }

    fn operand(&mut self, items: &[Value], place: &mut usize, at: &str, depth: usize) -> Result<Node, Error> {
        let here = format!("{at}/{place}");
        let limited =
            |result: Result<(), String>| result.map_err(|message| Error::from(wrong(&here, message)));
        let Some(item) = items.get(*place) else {
            return Err(wrong(at, "a key or a condition is expected at its end").into());
        };
        *place += 1;
        limited(self.room.part())?;
        let subject = match item {
            Value::Bool(is) => return Ok(Node::Constant(*is)),
            Value::Array(list) if !is_path(list) => return self.chain(list, &here, depth + 1),
            Value::Array(list) => Path::of_list(list).and_then(|path| {
                self.room.path(&path)?;
                Ok(Subject::Path(path))
            }),
            Value::String(word) if word == "not" => {
                limited(tree::depth(depth + 1))?;
                return Ok(self.operand(items, place, at, depth + 1)?.not());
            }
            Value::String(word) if join(word).is_some() => Err(format!("a key is expected before {item}")),
            Value::String(key) => subject(key, &mut self.room),
            _ => Err(format!("a key is a text or a list of steps, not {item}")),
        };
        let subject = subject.map_err(|message| Error::from(wrong(&here, message)))?;
        self.atom(subject, items, place, at)
    }

    /// What follows a key.
    fn atom(
        &mut self,
        subject: Subject,
        items: &[Value],
        place: &mut usize,
        at: &str,
    ) -> Result<Node, Error> {
        let ends = |place: usize| items.get(place).is_none_or(|item| item.as_str().and_then(join).is_some());
        let mut atom = Atom::truthy(subject);
        if ends(*place) {
            return Ok(Node::Atom(atom));
        }
        for _ in 0..2 {
            if let Some(prefix) =
                items.get(*place).and_then(Value::as_str).filter(|word| PREFIXES.contains(word))
            {
                *place += 1;
                atom.negated |= prefix.contains("not");
                atom.reversed |= prefix.contains("rev");
            }
        }
        let here = format!("{at}/{place}");
        atom.operator = match items.get(*place) {
            Some(Value::String(word)) => Operator::parse(word).ok_or_else(|| {
                wrong(&here, format!("there is no operator `{word}`")).help_with(Operator::help(word))
            })?,
            Some(other) => {
                return Err(wrong(&here, format!("an operator is expected here, not {other}")).into());
            }
            None => return Err(wrong(at, "an operator is expected at its end").into()),
        };
        *place += 1;
        if atom.operator.takes_a_value() {
            let message = || format!("a value is expected at its end, for `{}`", atom.operator.name());
            let value = items.get(*place).ok_or_else(|| wrong(at, message()))?;
            let here = format!("{at}/{place}");
            deep_enough(value, 0).map_err(|message| wrong(&here, message))?;
            self.room.values(size(value)).map_err(|message| wrong(&here, message))?;
            atom.weight = u32::try_from(size(value)).unwrap_or(u32::MAX);
            atom.literal = match value {
                Value::String(text) => convert(text),
                other => other.clone(),
            };
            *place += 1;
        } else if !ends(*place) {
            *place += 1;
        }
        Ok(Node::Atom(atom))
    }
}

fn wrong(at: &str, message: impl Into<String>) -> Diagnostic {
    Diagnostic::in_json(at, message)
}

fn join(word: &str) -> Option<Join> {
    match word {
        "and not" => Some(Join::AndNot),
        "or not" => Some(Join::OrNot),
        word => Join::parse(word),
    }
}

/// Whether a list is the way to a value, and no condition.
fn is_path(list: &[Value]) -> bool {
    let second = match list.get(1) {
        Some(Value::String(second)) => second.as_str(),
        Some(Value::Number(_)) => "",
        _ => return false,
    };
    let is_step = |item: &Value| item.is_string() || item.is_i64() || item.is_u64();
    list.iter().all(is_step)
        && list.first().is_none_or(|first| first != "not")
        && join(second).is_none()
        && Operator::parse(second).is_none()
        && !PREFIXES.contains(&second)
}

fn deep_enough(value: &Value, depth: usize) -> Result<(), String> {
    tree::depth(depth)?;
    super::value::children(value).try_for_each(|value| deep_enough(value, depth + 1))
}

/// The JSON form, always a list.
pub(super) fn written(node: &Node) -> Value {
    match node {
        Node::Constant(_) => Value::Array(vec![nested(node)]),
        other => nested(other),
    }
}

fn nested(node: &Node) -> Value {
    match node {
        Node::Constant(is) => Value::Bool(*is),
        Node::Atom(atom) => atom_written(atom),
        Node::Not(node) => Value::Array(vec!["not".into(), nested(node)]),
        Node::Chain(chain) => {
            let Chain { first, rest } = &**chain;
            let mut items = vec![nested(first)];
            for (join, node) in rest {
                items.extend([join.word().into(), nested(node)]);
            }
            Value::Array(items)
        }
    }
}

fn atom_written(atom: &Atom) -> Value {
    let key = match &atom.subject {
        Subject::Named(name, _) => format!(":{}", name.replace('\\', "\\\\")).into(),
        Subject::Path(path) => {
            let list = path.to_list();
            match path.written() {
                // Not where the list would be taken for a condition.
                written if list.len() > 1 && (written.is_none() || is_path(&list)) => Value::Array(list),
                Some(written)
                    if ["and", "or", "xor", "and_not", "or_not", "not", "and not", "or not"]
                        .contains(&&*written) =>
                {
                    format!("\\{written}").into()
                }
                written => written.unwrap_or_default().into(),
            }
        }
    };
    let mut items = vec![key];
    if atom.operator == Operator::Truthy && !atom.negated && !atom.reversed {
        return Value::Array(items);
    }
    if atom.negated {
        items.push("not".into());
    }
    if atom.reversed {
        items.push("rev".into());
    }
    items.push(atom.operator.name().into());
    items.push(match &atom.literal {
        Value::String(text) => kept(text).into(),
        other => other.clone(),
    });
    Value::Array(items)
}
