//! The element's task: turns its pipe while there is input, then hands on what came out.

use super::function::{Out, Pump, Turn};
use super::in_port::{InPort, InSide};
use super::out_port::OutPort;
use super::site::{Launch, Site};
use super::{ErrorKind, Item, OnError};
use crate::stream::meter;
use pin_project_lite::pin_project;
use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::Sleep;
use tracing::Span;

/// An operator that panics so often with nothing going through in between will not get better.
const PANICS_IN_A_ROW: u32 = 1000;

/// Makes the pipe of an element; called again whenever its operators are to be built anew.
pub(crate) type Make<I, P> = Box<dyn FnMut(InPort<I>, &Arc<Site>) -> P + Send>;

/// All that is needed to run an element.
pub(crate) struct Recipe<I: Item, P: Pump> {
    pub(crate) make: Make<I, P>,
    pub(crate) input: Arc<InSide<I>>,
    pub(crate) output: Arc<OutPort<P::Out>>,
}

impl<I, P> Launch for Recipe<I, P>
where
    I: Item,
    P: Pump<Out: Item> + 'static,
{
    fn launch(self: Box<Self>, runtime: &Handle) -> AbortHandle {
        let site = self.input.site().clone();
        // So that the log says which element speaks.
        let span = tracing::info_span!("element", element = %site.path());
        // Boxed: where nobody listens there is none.
        let span = (!span.is_disabled()).then(|| Box::new(span));
        runtime.spawn(Driver::new(self, site, span)).abort_handle()
    }
}

pin_project! {
    pub(crate) struct Driver<I: Item, P: Pump> {
        recipe: Option<Box<Recipe<I, P>>>,
        output: Arc<OutPort<P::Out>>,
        site: Arc<Site>,
        #[pin]
        pipe: Option<P>,
        out: Out<P::Out>,
        // What is being handed on.
        leaving: VecDeque<P::Out>,
        phase: Phase,
        attempts: u32,
        panics: u32,
        // The pipe is being turned: tells its panics from those of copies and drops.
        turning: bool,
        // An item went through since something failed.
        worked: bool,
        // What its log lines are in.
        span: Option<Box<Span>>,
    }

    impl<I: Item, P: Pump> PinnedDrop for Driver<I, P> {
        fn drop(this: Pin<&mut Self>) {
            let mut me = this.project();
            me.pipe.set(None);
            // The task was ended by others; else another may be at work already.
            if me.recipe.is_some() {
                drop(me.site.take_kept());
            }
        }
    }
}

/// Hands on what came out, all of it before anything new comes out.
#[inline]
fn flush<T: Item>(
    output: &OutPort<T>,
    cx: &mut Context<'_>,
    out: &mut Out<T>,
    leaving: &mut VecDeque<T>,
) -> Poll<()> {
    if leaving.is_empty() {
        if out.batch.is_empty() {
            return Poll::Ready(());
        }
        *leaving = std::mem::take(&mut out.batch).into();
    }
    ready!(output.poll_flush(cx, leaving));
    out.batch = std::mem::take(leaving).into();
    Poll::Ready(())
}

enum Phase {
    Turning,
    /// Waits before the operators are built anew.
    Waiting(Pin<Box<Sleep>>),
    Ending {
        failed: bool,
    },
}

impl<I: Item, P: Pump<Out: Item>> Driver<I, P> {
    fn new(recipe: Box<Recipe<I, P>>, site: Arc<Site>, span: Option<Box<Span>>) -> Self {
        let output = recipe.output.clone();
        Self {
            recipe: Some(recipe),
            output,
            site,
            pipe: None,
            out: Out::new(),
            leaving: VecDeque::new(),
            phase: Phase::Turning,
            attempts: 0,
            panics: 0,
            turning: false,
            worked: false,
            span,
        }
    }
}

impl<I, P> Future for Driver<I, P>
where
    I: Item,
    P: Pump<Out: Item> + 'static,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.site.waker.register(cx.waker());
        let span = self.as_mut().project().span.take();
        let polled = match &span {
            Some(span) => span.in_scope(|| self.as_mut().advance_always(cx)),
            None => self.as_mut().advance_always(cx),
        };
        *self.project().span = span;
        polled
    }
}

impl<I, P> Driver<I, P>
where
    I: Item,
    P: Pump<Out: Item> + 'static,
{
    /// Goes on whatever panics.
    fn advance_always(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.as_mut().advance(cx))) {
                Ok(polled) => return polled,
                Err(panic) => self.as_mut().panicked(&*panic),
            }
        }
    }
}

