//! The fields of an event, in one text.

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use smallvec::SmallVec;
use std::collections::HashMap;
use std::fmt;

/// How long the fields are that a stamp adds.
const STAMP: usize = 72;

/// Names and values one behind the other in one text, so that an event is one allocation and not two for each field.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    text: String,
    places: SmallVec<[Place; 8]>,
}

/// Where a field's name and its value end; it begins where the one before ends.
#[derive(Clone, Copy, Debug)]
struct Place {
    name: usize,
    value: usize,
}

impl Fields {
    /// These; of those with the same name the last counts.
    pub(super) fn of(fields: &[(&str, &str)]) -> Self {
        let mut kept = SmallVec::<[(&str, &str); 12]>::with_capacity(fields.len());
        // Looking through few is faster than an index.
        let mut places = (fields.len() > 64).then(|| HashMap::with_capacity(fields.len()));
        for &(name, json) in fields {
            let place = match &mut places {
                Some(places) => Some(*places.entry(name).or_insert(kept.len())),
                None => kept.iter().position(|(other, _)| *other == name),
            };
            match place.and_then(|place| kept.get_mut(place)) {
                Some((_, held)) => *held = json,
                None => kept.push((name, json)),
            }
        }
        // Room for what is stamped, too.
        let bytes: usize = kept.iter().map(|(name, json)| name.len() + json.len()).sum();
        let mut all = Fields { text: String::with_capacity(bytes + STAMP), places: SmallVec::new() };
        for (name, json) in kept {
            all.push(name, |text| text.push_str(json));
        }
        all
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        let mut start = 0;
        self.places.iter().map(move |place| {
            let name = self.text.get(start..place.name).unwrap_or_default();
            start = place.value;
            (name, self.text.get(place.name..place.value).unwrap_or_default())
        })
    }

    /// A field that is not there yet; `json` writes its value.
    pub(super) fn push(&mut self, name: &str, json: impl FnOnce(&mut String)) {
        self.text.push_str(name);
        let name = self.text.len();
        json(&mut self.text);
        self.places.push(Place { name, value: self.text.len() });
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn put(&mut self, name: &str, json: &str) {
        if self.iter().any(|(other, _)| other == name) {
            let mut fields = Self::default();
            for (other, held) in self.iter() {
                fields.push(other, |text| text.push_str(if other == name { json } else { held }));
            }
            *self = fields;
        } else {
            self.push(name, |text| text.push_str(json));
        }
    }
}

/// Fields as serde reads a map.
pub(super) struct Reading<'e, I> {
    fields: I,
    value: &'e str,
}

impl<I> Reading<'_, I> {
    pub(super) fn new(fields: I) -> Self {
        Self { fields, value: "" }
    }
}

impl<'e, I: Iterator<Item = (&'e str, &'e str)>> MapAccess<'e> for Reading<'e, I> {
    type Error = serde_json::Error;

    fn next_key_seed<K: DeserializeSeed<'e>>(&mut self, seed: K) -> Result<Option<K::Value>, Self::Error> {
        let Some((name, value)) = self.fields.next() else { return Ok(None) };
        self.value = value;
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'e>>(&mut self, seed: V) -> Result<V::Value, Self::Error> {
        seed.deserialize(&mut serde_json::Deserializer::from_str(self.value))
    }

    fn size_hint(&self) -> Option<usize> {
        self.fields.size_hint().1
    }
}

/// The fields of an object whose names need no escapes, out of a text.
pub(super) struct Borrowed<'e>(pub(super) Vec<(&'e str, &'e RawValue)>);

impl<'de: 'e, 'e> Deserialize<'de> for Borrowed<'e> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Vec<(&'de str, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(8);
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Fields).map(Self)
    }
}
