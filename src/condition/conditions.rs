//! Named conditions.

use super::evaluate::{Run, Spent};
use super::tree::{DEEPEST, Node, Subject};
use super::{Diagnostic, Error, Syntax, json, text};
use crate::hint::nearest;
use foldhash::HashMap;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Conditions with names, which may refer to one another: `:large` in one stands for whether `large` holds.
///
/// They are read from a text (`large: sum gt 100, ours: :large and seller eq us`), or from JSON: an object of conditions
/// by name, a list of names with conditions (`[["large", ["sum", "gt", 100]], …]`), or a list of conditions, whose names
/// are then `0`, `1` and so on. A list of conditions under one name stands for `name.0`, `name.1` and so on. The order is
/// that in which they stand, but for an object that was read before ([`from_json`](Self::from_json)), which has none.
///
/// Each is judged once for a value, however many refer to it, and only if it is asked for. References in a circle are
/// refused.
#[doc(alias = "qualify")]
#[derive(Clone, PartialEq)]
pub struct Conditions {
    names: Vec<Arc<str>>,
    nodes: Vec<Node>,
}

impl Conditions {
    /// Conditions in one set, at most.
    pub const MOST: usize = 1_000;

    /// Reads a text: names, each with `:` and a condition, with commas between them; or one of the forms of JSON.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::parse_with(text, Syntax::new())
    }

    /// Reads a text that is not written as usual.
    pub fn parse_with(text: &str, syntax: Syntax) -> Result<Self, Error> {
        text::short_enough(text)?;
        if text.trim_start().starts_with(['{', '[']) {
            let form: Form = serde_json::from_str(text)
                .map_err(|error| Diagnostic::in_json("", format!("this is no JSON: {error}")))?;
            return Self::of(form);
        }
        let mut read = Vec::new();
        for part in parts(text) {
            let wrong = |message: &str| {
                Diagnostic::in_text(text, &part, message).help_with("such as `large: sum gt 100`")
            };
            let piece = text.get(part.clone()).unwrap_or_default();
            let Some((name, condition)) = piece.split_once(':') else {
                return Err(wrong("a name and `:` are expected before a condition").into());
            };
            if name.trim().is_empty() || name.trim().contains(char::is_whitespace) {
                return Err(wrong("the name of a condition is one word").into());
            }
            let node = text::read(text, part.end - condition.len()..part.end, syntax)?;
            read.push((name.trim().to_owned(), node));
        }
        Self::resolved(read)
    }

    /// Reads one of the forms of JSON.
    pub fn from_json(value: &Value) -> Result<Self, Error> {
        if let Value::String(text) = value {
            return Self::parse(text);
        }
        let form = Form::deserialize(value).map_err(|error| Diagnostic::in_json("", error.to_string()))?;
        Self::of(form)
    }

    /// The names, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// The names of those that a value fulfils, in order.
    #[must_use]
    pub fn classify(&self, value: &Value) -> Vec<Arc<str>> {
        self.judge_all(value, u64::MAX).unwrap_or_default()
    }

    /// The names of those that a value fulfils, found in so many steps at most for all of them together.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfSteps`]: it is not known which it fulfils.
    pub fn classify_within(&self, value: &Value, steps: u64) -> Result<Vec<Arc<str>>, Error> {
        self.judge_all(value, steps).map_err(|Spent| Error::OutOfSteps { steps })
    }

    /// The first that a value fulfils; those behind it are not judged.
    #[must_use]
    pub fn first(&self, value: &Value) -> Option<Arc<str>> {
        let mut run = Run::among(&self.nodes, u64::MAX);
        let holds = |(at, _): &(usize, &Arc<str>)| run.named(*at, value).unwrap_or(false);
        self.names.iter().enumerate().find(holds).map(|(_, name)| name.clone())
    }

    /// Whether a value fulfils the one of this name, if there is one; no more of the others is judged than it takes.
    #[must_use]
    #[doc(alias = "root")]
    pub fn holds(&self, name: &str, value: &Value) -> Option<bool> {
        let at = self.names.iter().position(|known| **known == *name)?;
        Some(Run::among(&self.nodes, u64::MAX).named(at, value).unwrap_or(false))
    }

    fn judge_all(&self, value: &Value, steps: u64) -> Result<Vec<Arc<str>>, Spent> {
        let mut run = Run::among(&self.nodes, steps);
        let mut names = Vec::new();
        for (at, name) in self.names.iter().enumerate() {
            if run.named(at, value)? {
                names.push(name.clone());
            }
        }
        Ok(names)
    }

    fn of(form: Form) -> Result<Self, Error> {
        let mut read = Vec::new();
        for (name, value) in form.named()? {
            let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
            match &value {
                // One condition of several parts has a word among them.
                Value::Array(items)
                    if items.len() > 1 && items.iter().all(|item| item.is_array() || item.is_boolean()) =>
                {
                    for (number, item) in items.iter().enumerate() {
                        let node =
                            json::read(item).map_err(|error| error.within(&format!("{pointer}/{number}")))?;
                        read.push((format!("{name}.{number}"), node));
                    }
                }
                value => {
                    read.push((name.clone(), json::read(value).map_err(|error| error.within(&pointer))?));
                }
            }
        }
        Self::resolved(read)
    }

    /// Finds what is referred to.
    fn resolved(read: Vec<(String, Node)>) -> Result<Self, Error> {
        if read.is_empty() || read.len() > Self::MOST {
            let message = format!("a set has 1 to {} conditions, not {}", Self::MOST, read.len());
            return Err(Diagnostic::in_json("", message).into());
        }
        let mut places = HashMap::default();
        for (at, (name, _)) in read.iter().enumerate() {
            if places.insert(name.clone(), at).is_some() {
                return Err(Diagnostic::in_json("", format!("two conditions are called `{name}`")).into());
            }
        }
        let (mut names, mut nodes, mut uses) = (Vec::new(), Vec::new(), Vec::new());
        for (name, mut node) in read {
            let mut needed = Vec::new();
            node.try_each_atom(&mut |atom| {
                if let Subject::Named(wanted, at) = &mut atom.subject {
                    *at = *places.get(&**wanted).ok_or_else(|| unknown(&name, wanted, &places))?;
                    needed.push(*at);
                }
                Ok::<(), Error>(())
            })?;
            names.push(Arc::from(name));
            nodes.push(node);
            uses.push(needed);
        }
        let mut heights = vec![Height::Unknown; names.len()];
        for at in 0..names.len() {
            height(at, 1, &uses, &mut heights).map_err(|problem| {
                let name = names.get(at).map_or("", |name: &Arc<str>| &**name);
                Diagnostic::in_json("", format!("`{name}` {problem}"))
            })?;
        }
        Ok(Self { names, nodes })
    }
}

