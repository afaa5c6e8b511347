//! Text with places for data.

use serde_json::Value;
use std::fmt::Write as _;

/// A text with places that are filled in from data: `order {input[id]} for {parameters.who}`.
///
/// A place is a root, such as `input`, and any number of keys and indices: `[id]`, `["id"]`, `['id']` and `.id` mean the
/// same, `[0]` is an item of a list. `{{` and `}}` are braces. It is data only: there are no attributes, no calls and no
/// formats, and a key that is not there is an error. Texts are put in as they are, everything else as JSON.
///
/// Source: the templates of `littleflow_redis`, which are Python's `str.format`. There `[ ]` holds no quotes, and `.id` is
/// an attribute, which reaches what is no data.
///
/// ```
/// use mape::workflow::Template;
/// use serde_json::json;
/// let input = json!({"id": 7, "who": ["Ada", "Eve"]});
/// let template = Template::parse("{{order {input[id]} of {input.who[0]}}}")?;
/// assert_eq!(template.fill(&[("input", &input)])?, "{order 7 of Ada}");
/// let error = Template::parse("no. {input[number]}")?.fill(&[("input", &input)]).unwrap_err();
/// assert_eq!(error.to_string(), "`input` has no `number`, but `id`, `who` (column 5 of the template)");
/// # Ok::<(), mape::workflow::TemplateError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Place { column: usize, root: String, keys: Vec<String> },
}

/// Why a template cannot be read, or cannot be filled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (column {column} of the template)")]
pub struct TemplateError {
    /// Where, in characters from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// What may be put in: where in the result it begins, and the text.
type Written<'a> = &'a dyn Fn(usize, &str, bool) -> String;

impl Template {
    /// The longest template, in bytes.
    pub const LONGEST: usize = 64 * 1024;
    /// The longest result, in bytes.
    pub const LONGEST_RESULT: usize = 16 * 1024 * 1024;
    /// How many keys and indices a place may have.
    pub const DEEPEST: usize = 32;

    /// Reads a template.
    ///
    /// # Errors
    ///
    /// Where it is none, and why.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > Self::LONGEST {
            let message = format!("a template may have {} bytes, and this has {}", Self::LONGEST, text.len());
            return Err(TemplateError { column: 1, message });
        }
        Reader { rest: text, column: 1 }.template()
    }

    /// The text with data in its places. Roots that are not among `data` are errors.
    ///
    /// # Errors
    ///
    /// Which place has no data, and what there is.
    pub fn fill(&self, data: &[(&str, &Value)]) -> Result<String, TemplateError> {
        self.fill_as(data, &|_, text, _| text.to_owned())
    }

    /// As [`fill`](Self::fill), with data written by `written`: it is given how long the text before is, and what would be
    /// put in, and whether that is a text.
    pub(super) fn fill_as(
        &self,
        data: &[(&str, &Value)],
        written: Written<'_>,
    ) -> Result<String, TemplateError> {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Place { column, root, keys } => {
                    let fail = |message| TemplateError { column: *column, message };
                    let text = match find(data, root, keys).map_err(fail)? {
                        Value::String(text) => written(filled.len(), text, true),
                        other => written(filled.len(), &other.to_string(), false),
                    };
                    if filled.len().saturating_add(text.len()) > Self::LONGEST_RESULT {
                        let most = Self::LONGEST_RESULT;
                        return Err(fail(format!(
                            "what is put in here makes the text longer than {most} bytes"
                        )));
                    }
                    filled.push_str(&text);
                }
            }
        }
        Ok(filled)
    }

    /// The roots of its places.
    pub fn roots(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Place { root, .. } => Some(root.as_str()),
            Part::Text(_) => None,
        })
    }
}

/// The data of a place.
fn find<'v>(data: &[(&str, &'v Value)], root: &str, keys: &[String]) -> Result<&'v Value, String> {
    let found = data.iter().find(|(name, _)| *name == root).map(|(_, value)| *value);
    let Some(mut value) = found else {
        let known: Vec<&str> = data.iter().map(|(name, _)| *name).collect();
        return Err(format!("there is no `{root}`, but {}", listed(&known)));
    };
    let mut path = root.to_owned();
    for key in keys {
        let next = match value {
            Value::Object(object) => object.get(key),
            Value::Array(items) => key.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => None,
        };
        value = next.ok_or_else(|| missing(&path, value, key))?;
        // A path of a few keys, for messages only.
        let _ = write!(path, "[{key}]");
    }
    Ok(value)
}

