//! The ports of an exposed element for servers: texts in, texts out.
#![cfg_attr(not(feature = "http"), expect(dead_code, reason = "only a service uses most of it"))]

use super::door::{Door, Exposed};
use super::error::ReportedValue;
use super::{Element, ElementError, ErrorKind, Item, State, Subscription};
use futures::future::BoxFuture;
use futures::stream::{BoxStream, StreamExt, unfold};
use memchr::memchr;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Which port of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    In,
    Out,
}

/// How an item is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    MessagePack,
}

/// Why no more was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The text is no such item: what does not fit, and in which line of many.
    Shape { line: usize, reason: String },
    /// There was no room for as long as there was patience.
    Full,
    /// It would be skipped.
    NotRunning(State),
    /// The element is gone.
    Gone,
    /// It is not exposed to that side.
    OneWay,
}

/// What a tap sees.
pub(crate) enum Tapped {
    Item(Vec<u8>),
    /// So many items went by too fast.
    Missed(u64),
}

/// What a server needs besides a [`Door`].
pub(crate) trait Ports: Door {
    /// Pushes one item; gives its number among those that came in here.
    fn push_one<'a>(
        &'a self,
        side: Side,
        format: Format,
        body: &'a [u8],
        patience: Duration,
    ) -> BoxFuture<'a, Result<u64, Refusal>>;
    /// Pushes an item a line, without the first `skip`; blank lines are none. `taken` counts those that were pushed or
    /// skipped, and is right also when this is dropped.
    fn push_lines<'a>(
        &'a self,
        side: Side,
        lines: &'a [u8],
        skip: u64,
        taken: &'a AtomicU64,
        patience: Duration,
    ) -> BoxFuture<'a, Result<(), Refusal>>;
    /// Passes an error on.
    fn push_error(&self, side: Side, error: Value) -> Result<(), Refusal>;
    /// Ends what is pushed; on the out-port completes the element once what is queued is worked off.
    fn complete(&self, side: Side) -> Result<(), Refusal>;
    /// What passes a port from now on, each item as JSON text.
    fn tap(&self, side: Side) -> Result<BoxStream<'static, Tapped>, Refusal>;
}

/// Items that wait for a slow watcher before the oldest give way.
const WAITING: usize = 1024;

impl<I: Item + DeserializeOwned, O: Item + Serialize> Ports for Exposed<I, O> {
    fn push_one<'a>(
        &'a self,
        side: Side,
        format: Format,
        body: &'a [u8],
        patience: Duration,
    ) -> BoxFuture<'a, Result<u64, Refusal>> {
        Box::pin(async move {
            let element = self.element().ok_or(Refusal::Gone)?;
            if side == Side::Out {
                let read = self.read_output.ok_or(Refusal::OneWay)?;
                let item = read(format, body).map_err(|reason| Refusal::Shape { line: 1, reason })?;
                self.emit(&element, VecDeque::from([item]), patience, &AtomicU64::new(0)).await?;
                return Ok(self.numbers.fetch_add(1, Ordering::Relaxed) + 1);
            }
            let item = decode::<I>(format, body).map_err(|reason| Refusal::Shape { line: 1, reason })?;
            let state = element.state();
            if !state.accepts_items() {
                return Err(refused(state));
            }
            let mut one = Some(item);
            if !element.input.entry().try_push(&mut one).map_err(|_| refused(element.state()))? {
                let (mut waiting, taken) = (one.into_iter().collect(), AtomicU64::new(0));
                push_all(&element, &mut waiting, &taken, patience).await?;
            }
            Ok(self.numbers.fetch_add(1, Ordering::Relaxed) + 1)
        })
    }

    fn push_lines<'a>(
        &'a self,
        side: Side,
        lines: &'a [u8],
        skip: u64,
        taken: &'a AtomicU64,
        patience: Duration,
    ) -> BoxFuture<'a, Result<(), Refusal>> {
        Box::pin(async move {
            let element = self.element().ok_or(Refusal::Gone)?;
            if side == Side::Out {
                let read = self.read_output.ok_or(Refusal::OneWay)?;
                let (items, then) = read_lines(read, lines, skip, taken);
                self.emit(&element, items, patience, taken).await?;
                return then;
            }
            let (mut items, then) = read_lines(decode::<I>, lines, skip, taken);
            if !items.is_empty() {
                let state = element.state();
                if !state.accepts_items() {
                    return Err(refused(state));
                }
                self.numbers.fetch_add(items.len() as u64, Ordering::Relaxed);
                push_all(&element, &mut items, taken, patience).await?;
            }
            then
        })
    }

    fn push_error(&self, side: Side, error: Value) -> Result<(), Refusal> {
        let element = self.element().ok_or(Refusal::Gone)?;
        let (error, state) = (ReportedValue::new(error), element.state());
        if !state.accepts_items() {
            return Err(refused(state));
        }
        if side == Side::Out {
            self.read_output.ok_or(Refusal::OneWay)?;
            let kind = ErrorKind::Reported(error.into());
            element.output.raise_fault(Arc::new(ElementError { path: element.path(), kind }));
            return Ok(());
        }
        element.push_error(error);
        Ok(())
    }

    fn complete(&self, side: Side) -> Result<(), Refusal> {
        let element = self.element().ok_or(Refusal::Gone)?;
        match side {
            Side::In => element.complete(),
            Side::Out => {
                self.read_output.ok_or(Refusal::OneWay)?;
                if !element.site().drain(true) {
                    return Err(refused(element.state()));
                }
            }
        }
        Ok(())
    }

    fn tap(&self, side: Side) -> Result<BoxStream<'static, Tapped>, Refusal> {
        let element = self.element().ok_or(Refusal::Gone)?;
        Ok(match side {
            Side::In => texts(element.tap_in(WAITING), self.write_input.ok_or(Refusal::OneWay)?).boxed(),
            Side::Out => texts(element.tap_out(WAITING), encode).boxed(),
        })
    }
}

