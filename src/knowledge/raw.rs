//! A serialiser that takes text and bytes as they are and nothing else.

use super::Data;
use serde::ser::{Error as _, Impossible, SerializeSeq};
use serde::{Serialize, Serializer};
use smallvec::SmallVec;

type Error = serde_json::Error;
type No = Impossible<Data, Error>;

/// Gives the [`Data`] of a string, of bytes, or of a sequence of `u8`.
pub(super) struct Raw;

/// A sequence of `u8` on its way.
pub(super) struct RawSeq(SmallVec<[u8; 64]>);

impl SerializeSeq for RawSeq {
    type Ok = Data;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.0.extend_from_slice(&value.serialize(Raw)?);
        Ok(())
    }

    fn end(self) -> Result<Data, Error> {
        Ok(self.0.as_slice().into())
    }
}

fn refuse<T>(what: &str) -> Result<T, Error> {
    Err(Error::custom(format_args!("{what} where text or bytes belong")))
}

macro_rules! refuse {
    ($($method:ident($type:ty)),* $(,)?) => {
        $(fn $method(self, _: $type) -> Result<Data, Error> { refuse(stringify!($type)) })*
    };
}

impl Serializer for Raw {
    type Ok = Data;
    type Error = Error;
    type SerializeSeq = RawSeq;
    type SerializeTuple = No;
    type SerializeTupleStruct = No;
    type SerializeTupleVariant = No;
    type SerializeMap = No;
    type SerializeStruct = No;
    type SerializeStructVariant = No;

    fn serialize_str(self, text: &str) -> Result<Data, Error> {
        Ok(text.into())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Data, Error> {
        Ok(bytes.into())
    }

    fn serialize_u8(self, byte: u8) -> Result<Data, Error> {
        Ok([byte].as_slice().into())
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<RawSeq, Error> {
        Ok(RawSeq(SmallVec::with_capacity(len.unwrap_or(0))))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Data, Error> {
        value.serialize(self)
    }

    refuse!(
        serialize_bool(bool),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_f32(f32),
        serialize_f64(f64),
        serialize_char(char),
    );

    fn serialize_none(self) -> Result<Data, Error> {
        refuse("nothing")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<Data, Error> {
        refuse("an option")
    }

    fn serialize_unit(self) -> Result<Data, Error> {
        refuse("nothing")
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<Data, Error> {
        refuse(name)
    }

    fn serialize_unit_variant(self, name: &'static str, _: u32, _: &'static str) -> Result<Data, Error> {
        refuse(name)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Data, Error> {
        refuse(name)
    }

    fn serialize_tuple(self, _: usize) -> Result<No, Error> {
        refuse("a tuple")
    }

    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<No, Error> {
        refuse(name)
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<No, Error> {
        refuse(name)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<No, Error> {
        refuse("a map")
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<No, Error> {
        refuse(name)
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<No, Error> {
        refuse(name)
    }
}
