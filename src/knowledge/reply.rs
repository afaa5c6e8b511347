//! What a store answers to a command.

use super::{Data, Error, Key, Kind, Version, score};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use std::time::Duration;

/// The answer to one [`Command`](super::Command), whose docs say which one belongs to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Reply {
    /// Nothing is there.
    Nil,
    /// It was done.
    Done,
    /// Yes or no.
    Flag(bool),
    /// How many.
    Count(u64),
    /// A signed number.
    Number(i64),
    /// A score.
    Score(#[serde(with = "score")] f64),
    /// Bytes.
    Data(Data),
    /// Bytes or nothing, with the version of the key.
    Versioned(Option<Data>, Version),
    /// The version of the key.
    Version(Version),
    /// Several bytes.
    List(Vec<Data>),
    /// Bytes or nothing for each that was asked.
    Options(Vec<Option<Data>>),
    /// Fields and their values.
    Pairs(Vec<(Data, Data)>),
    /// Members and their scores, lowest first.
    Scored(#[serde(with = "score::pairs")] Vec<(Data, f64)>),
    /// The kind of a key.
    Kind(Kind),
    /// A time left.
    Time(Duration),
}

impl Reply {
    /// What a key holds as it is shown: data as [`Data::to_json`], a hash as an object, members with scores as pairs.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Self::Data(data) => data.to_json(),
            Self::Pairs(pairs) => {
                let text = |data: &Data| String::from_utf8_lossy(data).into_owned();
                let mut pairs: Vec<_> =
                    pairs.iter().map(|(field, value)| (text(field), value.to_json())).collect();
                pairs.sort_by(|a, b| a.0.cmp(&b.0));
                Json::Object(pairs.into_iter().collect::<Map<_, _>>())
            }
            Self::List(items) => items.iter().map(Data::to_json).collect(),
            Self::Scored(scored) => {
                scored.iter().map(|(item, score)| json!([item.to_json(), score])).collect()
            }
            _ => Json::Null,
        }
    }
}

macro_rules! extract {
    ($($(#[$doc:meta])* $name:ident: $pattern:pat => $value:expr, $type:ty, $expected:literal;)*) => {
        impl Reply {$(
            $(#[$doc])*
            pub fn $name(self, key: &Key) -> Result<$type, Error> {
                match self {
                    $pattern => Ok($value),
                    other => Err(other.unexpected(key, $expected)),
                }
            }
        )*}
    };
}

extract! {
    /// The reply to a command that only does something.
    done: Self::Done => (), (), "done";
    /// The yes or no.
    flag: Self::Flag(flag) => flag, bool, "a flag";
    /// The count.
    count: Self::Count(count) => count, u64, "a count";
    /// The number.
    number: Self::Number(number) => number, i64, "a number";
    /// The score.
    score: Self::Score(score) => score, f64, "a score";
    /// The version.
    version: Self::Version(version) => version, Version, "a version";
    /// The bytes or nothing, with their version.
    versioned: Self::Versioned(data, version) => (data, version), (Option<Data>, Version), "a versioned value";
    /// The list.
    list: Self::List(list) => list, Vec<Data>, "a list";
    /// What was found of each.
    options: Self::Options(options) => options, Vec<Option<Data>>, "options";
    /// The pairs.
    pairs: Self::Pairs(pairs) => pairs, Vec<(Data, Data)>, "pairs";
    /// The members with their scores.
    scored: Self::Scored(scored) => scored, Vec<(Data, f64)>, "scored members";
    /// The bytes.
    data: Self::Data(data) => data, Data, "data";
    /// The kind.
    kind: Self::Kind(kind) => kind, Kind, "a kind";
    /// The time.
    time: Self::Time(time) => time, Duration, "a time";
}

impl Reply {
    /// `None` for nil, else the reply itself, to be taken apart further.
    #[must_use]
    pub fn non_nil(self) -> Option<Self> {
        if self == Self::Nil { None } else { Some(self) }
    }

    #[cold]
    fn unexpected(&self, key: &Key, expected: &'static str) -> Error {
        Error::Unexpected { key: key.clone(), expected, reply: format!("{self:?}") }
    }
}

impl From<Option<Data>> for Reply {
    fn from(data: Option<Data>) -> Self {
        data.map_or(Self::Nil, Self::Data)
    }
}

impl From<usize> for Reply {
    fn from(count: usize) -> Self {
        Self::Count(u64::try_from(count).unwrap_or(u64::MAX))
    }
}
