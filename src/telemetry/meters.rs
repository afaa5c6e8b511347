//! What meters have counted.

use super::snapshot::Collected;
use super::{FamilyKind, Histogram, Sample, Value};
use crate::app::GOAL;
use crate::stream::meter::{self, Kind, Meter};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Meters shown of one kind at most. More have names from outside, or something makes them without end.
const SHOWN: usize = 2_000;

pub(super) fn collect(into: &mut Collected) {
    // Several with the same name are shown as one.
    let mut all = BTreeMap::<_, BTreeMap<_, Vec<Arc<Meter>>>>::new();
    for meter in meter::all() {
        let which = (meter.name().to_owned(), meter.element().map(ToOwned::to_owned));
        all.entry(meter.kind().name).or_default().entry(which).or_default().push(meter);
    }
    for of_kind in all.into_values() {
        for ((name, element), meters) in of_kind.into_iter().take(SHOWN) {
            let Some(kind) = meters.first().map(|meter| meter.kind()) else { continue };
            let mut labels = Vec::with_capacity(2);
            if !kind.label.is_empty() {
                labels.push((kind.label, name));
            }
            labels.extend(element.map(|element| ("element", element)));
            show(kind, &labels, &meters, into);
        }
    }
}

fn show(kind: &Kind, labels: &[(&'static str, String)], meters: &[Arc<Meter>], into: &mut Collected) {
    let mut add = |which, name: &str, unit, help, values: &mut dyn Iterator<Item = Value>| {
        let Some(mut value) = values.next() else { return };
        values.for_each(|other| value.join(other));
        let name = format!("mape_{}_{name}", kind.name);
        into.family(which, name.into(), unit, help).samples.push(Sample { labels: labels.to_vec(), value });
    };
    for (i, (name, help)) in kind.counters.iter().enumerate() {
        let mut values = meters.iter().map(|meter| Value::Count(meter.counter(i)));
        add(FamilyKind::Counter, name, "", help, &mut values);
    }
    for (i, (name, help)) in kind.gauges.iter().enumerate() {
        let unit = ["seconds", "bytes"].into_iter().find(|unit| name.ends_with(unit)).unwrap_or("");
        let values = meters.iter().map(|meter| meter.gauge(i));
        let value = if std::ptr::eq(kind, &raw const GOAL) {
            // Margins are no amounts: the smallest that is known says most.
            values.reduce(f64::min)
        } else {
            values.reduce(|one, other| one + other)
        };
        add(FamilyKind::Gauge, name, unit, help, &mut value.into_iter().map(Value::Number));
    }
    if let Some((name, help)) = kind.latency {
        let mut values = meters
            .iter()
            .filter_map(|meter| meter.histogram())
            .map(|histogram| Value::Histogram(Box::new(Histogram::from(histogram))));
        add(FamilyKind::Histogram, &format!("{name}_seconds"), "seconds", help, &mut values);
    }
}
