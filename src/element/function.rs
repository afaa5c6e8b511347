//! Synchronous element functions.

use super::site::{Mode, Site};
use super::{BoxError, ErrorKind, Item};
use futures::Stream;
use parking_lot::Mutex;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};

/// Results an element hands on at most in one batch.
pub(crate) const BATCH: usize = 256;
/// Inputs it takes at most before it hands on what it has.
const INPUTS: usize = 1024;

/// What an element function may return: nothing, or a `Result` whose error ends just this item.
#[diagnostic::on_unimplemented(
    message = "an element function can't return `{Self}`",
    label = "this function returns `{Self}`",
    note = "return nothing or a `Result<(), E>`; results are emitted: `out.emit(…)`",
    note = "a function that makes one result of every item goes to `map` or `try_map`"
)]
pub trait Outcome {
    /// The outcome as a result.
    ///
    /// # Errors
    /// The function's own error.
    fn outcome(self) -> Result<(), BoxError>;
}

impl Outcome for () {
    #[inline]
    fn outcome(self) -> Result<(), BoxError> {
        Ok(())
    }
}

impl<E: Into<BoxError>> Outcome for Result<(), E> {
    #[inline]
    fn outcome(self) -> Result<(), BoxError> {
        self.map_err(Into::into)
    }
}

/// Where a synchronous element function puts its results, none to many for an item.
#[derive(Debug)]
pub struct Out<U> {
    pub(crate) batch: Vec<U>,
}

impl<U> Out<U> {
    pub(crate) fn new() -> Self {
        Self { batch: Vec::new() }
    }

    /// Emits one result. It is handed on with all that are ready, at the latest before the element waits for input.
    #[inline]
    pub fn emit(&mut self, item: U) {
        self.batch.push(item);
    }

    /// Emits several results.
    pub fn emit_all(&mut self, items: impl IntoIterator<Item = U>) {
        self.batch.extend(items);
    }
}

/// How a turn of the pipe ended.
#[derive(Debug)]
pub enum Turn {
    /// The batch is full, or enough was taken; there may be more.
    Full,
    /// There is nothing more now.
    Pending,
    /// An error has to be passed on before anything else.
    Fault,
    /// There will be nothing more.
    Done,
}

/// What an element's task turns: takes input while there is some, and puts results into the batch.
pub trait Pump: Send {
    /// What it puts into the batch.
    type Out;
    /// Turns the pipe until the batch is full or there is nothing more now.
    fn poll_pump(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut Out<Self::Out>) -> Turn;
}

/// A pipe that operators can be put behind.
#[diagnostic::on_unimplemented(
    message = "there is nothing to put operators behind",
    label = "this function only acts and emits nothing",
    note = "make the element with `each`, `map` or one of their asynchronous forms"
)]
pub trait Pipe: Pump<Out = <Self as Stream>::Item> + Stream<Item: Item> + 'static {}
#[diagnostic::do_not_recommend]
impl<P: Pump<Out = <P as Stream>::Item> + Stream<Item: Item> + 'static> Pipe for P {}

/// Keeps a function while no pipe uses it, so that a pipe built anew goes on with it.
pub(crate) struct Shelf<F>(Mutex<Option<F>>);

impl<F> Shelf<F> {
    pub(crate) fn new(f: F) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(f))))
    }

    pub(crate) fn lend(self: &Arc<Self>) -> Loan<F> {
        Loan { lent: self.0.lock().take(), shelf: self.clone() }
    }
}

/// A function on loan; it goes back when the pipe is dropped.
pub(crate) struct Loan<F> {
    lent: Option<F>,
    shelf: Arc<Shelf<F>>,
}

impl<F> Loan<F> {
    #[inline]
    pub(crate) fn get(&mut self) -> Option<&mut F> {
        self.lent.as_mut()
    }
}

impl<F> Drop for Loan<F> {
    fn drop(&mut self) {
        *self.shelf.0.lock() = self.lent.take();
    }
}

pin_project! {
    /// Operators followed by a synchronous function.
    pub struct Each<S, F, U> {
        #[pin]
        s: S,
        f: Loan<F>,
        // Only where operators follow.
        held: Option<Box<Held<U>>>,
        site: Arc<Site>,
    }
}

/// What a function has emitted and the operators behind it have not taken.
struct Held<U> {
    out: Out<U>,
    /// The results are the other way round, to be popped; not so behind a call that has just ended or panicked.
    turned: bool,
    /// Told once the results that came before it are out.
    failed: Option<BoxError>,
}

impl<S, F, U> Each<S, F, U> {
    pub(crate) fn new(s: S, f: Loan<F>, site: Arc<Site>) -> Self {
        Self { s, f, held: None, site }
    }
}

/// Keeps a copy of the item that the function is about to get.
#[cold]
pub(crate) fn keep<T: Item>(site: &Site, item: &T) {
    let before = site.rare().kept.lock().replace(Box::new(item.clone()));
    drop(before);
}

