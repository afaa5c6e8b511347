//! A stand-in for a collector of OpenTelemetry, which refuses what the protocol does not allow.

use super::stand_in::StandIn;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric::Data, number_data_point};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

/// A span as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) kind: i32,
    pub(crate) trace: String,
    pub(crate) id: String,
    /// Empty for the first of a trace.
    pub(crate) parent: String,
    pub(crate) state: String,
    pub(crate) attributes: BTreeMap<String, String>,
}

/// What it does with a request instead of taking it.
#[derive(Clone, Debug)]
pub(crate) enum Instead {
    Answer(u16),
    Reject(i64),
    Nothing,
}

#[derive(Default)]
struct Got {
    spans: Vec<Seen>,
    /// By name, the newest.
    metrics: BTreeMap<String, Metric>,
    headers: Vec<HeaderMap>,
    wrong: Vec<String>,
    instead: VecDeque<Instead>,
}

pub(crate) struct Collector {
    pub(crate) url: String,
    got: Arc<Mutex<Got>>,
    _serving: StandIn,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        Self::start_with([]).await
    }

    /// One that does something else with its first requests.
    pub(crate) async fn start_with(instead: impl IntoIterator<Item = Instead>) -> Self {
        let got = Arc::new(Mutex::new(Got { instead: instead.into_iter().collect(), ..Got::default() }));
        let router = Router::new()
            .route("/v1/traces", post(traces))
            .route("/v1/metrics", post(metrics))
            .with_state(got.clone());
        let serving = StandIn::serve(router).await;
        Self { url: format!("http://{}", serving.address), got, _serving: serving }
    }

    /// All spans so far; fails if anything came that is wrong.
    pub(crate) fn spans(&self) -> Vec<Seen> {
        let got = self.got.lock().unwrap();
        assert!(got.wrong.is_empty(), "{:#?}", got.wrong);
        got.spans.clone()
    }

    pub(crate) fn metric(&self, name: &str) -> Option<Metric> {
        let got = self.got.lock().unwrap();
        assert!(got.wrong.is_empty(), "{:#?}", got.wrong);
        got.metrics.get(name).cloned()
    }

    pub(crate) fn headers(&self) -> Vec<HeaderMap> {
        self.got.lock().unwrap().headers.clone()
    }
}

async fn traces(State(got): State<Arc<Mutex<Got>>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(answer) = otherwise(&got, &headers).await {
        return answer;
    }
    let mut got = got.lock().unwrap();
    let request = match ExportTraceServiceRequest::decode(body) {
        Ok(request) => request,
        Err(error) => {
            got.wrong.push(error.to_string());
            return StatusCode::BAD_REQUEST.into_response();
        }
    };
    for all in request.resource_spans {
        let service = service(&mut got.wrong, all.resource.as_ref());
        for span in all.scope_spans.into_iter().flat_map(|scoped| scoped.spans) {
            check_span(&mut got.wrong, &span);
            got.spans.push(seen(&service, span));
        }
    }
    protobuf(&ExportTraceServiceResponse::default())
}

async fn metrics(State(got): State<Arc<Mutex<Got>>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(answer) = otherwise(&got, &headers).await {
        return answer;
    }
    let mut got = got.lock().unwrap();
    let request = match ExportMetricsServiceRequest::decode(body) {
        Ok(request) => request,
        Err(error) => {
            got.wrong.push(error.to_string());
            return StatusCode::BAD_REQUEST.into_response();
        }
    };
    for all in request.resource_metrics {
        service(&mut got.wrong, all.resource.as_ref());
        for metric in all.scope_metrics.into_iter().flat_map(|scoped| scoped.metrics) {
            check_metric(&mut got.wrong, &metric);
            got.metrics.insert(metric.name.clone(), metric);
        }
    }
    protobuf(&ExportTraceServiceResponse::default())
}

async fn otherwise(got: &Mutex<Got>, headers: &HeaderMap) -> Option<Response> {
    let instead = {
        let mut got = got.lock().unwrap();
        if headers.get("content-type").is_none_or(|kind| kind != "application/x-protobuf") {
            got.wrong.push(format!("{headers:?}"));
        }
        got.headers.push(headers.clone());
        got.instead.pop_front()
    };
    match instead? {
        Instead::Answer(status) => Some(StatusCode::from_u16(status).unwrap().into_response()),
        Instead::Reject(rejected_spans) => {
            let partial = ExportTracePartialSuccess { rejected_spans, error_message: "too old".to_owned() };
            Some(protobuf(&ExportTraceServiceResponse { partial_success: Some(partial) }))
        }
        Instead::Nothing => std::future::pending().await,
    }
}

