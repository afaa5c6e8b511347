//! Named values of an element that can be read and changed while it runs.

use super::host::Event;
use super::site::Site;
use super::{ElementPath, Item};
use arc_swap::ArcSwap;
use futures::Stream;
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt::{self, Debug};
use std::ops::RangeInclusive;
use std::sync::{Arc, Weak};
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;

/// Why a parameter could not be read or changed. The value it had stays.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// The element has no such parameter.
    #[error("`{path}` has no parameter `{name}`{}", if .known.is_empty() { " (it has none)".to_owned() } else { format!(" (it has {})", .known.join(", ")) })]
    Unknown {
        /// The element.
        path: ElementPath,
        /// The name asked for.
        name: String,
        /// The names it has.
        known: Vec<String>,
    },
    /// The value is out of bounds.
    #[error("`{name}` can't be {value}: {reason}; it stays {present}")]
    OutOfBounds {
        /// The parameter.
        name: String,
        /// The value refused.
        value: String,
        /// The bound.
        reason: String,
        /// The value it keeps.
        present: String,
    },
    /// Another parameter of the element has the name.
    #[error("it has two parameters called `{name}`: give one of them another name")]
    Taken {
        /// The name of both.
        name: String,
    },
    /// The value is asked for as another type.
    #[error("`{name}` is {value}, which can't be read as `{asked}`: {reason}")]
    ReadAs {
        /// The parameter.
        name: String,
        /// Its value.
        value: String,
        /// The type asked for.
        asked: &'static str,
        /// What doesn't fit.
        reason: String,
    },
    /// The value is of another type.
    #[error("`{name}` can't be {value}: {reason}")]
    Type {
        /// The parameter.
        name: String,
        /// The value refused.
        value: String,
        /// What doesn't fit.
        reason: String,
    },
}

super::debug_is_text!(ParameterError);

type Check<T> = Arc<dyn Fn(&T) -> Result<(), String> + Send + Sync>;

struct Shared<T> {
    name: Arc<str>,
    value: ArcSwap<T>,
    changes: watch::Sender<Arc<T>>,
    check: Option<Check<T>>,
    site: Mutex<Weak<Site>>,
    writing: Mutex<()>,
}

/// A named, typed value that an element reads on every item and that anybody may change while it runs.
///
/// Reading takes no lock. Make it, give a clone to the element's [`parameter`](super::Builder::parameter), and move another
/// clone into its function.
///
/// ```
/// use mape::element::Parameter;
///
/// let speed = Parameter::new("emergency_speed", 180u32).within(50..=250);
/// assert_eq!(speed.get(), 180);
/// speed.set(200)?;
/// let refused = speed.set(400).unwrap_err();
/// assert_eq!(refused.to_string(), "`emergency_speed` can't be 400: it must be from 50 to 250; it stays 200");
/// # Ok::<(), mape::element::ParameterError>(())
/// ```
pub struct Parameter<T>(Arc<Shared<T>>);

impl<T> Clone for Parameter<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// What a parameter's value can be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the value of a parameter",
    label = "`{Self}` is no `ParameterValue`",
    note = "a parameter is compared, shown, and read and changed by name as JSON: derive `Clone`, `Debug`, `PartialEq`, `serde::Serialize` and `serde::Deserialize`"
)]
pub trait ParameterValue: Item + Sync + PartialEq + Debug + Serialize + DeserializeOwned {}
#[diagnostic::do_not_recommend]
impl<T: Item + Sync + PartialEq + Debug + Serialize + DeserializeOwned> ParameterValue for T {}

impl<T: ParameterValue> Parameter<T> {
    /// A parameter with its first value.
    #[must_use]
    pub fn new(name: &str, value: T) -> Self {
        Self::with(name, value, None)
    }

    fn with(name: &str, value: T, check: Option<Check<T>>) -> Self {
        let value = Arc::new(value);
        Self(Arc::new(Shared {
            name: name.into(),
            changes: watch::Sender::new(value.clone()),
            value: ArcSwap::new(value),
            check,
            site: Mutex::new(Weak::new()),
            writing: Mutex::new(()),
        }))
    }

    /// The same parameter with bounds, both inclusive. Give bounds before clones are handed out.
    #[must_use]
    pub fn within(self, bounds: RangeInclusive<T>) -> Self
    where
        T: PartialOrd,
    {
        self.checked(move |value| {
            if bounds.contains(value) {
                Ok(())
            } else {
                Err(format!("it must be from {:?} to {:?}", bounds.start(), bounds.end()))
            }
        })
    }

