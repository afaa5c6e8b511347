//! What a log keeps.

use super::{Error, EventId};
use crate::stream::clock;
use jiff::Timestamp;
use jiff::fmt::strtime;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;
use serde_json::value::RawValue;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

/// Something that happened: named fields, each a JSON value, in the order in which they were given.
///
/// By custom there is a `kind`, an `apiVersion` and a time `at` ([`stamped`](Self::stamped) adds them), as the programs
/// on `rqse` write and read them; nothing here depends on it. Each field travels as JSON text of its own. Cheap to clone.
///
/// ```
/// use mape::event::Event;
/// use serde_json::json;
/// let event = Event::new("start-task").with("name", "A").with("input", json!({"a": 5})).stamped();
/// assert_eq!(event.kind().as_deref(), Some("start-task"));
/// assert_eq!(event.get("input"), Some(json!({"a": 5})));
/// let names: Vec<_> = event.fields().map(|(name, _)| name).collect();
/// assert_eq!(names, ["kind", "name", "input", "apiVersion", "at"]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Event {
    fields: Arc<Vec<Field>>,
}

type Field = (Box<str>, Box<RawValue>);

/// The field that says what kind of event it is.
pub(super) const KIND: &str = "kind";

impl Event {
    /// An event of this kind without other fields.
    #[must_use]
    pub fn new(kind: &str) -> Self {
        Self::default().with(KIND, kind)
    }

    /// The event whose fields are those of `value`: a struct, a map, or anything else that is an object in JSON.
    ///
    /// # Errors
    /// [`Error::Encode`] if serde refuses it or it is no object.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        let encoded = serde_json::to_string(value).and_then(|text| serde_json::from_str(&text));
        encoded.map_err(Error::encode::<T>)
    }

    /// An answer to the event `id`: that it was `action`, by custom `processed`.
    #[must_use]
    pub fn receipt(id: EventId, action: &str) -> Self {
        Self::default().with("for", id.to_string()).with("action", action).with(KIND, "receipt").stamped()
    }

    /// With this field, in place of one of that name.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        // A JSON value is always JSON text.
        if let Ok(raw) = RawValue::from_string(value.into().to_string()) {
            self.put(name.into(), raw);
        }
        self
    }

    /// With this field as JSON text.
    ///
    /// # Errors
    /// The text back if it is no JSON.
    pub fn with_json(mut self, name: &str, text: String) -> Result<Self, String> {
        match serde_json::from_str::<&RawValue>(&text) {
            // As it came: spaces around it belong to nobody.
            Ok(raw) => {
                self.put(name.into(), raw.to_owned());
                Ok(self)
            }
            Err(_) => Err(text),
        }
    }

    /// With `apiVersion` (`"v1"`) and the time `at`, each only if there is none.
    #[must_use]
    pub fn stamped(mut self) -> Self {
        if !self.has("apiVersion") {
            self = self.with("apiVersion", "v1");
        }
        if !self.has("at") {
            self = self.with("at", timestamp(clock::now()));
        }
        self
    }

    /// Of this kind, if it has none.
    #[must_use]
    pub fn of_kind(self, kind: &str) -> Self {
        if self.has(KIND) { self } else { self.with(KIND, kind) }
    }

    /// What kind of event it is, if it says so.
    #[must_use]
    pub fn kind(&self) -> Option<String> {
        serde_json::from_str(self.json(KIND)?).ok()
    }

    /// Whether its kind is this.
    #[must_use]
    pub fn is(&self, kind: &str) -> bool {
        let text = self.json(KIND).and_then(|json| json.strip_prefix('"')?.strip_suffix('"'));
        // Without escapes the text is the name; nearly all are.
        text == Some(kind) || (text.is_some_and(|t| t.contains('\\')) && self.kind().as_deref() == Some(kind))
    }

    /// A field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Json> {
        serde_json::from_str(self.json(name)?).ok()
    }

    /// A field as JSON text.
    #[must_use]
    pub fn json(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| **n == *name).map(|(_, raw)| raw.get())
    }

    /// Whether there is such a field.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.json(name).is_some()
    }

    /// The fields, as JSON text.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, raw)| (&**name, raw.get()))
    }

    /// The event as a `T`, whose fields are those of the event.
    ///
    /// # Errors
    /// As serde says.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.to_string())
    }

    /// The event of these fields; of those with the same name the last counts.
    #[cfg(feature = "redis")]
    pub(crate) fn of_fields(fields: Vec<(Box<str>, Box<RawValue>)>) -> Self {
        // Looking through few is faster than an index.
        if fields.len() > 64 {
            let mut places = std::collections::HashMap::new();
            let mut kept: Vec<Field> = Vec::with_capacity(fields.len());
            for (name, raw) in fields {
                if let Some((_, held)) = places.get(&name).and_then(|place: &usize| kept.get_mut(*place)) {
                    *held = raw;
                } else {
                    places.insert(name.clone(), kept.len());
                    kept.push((name, raw));
                }
            }
            return Self { fields: Arc::new(kept) };
        }
        let repeated =
            |(at, (name, _)): (usize, &Field)| fields.iter().take(at).any(|(other, _)| other == name);
        if !fields.iter().enumerate().any(repeated) {
            return Self { fields: Arc::new(fields) };
        }
        let mut event = Self::default();
        for (name, raw) in fields {
            event.put(name, raw);
        }
        event
    }

    fn put(&mut self, name: Box<str>, raw: Box<RawValue>) {
        let fields = Arc::make_mut(&mut self.fields);
        match fields.iter_mut().find(|(n, _)| *n == name) {
            Some((_, held)) => *held = raw,
            None => fields.push((name, raw)),
        }
    }
}

/// A time as events carry it: ISO 8601 in UTC with microseconds, as Python's `isoformat` writes it.
#[must_use]
pub(super) fn timestamp(at: SystemTime) -> String {
    let at = Timestamp::try_from(at).unwrap_or_default();
    strtime::format("%Y-%m-%dT%H:%M:%S%.6f+00:00", at).unwrap_or_default()
}

impl fmt::Display for Event {
    /// As one JSON object.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = '{';
        for (name, raw) in self.fields.iter() {
            write!(f, "{before}{}:{}", Json::from(&**name), raw.get())?;
            before = ',';
        }
        f.write_str(if before == '{' { "{}" } else { "}" })
    }
}

impl PartialEq for Event {
    /// By names and values, whatever their order and the spaces in their JSON.
    fn eq(&self, other: &Self) -> bool {
        self.fields.len() == other.fields.len()
            && self.fields.iter().all(|(name, raw)| {
                other.json(name).is_some_and(|json| json == raw.get() || self.get(name) == other.get(name))
            })
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for (name, raw) in self.fields.iter() {
            map.serialize_entry(name, raw)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Event {
    /// Only from JSON, for the fields keep their text.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Event;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Event, A::Error> {
                let mut event = Event { fields: Arc::new(Vec::with_capacity(8)) };
                while let Some((name, raw)) = map.next_entry::<Box<str>, Box<RawValue>>()? {
                    event.put(name, raw);
                }
                Ok(event)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}
