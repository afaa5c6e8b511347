//! Which values of a part are possibly interesting.

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Which values of a part are possibly interesting: what other nodes are told of it, while the rest stays where it is.
///
/// ```
/// use mape::live::Extract;
/// use serde_json::json;
/// let extract = Extract::paths(["customer.mail", "orders.id"]);
/// let part = json!({"customer": {"mail": "joe@doe.com", "notes": "…"}, "orders": [{"id": 1, "sum": 5}, {"id": 2}]});
/// assert_eq!(
///     extract.values_of(&part),
///     Some(json!({"customer": {"mail": "joe@doe.com"}, "orders": [{"id": 1}, {"id": 2}]}))
/// );
/// // Where they are is not always the same:
/// let extract = Extract::with(|part| part["ids"].as_array().cloned().unwrap_or_default().into());
/// assert_eq!(extract.values_of(&json!({"ids": [7, 8], "all": "the rest"})), Some(json!([7, 8])));
/// ```
#[derive(Clone)]
pub struct Extract(How);

#[derive(Clone)]
enum How {
    Paths(Arc<Below>),
    Function(Arc<dyn Fn(&Value) -> Value + Send + Sync>),
}

/// What is taken below a place.
#[derive(Default)]
struct Below {
    all: bool,
    keys: BTreeMap<String, Below>,
}

impl Extract {
    /// What stands at these paths, keys with dots between them, at its place; lists on the way are gone through.
    #[must_use]
    pub fn paths<P: AsRef<str>>(paths: impl IntoIterator<Item = P>) -> Self {
        let mut root = Below::default();
        for path in paths {
            let at = path
                .as_ref()
                .split('.')
                .fold(&mut root, |at, key| at.keys.entry(key.to_owned()).or_default());
            at.all = true;
        }
        Self(How::Paths(Arc::new(root)))
    }

    /// What a function makes of the data of a part: a value in which conditions of interests find what they look for.
    #[must_use]
    pub fn with(f: impl Fn(&Value) -> Value + Send + Sync + 'static) -> Self {
        Self(How::Function(Arc::new(f)))
    }

    /// The possibly interesting values of these data; `None` if the function panics.
    #[must_use]
    pub fn values_of(&self, data: &Value) -> Option<Value> {
        match &self.0 {
            How::Paths(root) => Some(root.prune(data).unwrap_or(Value::Null)),
            How::Function(f) => catch_unwind(AssertUnwindSafe(|| f(data))).ok(),
        }
    }
}

impl Below {
    fn prune(&self, data: &Value) -> Option<Value> {
        if self.all {
            return Some(data.clone());
        }
        match data {
            Value::Object(fields) => {
                let taken = self
                    .keys
                    .iter()
                    .filter_map(|(key, below)| Some((key.clone(), below.prune(fields.get(key)?)?)));
                let taken: Map<_, _> = taken.collect();
                (!taken.is_empty()).then_some(Value::Object(taken))
            }
            Value::Array(items) => {
                let taken: Vec<_> = items.iter().filter_map(|item| self.prune(item)).collect();
                (!taken.is_empty()).then_some(Value::Array(taken))
            }
            _ => None,
        }
    }
}

impl fmt::Debug for Extract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            How::Paths(_) => "Extract::paths",
            How::Function(_) => "Extract::with",
        })
    }
}
