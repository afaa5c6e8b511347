//! Typed values as bytes: text and bytes as they are, everything else as JSON.

use super::raw::Raw;
use super::{Data, Error, Key};
use serde::Serialize;
use serde::de::value::{SeqDeserializer, StrDeserializer};
use serde::de::{DeserializeOwned, Error as _};
use std::any::{TypeId, type_name};
use std::borrow::Cow;
use std::sync::Arc;

/// A type that knowledge can hold: any owned type that serde writes and reads.
///
/// `String` (also boxed, shared or `Cow<'static, str>`) is kept as its text and `Vec<u8>` as its bytes, as `PyMAPE`
/// keeps `str` and `bytes`; every other type is kept as JSON.
pub trait Fact: Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Fact for T {}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Bytes,
    Json,
}

impl Format {
    /// Decided by the type alone, so that what is written is read back the same: `Value::String("5")` stays a string.
    fn of<T: 'static>() -> Self {
        let id = TypeId::of::<T>();
        let text = [
            TypeId::of::<String>(),
            TypeId::of::<Box<str>>(),
            TypeId::of::<Arc<str>>(),
            TypeId::of::<Cow<'static, str>>(),
        ];
        if text.contains(&id) {
            Self::Text
        } else if id == TypeId::of::<Vec<u8>>() || id == TypeId::of::<Box<[u8]>>() {
            Self::Bytes
        } else {
            Self::Json
        }
    }
}

/// The bytes under which a `T` is kept, written from a borrowed form of it.
pub(super) fn encode<T: Fact, Q: Serialize + ?Sized>(key: &Key, value: &Q) -> Result<Data, Error> {
    let encoded = match Format::of::<T>() {
        Format::Text | Format::Bytes => value.serialize(Raw),
        Format::Json => serde_json::to_vec(value).map(|json| Data::from(json.as_slice())),
    };
    encoded.map_err(|source| Error::Encode {
        key: key.clone(),
        type_name: type_name::<T>(),
        source: source.into(),
    })
}

/// A `T` out of the bytes under which it was kept.
pub(super) fn decode<T: Fact>(key: &Key, data: &[u8]) -> Result<T, Error> {
    let decoded = match Format::of::<T>() {
        Format::Text => match std::str::from_utf8(data) {
            Ok(text) => T::deserialize(StrDeserializer::<serde_json::Error>::new(text)),
            Err(error) => Err(serde_json::Error::custom(error)),
        },
        Format::Bytes => T::deserialize(SeqDeserializer::<_, serde_json::Error>::new(data.iter().copied())),
        Format::Json => serde_json::from_slice(data),
    };
    decoded.map_err(|source| Error::Decode {
        key: key.clone(),
        type_name: type_name::<T>(),
        source: source.into(),
    })
}
