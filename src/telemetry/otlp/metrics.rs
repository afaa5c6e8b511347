//! Metrics as they are sent.

use super::message::{self, Resource, attribute, scope};
use super::spans::nanos;
use crate::stream::meter;
use crate::telemetry::{Family, FamilyKind, Histogram, Sample, Snapshot, Value};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::{
    self, AggregationTemporality, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics,
    metric::Data, number_data_point,
};
use prost::Message;
use std::time::SystemTime;

/// Values count from the start of the process.
const CUMULATIVE: i32 = AggregationTemporality::Cumulative as i32;

/// From when to when values count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: SystemTime,
    pub(super) now: SystemTime,
}

/// The body of a request.
pub(super) fn request(resource: &Resource, snapshot: &Snapshot, span: Span) -> Vec<u8> {
    let metrics = snapshot.families().iter().map(|family| metric(family, span)).collect();
    let scoped = ScopeMetrics { scope: Some(scope()), metrics, ..Default::default() };
    let all = ResourceMetrics {
        resource: Some(resource.message()),
        scope_metrics: vec![scoped],
        ..Default::default()
    };
    ExportMetricsServiceRequest { resource_metrics: vec![all] }.encode_to_vec()
}

/// What of it was not taken, as the answer says.
pub(super) fn refused(answer: &[u8]) -> Option<(u64, String)> {
    let partial = ExportMetricsServiceResponse::decode(answer).ok()?.partial_success?;
    message::refused(partial.rejected_data_points, partial.error_message)
}

fn metric(family: &Family, span: Span) -> Metric {
    let numbers = || family.samples.iter().filter_map(|sample| number_point(sample, span)).collect();
    let data = match family.kind {
        FamilyKind::Gauge => Data::Gauge(v1::Gauge { data_points: numbers() }),
        FamilyKind::Counter => Data::Sum(v1::Sum {
            data_points: numbers(),
            aggregation_temporality: CUMULATIVE,
            is_monotonic: true,
        }),
        FamilyKind::Histogram => {
            let points = family.samples.iter().filter_map(|sample| match &sample.value {
                Value::Histogram(histogram) => Some(histogram_point(sample, histogram, span)),
                Value::Count(_) | Value::Number(_) => None,
            });
            Data::Histogram(v1::Histogram {
                data_points: points.collect(),
                aggregation_temporality: CUMULATIVE,
            })
        }
    };
    Metric {
        name: family.name.clone().into_owned(),
        description: family.help.to_owned(),
        unit: unit(family.unit).to_owned(),
        data: Some(data),
        ..Default::default()
    }
}

fn number_point(sample: &Sample, span: Span) -> Option<NumberDataPoint> {
    let value = match &sample.value {
        Value::Count(count) => number_data_point::Value::AsInt(i64::try_from(*count).unwrap_or(i64::MAX)),
        Value::Number(number) => number_data_point::Value::AsDouble(*number),
        Value::Histogram(_) => return None,
    };
    Some(NumberDataPoint {
        attributes: labels(sample),
        start_time_unix_nano: nanos(span.start),
        time_unix_nano: nanos(span.now),
        value: Some(value),
        ..Default::default()
    })
}

fn histogram_point(sample: &Sample, histogram: &Histogram, span: Span) -> HistogramDataPoint {
    HistogramDataPoint {
        attributes: labels(sample),
        start_time_unix_nano: nanos(span.start),
        time_unix_nano: nanos(span.now),
        count: histogram.count(),
        sum: Some(histogram.sum),
        bucket_counts: histogram.counts.to_vec(),
        // The last bucket has no end.
        explicit_bounds: (0..histogram.counts.len().saturating_sub(1)).map(meter::Histogram::bound).collect(),
        ..Default::default()
    }
}

fn labels(sample: &Sample) -> Vec<KeyValue> {
    sample.labels.iter().map(|(name, value)| attribute(name, &value.as_str().into())).collect()
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
