//! A kind of task.

use super::cause::Failed;
use super::policy::{Concurrency, Policy, Retry};
use super::traced::does;
use super::{Ended, Invocation, Outcome};
use crate::app::Loop;
use crate::element::{Element, Out, SpawnError};
use crate::stream::trace::Span;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;
use std::any::Any;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// A kind of task: its name, its function, and what holds for it. It becomes an element.
///
/// ```
/// use mape::workflow::{Invocation, Task, TaskError};
/// use serde_json::json;
/// use std::time::Duration;
/// // Asynchronous, and tried again if it fails:
/// let fetch = Task::new("fetch", |invocation: Invocation| async move {
///     let Some(url) = invocation.parameters().get("url") else { return Err(TaskError::for_good("no url")) };
///     Ok(json!({"url": url, "status": 200}))
/// });
/// let fetch = fetch.timeout(Duration::from_secs(30)).retry(3);
/// // Without waiting for anything, for all names that begin with `math:`:
/// let math = Task::sync("math:*", |invocation: &Invocation| Ok(json!({"op": invocation.base()})));
/// ```
#[derive(Clone)]
pub struct Task {
    pub(super) name: Arc<str>,
    pub(super) policy: Policy,
    pub(super) own: &'static [&'static str],
    pub(super) limit: usize,
    /// What is wrong with its parameters in a flow, if it knows them.
    check: Option<Arc<Check>>,
    function: Function,
}

#[derive(Clone)]
enum Function {
    Sync(Arc<AtOnce>),
    Async(Arc<Later>),
}

/// What a task answers.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Answer {
    /// It is done: the output, an object or array, or `null` for none.
    Output(Arc<Value>),
    /// It is under way elsewhere: it ends when somebody says so ([`Workflows::end`](super::Workflows::end), an event
    /// `end-task`). After a crash it is invoked again.
    Later,
}

impl From<Value> for Answer {
    fn from(output: Value) -> Self {
        Self::Output(Arc::new(output))
    }
}

impl From<Arc<Value>> for Answer {
    fn from(output: Arc<Value>) -> Self {
        Self::Output(output)
    }
}

impl From<()> for Answer {
    fn from((): ()) -> Self {
        Self::Output(Arc::new(Value::Null))
    }
}

/// Why a task failed. Any error becomes one; another attempt may help unless it is made by [`for_good`](Self::for_good).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskError {
    reason: String,
    again: bool,
}

impl TaskError {
    /// A failure that another attempt may mend.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), again: true }
    }

    /// A failure that no attempt can mend.
    pub fn for_good(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), again: false }
    }

    /// Why, in words.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Whether another attempt may help.
    #[must_use]
    pub fn may_be_tried_again(&self) -> bool {
        self.again
    }
}

impl<E: std::error::Error> From<E> for TaskError {
    fn from(error: E) -> Self {
        let mut reason = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !reason.ends_with(&cause_text) {
                reason = format!("{reason}: {cause_text}");
            }
            source = cause.source();
        }
        Self::new(reason)
    }
}

impl From<TaskError> for Outcome {
    fn from(error: TaskError) -> Self {
        Self::Failed(Failed { reason: error.reason, again: error.again })
    }
}

impl Task {
    /// How long a cancelled task may clean up before it is dropped.
    pub const GRACE: Duration = Duration::from_secs(1);
    /// How many invocations of one kind are in work at a time unless another number is asked for.
    pub const LIMIT: usize = 1024;