impl<I, P> Driver<I, P>
where
    I: Item,
    P: Pump<Out: Item> + 'static,
{
    fn advance(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            // What is ready goes out before anything else is taken; then the errors that came behind it.
            {
                let me = self.as_mut().project();
                ready!(flush(me.output, cx, me.out, me.leaving));
            }
            if self.site.any_fault.load(Ordering::Acquire) {
                self.as_mut().pass_faults();
            }
            let mut me = self.as_mut().project();
            if me.site.renew.load(Ordering::Acquire) && me.site.renew.swap(false, Ordering::AcqRel) {
                let_go(me.pipe.as_mut(), me.site);
            }
            match me.phase {
                Phase::Turning => {}
                Phase::Waiting(sleep) => {
                    ready!(sleep.as_mut().poll(cx));
                    *me.phase = Phase::Turning;
                    me.site.set_restarting(false);
                }
                Phase::Ending { failed } => {
                    let failed = *failed;
                    self.end(failed);
                    return Poll::Ready(());
                }
            }
            match self.as_mut().turn(cx) {
                Turn::Full | Turn::Fault => {}
                Turn::Done => *self.as_mut().project().phase = Phase::Ending { failed: false },
                Turn::Pending => {
                    if self.site.any_fault.load(Ordering::Acquire) {
                        continue;
                    }
                    let me = self.as_mut().project();
                    ready!(flush(me.output, cx, me.out, me.leaving));
                    return Poll::Pending;
                }
            }
        }
    }

    fn turn(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Turn {
        let mut me = self.project();
        *me.turning = true;
        if me.pipe.is_none()
            && let Some(recipe) = me.recipe.as_mut()
        {
            let port = recipe.input.port();
            let path = me.site.path();
            let pipe = meter::within(path.as_str().into(), || (recipe.make)(port, me.site));
            me.pipe.set(Some(pipe));
        }
        let since = meter::now();
        let turn = match me.pipe.as_mut().as_pin_mut() {
            Some(pipe) => pipe.poll_pump(cx, me.out),
            None => Turn::Done,
        };
        *me.turning = false;
        // Only this task sets it, so that it need not be swapped.
        if me.site.worked.load(Ordering::Relaxed) {
            me.site.worked.store(false, Ordering::Relaxed);
            *me.worked = true;
            if !me.site.measures_calls.load(Ordering::Relaxed)
                && let Some(since) = since
            {
                me.site.took(since.elapsed());
            }
        }
        turn
    }

    /// Passes errors on downstream; those of the element itself make its supervision act.
    #[cold]
    fn pass_faults(self: Pin<&mut Self>) {
        let me = self.project();
        let faults = me.site.take_faults();
        for fault in &faults {
            super::site::Outputs::raise(&**me.output, fault.clone());
        }
        if std::mem::take(me.worked) {
            (*me.attempts, *me.panics) = (0, 0);
        }
        if !me.site.failing.swap(false, Ordering::AcqRel) {
            return;
        }
        match me.site.declared().on_error {
            OnError::Resume => {}
            OnError::Restart(backoff) => match backoff.wait(*me.attempts) {
                Some(wait) => {
                    *me.attempts += 1;
                    me.site.restarts.fetch_add(1, Ordering::Relaxed);
                    me.site.set_restarting(true);
                    let_go(me.pipe, me.site);
                    *me.phase = Phase::Waiting(Box::pin(tokio::time::sleep(wait)));
                }
                None => *me.phase = Phase::Ending { failed: true },
            },
            OnError::Stop => *me.phase = Phase::Ending { failed: true },
            OnError::Escalate => {
                *me.phase = Phase::Ending { failed: true };
                if let Some(error) = faults.last() {
                    me.site.escalate(error);
                }
            }
        }
    }

    #[cold]
    fn panicked(self: Pin<&mut Self>, panic: &(dyn std::any::Any + Send)) {
        let mut me = self.project();
        if std::mem::take(me.worked) | me.site.worked.swap(false, Ordering::AcqRel) {
            (*me.attempts, *me.panics) = (0, 0);
        }
        let in_pipe = std::mem::take(me.turning);
        let in_function = me.site.function_panicked.swap(false, Ordering::AcqRel);
        let input = if in_function { me.site.take_kept() } else { None };
        if in_pipe && !in_function {
            // An operator panicked: what it holds can't be trusted.
            let_go(me.pipe.as_mut(), me.site);
        }
        me.site.failed(ErrorKind::panicked(panic), input);
        *me.panics += 1;
        if *me.panics >= PANICS_IN_A_ROW {
            tracing::warn!(element = %me.site.path(), panics = *me.panics, "ended: it does nothing but panic");
            *me.phase = Phase::Ending { failed: true };
        }
    }

    fn end(self: Pin<&mut Self>, failed: bool) {
        let me = self.project();
        let_go(me.pipe, me.site);
        if let Some(recipe) = me.recipe.take() {
            me.site.ended(recipe, failed);
        }
    }
}

/// Drops the pipe, and what is kept of the item in its hands; what users brought may panic even then.
fn let_go<P>(mut pipe: Pin<&mut Option<P>>, site: &Site) {
    let dropped = catch_unwind(AssertUnwindSafe(|| pipe.set(None)));
    let forgotten = catch_unwind(AssertUnwindSafe(|| drop(site.take_kept())));
    for panic in [dropped, forgotten].into_iter().filter_map(Result::err) {
        site.failed(ErrorKind::panicked(&*panic), None);
    }
}
