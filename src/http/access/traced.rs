//! Requests in traces.

use crate::stream::trace::{Parent, Span, SpanKind, TraceContext};
use axum::extract::{ConnectInfo, MatchedPath, Request};
use axum::http::HeaderMap;
use axum::response::Response;
use std::fmt;
use std::net::SocketAddr;
use tracing::level_filters::LevelFilter;

/// The span of a request, if it is in a trace, or somebody wants to know.
pub(super) fn answers(request: &Request, caller: Option<&str>) -> Option<Span> {
    let context = context(request.headers());
    if context.is_none() && LevelFilter::current() < LevelFilter::INFO {
        return None;
    }
    // What stands in a path may be a secret.
    let route = request.extensions().get::<MatchedPath>().map_or("(an endpoint)", MatchedPath::as_str);
    let address =
        request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
    let client = Client(caller, address);
    let method = request.method();
    let span = Span::begin(SpanKind::Server, format_args!("{method} {route}"), Parent::from(context));
    if !span.is_recorded() {
        return Some(span.told(|| tracing::info_span!("request", %client, %method, route)));
    }
    Some(span.with("client", &client).with("http.request.method", method).with("http.route", &route))
}

/// Answers it in its span.
pub(super) async fn answer(span: &Span, answer: impl Future<Output = Response>) -> Response {
    let response = span.scope(answer).await;
    let status = response.status();
    span.note("http.response.status_code", &status.as_u16());
    if status.is_server_error() {
        span.note("error", &status);
    }
    response
}

/// Where a request is in a trace: what is said twice, or wrong, says nothing.
fn context(headers: &HeaderMap) -> Option<TraceContext> {
    let mut parents = headers.get_all("traceparent").iter();
    let parent = parents.next().filter(|_| parents.next().is_none())?.to_str().ok()?;
    let mut states = headers.get_all("tracestate").iter().map(|state| state.to_str());
    let state = match (states.next(), states.next()) {
        (None, _) => None,
        (Some(Ok(state)), None) => return TraceContext::parse(parent, Some(state)),
        // A list may be sent in parts.
        _ => {
            let all = headers.get_all("tracestate").iter().map(|state| state.to_str());
            all.collect::<Result<Vec<_>, _>>().ok().map(|all| all.join(","))
        }
    };
    TraceContext::parse(parent, state.as_deref())
}

/// Who asks: the name of its token, else its address.
struct Client<'r>(Option<&'r str>, Option<std::net::IpAddr>);

impl fmt::Display for Client<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, &self.1) {
            (Some(name), _) => f.write_str(name),
            (None, Some(address)) => write!(f, "{address}"),
            (None, None) => f.write_str("somebody"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        all.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).fold(
            HeaderMap::new(),
            |mut headers, (name, value): (axum::http::HeaderName, _)| {
                headers.append(name, value);
                headers
            },
        )
    }

    #[test]
    fn a_list_may_come_in_parts_but_a_parent_only_once() {
        let state = |headers: &HeaderMap| context(headers).map(|context| context.state().map(str::to_owned));
        assert_eq!(state(&headers(&[("traceparent", PARENT)])), Some(None));
        let parts = headers(&[("traceparent", PARENT), ("tracestate", "a=1"), ("tracestate", "b=2")]);
        assert_eq!(state(&parts), Some(Some("a=1,b=2".to_owned())));
        let twice = headers(&[("traceparent", PARENT), ("tracestate", "a=1"), ("tracestate", "a=2")]);
        assert_eq!(state(&twice), Some(None));
        assert_eq!(context(&headers(&[("traceparent", PARENT), ("traceparent", PARENT)])), None);
        assert_eq!(context(&headers(&[("tracestate", "a=1")])), None);
        assert_eq!(context(&headers(&[("traceparent", "00-what")])), None);
    }
}
