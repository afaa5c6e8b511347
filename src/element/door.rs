//! The ports of an element as JSON, for other processes.

use super::in_port::InSide;
use super::out_port::OutPort;
use super::ports::{Read, Write, decode, encode};
use super::{BoxError, Element, Item};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Weak};

/// The ports of an exposed element behind its path, without its types: what servers use.
pub trait Door: Send + Sync {
    /// Pushes one item, given as JSON text, into the in-port.
    fn push_json<'a>(&'a self, body: &'a [u8]) -> BoxFuture<'a, Result<(), BoxError>>;
    /// What the element emits from now on, each item as JSON text; a slow reader loses the oldest.
    fn subscribe_json(&self) -> BoxStream<'static, Vec<u8>>;
}

/// Items that wait for a slow reader before the oldest give way.
const WAITING: usize = 1024;

/// It is kept by the element itself, so it does not keep the element.
pub(crate) struct Exposed<I: Item, O: Item> {
    input: Weak<InSide<I>>,
    output: Weak<OutPort<O>>,
    /// How an item of the in-port is shown, and one of the out-port read, if they may.
    pub(super) write_input: Option<Write<I>>,
    pub(super) read_output: Option<Read<O>>,
    /// Numbers what came in here.
    pub(super) numbers: AtomicU64,
    /// Held while something is emitted from outside.
    pub(super) emitting: Arc<tokio::sync::Mutex<()>>,
}

impl<I: Item, O: Item> Exposed<I, O> {
    pub(crate) fn new(element: &Element<I, O>) -> Self {
        Self {
            input: Arc::downgrade(&element.input),
            output: Arc::downgrade(&element.output),
            write_input: None,
            read_output: None,
            numbers: AtomicU64::new(0),
            emitting: Arc::default(),
        }
    }

    /// Also shows what comes in, and lets others emit.
    pub(crate) fn fully(mut self) -> Self
    where
        I: Serialize,
        O: DeserializeOwned,
    {
        self.write_input = Some(encode);
        self.read_output = Some(decode);
        self
    }

    pub(super) fn element(&self) -> Option<Element<I, O>> {
        Some(Element::new(self.input.upgrade()?, self.output.upgrade()?))
    }
}

impl<I: Item + DeserializeOwned, O: Item + Serialize> Door for Exposed<I, O> {
    fn push_json<'a>(&'a self, body: &'a [u8]) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async move {
            let item: I = serde_json::from_slice(body)?;
            let element = self.element().ok_or("the element was disposed of")?;
            element.push(item).await.map_err(|e| e.to_string().into())
        })
    }

    fn subscribe_json(&self) -> BoxStream<'static, Vec<u8>> {
        let Some(element) = self.element() else { return futures::stream::empty().boxed() };
        element.tap_out(WAITING).filter_map(|item| std::future::ready(serde_json::to_vec(&item).ok())).boxed()
    }
}
