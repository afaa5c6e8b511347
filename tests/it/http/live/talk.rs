//! A client on a WebSocket.

use crate::http::site::Site;
use futures::{SinkExt, StreamExt};
use serde_json::Value;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

/// How long is waited for what has to come.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Talk(WebSocketStream<TcpStream>);

impl Talk {
    pub(super) async fn begin(site: &Site, path: &str) -> Self {
        Self::with(site, path, &[]).await.unwrap()
    }

    /// With more headers.
    pub(super) async fn with(
        site: &Site,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Box<Error>> {
        let url = site.url(path).replace("http://", "ws://");
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(site.serving.address()).await.unwrap();
        Ok(Self(tokio_tungstenite::client_async(request, stream).await.map_err(Box::new)?.0))
    }

    pub(super) async fn say(&mut self, what: Value) {
        self.send(Message::Text(what.to_string().into())).await;
    }

    pub(super) async fn send(&mut self, message: Message) {
        // Whether it was taken is seen by what comes back.
        let _ = self.0.send(message).await;
    }

    /// Bytes past all rules.
    pub(super) async fn raw(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).await.unwrap();
    }

    pub(super) async fn ask(&mut self, what: Value) -> Value {
        self.say(what).await;
        self.next().await
    }

    pub(super) async fn ask_text(&mut self, what: &str) -> Value {
        self.send(Message::Text(what.into())).await;
        self.next().await
    }

    /// The next message as JSON; there has to be one.
    pub(super) async fn next(&mut self) -> Value {
        loop {
            match timeout(PATIENCE, self.0.next())
                .await
                .expect("something comes")
                .expect("a message")
                .unwrap()
            {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// With which code it is closed, if it is said; nothing else comes before.
    pub(super) async fn end(&mut self) -> Option<u16> {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("it ends") {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(other)) => panic!("{other:?}"),
                Some(Err(_)) | None => return None,
            }
        }
    }
}
