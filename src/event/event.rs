//! What a log keeps.

use super::fields::{Borrowed, Fields, Reading};
use super::{Error, EventId};
use crate::stream::clock;
use crate::stream::trace::TraceContext;
use jiff::Timestamp;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;
use serde_json::value::RawValue;
use smallvec::SmallVec;
use std::fmt::{self, Write as _};
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
    fields: Arc<Fields>,
}

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
        let text = serde_json::to_string(value).map_err(Error::encode::<T>)?;
        if let Ok(Borrowed(fields)) = serde_json::from_str(&text) {
            let fields: SmallVec<[_; 12]> = fields.iter().map(|(name, raw)| (*name, raw.get())).collect();
            return Ok(Self::of_fields(&fields));
        }
        serde_json::from_str(&text).map_err(Error::encode::<T>)
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
        if let Ok(text) = serde_json::to_string(&value.into()) {
            self.put(name, &text);
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
                self.put(name, raw.get());
                Ok(self)
            }
            Err(_) => Err(text),
        }
    }

    /// With `apiVersion` (`"v1"`) and the time `at`, each only if there is none.
    #[must_use]
    pub fn stamped(mut self) -> Self {
        if !self.has("apiVersion") {
            Arc::make_mut(&mut self.fields).push("apiVersion", |text| text.push_str("\"v1\""));
        }
        if !self.has("at") {
            Arc::make_mut(&mut self.fields).push("at", |text| {
                text.push('"');
                write_timestamp(text, clock::now());
                text.push('"');
            });
        }
        self
    }

    /// As a part of a trace, with the field `traceparent`, and `tracestate` if there is one.
    #[must_use]
    pub fn traced_by(self, context: &TraceContext) -> Self {
        let event = self.with("traceparent", context.to_string());
        match context.state() {
            Some(state) => event.with("tracestate", state),
            None => event,
        }
    }

    /// Where it is in a trace, if it says so.
    #[must_use]
    pub fn context(&self) -> Option<TraceContext> {
        let text = |name| serde_json::from_str::<String>(self.json(name)?).ok();
        TraceContext::parse(&text("traceparent")?, text("tracestate").as_deref())
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
        self.fields.iter().find(|(n, _)| *n == name).map(|(_, json)| json)
    }

    /// Whether there is such a field.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.json(name).is_some()
    }

    /// The fields, as JSON text.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.fields.iter()
    }

    /// The event as a `T`, whose fields are those of the event.
    ///
    /// # Errors
    /// As serde says.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        let reading = Reading::new(self.fields.iter());
        T::deserialize(MapAccessDeserializer::new(reading))
            .or_else(|_: serde_json::Error| serde_json::from_str(&self.to_string()))
    }

    /// The event of these fields; of those with the same name the last counts.
    pub(crate) fn of_fields(fields: &[(&str, &str)]) -> Self {
        Self { fields: Arc::new(Fields::of(fields)) }
    }

    fn put(&mut self, name: &str, json: &str) {
        Arc::make_mut(&mut self.fields).put(name, json);
    }
}

/// A time as events carry it: ISO 8601 in UTC with microseconds, as Python's `isoformat` writes it.
#[must_use]
pub(super) fn timestamp(at: SystemTime) -> String {
    let mut text = String::with_capacity(32);
    write_timestamp(&mut text, at);
    text
}

fn write_timestamp(text: &mut String, at: SystemTime) {
    let at = Timestamp::try_from(at).unwrap_or_default();
    let _ = write!(text, "{at:.6}");
    // Its Z.
    text.pop();
    text.push_str("+00:00");
}

impl fmt::Display for Event {
    /// As one JSON object.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = '{';
        for (name, raw) in self.fields.iter() {
            f.write_char(before)?;
            if name.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
                f.write_char('"')?;
                f.write_str(name)?;
                f.write_char('"')?;
            } else {
                write!(f, "{}", Json::from(name))?;
            }
            f.write_char(':')?;
            f.write_str(raw)?;
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
                other.json(name).is_some_and(|json| json == raw || self.get(name) == other.get(name))
            })
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for (name, json) in self.fields.iter() {
            let raw: &RawValue = serde_json::from_str(json).map_err(serde::ser::Error::custom)?;
            map.serialize_entry(name, raw)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Event {
    /// Only from JSON, for the fields keep their text.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Event;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Event, A::Error> {
                let mut fields = Vec::with_capacity(8);
                while let Some(field) = map.next_entry::<String, Box<RawValue>>()? {
                    fields.push(field);
                }
                let fields: Vec<_> = fields.iter().map(|(name, raw)| (name.as_str(), raw.get())).collect();
                Ok(Event::of_fields(&fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}
