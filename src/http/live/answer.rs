//! Answers that go on for as long as a client is there.

use super::server::Server;
use super::telling::Teller;
use crate::http::streams::Form;
use crate::live::{Client, Closed};
use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::Stream;
use pin_project_lite::pin_project;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

/// As much of what waits is written in one piece.
const PIECE: usize = 32 * 1024;

/// Answers with what a client is told, behind what is written already, until it is closed. The client goes with the
/// connection.
pub(super) fn answer(server: &Server, teller: Teller, client: Client, first: Vec<u8>) -> Response {
    let kind = match teller.form() {
        Form::Events => "text/event-stream",
        Form::Lines => "application/x-ndjson",
    };
    let heartbeat = server.heartbeat();
    let told = Told {
        client,
        teller,
        first,
        heartbeat,
        last: Instant::now(),
        is_closing: false,
        closing: server.closing().clone().cancelled_owned(),
        beat: sleep(heartbeat),
    };
    // The last is for a proxy that would keep lines until there are more.
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(told)).into_response()
}

pin_project! {
    /// What a client is told, in pieces of what has come together.
    struct Told {
        client: Client,
        teller: Teller,
        first: Vec<u8>,
        heartbeat: Duration,
        last: Instant,
        is_closing: bool,
        #[pin]
        closing: WaitForCancellationFutureOwned,
        #[pin]
        beat: Sleep,
    }
}

impl Stream for Told {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut me = self.project();
        let mut piece = std::mem::take(me.first);
        loop {
            while piece.len() < PIECE {
                match Pin::new(&mut *me.client).poll_next(cx) {
                    Poll::Ready(Some(delivery)) => me.teller.tell(&delivery, &mut piece),
                    Poll::Ready(None) if piece.is_empty() => return Poll::Ready(None),
                    Poll::Ready(None) | Poll::Pending => break,
                }
            }
            if !piece.is_empty() {
                *me.last = Instant::now();
                return Poll::Ready(Some(Ok(piece.into())));
            }
            if !*me.is_closing && me.closing.as_mut().poll(cx).is_ready() {
                *me.is_closing = true;
                me.client.close(Some(Closed::ShuttingDown));
                continue;
            }
            if me.beat.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            // It is set again only when it rings, not with each part.
            let (now, silent_until) = (Instant::now(), *me.last + *me.heartbeat);
            if silent_until <= now {
                *me.last = now;
                piece.extend_from_slice(me.teller.beat());
            }
            me.beat.as_mut().reset(*me.last + *me.heartbeat);
        }
    }
}
