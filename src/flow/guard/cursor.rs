//! A place in the text of a guard.

/// Deeper nesting of brackets is refused.
const MAX_DEPTH: usize = 32;

/// Why a text is no guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// In bytes.
    pub(super) at: usize,
    pub(super) message: String,
    pub(super) help: Option<&'static str>,
}

pub(super) type Read<T> = Result<T, Fault>;

pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    /// Goes behind `sign` if it is what follows.
    pub(super) fn take(&mut self, sign: &str) -> bool {
        let found = self.rest().starts_with(sign);
        self.at += if found { sign.len() } else { 0 };
        found
    }

    /// Takes characters as long as they are such.
    pub(super) fn take_while(&mut self, is: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|char| !is(char)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    pub(super) fn fault(&self, expected: &str) -> Fault {
        let found = match self.peek() {
            Some(char) => format!("`{char}`"),
            None => "the end of the guard".to_owned(),
        };
        let unclosed = self.depth > 0 && self.peek().is_none();
        let help = unclosed.then_some("each `[` needs a `]`, and each `(` a `)`: `$.a[0]`, `$[\"a\"]`");
        Fault { at: self.at, message: format!("expected {expected}, found {found}"), help }
    }

    pub(super) fn expect(&mut self, sign: &str) -> Read<()> {
        if self.take(sign) { Ok(()) } else { Err(self.fault(&format!("`{sign}`"))) }
    }

    /// One or more of what `read` reads, in square brackets and with commas between.
    pub(super) fn listed<T>(&mut self, mut read: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        self.expect("[")?;
        self.nested(|cursor| {
            let mut list = Vec::new();
            loop {
                cursor.skip_blanks();
                list.push(read(cursor)?);
                cursor.skip_blanks();
                if cursor.take("]") {
                    return Ok(list);
                }
                if !cursor.take(",") {
                    return Err(cursor.fault("`,` or `]`"));
                }
            }
        })
    }

    /// Reads what stands in brackets, unless it is nested too deep.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth >= MAX_DEPTH {
            let message = format!("it is nested more than {MAX_DEPTH} deep");
            return Err(Fault {
                at: self.at,
                message,
                help: Some("let a task work it out, and ask for its result"),
            });
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Reads a number as JSON has it.
    pub(super) fn number(&mut self) -> Read<serde_json::Number> {
        let start = self.at;
        self.take("-");
        let digits = self.take_while(|char| char.is_ascii_digit());
        if digits.is_empty() {
            return Err(self.fault("a digit"));
        }
        if digits.len() > 1 && digits.starts_with('0') {
            return Err(Fault { at: start, ..self.fault("a number without a leading 0") });
        }
        if self
            .rest()
            .strip_prefix('.')
            .is_some_and(|rest| rest.starts_with(|char: char| char.is_ascii_digit()))
        {
            self.at += 1;
            self.take_while(|char| char.is_ascii_digit());
        }
        let before = self.at;
        if self.take("e") || self.take("E") {
            let _ = self.take("+") || self.take("-");
            if self.take_while(|char| char.is_ascii_digit()).is_empty() {
                self.at = before;
            }
        }
        let number = self.text.get(start..self.at).unwrap_or_default();
        // JSON has `-0`, which is read as a whole number for its sign has no meaning here.
        let number = if number == "-0" { "0" } else { number };
        serde_json::from_str(number).map_err(|_| Fault {
            at: start,
            message: format!("`{number}` is out of the range of numbers"),
            help: None,
        })
    }

    /// Reads a whole number.
    pub(super) fn integer(&mut self) -> Read<i64> {
        let start = self.at;
        let number = self.number()?;
        number.as_i64().ok_or_else(|| Fault { at: start, ..self.fault("a whole number") })
    }
}