    /// The same parameter with a rule that says why a value is refused. Give rules before clones are handed out.
    #[must_use]
    pub fn checked(self, rule: impl Fn(&T) -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self::with(&self.0.name, self.get(), Some(Arc::new(rule)))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The value now.
    #[must_use]
    pub fn get(&self) -> T {
        (**self.0.value.load()).clone()
    }

    /// Changes the value: the next item is worked on with it.
    ///
    /// # Errors
    /// [`ParameterError::OutOfBounds`] when the bounds or the rule refuse it; the old value stays.
    pub fn set(&self, value: T) -> Result<(), ParameterError> {
        self.update(|_| value)
    }

    /// Changes the value in dependence on the present one; nobody else changes it meanwhile.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn update(&self, change: impl FnOnce(&T) -> T) -> Result<(), ParameterError> {
        let writing = self.0.writing.lock();
        let present = self.0.value.load_full();
        let value = change(&present);
        if let Some(check) = &self.0.check {
            check(&value).map_err(|reason| ParameterError::OutOfBounds {
                name: self.0.name.to_string(),
                value: format!("{value:?}"),
                reason,
                present: format!("{present:?}"),
            })?;
        }
        let value = Arc::new(value);
        self.0.value.store(value.clone());
        self.0.changes.send_replace(value.clone());
        drop(writing);
        if let Some(site) = self.0.site.lock().upgrade() {
            let value = serde_json::to_value(&*value).unwrap_or(Value::Null);
            site.host.events.tell(&Event::Parameter { path: site.path(), name: self.0.name.clone(), value });
        }
        Ok(())
    }

    /// The value now and each one that it is changed to; a slow reader gets the newest.
    pub fn changes(&self) -> impl Stream<Item = T> + Send + Unpin + use<T> {
        use futures::StreamExt;
        WatchStream::new(self.0.changes.subscribe()).map(|value| (*value).clone())
    }
}

impl<T: ParameterValue> fmt::Debug for Parameter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parameter").field("name", &self.0.name).field("value", &self.get()).finish()
    }
}

/// A parameter whose type doesn't matter: values go as JSON.
trait AnyParameter: Send + Sync {
    fn name(&self) -> &str;
    fn read(&self) -> Value;
    fn write(&self, value: Value) -> Result<(), ParameterError>;
    /// The value that it has keeps its own bounds.
    fn check(&self) -> Result<(), ParameterError>;
    fn belong(&self, site: &Arc<Site>);
}

impl<T: ParameterValue> AnyParameter for Parameter<T> {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn read(&self) -> Value {
        serde_json::to_value(self.get()).unwrap_or(Value::Null)
    }

    fn write(&self, value: Value) -> Result<(), ParameterError> {
        let text = value.to_string();
        let typed = serde_json::from_value(value).map_err(|error| ParameterError::Type {
            name: self.0.name.to_string(),
            value: text,
            reason: error.to_string(),
        })?;
        self.set(typed)
    }

    fn check(&self) -> Result<(), ParameterError> {
        self.update(Clone::clone)
    }

    fn belong(&self, site: &Arc<Site>) {
        *self.0.site.lock() = Arc::downgrade(site);
    }
}

/// The parameters of one element.
#[derive(Default)]
pub(crate) struct Parameters(Vec<Box<dyn AnyParameter>>);

impl Parameters {
    pub(crate) const fn none() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn add<T: ParameterValue>(&mut self, parameter: &Parameter<T>) {
        self.0.push(Box::new(parameter.clone()));
    }

    /// Names are unique, and values keep their bounds.
    pub(crate) fn check(&self) -> Result<(), ParameterError> {
        for (i, parameter) in self.0.iter().enumerate() {
            parameter.check()?;
            if self.0.iter().take(i).any(|other| other.name() == parameter.name()) {
                return Err(ParameterError::Taken { name: parameter.name().to_owned() });
            }
        }
        Ok(())
    }

    pub(crate) fn belong(&self, site: &Arc<Site>) {
        for parameter in &self.0 {
            parameter.belong(site);
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (String, Value)> + '_ {
        self.0.iter().map(|p| (p.name().to_owned(), p.read()))
    }

    fn find(&self, path: &ElementPath, name: &str) -> Result<&dyn AnyParameter, ParameterError> {
        self.0.iter().find(|p| p.name() == name).map(|p| &**p).ok_or_else(|| ParameterError::Unknown {
            path: path.clone(),
            name: name.to_owned(),
            known: self.0.iter().map(|p| p.name().to_owned()).collect(),
        })
    }

    pub(crate) fn read(&self, path: &ElementPath, name: &str) -> Result<Value, ParameterError> {
        Ok(self.find(path, name)?.read())
    }

    pub(crate) fn write(&self, path: &ElementPath, name: &str, value: Value) -> Result<(), ParameterError> {
        self.find(path, name)?.write(value)
    }
}
