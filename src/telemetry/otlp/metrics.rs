//! Metrics as they are sent.

use super::message::{Resource, attribute};
use super::protobuf::Message;
use super::spans::nanos;
use crate::stream::meter;
use crate::telemetry::{Family, FamilyKind, Histogram, Sample, Snapshot, Value};
use std::time::SystemTime;

/// Values count from the start of the process.
const CUMULATIVE: u64 = 2;

/// From when to when values count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: SystemTime,
    pub(super) now: SystemTime,
}

/// An `ExportMetricsServiceRequest`.
pub(super) fn request(resource: &Resource, snapshot: &Snapshot, span: Span) -> Vec<u8> {
    let families = snapshot.families().iter();
    resource.request(|scoped| families.for_each(|family| scoped.message(2, |m| write(m, family, span))))
}

fn write(metric: &mut Message, family: &Family, span: Span) {
    metric.text(1, &family.name);
    metric.text(2, family.help);
    metric.text(3, unit(family.unit));
    let points = |data: &mut Message| {
        for sample in &family.samples {
            match &sample.value {
                Value::Histogram(histogram) => {
                    data.message(1, |point| histogram_point(point, sample, histogram, span));
                }
                number => data.message(1, |point| number_point(point, sample, number, span)),
            }
        }
    };
    match family.kind {
        FamilyKind::Gauge => metric.message(5, points),
        FamilyKind::Counter => metric.message(7, |sum| {
            points(sum);
            sum.number(2, CUMULATIVE);
            sum.number(3, 1);
        }),
        FamilyKind::Histogram => metric.message(9, |data| {
            points(data);
            data.number(2, CUMULATIVE);
        }),
    }
}

fn number_point(point: &mut Message, sample: &Sample, value: &Value, span: Span) {
    point.fixed64(2, nanos(span.start));
    point.fixed64(3, nanos(span.now));
    match value {
        Value::Count(count) => point.fixed64(6, *count),
        Value::Number(number) => point.double(4, *number),
        Value::Histogram(_) => {}
    }
    labels(point, 7, sample);
}

fn histogram_point(point: &mut Message, sample: &Sample, histogram: &Histogram, span: Span) {
    point.fixed64(2, nanos(span.start));
    point.fixed64(3, nanos(span.now));
    point.fixed64(4, histogram.count());
    point.double(5, histogram.sum);
    point.packed(6, histogram.counts);
    // The last bucket has no end.
    let bounds = (0..histogram.counts.len().saturating_sub(1)).map(meter::Histogram::bound);
    point.packed(7, bounds.map(f64::to_bits));
    labels(point, 9, sample);
}

fn labels(point: &mut Message, field: u32, sample: &Sample) {
    for (name, value) in &sample.labels {
        attribute(point, field, name, &value.as_str().into());
    }
}

/// A unit in the words of UCUM.
fn unit(unit: &str) -> &str {
    match unit {
        "seconds" => "s",
        "bytes" => "By",
        "" => "1",
        other => other,
    }
}
