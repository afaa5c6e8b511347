//! Values that never leave the process.

use parking_lot::RwLock;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Typed values by name that live in this process only: any type, no serialisation, gone with the process.
///
/// A name and a type together make the key: `"speed"` as `f64` and `"speed"` as `String` are two values. Clones share
/// the values.
///
/// Source: the volatile attributes on `loop.k` of `PyMAPE`.
///
/// ```
/// let local = mape::knowledge::Local::default();
/// local.set("limit", 80_u32);
/// assert_eq!(local.get::<u32>("limit"), Some(80));
/// assert_eq!(local.update("limit", |old: Option<&u32>| old.copied().unwrap_or(0) + 10), 90);
/// ```
#[derive(Clone, Default)]
pub struct Local {
    values: Arc<RwLock<Values>>,
}

type Values = HashMap<TypeId, HashMap<Box<str>, Box<dyn Any + Send + Sync>>>;

impl Local {
    /// Keeps `value` under `name`; the one that was there comes back.
    pub fn set<T: Send + Sync + 'static>(&self, name: &str, value: T) -> Option<T> {
        let old =
            self.values.write().entry(TypeId::of::<T>()).or_default().insert(name.into(), Box::new(value));
        old.and_then(|old| old.downcast().ok()).map(|old| *old)
    }

    /// A copy of the value.
    #[must_use]
    pub fn get<T: Clone + Send + Sync + 'static>(&self, name: &str) -> Option<T> {
        self.values.read().get(&TypeId::of::<T>())?.get(name)?.downcast_ref().cloned()
    }

    /// Puts what `f` makes of the old value in its place, as one, and returns a copy of it.
    ///
    /// `f` must not use the same local values: it runs while they are locked.
    pub fn update<T: Clone + Send + Sync + 'static>(&self, name: &str, f: impl FnOnce(Option<&T>) -> T) -> T {
        let mut values = self.values.write();
        let values = values.entry(TypeId::of::<T>()).or_default();
        let new = f(values.get(name).and_then(|old| old.downcast_ref()));
        values.insert(name.into(), Box::new(new.clone()));
        new
    }

    /// Takes the value away.
    #[expect(clippy::must_use_candidate, reason = "often it only has to go")]
    pub fn remove<T: Send + Sync + 'static>(&self, name: &str) -> Option<T> {
        let old = self.values.write().get_mut(&TypeId::of::<T>())?.remove(name)?;
        old.downcast().ok().map(|old| *old)
    }

    /// Takes all values away.
    pub fn clear(&self) {
        let values = std::mem::take(&mut *self.values.write());
        drop(values);
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.values.read();
        f.debug_list().entries(values.values().flat_map(HashMap::keys)).finish()
    }
}
