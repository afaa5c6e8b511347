//! Answers that go on: events (SSE), or an item a line (NDJSON).

use super::Context;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures::stream::{Stream, StreamExt};
use serde::Serialize;
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::{Instant, interval_at};

/// How often a quiet stream gives a sign of life.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How many parts that are there already go in one piece.
const TOGETHER: usize = 256;

/// One part of an answer that goes on.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// What kind of event it is; an item has none.
    kind: Option<&'static str>,
    /// Where it is, with which a client comes back for what follows.
    place: Option<String>,
    /// On one line.
    text: Bytes,
}

impl Part {
    /// An item, given as JSON on one line.
    pub(crate) fn item(text: impl Into<Bytes>) -> Self {
        Self { kind: None, place: None, text: text.into() }
    }

    /// An event of a kind.
    pub(crate) fn event(kind: &'static str, value: &impl Serialize) -> Self {
        let text = serde_json::to_vec(value).unwrap_or_default().into();
        Self { kind: Some(kind), place: None, text }
    }

    /// The same, at a place.
    pub(crate) fn at(mut self, place: &impl ToString) -> Self {
        self.place = Some(place.to_string());
        self
    }
}

/// How the parts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Events,
    Lines,
}

impl Form {
    /// What a client asks for; lines, where it does not say.
    pub(crate) fn asked(headers: &HeaderMap) -> Self {
        let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        if accept.contains("text/event-stream") { Self::Events } else { Self::Lines }
    }

    /// Answers with parts as they come, until they or the service end.
    pub(crate) fn answer(
        self,
        context: &Context,
        parts: impl Stream<Item = Part> + Send + 'static,
    ) -> Response {
        let pieces = parts.ready_chunks(TOGETHER).map(move |parts| {
            let mut piece = Vec::with_capacity(parts.iter().map(|part| part.text.len() + 16).sum());
            for part in parts {
                self.write(&part, &mut piece);
            }
            piece
        });
        let kind = match self {
            Self::Events => "text/event-stream",
            Self::Lines => "application/x-ndjson",
        };
        let body = match self {
            Self::Events => {
                let beats = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
                let beats =
                    tokio_stream::wrappers::IntervalStream::new(beats).map(|_| Some(b":\n\n".to_vec()));
                // The first bytes tell the client that it is connected.
                let hello = futures::stream::iter([Some(b":\n\n".to_vec())]);
                let pieces = pieces.map(Some).chain(futures::stream::iter([None]));
                let both = hello.chain(futures::stream::select(pieces, beats));
                let until_end = both
                    .take_while(|piece| std::future::ready(piece.is_some()))
                    .filter_map(std::future::ready);
                Body::from_stream(context.until_closing(until_end).map(Ok::<_, Infallible>))
            }
            Self::Lines => Body::from_stream(context.until_closing(pieces).map(Ok::<_, Infallible>)),
        };
        let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")];
        (headers, body).into_response()
    }

    fn write(self, part: &Part, piece: &mut Vec<u8>) {
        match (self, part.kind) {
            // What is no item has no place among items.
            (Self::Lines, Some(_)) => {}
            (Self::Lines, None) => {
                piece.extend_from_slice(&part.text);
                piece.push(b'\n');
            }
            (Self::Events, kind) => {
                if let Some(kind) = kind {
                    piece.extend_from_slice(b"event: ");
                    piece.extend_from_slice(kind.as_bytes());
                    piece.push(b'\n');
                }
                if let Some(place) = &part.place {
                    piece.extend_from_slice(b"id: ");
                    piece.extend_from_slice(place.as_bytes());
                    piece.push(b'\n');
                }
                piece.extend_from_slice(b"data: ");
                piece.extend_from_slice(&part.text);
                piece.extend_from_slice(b"\n\n");
            }
        }
    }
}
