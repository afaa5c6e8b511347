//! The envelope of a channel as one would write and read it by hand.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

/// The bytes are those of `mape::channel::Envelope`.
#[derive(Serialize)]
pub(crate) struct Outgoing<'a, T> {
    pub(crate) kind: &'a str,
    pub(crate) value: &'a T,
    pub(crate) src: &'a str,
    pub(crate) epoch: u64,
    pub(crate) seq: u64,
    #[serde(serialize_with = "write_time")]
    pub(crate) at: Timestamp,
}

#[derive(Deserialize)]
pub(crate) struct Incoming<'a, T> {
    pub(crate) kind: Kind,
    pub(crate) value: T,
    #[serde(borrow)]
    pub(crate) src: Cow<'a, str>,
    pub(crate) epoch: u64,
    pub(crate) seq: u64,
    #[serde(deserialize_with = "read_time")]
    pub(crate) at: Timestamp,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Next,
    Error,
    Completed,
}

fn write_time<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{at:.6}"))
}

fn read_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    <&str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}
