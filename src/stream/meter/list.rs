//! All meters of the process.

use super::{Kind, Meter};
use parking_lot::Mutex;
use std::cell::RefCell;
use std::sync::{Arc, Weak};

static METERS: Mutex<Vec<Weak<Meter>>> = Mutex::new(Vec::new());

thread_local! {
    static ELEMENT: RefCell<Option<Arc<str>>> = const { RefCell::new(None) };
}

pub(super) fn enter(meter: &Arc<Meter>) {
    let mut meters = METERS.lock();
    if meters.len() >= 8 && meters.len().is_power_of_two() {
        // What comes and goes must not fill the list.
        meters.retain(|meter| meter.strong_count() > 0);
    }
    meters.push(Arc::downgrade(meter));
}

/// The meters that somebody holds now, the oldest first.
#[must_use]
pub fn all() -> Vec<Arc<Meter>> {
    let mut meters = METERS.lock();
    let mut there = Vec::with_capacity(meters.len());
    meters.retain(|meter| meter.upgrade().map(|meter| there.push(meter)).is_some());
    drop(meters);
    there
}

/// Runs `make`; the meters that it makes on this thread belong to the element of that path.
pub fn within<R>(element: Arc<str>, make: impl FnOnce() -> R) -> R {
    struct Back(Option<Arc<str>>);
    impl Drop for Back {
        fn drop(&mut self) {
            let outer = self.0.take();
            ELEMENT.with(|element| *element.borrow_mut() = outer);
        }
    }
    let _back = Back(ELEMENT.with(|now| now.borrow_mut().replace(element)));
    make()
}

/// A new meter, if it is made for an element; see [`within`].
pub(crate) fn of_element(kind: &'static Kind, name: &str) -> Option<Arc<Meter>> {
    element().map(|_| Meter::new(kind, name))
}

pub(super) fn element() -> Option<Arc<str>> {
    ELEMENT.with(|element| element.borrow().clone())
}
