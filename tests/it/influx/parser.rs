//! A reader of line protocol that knows nothing of the writer: one letter after the other, as InfluxDB's pages describe it.

use std::collections::BTreeMap;

/// What a line says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Read {
    pub(super) measurement: String,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) fields: BTreeMap<String, Field>,
    pub(super) time: Option<i64>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Field {
    Text(String),
    Float(f64),
    Integer(i64),
    Unsigned(u64),
    Boolean(bool),
}

/// Reads what a server is sent: its lines. Panics at what is none.
pub(super) fn read(body: &str) -> Vec<Read> {
    let mut letters: Vec<char> = body.chars().collect();
    letters.reverse();
    let mut all = Vec::new();
    while let Some(letter) = letters.last() {
        match letter {
            '\n' => drop(letters.pop()),
            '#' => panic!("a comment: {body:?}"),
            _ => all.push(line(&mut letters)),
        }
    }
    all
}

fn line(letters: &mut Vec<char>) -> Read {
    let mut read = Read { measurement: name(letters, ", ", ", "), ..Read::default() };
    while letters.last() == Some(&',') {
        letters.pop();
        let key = name(letters, "=", ",= ");
        assert_eq!(letters.pop(), Some('='));
        let value = name(letters, ", ", ",= ");
        assert!(!key.is_empty() && !value.is_empty(), "an empty tag");
        assert!(read.tags.insert(key, value).is_none(), "a tag twice");
    }
    assert_eq!(letters.pop(), Some(' '), "fields follow");
    loop {
        let key = name(letters, "=", ",= ");
        assert_eq!(letters.pop(), Some('='));
        assert!(!key.is_empty() && read.fields.insert(key, field(letters)).is_none(), "a field twice");
        if letters.last() != Some(&',') {
            break;
        }
        letters.pop();
    }
    if letters.last() == Some(&' ') {
        letters.pop();
        read.time = Some(word(letters).parse().unwrap());
    }
    assert!(matches!(letters.pop(), None | Some('\n')), "the line ends");
    read
}

/// Up to one of the ends, which a backslash before it makes a letter like any other.
fn name(letters: &mut Vec<char>, ends: &str, escaped: &str) -> String {
    let mut name = String::new();
    while let Some(letter) = letters.last().copied() {
        assert_ne!(letter, '\n', "a line ends in a name");
        if ends.contains(letter) {
            return name;
        }
        assert!(letter != '=' || !escaped.contains('='), "an equals sign that is not escaped");
        letters.pop();
        match letters.last() {
            Some(next) if letter == '\\' && escaped.contains(*next) => name.extend(letters.pop()),
            _ => name.push(letter),
        }
    }
    panic!("a line ends in a name: {name:?}")
}

fn field(letters: &mut Vec<char>) -> Field {
    if letters.last() == Some(&'"') {
        letters.pop();
        let mut text = String::new();
        loop {
            match letters.pop().expect("the text ends") {
                '"' => return Field::Text(text),
                '\\' if matches!(letters.last(), Some('"' | '\\')) => text.extend(letters.pop()),
                letter => text.push(letter),
            }
        }
    }
    let word = word(letters);
    match (word.as_str(), word.chars().last()) {
        ("true", _) => Field::Boolean(true),
        ("false", _) => Field::Boolean(false),
        (number, Some('i')) => Field::Integer(number.trim_end_matches('i').parse().unwrap()),
        (number, Some('u')) => Field::Unsigned(number.trim_end_matches('u').parse().unwrap()),
        (number, _) => Field::Float(number.parse().unwrap()),
    }
}

fn word(letters: &mut Vec<char>) -> String {
    let mut word = String::new();
    while let Some(letter) = letters.pop() {
        if ", \n".contains(letter) {
            letters.push(letter);
            break;
        }
        word.push(letter);
    }
    word
}
