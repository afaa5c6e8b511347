//! Meters and their histograms.

use mape::stream::meter::{self, Histogram, Kind, Meter};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

static PRESS: Kind = Kind {
    name: "press",
    label: "press",
    counters: &[("strokes", "Strokes made.")],
    gauges: &[("pressure", "Bar.")],
    latency: Some(("stroke", "Time of a stroke.")),
};

fn named(name: &str) -> Vec<Arc<Meter>> {
    meter::all().into_iter().filter(|meter| meter.kind().name == "press" && meter.name() == name).collect()
}

#[test]
fn a_meter_is_listed_as_long_as_somebody_holds_it() {
    let one = Meter::new(&PRESS, "listed");
    let clone = one.clone();
    drop(one);
    assert_eq!(named("listed").len(), 1);
    drop(clone);
    assert!(named("listed").is_empty());
}

#[test]
fn what_is_made_inside_belongs_to_the_element_and_what_is_made_behind_does_not() {
    let inside = meter::within("car.detect".into(), || {
        let inner = meter::within("car.plan".into(), || Meter::new(&PRESS, "inner"));
        (inner, Meter::new(&PRESS, "outer"))
    });
    let behind = Meter::new(&PRESS, "behind");
    assert_eq!(inside.0.element(), Some("car.plan"));
    assert_eq!(inside.1.element(), Some("car.detect"));
    assert_eq!(behind.element(), None);
}

#[test]
fn a_panic_inside_does_not_leave_the_element_behind() {
    let made = std::panic::catch_unwind(|| meter::within("car.detect".into(), || panic!("no")));
    assert!(made.is_err());
    assert_eq!(Meter::new(&PRESS, "after").element(), None);
}

#[test]
fn many_threads_count_all_there_is() {
    let meter = Meter::new(&PRESS, "threads");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10_000 {
                    meter.add(0, 1);
                    meter.shift(0, 0.5);
                    meter.record(Duration::from_micros(3));
                }
            });
        }
    });
    assert_eq!((meter.counter(0), meter.gauge(0)), (40_000, 20_000.0));
    assert_eq!(meter.histogram().unwrap().count(), 40_000);
    // A place that is not there is nothing, and no panic.
    meter.add(7, 1);
    meter.set(7, 1.0);
    assert_eq!((meter.counter(7), meter.gauge(7)), (0, 0.0));
}

proptest! {
    /// The bounds double, so a quantile is at most twice or half of the true one.
    #[test]
    fn a_quantile_is_within_a_factor_of_two(
        mut nanoseconds in prop::collection::vec(1_024_u64..10_000_000_000, 1..200),
        thousandths in 0..=1000_usize,
    ) {
        let histogram = Histogram::default();
        for n in &nanoseconds {
            histogram.record(Duration::from_nanos(*n));
        }
        nanoseconds.sort_unstable();
        let rank = (thousandths * nanoseconds.len()).div_ceil(1000).clamp(1, nanoseconds.len());
        let exact = nanoseconds[rank - 1] as f64 / 1e9;
        let quantile = histogram.quantile(thousandths as f64 / 1000.0);
        prop_assert!(quantile <= 2.0 * exact && exact <= 2.0 * quantile.max(512e-9), "{} for {}", quantile, exact);
        let sum: u64 = nanoseconds.iter().sum();
        prop_assert!((histogram.sum() - sum as f64 / 1e9).abs() < 1e-6);
    }
}