impl<I: Item, O: Item> Exposed<I, O> {
    /// Emits on the element's behalf. What has begun is finished, also if nobody waits for it any more; while it is not,
    /// nothing else begins.
    async fn emit(
        &self,
        element: &Element<I, O>,
        items: VecDeque<O>,
        patience: Duration,
        taken: &AtomicU64,
    ) -> Result<(), Refusal> {
        if items.is_empty() {
            return Ok(());
        }
        let turn = timeout(patience, self.emitting.clone().lock_owned()).await.map_err(|_| Refusal::Full)?;
        let state = element.state();
        if !state.accepts_items() {
            return Err(refused(state));
        }
        let runtime = element.site().host.runtime().ok_or(Refusal::Gone)?;
        let count = items.len() as u64;
        let to = element.clone();
        let (tell, done) = tokio::sync::oneshot::channel();
        let emitting = runtime.spawn(async move {
            for item in items {
                to.emit(item).await;
            }
            drop(turn);
            let _ = tell.send(());
        });
        element.site().adopt(emitting, None);
        taken.fetch_add(count, Ordering::Relaxed);
        let _ = timeout(patience, done).await;
        Ok(())
    }
}

fn refused(state: State) -> Refusal {
    if state == State::Disposed { Refusal::Gone } else { Refusal::NotRunning(state) }
}

/// How many times as long as there is patience a push may take that goes on slowly.
const SLOWLY: u32 = 10;

/// Moves all items in. What is left when that is refused was not taken.
async fn push_all<I: Item, O: Item>(
    element: &Element<I, O>,
    items: &mut VecDeque<I>,
    taken: &AtomicU64,
    patience: Duration,
) -> Result<(), Refusal> {
    let (queue, deadline) = (element.input.entry(), Instant::now() + patience * SLOWLY);
    loop {
        let before = items.len();
        let pushed = poll_fn(|cx| {
            let waiting = items.len();
            let pushed = queue.poll_offer(cx, items);
            taken.fetch_add((waiting - items.len()) as u64, Ordering::Relaxed);
            pushed
        });
        match timeout(patience, pushed).await {
            Ok(pushed) => return pushed.map_err(|_| refused(element.state())),
            Err(_) if items.len() == before || Instant::now() >= deadline => return Err(Refusal::Full),
            Err(_) => {}
        }
    }
}

/// Reads an item.
pub(super) type Read<T> = fn(Format, &[u8]) -> Result<T, String>;
/// Writes an item as JSON.
pub(super) type Write<T> = fn(&T) -> Option<Vec<u8>>;

pub(super) fn encode<T: Serialize>(item: &T) -> Option<Vec<u8>> {
    serde_json::to_vec(item).ok()
}

pub(super) fn decode<T: DeserializeOwned>(format: Format, body: &[u8]) -> Result<T, String> {
    match format {
        Format::Json => serde_json::from_slice(body).map_err(|error| {
            if body.trim_ascii().is_empty() {
                return "it is empty: send one JSON value".to_owned();
            }
            // Once more, to say where.
            let mut reader = serde_json::Deserializer::from_slice(body);
            match serde_path_to_error::deserialize::<_, T>(&mut reader) {
                Err(found) if found.path().iter().next().is_some() => found.to_string(),
                _ => error.to_string(),
            }
        }),
        #[cfg(feature = "http")]
        Format::MessagePack => {
            let mut reader = std::io::Cursor::new(body);
            let item = rmp_serde::from_read(&mut reader).map_err(|error| error.to_string())?;
            let rest = body.len() as u64 - reader.position();
            if rest == 0 {
                Ok(item)
            } else {
                Err(format!("{rest} bytes follow the item: send one a request"))
            }
        }
        #[cfg(not(feature = "http"))]
        Format::MessagePack => Err("this build reads no MessagePack".to_owned()),
    }
}

/// Reads an item a line, up to one that is none.
fn read_lines<T>(
    read: Read<T>,
    lines: &[u8],
    mut skip: u64,
    taken: &AtomicU64,
) -> (VecDeque<T>, Result<(), Refusal>) {
    let mut items = VecDeque::new();
    let (mut rest, mut number) = (lines, 0);
    while !rest.is_empty() {
        let (line, after) = rest.split_at(memchr(b'\n', rest).unwrap_or(rest.len()));
        rest = after.get(1..).unwrap_or_default();
        number += 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        if skip > 0 {
            skip -= 1;
            taken.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        match read(Format::Json, line) {
            Ok(item) => items.push_back(item),
            Err(reason) => return (items, Err(Refusal::Shape { line: number, reason })),
        }
    }
    (items, Ok(()))
}

/// What a tap sees, as texts.
fn texts<T: Send + 'static>(
    tap: Subscription<T>,
    write: Write<T>,
) -> impl futures::Stream<Item = Tapped> + Send {
    unfold((tap, 0, None), move |(mut tap, mut known, mut next)| async move {
        if let Some(text) = next.take() {
            return Some((Tapped::Item(text), (tap, known, None)));
        }
        loop {
            let item = tap.next().await?;
            let text = write(&item);
            let dropped = tap.stats().dropped;
            let missed = dropped - std::mem::replace(&mut known, dropped);
            match text {
                Some(text) if missed > 0 => return Some((Tapped::Missed(missed), (tap, known, Some(text)))),
                Some(text) => return Some((Tapped::Item(text), (tap, known, None))),
                None => {}
            }
        }
    })
}
