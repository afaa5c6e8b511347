//! The ports of an element as JSON, for other processes.

use super::{BoxError, Element, Item};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The ports of an exposed element behind its path, without its types: what servers use.
pub trait Door: Send + Sync {
    /// Pushes one item, given as JSON text, into the in-port.
    fn push_json<'a>(&'a self, body: &'a [u8]) -> BoxFuture<'a, Result<(), BoxError>>;
    /// What the element emits from now on, each item as JSON text; a slow reader loses the oldest.
    fn subscribe_json(&self) -> BoxStream<'static, Vec<u8>>;
}

/// Items that wait for a slow reader before the oldest give way.
const WAITING: usize = 1024;

pub(crate) struct Exposed<I: Item, O: Item>(Element<I, O>);

impl<I: Item, O: Item> Exposed<I, O> {
    pub(crate) fn new(element: Element<I, O>) -> Self {
        Self(element)
    }
}

impl<I: Item + DeserializeOwned, O: Item + Serialize> Door for Exposed<I, O> {
    fn push_json<'a>(&'a self, body: &'a [u8]) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async move {
            let item: I = serde_json::from_slice(body)?;
            self.0.push(item).await.map_err(|e| e.to_string().into())
        })
    }

    fn subscribe_json(&self) -> BoxStream<'static, Vec<u8>> {
        let items = self.0.tap_out(WAITING);
        items.filter_map(|item| std::future::ready(serde_json::to_vec(&item).ok())).boxed()
    }
}
