//! Services on the other side, with their faults.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder as Server;
use hyper_util::service::TowerToHyperService;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::runtime::{Builder, Runtime};

/// A service on a runtime of its own, so that it can go as if its process had died.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Peer {
    pub(crate) fn start(router: Router) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), router)
    }

    pub(crate) fn start_at(address: SocketAddr, router: Router) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let service = TowerToHyperService::new(router.clone());
                tokio::spawn(async move {
                    let server = Server::new(TokioExecutor::new());
                    // What a client does to its connection is no failure of the test.
                    drop(server.serve_connection_with_upgrades(TokioIo::new(stream), service).await);
                });
            }
        });
        Self { address, runtime: Some(runtime) }
    }

    pub(crate) fn service(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // With all its connections.
        self.runtime.take().unwrap().shutdown_background();
    }
}

/// Breaks the connection of every `n`-th request after it was dealt with, in place of an answer.
pub(crate) fn breaking(router: Router, n: usize) -> (Router, Arc<AtomicUsize>) {
    let requests = Arc::<AtomicUsize>::default();
    let layer = from_fn_with_state((requests.clone(), n), break_some);
    (router.layer(layer), requests)
}

async fn break_some(
    State((requests, n)): State<(Arc<AtomicUsize>, usize)>,
    request: Request,
    next: Next,
) -> Response {
    let answer = next.run(request).await;
    if (requests.fetch_add(1, Ordering::SeqCst) + 1).is_multiple_of(n) {
        cut();
    }
    answer
}

/// Ends the task of the connection, quietly.
fn cut() -> ! {
    std::panic::resume_unwind(Box::new("the connection breaks"))
}

/// What was posted.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Posted {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// What a stand-in answers.
pub(crate) enum Reply {
    Answer(Response),
    /// Nothing, and the connection is gone.
    Cut,
}

impl<T: IntoResponse> From<T> for Reply {
    fn from(answer: T) -> Self {
        Self::Answer(answer.into_response())
    }
}

/// A stand-in that answers as it is told, and what it was asked.
pub(crate) struct StandIn {
    pub(crate) peer: Peer,
    posted: Arc<Mutex<Vec<Posted>>>,
}

impl StandIn {
    pub(crate) fn answering(reply: impl Fn(usize, &Posted) -> Reply + Clone + Send + Sync + 'static) -> Self {
        let posted = Arc::<Mutex<Vec<Posted>>>::default();
        let seen = posted.clone();
        let router = Router::new().fallback(move |request: Request| async move {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
            let one = Posted { target: parts.uri.to_string(), headers: parts.headers, body };
            let number = {
                let mut all = seen.lock().unwrap();
                all.push(one.clone());
                all.len() - 1
            };
            match reply(number, &one) {
                Reply::Answer(answer) => answer,
                Reply::Cut => cut(),
            }
        });
        Self { peer: Peer::start(router), posted }
    }

    pub(crate) fn posted(&self) -> Vec<Posted> {
        self.posted.lock().unwrap().clone()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.posted().iter().map(|posted| posted.text().to_owned()).collect()
    }
}

/// What mape answers to so many.
pub(crate) fn accepted(status: StatusCode, count: usize) -> Reply {
    (status, format!(r#"{{"accepted": {count}}}"#)).into()
}