fn protobuf(message: &impl Message) -> Response {
    ([("content-type", "application/x-protobuf")], message.encode_to_vec()).into_response()
}

fn service(wrong: &mut Vec<String>, resource: Option<&Resource>) -> String {
    let all = attributes(resource.map(|resource| resource.attributes.as_slice()).unwrap_or_default());
    if !all.contains_key("service.name") || all["telemetry.sdk.name"] != "mape" {
        wrong.push(format!("a resource without its service: {all:?}"));
    }
    all.get("service.name").cloned().unwrap_or_default()
}

fn check_span(wrong: &mut Vec<String>, span: &Span) {
    let is_id = |id: &[u8], len| id.len() == len && id.iter().any(|byte| *byte != 0);
    let is_right = is_id(&span.trace_id, 16)
        && is_id(&span.span_id, 8)
        && (span.parent_span_id.is_empty() || is_id(&span.parent_span_id, 8))
        && !span.name.is_empty()
        && (1..=5).contains(&span.kind)
        && span.start_time_unix_nano > 1_600_000_000_000_000_000
        && span.start_time_unix_nano <= span.end_time_unix_nano
        && span.attributes.iter().all(|pair| !pair.key.is_empty() && pair.value.is_some());
    if !is_right {
        wrong.push(format!("{span:?}"));
    }
}

fn check_metric(wrong: &mut Vec<String>, metric: &Metric) {
    let is_right = metric.name.starts_with("mape_") || metric.name.starts_with("process_");
    let times = |start, now| start > 1_600_000_000_000_000_000 && start <= now;
    let is_right = is_right
        && !metric.description.is_empty()
        && match metric.data.as_ref() {
            Some(Data::Gauge(gauge)) => !gauge.data_points.is_empty(),
            Some(Data::Sum(sum)) => {
                sum.is_monotonic
                    && sum.aggregation_temporality == 2
                    && sum.data_points.iter().all(|point| {
                        point.value.is_some() && times(point.start_time_unix_nano, point.time_unix_nano)
                    })
            }
            Some(Data::Histogram(histogram)) => {
                histogram.aggregation_temporality == 2
                    && histogram.data_points.iter().all(|point| {
                        point.bucket_counts.len() == point.explicit_bounds.len() + 1
                            && point.bucket_counts.iter().sum::<u64>() == point.count
                            && point.explicit_bounds.is_sorted()
                            && times(point.start_time_unix_nano, point.time_unix_nano)
                    })
            }
            _ => false,
        };
    if !is_right {
        wrong.push(format!("{metric:?}"));
    }
}

fn seen(service: &str, span: Span) -> Seen {
    Seen {
        service: service.to_owned(),
        name: span.name,
        kind: span.kind,
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        state: span.trace_state,
        attributes: attributes(&span.attributes),
    }
}

fn attributes(all: &[KeyValue]) -> BTreeMap<String, String> {
    let value = |pair: &KeyValue| match pair.value.clone().and_then(|value| value.value) {
        Some(any_value::Value::StringValue(text)) => text,
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        Some(any_value::Value::DoubleValue(number)) => number.to_string(),
        Some(any_value::Value::BoolValue(is)) => is.to_string(),
        other => format!("{other:?}"),
    };
    all.iter().map(|pair| (pair.key.clone(), value(pair))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// The values of a counter or gauge, with the attributes of each.
pub(crate) fn numbers(metric: &Metric) -> Vec<(BTreeMap<String, String>, f64)> {
    let points = match metric.data.as_ref() {
        Some(Data::Gauge(gauge)) => &gauge.data_points,
        Some(Data::Sum(sum)) => &sum.data_points,
        other => panic!("no numbers: {other:?}"),
    };
    let number = |value: &number_data_point::Value| match value {
        number_data_point::Value::AsDouble(number) => *number,
        number_data_point::Value::AsInt(number) => *number as f64,
    };
    points
        .iter()
        .map(|point| (attributes(&point.attributes), number(point.value.as_ref().unwrap())))
        .collect()
}