/// Lets go of the item that is done.
#[cold]
pub(crate) fn forget(site: &Site) {
    drop(site.take_kept());
}

#[cold]
pub(crate) fn fail(site: &Arc<Site>, error: BoxError) {
    let input = site.take_kept();
    site.failed(ErrorKind::Failed(error), input);
}

impl<S, F, U, R> Pump for Each<S, F, U>
where
    S: Stream<Item: Item> + Send,
    F: FnMut(S::Item, &mut Out<U>) -> R + Send,
    R: Outcome,
    U: Item,
{
    type Out = U;

    #[inline]
    fn poll_pump(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut Out<U>) -> Turn {
        let mut me = self.project();
        let mode = me.site.mode_for(cx);
        if mode == Mode::Hold {
            return Turn::Pending;
        }
        let Some(f) = me.f.get() else { return Turn::Done };
        let skips = mode == Mode::Skip;
        let plain = !skips && !me.site.keeps_inputs();
        let mut worked = false;
        let turn = 'turn: {
            for _ in 0..INPUTS {
                // A slow function is stopped, paused or disposed of between two items, not two batches.
                if me.site.mode() != mode {
                    break;
                }
                let item = match me.s.as_mut().poll_next(cx) {
                    Poll::Ready(Some(item)) => item,
                    Poll::Ready(None) => break 'turn Turn::Done,
                    Poll::Pending => break 'turn Turn::Pending,
                };
                if !plain {
                    if skips {
                        me.site.skipped.fetch_add(1, Relaxed);
                        continue;
                    }
                    keep(me.site, &item);
                }
                let outcome = me.site.in_function(|| f(item, out).outcome());
                if let Err(error) = outcome {
                    fail(me.site, error);
                    break 'turn Turn::Fault;
                }
                if !plain {
                    forget(me.site);
                }
                worked = true;
                if out.batch.len() >= BATCH {
                    break;
                }
            }
            Turn::Full
        };
        if worked {
            me.site.worked.store(true, Relaxed);
        }
        turn
    }
}

/// The same as a stream, for operators on the out-port.
impl<S, F, U, R> Stream for Each<S, F, U>
where
    S: Stream<Item: Item>,
    F: FnMut(S::Item, &mut Out<U>) -> R,
    R: Outcome,
{
    type Item = U;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<U>> {
        let mut me = self.project();
        let held =
            me.held.get_or_insert_with(|| Box::new(Held { out: Out::new(), turned: true, failed: None }));
        loop {
            if !std::mem::replace(&mut held.turned, true) {
                held.out.batch.reverse();
            }
            if let Some(item) = held.out.batch.pop() {
                return Poll::Ready(Some(item));
            }
            if let Some(error) = held.failed.take() {
                fail(me.site, error);
            }
            let mode = me.site.mode_for(cx);
            if mode == Mode::Hold {
                return Poll::Pending;
            }
            let Some(item) = ready!(me.s.as_mut().poll_next(cx)) else { return Poll::Ready(None) };
            let Some(f) = me.f.get() else { return Poll::Ready(None) };
            if mode == Mode::Skip {
                me.site.skipped.fetch_add(1, Relaxed);
                continue;
            }
            if me.site.keeps_inputs() {
                keep(me.site, &item);
            }
            held.turned = false;
            let outcome = me.site.in_function(|| f(item, &mut held.out).outcome());
            match outcome {
                Ok(()) => {
                    me.site.worked.store(true, Relaxed);
                    if me.site.keeps_inputs() {
                        forget(me.site);
                    }
                }
                Err(error) => held.failed = Some(error),
            }
        }
    }
}

pin_project! {
    /// Any stream as what an element's task turns.
    pub struct Pour<S: Stream> {
        #[pin]
        s: S,
        carried: Option<S::Item>,
        site: Arc<Site>,
    }
}

impl<S: Stream> Pour<S> {
    pub(crate) fn new(s: S, site: Arc<Site>) -> Self {
        Self { s, carried: None, site }
    }
}

impl<S: Stream<Item: Item> + Send> Pump for Pour<S> {
    type Out = S::Item;

    #[inline]
    fn poll_pump(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut Out<S::Item>) -> Turn {
        let mut me = self.project();
        out.batch.extend(me.carried.take());
        while out.batch.len() < BATCH {
            match me.s.as_mut().poll_next(cx) {
                Poll::Ready(Some(item)) => {
                    if me.site.any_fault.load(Relaxed) {
                        // The error came before this item.
                        *me.carried = Some(item);
                        return Turn::Fault;
                    }
                    out.emit(item);
                }
                Poll::Ready(None) => return Turn::Done,
                Poll::Pending => return Turn::Pending,
            }
        }
        Turn::Full
    }
}

/// The same as a stream, for operators behind it.
impl<S: Stream> Stream for Pour<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.project().s.poll_next(cx)
    }
}