fn unknown(name: &str, wanted: &str, places: &HashMap<String, usize>) -> Error {
    let diagnostic =
        Diagnostic::in_json("", format!("`{name}` refers to `:{wanted}`, and there is no such condition"));
    match nearest(wanted, places.keys().map(String::as_str)) {
        Some(near) => diagnostic.help_with(format!("did you mean `:{near}`?")).into(),
        None => diagnostic.help_with("write `\\:` if a key begins with a colon").into(),
    }
}

/// How many conditions one refers to, one through the other, with itself.
#[derive(Clone, Copy)]
enum Height {
    Unknown,
    /// It is being found: who comes here again goes in a circle.
    Open,
    Known(usize),
}

fn height(at: usize, depth: usize, uses: &[Vec<usize>], heights: &mut [Height]) -> Result<usize, String> {
    match heights.get(at) {
        Some(Height::Known(height)) => return Ok(*height),
        Some(Height::Unknown) if depth <= DEEPEST => {}
        Some(Height::Unknown) => return Err(format!("refers to others over more than {DEEPEST} conditions")),
        Some(Height::Open) | None => return Err("refers to itself, over others or at once".into()),
    }
    let set = |heights: &mut [Height], to| heights.get_mut(at).map(|height| *height = to);
    set(heights, Height::Open);
    let mut highest = 0;
    for used in uses.get(at).into_iter().flatten() {
        highest = highest.max(height(*used, depth + 1, uses, heights)?);
    }
    if highest >= DEEPEST {
        return Err(format!("refers to others over more than {DEEPEST} conditions"));
    }
    set(heights, Height::Known(highest + 1));
    Ok(highest + 1)
}

/// A text divided at commas that are neither in quotes nor in brackets.
fn parts(text: &str) -> Vec<Range<usize>> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    let (mut quote, mut escaped, mut in_word) = (None, false, false);
    for (at, char) in text.char_indices() {
        match quote {
            Some(open) => quote = if open == char { None } else { quote },
            None if escaped => escaped = false,
            None => match char {
                '\\' => escaped = true,
                '"' | '\'' if !in_word => quote = Some(char),
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                ',' if depth == 0 => {
                    parts.push(start..at);
                    start = at + 1;
                }
                _ => {}
            },
        }
        in_word = !(char.is_whitespace() || matches!(char, '[' | ']' | ',' | ':'));
    }
    parts.push(start..text.len());
    parts
}

/// A set as JSON has it.
enum Form {
    Object(Vec<(String, Value)>),
    List(Vec<Value>),
}

impl Form {
    fn named(self) -> Result<Vec<(String, Value)>, Error> {
        let items = match self {
            Self::Object(named) => return Ok(named),
            Self::List(items) => items,
        };
        if !items.iter().all(|item| item.is_array() || item.is_boolean()) {
            let diagnostic = Diagnostic::in_json("", "this is one condition, and a set is expected");
            return Err(diagnostic.help_with("give it a name: {\"name\": …}").into());
        }
        let pair = |item: &Value| match item.as_array().map(Vec::as_slice) {
            Some([Value::String(name), condition @ Value::Array(_)]) => {
                Some((name.clone(), condition.clone()))
            }
            Some([Value::Number(name), condition @ Value::Array(_)]) => {
                Some((name.to_string(), condition.clone()))
            }
            _ => None,
        };
        let named: Option<Vec<_>> = items.iter().map(pair).collect();
        let numbered =
            || items.iter().cloned().enumerate().map(|(at, item)| (at.to_string(), item)).collect();
        Ok(named.unwrap_or_else(numbered))
    }
}

impl<'de> Deserialize<'de> for Form {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Form;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or a list of conditions")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Form, M::Error> {
                let mut named = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    named.push(entry);
                }
                Ok(Form::Object(named))
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Form, S::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Form::List(items))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Form, E> {
                let set = Conditions::parse(text).map_err(E::custom)?;
                let items = set.names.iter().zip(&set.nodes);
                Ok(Form::Object(items.map(|(name, node)| (name.to_string(), json::written(node))).collect()))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl fmt::Debug for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items = self.names.iter().zip(&self.nodes);
        f.debug_map().entries(items.map(|(name, node)| (name, super::write::written(node)))).finish()
    }
}

/// A list of names with conditions.
impl Serialize for Conditions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let items = self.names.iter().zip(&self.nodes);
        serializer.collect_seq(items.map(|(name, node)| (&**name, json::written(node))))
    }
}

impl<'de> Deserialize<'de> for Conditions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(Form::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