fn missing(path: &str, value: &Value, key: &str) -> String {
    match value {
        Value::Object(object) if object.is_empty() => format!("`{path}` has no `{key}`: it is empty"),
        Value::Object(object) => {
            let names: Vec<&str> = object.keys().map(String::as_str).collect();
            format!("`{path}` has no `{key}`, but {}", listed(&names))
        }
        Value::Array(items) => match key.parse::<usize>() {
            Ok(_) => format!("`{path}` has {} items, and no item {key}, counted from 0", items.len()),
            Err(_) => format!("`{path}` is a list: write the number of an item, as in [0], and not `{key}`"),
        },
        _ => format!("`{path}` is a single value, and has no `{key}`"),
    }
}

fn listed(names: &[&str]) -> String {
    const MOST: usize = 12;
    let more = if names.len() > MOST { ", …" } else { "" };
    let names: Vec<String> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    format!("{}{more}", names.join(", "))
}

struct Reader<'t> {
    rest: &'t str,
    column: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
        self.column += 1;
        Some(c)
    }

    fn skip(&mut self, wanted: char) -> bool {
        let is = self.peek() == Some(wanted);
        if is {
            self.next();
        }
        is
    }

    fn taken(&mut self, is: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(c) = self.peek().filter(|c| is(*c)) {
            taken.push(c);
            self.next();
        }
        taken
    }

    fn wrong<T>(column: usize, message: impl Into<String>) -> Result<T, TemplateError> {
        Err(TemplateError { column, message: message.into() })
    }

    fn template(mut self) -> Result<Template, TemplateError> {
        let (mut parts, mut text) = (Vec::new(), String::new());
        loop {
            let column = self.column;
            match self.next() {
                None => break,
                Some('{') if self.skip('{') => text.push('{'),
                Some('{') => {
                    if !text.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut text)));
                    }
                    parts.push(self.place(column)?);
                }
                Some('}') if self.skip('}') => text.push('}'),
                Some('}') => return Self::wrong(column, "a single `}`: write `}}` for a brace"),
                Some(c) => text.push(c),
            }
        }
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Ok(Template { parts })
    }

    fn place(&mut self, column: usize) -> Result<Part, TemplateError> {
        let root = self.name();
        if root.is_empty() {
            let help = "write what is to be put in, such as `{input[id]}`, or `{{` for a brace";
            return Self::wrong(column, format!("a `{{` without a name: {help}"));
        }
        let mut keys = Vec::new();
        loop {
            let at = self.column;
            match self.next() {
                Some('}') => return Ok(Part::Place { column, root, keys }),
                Some('[') => keys.push(self.key(at)?),
                Some('.') => {
                    let name = self.name();
                    if name.is_empty() {
                        return Self::wrong(at, "a `.` without a name behind it");
                    }
                    keys.push(name);
                }
                Some(c @ ('!' | ':')) => {
                    return Self::wrong(
                        at,
                        format!("`{c}`: a template formats nothing; end the place with `}}`"),
                    );
                }
                Some(c) => return Self::wrong(at, format!("`{c}` where `[`, `.` or `}}` is expected")),
                None => return Self::wrong(column, "a `{` that is not closed; write `{{` for a brace"),
            }
            if keys.len() > Template::DEEPEST {
                return Self::wrong(at, format!("more than {} keys one below the other", Template::DEEPEST));
            }
        }
    }

    fn name(&mut self) -> String {
        self.taken(|c| c.is_alphanumeric() || c == '_' || c == '-')
    }

    /// What stands between brackets, of which the first is read.
    fn key(&mut self, at: usize) -> Result<String, TemplateError> {
        let quote = self.peek().filter(|c| matches!(c, '"' | '\''));
        let key = if let Some(quote) = quote {
            self.next();
            let key = self.taken(|c| c != quote);
            if !self.skip(quote) {
                return Self::wrong(at, format!("a `[` whose {quote} is not closed"));
            }
            key
        } else {
            let key = self.taken(|c| !matches!(c, ']' | '[' | '{' | '}'));
            if key.is_empty() {
                return Self::wrong(at, "a `[` without a key or number behind it");
            }
            key
        };
        if self.skip(']') { Ok(key) } else { Self::wrong(at, "a `[` that is not closed with `]`") }
    }
}