    /// A task with an asynchronous function. It is invoked for `name`, or, if that ends with `:*`, for all names that
    /// begin so; `*` alone is for all that nobody else takes.
    pub fn new<F, R>(name: &str, function: impl Fn(Invocation) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<R, TaskError>> + Send + 'static,
        R: Into<Answer>,
    {
        let function = move |invocation| function(invocation).map(|answer| answer.map(Into::into)).boxed();
        Self::of(name, Function::Async(Arc::new(function)))
    }

    /// A task with a function that waits for nothing; names as in [`new`](Self::new).
    pub fn sync<R: Into<Answer>>(
        name: &str,
        function: impl Fn(&Invocation) -> Result<R, TaskError> + Send + Sync + 'static,
    ) -> Self {
        Self::of(name, Function::Sync(Arc::new(move |invocation| function(invocation).map(Into::into))))
    }

    /// `echo`: the output is the input.
    #[must_use]
    pub fn echo(name: &str) -> Self {
        Self::sync(name, |invocation| Ok(invocation.shared_input()))
    }

    /// `log:`…: writes its input to the log, at the level that the rest of the name says, and gives it as output. The
    /// parameter `message`, a [`Template`](super::Template), is the message;
    /// without it, the input is that too.
    #[must_use]
    pub fn log() -> Self {
        super::builtin::log()
    }

    fn of(name: &str, function: Function) -> Self {
        Self {
            name: name.into(),
            policy: Policy::default(),
            own: &[],
            limit: Self::LIMIT,
            check: None,
            function,
        }
    }

    /// How long an attempt may take, unless the flow says it.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.policy.timeout = Some(timeout);
        self
    }

    /// How often it is tried again, unless the flow says it: after 1, 2, 4 … seconds, at most a minute.
    #[must_use]
    pub fn retry(self, attempts: u32) -> Self {
        self.retry_with(Retry::times(attempts))
    }

    /// How it is tried again, unless the flow says it.
    #[must_use]
    pub fn retry_with(mut self, retry: Retry) -> Self {
        self.policy.retry = Some(retry);
        self
    }

    /// That only `limit` of all tasks with this key run at a time, unless the flow says it.
    #[must_use]
    pub fn concurrency(mut self, key: &str, limit: u32) -> Self {
        self.policy.concurrency = Some(Concurrency { key: key.into(), limit: limit.max(1) });
        self
    }

    /// How many invocations are in work at a time; the others wait.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit.max(1);
        self
    }

    /// Which of the [parameters that state a policy](Policy::PARAMETERS) mean something else for this task, and so no
    /// policy.
    #[must_use]
    pub fn own_parameters(mut self, names: &'static [&'static str]) -> Self {
        self.own = names;
        self
    }

    /// What is wrong with its parameters, given the name it is invoked by: ends of sentences that begin with the task.
    pub(super) fn checked(
        mut self,
        check: impl Fn(&str, &Value) -> Vec<String> + Send + Sync + 'static,
    ) -> Self {
        self.check = Some(Arc::new(check));
        self
    }

    /// What is wrong with parameters that it is given under this name, as far as it can be told before it is done: ends of
    /// sentences that begin with the task. None if nothing is.
    #[must_use]
    pub fn wrong(&self, name: &str, parameters: &Value) -> Vec<String> {
        self.check.as_ref().map_or(Vec::new(), |check| check(name, parameters))
    }

    /// One attempt at it by itself, outside of any run: its output. Its policy is up to whoever asks.
    ///
    /// ```
    /// # use mape::workflow::{Invocation, Task, TaskError};
    /// # use serde_json::json;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), TaskError> {
    /// let copied = Task::echo("copy").attempt(Invocation::alone("copy", json!({}), json!([1]))).await?;
    /// assert_eq!(*copied, json!([1]));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// What the task says; for good, if it answers that it goes on elsewhere: only a run can wait for that.
    ///
    /// # Cancel safety
    /// As of the task: its function is dropped where it waits.
    pub async fn attempt(&self, invocation: Invocation) -> Result<Arc<Value>, TaskError> {
        let answer = match &self.function {
            Function::Sync(function) => function(&invocation)?,
            Function::Async(function) => function(invocation).await?,
        };
        match answer {
            Answer::Output(output) => Ok(output),
            Answer::Later => {
                let name = &self.name;
                Err(TaskError::for_good(format!(
                    "`{name}` goes on elsewhere, and only a run can wait for that"
                )))
            }
        }
    }

    /// Its name, or the names it takes.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The uid of its element: its name with `_` for what a uid cannot hold. A namespace is called by its first part,
    /// and what takes all others `any`.
    #[must_use]
    pub fn uid(&self) -> String {
        uid_of(&self.name)
    }

    /// Its element.
    pub(super) fn spawn(&self, of: &Loop) -> Result<Element<Invocation, Ended>, SpawnError> {
        self.spawn_as(of, &self.uid())
    }

    /// Its element, under another uid.
    pub(super) fn spawn_as(&self, of: &Loop, uid: &str) -> Result<Element<Invocation, Ended>, SpawnError> {
        let element = of.execute::<Invocation>(uid);
        match self.function.clone() {
            Function::Sync(function) => element
                .each(move |invocation: Invocation, out: &mut Out<Ended>| {
                    let span = does(&invocation);
                    let answer = span.run(|| catch_unwind(AssertUnwindSafe(|| function(&invocation))));
                    if let Some(ended) = ended(invocation, answer, &span) {
                        out.emit(ended);
                    }
                })
                .spawn(),
            Function::Async(function) => element
                .each_unordered(self.limit, move |invocation: Invocation, out| {
                    let function = function.clone();
                    async move {
                        let span = does(&invocation);
                        if let Some(ended) = span.scope(attempt(&*function, invocation, &span)).await {
                            out.emit(ended).await;
                        }
                    }
                })
                .spawn(),
        }
    }
}

