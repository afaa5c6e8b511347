//! Rows on their way to a database: values in one list, what they are made of in one text.

use super::field::{self, Refusal};
use super::sql::Dialect;
use serde::Serialize;
use serde::ser::{Impossible, SerializeMap, SerializeStruct, Serializer};
use std::fmt::Display;
use std::sync::Arc;

/// Rows of the same columns. A row takes no allocation of its own.
#[derive(Debug)]
pub(super) struct Rows {
    /// Says which names are the same column.
    dialect: Dialect,
    columns: Vec<Arc<str>>,
    /// One row behind the other, each as long as there are columns.
    values: Vec<Value>,
    /// What texts, JSON and bytes are made of.
    bytes: Vec<u8>,
    len: usize,
    /// What columns there may be, if that is known.
    known: Option<Arc<[String]>>,
}

/// What stands in a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Boolean(bool),
    Integer(i64),
    Real(f64),
    Text(Span),
    Json(Span),
    Bytes(Span),
}

/// Where something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Integer,
    Real,
    Text,
    Json,
    Bytes,
}

impl Value {
    pub(super) fn kind(self) -> Option<Kind> {
        Some(match self {
            Self::Null => return None,
            Self::Boolean(_) => Kind::Boolean,
            Self::Integer(_) => Kind::Integer,
            Self::Real(_) => Kind::Real,
            Self::Text(_) => Kind::Text,
            Self::Json(_) => Kind::Json,
            Self::Bytes(_) => Kind::Bytes,
        })
    }
}

impl Rows {
    /// None yet, of any columns.
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, columns: Vec::new(), values: Vec::new(), bytes: Vec::new(), len: 0, known: None }
    }

    /// None yet, with these columns to begin with, and others only if they are `known`.
    pub(super) fn with(dialect: Dialect, columns: &[Arc<str>], known: Arc<[String]>) -> Self {
        Self { columns: columns.to_vec(), known: Some(known), ..Self::new(dialect) }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn columns(&self) -> &[Arc<str>] {
        &self.columns
    }

    /// One more; why it is none. A field of it is a column; what it has no field for is NULL.
    pub(super) fn push<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<(), String> {
        let (values, bytes) = (self.values.len(), self.bytes.len());
        self.values.resize(values + self.columns.len(), Value::Null);
        let pushed = row.serialize(OneRow { rows: self, next: 0 });
        match pushed {
            Ok(()) => {
                self.len += 1;
                Ok(())
            }
            Err(refusal) => {
                // A column that it has brought stays, so the rows may be longer by now.
                self.values.truncate(self.len * self.columns.len());
                self.bytes.truncate(bytes);
                Err(refusal.reason())
            }
        }
    }

    pub(super) fn row(&self, row: usize) -> &[Value] {
        let width = self.columns.len();
        self.values.get(row * width..(row + 1) * width).unwrap_or_default()
    }

    pub(super) fn bytes(&self, span: Span) -> &[u8] {
        self.bytes.get(span.start..span.end).unwrap_or_default()
    }

    /// What the values of a column are; nothing if all of them are NULL.
    pub(super) fn kind(&self, column: usize) -> Option<Kind> {
        let values = self.values.iter().skip(column).step_by(self.columns.len().max(1));
        values.copied().find_map(Value::kind)
    }

    /// The place of a column, which is most likely `next`.
    fn column(&mut self, name: &str, next: usize) -> Result<usize, Refusal> {
        let is_it = |column: &str| self.dialect.is_same(column, name);
        if self.columns.get(next).is_some_and(|column| is_it(column)) {
            return Ok(next);
        }
        if let Some(place) = self.columns.iter().position(|column| is_it(column)) {
            return Ok(place);
        }
        if let Some(known) = self.known.as_ref().filter(|known| !known.iter().any(|column| is_it(column))) {
            let near = crate::hint::nearest(name, known.iter().map(String::as_str));
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(Refusal::because(format!("the table has no column `{name}`{near}")));
        }
        let width = self.columns.len();
        self.columns.push(name.into());
        let mut values = Vec::with_capacity((self.len + 1) * (width + 1));
        for row in 0..=self.len {
            values.extend_from_slice(self.values.get(row * width..(row + 1) * width).unwrap_or_default());
            values.push(Value::Null);
        }
        self.values = values;
        Ok(width)
    }

    /// Puts a value into the last row, which is not counted yet.
    fn put<T: Serialize + ?Sized>(&mut self, name: &str, next: usize, value: &T) -> Result<usize, Refusal> {
        let column = self.column(name, next)?;
        let value = field::value(value, &mut self.bytes).map_err(|refusal| refusal.of(name))?;
        if let Some(place) = self.values.get_mut(self.len * self.columns.len() + column) {
            *place = value;
        }
        Ok(column + 1)
    }
}

