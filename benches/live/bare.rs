//! What one would write by hand with axum: a broadcast for each group, and an answer of its lines.

use super::part::Part;
use super::role::publish;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::{Stream, StreamExt};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep_until};
use tokio_stream::wrappers::BroadcastStream;

/// How many groups there may be.
pub(super) const GROUPS: usize = 100;
/// How far a client may be behind before it loses something.
const BEHIND: usize = 1024;

type Groups = Arc<Vec<broadcast::Sender<Bytes>>>;

pub(super) async fn play() {
    let groups: Groups = Arc::new((0..GROUPS).map(|_| broadcast::channel(BEHIND).0).collect());
    let router = Router::new()
        .route("/groups/{group}", get(follow))
        .route("/count/{parts}/{millis}", get(count))
        .with_state(groups.clone());
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    // A thousand come at once; the usual 1,024 places let some of them wait for a second.
    let listener = socket.listen(4096).unwrap();
    let port = listener.local_addr().unwrap().port();
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| _ = stream.set_nodelay(true));
    tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    publish(port, async |group, part| {
        // With nobody there, nothing is sent.
        let _ = groups[usize::try_from(group).unwrap()].send(line(&part));
    })
    .await;
}

fn line(part: &Part) -> Bytes {
    let mut line = serde_json::to_vec(part).unwrap();
    line.push(b'\n');
    line.into()
}

/// What is lost is left out, as such handlers do; the clients count it.
async fn follow(State(groups): State<Groups>, Path(group): Path<usize>) -> Response {
    lines(BroadcastStream::new(groups[group].subscribe()).filter_map(|line| std::future::ready(line.ok())))
}

async fn count(Path((parts, millis)): Path<(u32, u64)>) -> Response {
    let (begin, apart) = (Instant::now(), Duration::from_millis(millis));
    lines(futures::stream::iter(1..=parts).then(move |number| async move {
        sleep_until(begin + apart * number).await;
        line(&Part::number(u64::from(number - 1)))
    }))
}

fn lines(lines: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    let body = Body::from_stream(lines.map(Ok::<_, Infallible>));
    ([(axum::http::header::CONTENT_TYPE, "application/x-ndjson")], body).into_response()
}
