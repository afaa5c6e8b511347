//! What the built-in tasks may do.

use super::super::{Task, keys};
use super::exec::{self, Programs};
use super::files::Files;
use super::hub::Hub;
use super::latches::Latches;
use super::parameters::Parameters;
use super::redis::{self, Permission};
use super::resource::{self, Resources};
use super::{approve, countdown, delay, event, latch};
use crate::backend::Backend;
use crate::event::LogName;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The tasks that come with the engine, and what they may do.
///
/// Without a word they may wait, log, ask people, call HTTP services on any host but those that only the machine itself
/// should know, load and store files in the working directory, and use the commands of a Redis server on data, but not
/// on the keys of the engine. They may run no programs.
///
/// ```
/// use mape::prelude::*;
/// use mape::workflow::{Builtin, Engine, Tasks};
/// use serde_json::json;
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), BoxError> {
/// let app = App::new();
/// let tasks = Tasks::new().with_all(Builtin::new(app.backend()).tasks());
/// let engine = Engine::start(&app, tasks).await?;
/// let run = engine.run("wait:delay (- duration: 5m30s -) → echo", json!({"x": 1})).await?;
/// assert_eq!(*run.output().await??, json!({"x": 1}));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Builtin {
    backend: Backend,
    log: LogName,
    programs: Option<Arc<[String]>>,
    program_timeout: Duration,
    directory: PathBuf,
    longest: usize,
    permission: Permission,
    #[cfg(feature = "http-client")]
    http: Http,
}

/// What is said about HTTP.
#[cfg(feature = "http-client")]
#[derive(Clone, Debug)]
struct Http {
    client: super::http::Client,
    services: super::http::Services,
    timeout: Duration,
    base: Option<reqwest::Url>,
    /// Where whoever answers later says so.
    callbacks: Option<reqwest::Url>,
}

/// Why a URL cannot be that of a service or of resources.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` cannot be at its URL: {reason}")]
pub struct NoUrl {
    /// What it was to be the URL of.
    pub name: String,
    /// Why not.
    pub reason: String,
}

impl Builtin {
    /// How long a request may take from its beginning to the end of the answer, unless told otherwise.
    pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
    /// How long a program may run, unless told otherwise.
    pub const PROGRAM_TIMEOUT: Duration = Duration::from_mins(10);
    /// The longest answer, file, or text that a program writes, in bytes, unless told otherwise.
    pub const LONGEST: usize = 16 * 1024 * 1024;

    /// The namespaces of built-in tasks, as [`Tasks::leaving`](super::super::Tasks::leaving) takes them: whoever carries
    /// out all kinds of tasks leaves these to the engine.
    pub const SPACES: [&str; 7] =
        ["wait:*", "request:*", "redis:*", "exec:*", "human:*", "resource:*", "log:*"];

    /// Built-in tasks for the runs of a backend.
    #[must_use]
    pub fn new(backend: &Backend) -> Self {
        Self {
            backend: backend.clone(),
            log: keys::LOG.into(),
            programs: None,
            program_timeout: Self::PROGRAM_TIMEOUT,
            directory: PathBuf::from("."),
            longest: Self::LONGEST,
            permission: Permission::default(),
            #[cfg(feature = "http-client")]
            http: Http {
                client: super::http::Client::default(),
                services: super::http::Services::default(),
                timeout: Self::REQUEST_TIMEOUT,
                base: None,
                callbacks: None,
            },
        }
    }

    /// The log of events that flows wait for, in place of `workflows:run`.
    #[must_use]
    pub fn log(mut self, log: impl Into<LogName>) -> Self {
        self.log = log.into();
        self
    }

    /// Lets flows run these programs (`exec:…`), by name or path, and no others. They run without a shell, in the
    /// directory of the [resources](Self::resources), with none of this program's environment.
    #[must_use]
    pub fn allow_programs<P: Into<String>>(mut self, programs: impl IntoIterator<Item = P>) -> Self {
        self.programs = Some(programs.into_iter().map(Into::into).collect());
        self
    }

    /// How long a program may run, unless the flow says it.
    #[must_use]
    pub fn program_timeout(mut self, timeout: Duration) -> Self {
        self.program_timeout = timeout;
        self
    }

    /// Lets flows use these commands (`redis:…`) besides those on data, which are the commands of strings, hashes, lists,
    /// sets and sorted sets, `DEL`, `EXPIRE` and the like, and `XLEN`, `XRANGE` and `XREAD`; `*` is all of them. None that
    /// blocks or changes the connection is for anybody.
    #[must_use]
    pub fn allow_commands<C: Into<String>>(mut self, commands: impl IntoIterator<Item = C>) -> Self {
        self.permission.commands = commands.into_iter().map(Into::into).collect();
        self
    }

    /// Lets the commands of flows write to keys that begin with `mape:`, `workflow:` or `workflows:`, which are the
    /// engine's.
    #[must_use]
    pub fn allow_engine_keys(mut self) -> Self {
        self.permission.engine_keys = true;
        self
    }

    /// The longest answer, file, or text that a program writes, in bytes.
    #[must_use]
    pub fn longest(mut self, bytes: usize) -> Self {
        self.longest = bytes;
        self
    }

