//! A value of a type of which nothing is known but how it is read, to see what rows look like before there is one.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess,
    SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

/// A `T` of zeros, empty texts and first variants, in which everything that can be there is; nothing if `T` is not read
/// field by field, or refuses such a value.
pub(super) fn of<T: DeserializeOwned>() -> Option<T> {
    T::deserialize(Blank { outermost: true, depth: 0 }).ok()
}

/// How deep it goes: types may contain themselves.
const DEEPEST: usize = 16;

type Error = serde::de::value::Error;

#[derive(Clone, Copy)]
struct Blank {
    outermost: bool,
    depth: usize,
}

impl Blank {
    /// What is inside of this.
    fn inner(self) -> Result<Self, Error> {
        if self.depth == DEEPEST {
            return Err(Error::custom("it is too deep"));
        }
        Ok(Self { outermost: false, depth: self.depth + 1 })
    }
}

macro_rules! visits {
    ($($method:ident = $visit:ident($value:expr);)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit($value)
        })*
    };
}

impl<'de> Deserializer<'de> for Blank {
    type Error = Error;

    visits! {
        deserialize_bool = visit_bool(false);
        deserialize_i8 = visit_i8(0);
        deserialize_i16 = visit_i16(0);
        deserialize_i32 = visit_i32(0);
        deserialize_i64 = visit_i64(0);
        deserialize_u8 = visit_u8(0);
        deserialize_u16 = visit_u16(0);
        deserialize_u32 = visit_u32(0);
        deserialize_u64 = visit_u64(0);
        deserialize_f32 = visit_f32(0.0);
        deserialize_f64 = visit_f64(0.0);
        deserialize_char = visit_char('-');
        deserialize_str = visit_str("");
        deserialize_string = visit_str("");
        deserialize_bytes = visit_bytes(&[]);
        deserialize_byte_buf = visit_bytes(&[]);
    }

    /// What reads itself: its columns cannot be known.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.outermost { Err(Error::custom("it may be anything")) } else { visitor.visit_unit() }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        // What is inside has to have room for something in it.
        match self.inner() {
            Ok(inner) if inner.depth < DEEPEST => {
                visitor.visit_some(Self { outermost: self.outermost, ..inner })
            }
            _ => visitor.visit_none(),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let inner = self.inner()?;
        visitor.visit_newtype_struct(Self { outermost: self.outermost, ..inner })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(Parts { left: 0, blank: self.inner()? })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(Parts { left: len, blank: self.inner()? })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(len, visitor)
    }

    /// Outermost it is a struct that is put together of others, whose columns cannot be known.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.outermost {
            return Err(Error::custom("it may have any fields"));
        }
        visitor.visit_map(Fields { names: &[], blank: self.inner()? })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_map(Fields { names, blank: self.inner()? })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match variants.first() {
            Some(name) => visitor.visit_enum(First { name, blank: self.inner()? }),
            None => Err(Error::custom("it has no variants")),
        }
    }

    forward_to_deserialize_any! { unit identifier ignored_any }
}

struct Parts {
    left: usize,
    blank: Blank,
}

impl<'de> SeqAccess<'de> for Parts {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(self.blank).map(Some)
    }
}

struct Fields {
    names: &'static [&'static str],
    blank: Blank,
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some((name, others)) = self.names.split_first() else { return Ok(None) };
        self.names = others;
        let name: StrDeserializer<'_, Error> = (*name).into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self.blank)
    }
}

struct First {
    name: &'static str,
    blank: Blank,
}

impl<'de> EnumAccess<'de> for First {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        let name: StrDeserializer<'_, Error> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for First {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self.blank)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        self.blank.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.blank.deserialize_struct("", names, visitor)
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::{Value, json};
    use std::collections::HashMap;

    fn example<T: serde::de::DeserializeOwned + Serialize>() -> Option<Value> {
        super::of::<T>().map(|value| serde_json::to_value(value).unwrap())
    }

    #[derive(Serialize, Deserialize)]
    enum Colour {
        Red,
        Other(String),
    }

    #[derive(Serialize, Deserialize)]
    struct Order {
        id: u64,
        text: Option<String>,
        #[serde(rename(serialize = "Preis"))]
        price: f64,
        #[serde(skip_serializing)]
        #[expect(dead_code, reason = "it is not written")]
        secret: String,
        colour: Colour,
        more: HashMap<String, u8>,
        any: Value,
        pair: (bool, char),
        #[serde(default)]
        list: Vec<Order>,
    }

    #[test]
    fn a_struct_shows_what_it_is_written_as() {
        let expected = json!({
            "id": 0, "text": "", "Preis": 0.0, "colour": "Red", "more": {}, "any": null, "pair": [false, "-"], "list": []
        });
        assert_eq!(example::<Order>(), Some(expected));
    }

    #[derive(Serialize, Deserialize)]
    struct Itself {
        again: Option<Box<Itself>>,
    }

    #[derive(Serialize, Deserialize)]
    struct Flat {
        #[serde(flatten)]
        order: HashMap<String, u8>,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(try_from = "String", into = "String")]
    struct Choosy;

    impl TryFrom<String> for Choosy {
        type Error = String;

        fn try_from(_: String) -> Result<Self, String> {
            Err("never".to_owned())
        }
    }

    impl From<Choosy> for String {
        fn from(_: Choosy) -> Self {
            Self::new()
        }
    }

    impl Clone for Choosy {
        fn clone(&self) -> Self {
            Self
        }
    }

    #[test]
    fn what_cannot_be_known_is_not() {
        assert!(example::<Itself>().is_some());
        assert_eq!(example::<Flat>(), None);
        assert_eq!(example::<Value>(), None);
        assert_eq!(example::<HashMap<String, u8>>(), None);
        assert_eq!(example::<Choosy>(), None);
    }
}
