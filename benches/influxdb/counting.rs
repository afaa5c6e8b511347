//! A service that only counts.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on has to stop")]

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use flate2::read::GzDecoder;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts the points that it is sent, on a thread of its own.
pub(super) struct Counting {
    pub(super) url: String,
    pub(super) points: Arc<AtomicU64>,
}

impl Counting {
    pub(super) fn start() -> Self {
        let points = Arc::<AtomicU64>::default();
        let counted = points.clone();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let count = async move |body: Bytes| {
                    let mut lines = Vec::new();
                    GzDecoder::new(&*body).read_to_end(&mut lines).unwrap();
                    let count = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
                    counted.fetch_add(count as u64, Relaxed);
                    StatusCode::NO_CONTENT
                };
                let router = Router::new().fallback(count).layer(axum::extract::DefaultBodyLimit::disable());
                axum::serve(listener, router).await.unwrap();
            });
        });
        Self { url, points }
    }
}