    /// The directory in which flows load and store files, and in which programs run.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = directory.into();
        self
    }

    /// What the URIs of [resources](crate::flow::NodeKind::Resource) are relative to: a
    /// [directory](Self::directory), also as `file:DIR`, or an HTTP URL.
    ///
    /// # Errors
    ///
    /// [`NoUrl`].
    pub fn resources(self, base: &str) -> Result<Self, NoUrl> {
        #[cfg(feature = "http-client")]
        if base.starts_with("http://") || base.starts_with("https://") {
            let url = parsed("resources", base)?;
            return Ok(Self { http: Http { base: Some(url), ..self.http }, ..self });
        }
        let path = base.strip_prefix("file:").map_or(base, |path| path.strip_prefix("//").unwrap_or(path));
        Ok(self.directory(path))
    }

    /// The tasks, to be [registered](super::super::Tasks::with_all).
    #[must_use]
    pub fn tasks(&self) -> Vec<Task> {
        let hub = Arc::new(Hub::new(self.backend.events().log(&self.log)));
        let latches = Latches { store: self.backend.store() };
        let mut tasks = vec![
            echo(),
            Task::log(),
            delay::task(),
            event::task(hub),
            latch::acquire(latches.clone()),
            latch::release(latches.clone()),
            countdown::task(latches),
            approve::task(),
            redis::task(self.backend.native(), self.backend.url(), self.permission.clone()),
        ];
        #[cfg(feature = "http-client")]
        let requests = self.requests();
        #[cfg(feature = "http-client")]
        tasks.extend(super::http::tasks(&requests));
        tasks.extend(resource::tasks(&Resources {
            files: Files { directory: self.directory.clone(), longest: self.longest },
            #[cfg(feature = "http-client")]
            base: self.http.base.clone(),
            #[cfg(feature = "http-client")]
            requests,
        }));
        if let Some(allowed) = &self.programs {
            tasks.push(exec::task(Programs {
                allowed: allowed.clone(),
                directory: self.directory.clone(),
                longest: self.longest,
                timeout: self.program_timeout,
            }));
        }
        tasks
    }
}

/// `echo`: what it is given, and no parameters.
fn echo() -> Task {
    let task = Task::sync("echo", |invocation| {
        Parameters::of(invocation, &[])?;
        Ok(invocation.shared_input())
    });
    task.with_known(&[], |_, _| None)
}

#[cfg(feature = "http-client")]
impl Builtin {
    /// Lets flows call these hosts and no others: `HOST`, `HOST:PORT` or `*.DOMAIN`. Without it they may call any but
    /// link-local and metadata addresses, which are called only if they are listed as such.
    #[must_use]
    pub fn allow_hosts<H: Into<String>>(mut self, hosts: impl IntoIterator<Item = H>) -> Self {
        self.http.client.hosts = super::http::Hosts::only(hosts.into_iter().map(Into::into));
        self
    }

    /// A text that requests name as `{secrets[NAME]}`. It is sent only to hosts that are [listed](Self::allow_hosts) or
    /// those of a [service](Self::service), and shown nowhere: what comes back has `[redacted]` in its place.
    #[must_use]
    pub fn secret(mut self, name: &str, text: &str) -> Self {
        self.http.client.secrets.add(name, text);
        self
    }

    /// A service that requests name as `category: NAME`: their URL is relative to its, and the token goes along as
    /// `Authorization: Bearer`. For `environ: ENV` it is the one called `NAME_ENV`.
    ///
    /// # Errors
    ///
    /// [`NoUrl`].
    pub fn service(mut self, name: &str, url: &str, token: Option<&str>) -> Result<Self, NoUrl> {
        let url = parsed(name, url)?;
        if let Some(token) = token {
            self.http.client.secrets.hide(token);
        }
        self.http.services.add(name, super::http::Service { url, token: token.map(Into::into) });
        Ok(self)
    }

    /// How long a request may take from its beginning to the end of the answer, unless the flow says it.
    #[must_use]
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.http.timeout = timeout;
        self
    }

    /// The URL by which services reach the HTTP service of this backend, such as `https://mape.example`. A request with
    /// `sync: false` is told where it is to be answered: as `{callback[url]}` in its templates, and as
    /// `littleflow-callback` in its query. Who posts `{"output": …}` or `{"failure": "…"}` there ends the step.
    ///
    /// # Errors
    ///
    /// [`NoUrl`].
    pub fn callbacks(mut self, url: &str) -> Result<Self, NoUrl> {
        let slash = if url.ends_with('/') { "" } else { "/" };
        self.http.callbacks = Some(parsed("callbacks", &format!("{url}{slash}"))?);
        Ok(self)
    }

    fn requests(&self) -> super::http::Requests {
        let mut client = self.http.client.clone();
        for url in self.http.services.urls().chain(&self.http.base) {
            client.hosts.also(url);
        }
        super::http::Requests {
            client,
            services: self.http.services.clone(),
            callbacks: self.http.callbacks.clone(),
            store: self.backend.store(),
            timeout: self.http.timeout,
            longest: self.longest,
        }
    }
}

#[cfg(feature = "http-client")]
fn parsed(name: &str, url: &str) -> Result<reqwest::Url, NoUrl> {
    let fail = |reason: String| NoUrl { name: name.to_owned(), reason };
    let url = reqwest::Url::parse(url).map_err(|error| fail(error.to_string()))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(fail(format!("it has to begin with http:// or https://, not {other}:"))),
    }
}

impl fmt::Debug for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builtin")
            .field("backend", &self.backend)
            .field("programs", &self.programs)
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}
