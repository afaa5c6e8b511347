//! Calls of an element's exported methods, directly or by an item of a stream.

use super::{BoxError, CallError, ElementPath, ErrorKind};
use crate::stream::trace::{Parent, Span, SpanKind, TraceContext};
use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Where a reply is awaited; taken by the first that has one.
type ReplyTo = oneshot::Sender<Result<Value, CallError>>;
type Method = Arc<dyn Fn(Value) -> BoxFuture<'static, Result<Value, Refused>> + Send + Sync>;

/// What a method says when it can't answer.
pub(crate) enum Refused {
    Argument(String),
    Failed(BoxError),
}

/// The methods that one element exports. Only these can be called, from wherever the call comes.
#[derive(Default)]
pub(crate) struct Methods(BTreeMap<String, Method>);

impl Methods {
    pub(crate) const fn none() -> Self {
        Self(BTreeMap::new())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn add<A, R, E, Fut, F>(&mut self, name: &str, f: F)
    where
        A: DeserializeOwned + Send + 'static,
        R: Serialize,
        E: Into<BoxError>,
        Fut: Future<Output = Result<R, E>> + Send + 'static,
        F: Fn(A) -> Fut + Send + Sync + 'static,
    {
        let method: Method = Arc::new(move |argument| {
            let call = match serde_json::from_value(argument) {
                Ok(argument) => f(argument),
                Err(error) => return futures::future::err(Refused::Argument(error.to_string())).boxed(),
            };
            async move {
                let reply = call.await.map_err(|e| Refused::Failed(e.into()))?;
                serde_json::to_value(reply).map_err(|e| Refused::Failed(e.into()))
            }
            .boxed()
        });
        self.0.insert(name.to_owned(), method);
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    pub(crate) fn call(
        &self,
        path: ElementPath,
        method: &str,
        argument: Value,
    ) -> impl Future<Output = Result<Value, CallError>> + Send + use<> {
        let found = self.0.get(method).cloned();
        let method = method.to_owned();
        let context = TraceContext::current();
        let known = if found.is_some() { Vec::new() } else { self.names() };
        async move {
            let Some(f) = found else { return Err(CallError::UnknownMethod { path, method, known }) };
            let span = match context {
                Some(context) => {
                    let name = format_args!("{path}.{method}");
                    Span::begin(SpanKind::Internal, name, Parent::Span(context)).with("element", &path)
                }
                None => Span::none(),
            };
            let answer = AssertUnwindSafe(async move { f(argument).await }).catch_unwind();
            let answer = span.scope(answer).await;
            let answer = answer.unwrap_or_else(|panic| {
                Err(Refused::Failed(ErrorKind::panicked(&*panic).to_string().into()))
            });
            answer.map_err(|refused| match refused {
                Refused::Argument(reason) => CallError::Argument { path, method, reason },
                Refused::Failed(error) => CallError::Failed { path, method, reason: error.to_string() },
            })
        }
    }
}

/// A call of an exported method as an item: emit it, and link the element to the one that answers with
/// [`link_calls`](super::Element::link_calls). It bypasses the pipe of that element.
///
/// Source: PyMAPE's `CallMethod`; unlike there, only exported methods can be called, arguments are typed, the caller
/// can have the reply, and an unknown method is an error of the element and nothing else.
///
/// ```
/// use mape::element::Call;
///
/// let call = Call::new("cruise_control", 100.0);
/// assert_eq!(call.method(), "cruise_control");
/// ```
#[derive(Clone)]
pub struct Call {
    method: Arc<str>,
    argument: Result<Value, Arc<str>>,
    /// The trace in which it was made.
    context: Option<TraceContext>,
    reply: Option<Arc<Mutex<Option<ReplyTo>>>>,
}

impl Call {
    /// A call whose reply nobody waits for. Several arguments go as a tuple or a struct; none is `()`.
    pub fn new(method: &str, argument: impl Serialize) -> Self {
        let argument = serde_json::to_value(argument).map_err(|e| e.to_string().into());
        Self { method: method.into(), argument, context: TraceContext::current(), reply: None }
    }

    /// The same call, and what will be replied to it. When several elements get the call, the first reply counts.
    pub fn with_reply<R: DeserializeOwned>(mut self) -> (Self, Reply<R>) {
        let (to, from) = oneshot::channel();
        self.reply = Some(Arc::new(Mutex::new(Some(to))));
        let reply = Reply { method: self.method.clone(), from, _type: std::marker::PhantomData };
        (self, reply)
    }

    /// The same call as a part of this trace; that in which it was made, unless said.
    #[must_use]
    pub fn traced_by(mut self, context: &TraceContext) -> Self {
        self.context = Some(context.clone());
        self
    }

    /// The trace to which it belongs, if it is known.
    pub(crate) fn context(&self) -> Option<&TraceContext> {
        self.context.as_ref()
    }

    /// The method's name.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    pub(crate) fn argument(&self, path: &ElementPath) -> Result<Value, CallError> {
        self.argument.clone().map_err(|reason| CallError::Argument {
            path: path.clone(),
            method: self.method.to_string(),
            reason: reason.to_string(),
        })
    }

    /// Sends the reply to who waits for it, if somebody does.
    pub(crate) fn answer(&self, reply: Result<Value, CallError>) {
        if let Some(to) = self.reply.as_ref().and_then(|r| r.lock().take()) {
            let _ = to.send(reply);
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .field("argument", &self.argument)
            .finish_non_exhaustive()
    }
}

/// A reply to come.
#[must_use = "a reply does nothing unless awaited"]
pub struct Reply<R> {
    method: Arc<str>,
    from: oneshot::Receiver<Result<Value, CallError>>,
    _type: std::marker::PhantomData<fn() -> R>,
}

impl<R: DeserializeOwned> Reply<R> {
    /// Waits for the reply.
    ///
    /// # Errors
    /// What the method answered, [`CallError::Reply`] when it is of another type, [`CallError::Lost`] when the call was
    /// dropped on its way.
    ///
    /// # Cancel safety
    /// Dropping it loses the reply, not the call.
    pub async fn get(self) -> Result<R, CallError> {
        let lost = || CallError::Lost { method: self.method.to_string() };
        let value = self.from.await.map_err(|_| lost())??;
        serde_json::from_value(value)
            .map_err(|e| CallError::Reply { method: self.method.to_string(), reason: e.to_string() })
    }
}

impl<R> fmt::Debug for Reply<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("method", &self.method).finish_non_exhaustive()
    }
}