/// A name as a uid.
pub(super) fn uid_of(name: &str) -> String {
    let name = name.strip_suffix(":*").unwrap_or(name);
    if name == "*" {
        return "any".to_owned();
    }
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut uid = String::new();
    for c in name.chars() {
        if good(c) {
            uid.push(c);
        } else if c == ':' {
            uid.push('_');
        } else {
            let _ = write!(uid, "_{:x}", c as u32);
        }
    }
    if uid.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') { uid } else { format!("_{uid}") }
}

type Check = dyn Fn(&str, &Value) -> Vec<String> + Send + Sync;
type AtOnce = dyn Fn(&Invocation) -> Result<Answer, TaskError> + Send + Sync;
type Later = dyn Fn(Invocation) -> BoxFuture<'static, Result<Answer, TaskError>> + Send + Sync;

/// Runs one invocation until it ends or is cancelled.
async fn attempt(function: &Later, invocation: Invocation, span: &Span) -> Option<Ended> {
    let call = match catch_unwind(AssertUnwindSafe(|| function(invocation.clone()))) {
        Ok(call) => AssertUnwindSafe(call).catch_unwind(),
        Err(panic) => return ended(invocation, Err(panic), span),
    };
    tokio::pin!(call);
    let answer = tokio::select! {
        biased;
        answer = &mut call => Some(answer),
        () = invocation.cancelled() => tokio::time::timeout(Task::GRACE, call).await.ok(),
    };
    match answer {
        Some(answer) => ended(invocation, answer, span),
        None => Some(Ended { invocation, outcome: None }),
    }
}

fn ended(
    invocation: Invocation,
    answer: Result<Result<Answer, TaskError>, Box<dyn Any + Send>>,
    span: &Span,
) -> Option<Ended> {
    let outcome = match answer {
        Ok(Ok(Answer::Output(output))) => Outcome::Output(output),
        Ok(Ok(Answer::Later)) => {
            invocation.goes_on_elsewhere();
            // Told to stop in the meantime: nobody else will say that it has ended.
            return invocation.is_cancelled().then_some(Ended { invocation, outcome: None });
        }
        // What it fails with while it is being stopped is of no interest.
        Ok(Err(_)) | Err(_) if invocation.is_cancelled() => return Some(Ended { invocation, outcome: None }),
        Ok(Err(error)) => error.into(),
        Err(panic) => Outcome::failed(format!("it panicked: {}", said(&*panic))),
    };
    if let Outcome::Failed(failed) = &outcome {
        span.note("error", &failed.reason);
    }
    Some(Ended { invocation, outcome: Some(outcome) })
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("something that is no text")
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").field("name", &self.name).field("policy", &self.policy).finish_non_exhaustive()
    }
}