/// Takes the fields of something into the last row.
struct OneRow<'r> {
    rows: &'r mut Rows,
    /// The column that most likely comes next.
    next: usize,
}

fn no_row<T>(is: &str) -> Result<T, Refusal> {
    Err(Refusal::because(format!("{is} is no row; a row is a struct, whose fields are its columns")))
}

/// What is no row.
macro_rules! refused {
    ($($method:ident($($argument:ty),*) is $is:literal;)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<(), Refusal> {
            no_row($is)
        })*
    };
}

impl<'r> Serializer for OneRow<'r> {
    type Ok = ();
    type Error = Refusal;
    type SerializeSeq = Impossible<(), Refusal>;
    type SerializeTuple = Impossible<(), Refusal>;
    type SerializeTupleStruct = Impossible<(), Refusal>;
    type SerializeTupleVariant = Impossible<(), Refusal>;
    type SerializeMap = Columns<'r>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), Refusal>;

    refused! {
        serialize_bool(bool) is "a boolean";
        serialize_i8(i8) is "a number";
        serialize_i16(i16) is "a number";
        serialize_i32(i32) is "a number";
        serialize_i64(i64) is "a number";
        serialize_u8(u8) is "a number";
        serialize_u16(u16) is "a number";
        serialize_u32(u32) is "a number";
        serialize_u64(u64) is "a number";
        serialize_f32(f32) is "a number";
        serialize_f64(f64) is "a number";
        serialize_char(char) is "a text";
        serialize_str(&str) is "a text";
        serialize_bytes(&[u8]) is "a list of bytes";
        serialize_none() is "nothing";
        serialize_unit() is "nothing";
        serialize_unit_struct(&'static str) is "a struct without fields";
        serialize_unit_variant(&'static str, u32, &'static str) is "a variant of an enum";
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refusal> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Refusal> {
        no_row("a variant of an enum")
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Refusal> {
        no_row("a list")
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Refusal> {
        no_row("a tuple")
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Refusal> {
        no_row("a tuple")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Refusal> {
        no_row("a variant of an enum")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Columns<'r>, Refusal> {
        Ok(Columns { row: self, name: String::new() })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Refusal> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Refusal> {
        no_row("a variant of an enum")
    }

    fn collect_str<T: Display + ?Sized>(self, _: &T) -> Result<(), Refusal> {
        no_row("a text")
    }
}

impl SerializeStruct for OneRow<'_> {
    type Ok = ();
    type Error = Refusal;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        self.next = self.rows.put(key, self.next, value)?;
        Ok(())
    }

    fn end(self) -> Result<(), Refusal> {
        Ok(())
    }
}

/// A map as a row: its keys are names of columns.
struct Columns<'r> {
    row: OneRow<'r>,
    name: String,
}

impl SerializeMap for Columns<'_> {
    type Ok = ();
    type Error = Refusal;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refusal> {
        self.name = field::name(key)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        self.row.next = self.row.rows.put(&self.name, self.row.next, value)?;
        Ok(())
    }

    fn end(self) -> Result<(), Refusal> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(rows: &Rows) -> Vec<Vec<String>> {
        let text = |span| String::from_utf8_lossy(rows.bytes(span)).into_owned();
        let one = |value: &Value| match *value {
            Value::Text(span) => format!("{:?}", text(span)),
            Value::Json(span) => text(span),
            Value::Bytes(span) => format!("{:?}", rows.bytes(span)),
            Value::Null => "NULL".to_owned(),
            Value::Boolean(b) => b.to_string(),
            Value::Integer(n) => n.to_string(),
            Value::Real(x) => format!("{x:?}"),
        };
        (0..rows.len()).map(|row| rows.row(row).iter().map(one).collect()).collect()
    }

    #[derive(Serialize)]
    #[serde(rename_all = "lowercase")]
    enum Colour {
        Red,
        Mixed(u8, u8),
    }

    #[derive(Serialize)]
    struct Everything<'a> {
        number: u64,
        share: f32,
        #[serde(rename = "text of it")]
        text: &'a str,
        letter: char,
        yes: bool,
        nothing: Option<i8>,
        something: Option<i8>,
        #[serde(skip)]
        _skipped: u8,
        colour: Colour,
        mixed: Colour,
        list: Vec<u8>,
        deep: serde_json::Value,
    }

    #[test]
    fn fields_become_values_and_what_is_nested_json() {
        let mut rows = Rows::new(Dialect::Sqlite);
        let row = Everything {
            number: 7,
            share: 0.5,
            text: "a \"b\"\n",
            letter: 'ü',
            yes: true,
            nothing: None,
            something: Some(-1),
            _skipped: 0,
            colour: Colour::Red,
            mixed: Colour::Mixed(1, 2),
            list: vec![1, 2],
            deep: json!({"a": null}),
        };
        rows.push(&row).unwrap();
        let names = "number, share, text of it, letter, yes, nothing, something, colour, mixed, list, deep";
        assert_eq!(rows.columns().join(", "), names);
        let expected = [
            "7",
            "0.5",
            r#""a \"b\"\n""#,
            r#""ü""#,
            "true",
            "NULL",
            "-1",
            r#""red""#,
            r#"{"mixed":[1,2]}"#,
            "[1,2]",
            r#"{"a":null}"#,
        ];
        assert_eq!(shown(&rows), [expected]);
        assert_eq!((rows.kind(5), rows.kind(6), rows.kind(9)), (None, Some(Kind::Integer), Some(Kind::Json)));
    }

    #[test]
    fn what_is_no_row_says_why_and_leaves_the_others() {
        let mut rows = Rows::new(Dialect::Sqlite);
        rows.push(&json!({"a": 1, "b": "x"})).unwrap();
        let refused = |rows: &mut Rows, value: &dyn erased::Row| value.push(rows).unwrap_err();
        assert_eq!(
            refused(&mut rows, &json!([1])),
            "a list is no row; a row is a struct, whose fields are its columns"
        );
        let reason = refused(&mut rows, &json!({"a": 2, "b": "lost", "c": u64::MAX}));
        assert_eq!(reason, "`c` is 18446744073709551615, and a database counts to 9223372036854775807");
        assert!(
            refused(
                &mut rows,
                &vec![("a", f64::NAN)].into_iter().collect::<std::collections::BTreeMap<_, _>>()
            )
            .contains("`a` is NaN")
        );
        rows.push(&json!({"c": true, "a": 3})).unwrap();
        assert_eq!(shown(&rows), [["1", "\"x\"", "NULL"], ["3", "NULL", "true"]]);
        let mut known = Rows::with(Dialect::Sqlite, &[], ["celsius".to_owned()].into());
        assert_eq!(
            refused(&mut known, &json!({"celcius": 3})),
            "the table has no column `celcius`; did you mean `celsius`?"
        );
    }

    mod erased {
        pub(super) trait Row {
            fn push(&self, rows: &mut super::Rows) -> Result<(), String>;
        }
        impl<T: super::Serialize> Row for T {
            fn push(&self, rows: &mut super::Rows) -> Result<(), String> {
                rows.push(self)
            }
        }
    }
}
