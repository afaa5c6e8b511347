//! A source that follows a file.

use super::file_position::{FileId, FilePosition};
use super::followed::{Followed, Look, Seen};
use super::lines::Lines;
use super::{Error, decode, metered};
use crate::stream::meter::Meter;
use futures::future::BoxFuture;
use futures::{FutureExt, Stream};
use serde::de::DeserializeOwned;
use std::any::type_name;
use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};

/// The lines of a file, those that are there and those that others append; a [`Stream`].
///
/// ```no_run
/// use futures::StreamExt;
/// use mape::edge::FileTail;
///
/// #[derive(serde::Deserialize)]
/// struct Reading {
///     level_m: f64,
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// // JSON, a value a line; what was read before the program ended is not read again.
/// let mut readings = FileTail::<Reading>::json("/var/log/river.jsonl").resume("/var/lib/river.position");
/// while let Some(reading) = readings.next().await {
///     match reading {
///         Ok(reading) => println!("{} m", reading.level_m),
///         Err(error) => eprintln!("{error}"),
///     }
/// }
/// # }
/// ```
///
/// It looks each interval (200 ms unless said), and emits all lines that are there without a pause; of a file, at most
/// 256 KiB and the longest line are in memory. A line ends with `\n` or `\r\n`; one without an end is held back until it has one. Of
/// JSON, empty lines are left out.
///
/// A file that is not there yet is waited for. One that was renamed and made anew is read to its end, its last line also
/// without an end, before the new one is begun; and it is left only when something is written to the new one. If it was
/// renamed more than once meanwhile, those in between are read in order, if their names end with numbers or dates
/// (`app.log.1`, `app.log-20261126`); compressed ones are not.
///
/// Errors are items, and the stream goes on: a line that is no item or no UTF-8 ([`Error::Decode`]), one that is too long
/// ([`Error::ItemTooLong`]), a file that became shorter or begins otherwise than before, as after `copytruncate`
/// ([`Error::Cut`]), one that can't be read ([`Error::File`], once until it can). It never ends by itself.
///
/// # Delivery
///
/// With [`resume`](Self::resume), each line at least once, whole and in order, also if the program is killed: a line is
/// done with when the next is asked for. Without, what is in the file is read again by the next start.
///
/// # Cancel safety
///
/// Waiting for the next item is cancel safe: what was begun goes on with the next call.
#[doc(alias = "tail")]
pub struct FileTail<T> {
    shown: String,
    every: Duration,
    read: fn(&[u8]) -> Result<Option<T>, String>,
    /// None while it works.
    followed: Option<Followed>,
    working: Option<BoxFuture<'static, Option<Worked>>>,
    due: Instant,
    look: Look,
    /// How much is done with once the next is asked for.
    given: Option<u64>,
    /// How much of which file is done with, and what is kept of that.
    taken: Option<(FileId, u64)>,
    kept: Option<(FileId, u64)>,
    kept_at: Instant,
    failure: Option<String>,
    has_ended: bool,
    meter: Arc<Meter>,
}

/// What came of working: a look, unless there is something left of the last, and of keeping a position.
type Worked = (Followed, Option<Look>, Option<Result<(), Error>>);

/// How long a position may be behind while there is more to take.
const BEHIND: Duration = Duration::from_secs(1);

impl FileTail<String> {
    /// Follows a file of text; its items are lines, as they are.
    #[must_use]
    pub fn lines(file: impl Into<PathBuf>) -> Self {
        Self::new(file.into(), decode::text_line)
    }
}

impl<T: DeserializeOwned> FileTail<T> {
    /// Follows a file of JSON, a value a line.
    #[must_use]
    pub fn json(file: impl Into<PathBuf>) -> Self {
        Self::new(file.into(), decode::json_line)
    }
}

impl<T> FileTail<T> {
    fn new(file: PathBuf, read: fn(&[u8]) -> Result<Option<T>, String>) -> Self {
        let shown = file.display().to_string();
        let meter = Meter::new(&metered::SOURCE, shown.as_str());
        Self {
            shown,
            every: Duration::from_millis(200),
            read,
            followed: Some(Followed::new(file, 1024 * 1024)),
            working: None,
            due: Instant::now(),
            look: Look::default(),
            given: None,
            taken: None,
            kept: None,
            kept_at: Instant::now(),
            failure: None,
            has_ended: false,
            meter,
        }
    }

    /// Leaves out what is in the file already. What was made after the first look is read from its beginning, and a
    /// position that was kept goes before.
    #[must_use]
    pub fn from_end(mut self) -> Self {
        self.set(|followed| followed.from_end = true);
        self
    }

    /// Keeps in this file how far it is, and goes on from there if it is there. The file is replaced as a whole, about
    /// once a look; each source has its own. It knows the file that was read by its number and its beginning, also
    /// if it was renamed meanwhile within its directory. If that is gone, or was cut, all of the new one is read after
    /// an [`Error::Cut`].
    #[must_use]
    pub fn resume(mut self, position: impl Into<PathBuf>) -> Self {
        let position = position.into();
        self.set(|followed| followed.kept = Some(position));
        self
    }

    /// How long from one look to the next. Default: 200 ms.
    #[must_use]
    pub fn every(mut self, interval: Duration) -> Self {
        self.every = interval;
        self
    }

    /// The longest line that is read, in bytes. Default: 1 MiB.
    #[must_use]
    pub fn longest(mut self, bytes: usize) -> Self {
        self.set(|followed| followed.lines = Lines::new(bytes));
        self
    }

    fn set(&mut self, set: impl FnOnce(&mut Followed)) {
        // Nothing works before the first item is asked for.
        if let Some(followed) = &mut self.followed {
            set(followed);
        }
    }

    /// Whether somebody wants to know that more is taken than is kept.
    fn is_behind(&self) -> bool {
        let wanted = self.followed.as_ref().is_some_and(|followed| followed.kept.is_some());
        // What its file begins with is only known as long as that is the last that was looked at.
        wanted && self.taken != self.kept && self.taken.map(|(file, _)| file) == self.look.file
    }

    fn unkept(&mut self) -> Option<FilePosition> {
        let (file, offset) = self.taken.filter(|_| self.is_behind())?;
        (self.kept, self.kept_at) = (self.taken, Instant::now());
        Some(FilePosition::new(file, offset, &self.look.head))
    }

    /// All up to there is taken.
    fn take(&mut self, done: u64) {
        self.taken = self.look.file.map(|file| (file, done)).or(self.taken);
    }

    /// Works elsewhere, as files make one wait: keeps the position, and looks if nothing is left to take.
    fn work(&mut self) {
        let keep = self.unkept();
        // What is kept before one waits is kept at once.
        let is_looking = self.look.seen.is_empty() && (keep.is_none() || self.look.is_more);
        let due = Some(self.due).filter(|_| is_looking && !self.look.is_more);
        let Some(mut followed) = self.followed.take() else { return };
        self.working = Some(
            async move {
                if let Some(due) = due {
                    sleep_until(due).await;
                }
                let work = move || {
                    let kept = keep.map(|position| followed.keep(&position));
                    let look = is_looking.then(|| followed.look());
                    (followed, look, kept)
                };
                tokio::task::spawn_blocking(work).await.ok()
            }
            .boxed(),
        );
    }

    /// Counts an error; whether it is to be told.
    fn is_news(&mut self, error: &Error) -> bool {
        self.meter.add(metered::counter(error), 1);
        if !matches!(error, Error::File { .. }) {
            return true;
        }
        let said = error.to_string();
        let is_news = self.failure.as_deref() != Some(said.as_str());
        self.failure = Some(said);
        is_news
    }

    /// The next of what is there already.
    fn pop(&mut self) -> Option<Result<T, Error>> {
        while let Some((seen, done)) = self.look.seen.pop_front() {
            let error = match seen {
                Seen::Mark => {
                    self.take(done);
                    continue;
                }
                Seen::Error(error) => error,
                Seen::Line(line) => match (self.read)(&line) {
                    Ok(None) => {
                        self.take(done);
                        continue;
                    }
                    Ok(Some(item)) => {
                        self.given = Some(done);
                        self.meter.add(metered::ITEMS, 1);
                        return Some(Ok(item));
                    }
                    Err(reason) => {
                        Error::Decode { place: self.shown.clone(), type_name: type_name::<T>(), reason }
                    }
                },
            };
            self.given = Some(done);
            if self.is_news(&error) {
                return Some(Err(error));
            }
        }
        None
    }
}

impl<T> Stream for FileTail<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.has_ended {
            return Poll::Ready(None);
        }
        if Handle::try_current().is_err() {
            this.has_ended = true;
            return Poll::Ready(Some(Err(Error::NoRuntime { place: this.shown.clone() })));
        }
        if let Some(done) = this.given.take() {
            this.take(done);
        }
        loop {
            if let Some(working) = &mut this.working {
                let worked = ready!(working.poll_unpin(cx));
                this.working = None;
                let Some((followed, look, kept)) = worked else {
                    // The runtime is shutting down.
                    this.has_ended = true;
                    return Poll::Ready(None);
                };
                let is_keeping = followed.kept.is_some();
                this.followed = Some(followed);
                if let Some(look) = look {
                    let is_well = !look.seen.iter().any(|(seen, _)| matches!(seen, Seen::Error(_)));
                    if is_well && !is_keeping {
                        this.failure = None;
                    }
                    (this.look, this.due) = (look, Instant::now() + this.every);
                }
                match kept {
                    Some(Ok(())) => this.failure = None,
                    // The next position is tried again.
                    Some(Err(error)) if this.is_news(&error) => return Poll::Ready(Some(Err(error))),
                    Some(Err(_)) | None => {}
                }
            }
            let is_late = this.kept_at.elapsed() >= BEHIND && this.is_behind();
            if !is_late && let Some(next) = this.pop() {
                return Poll::Ready(Some(next));
            }
            this.work();
        }
    }
}

impl<T> fmt::Debug for FileTail<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileTail")
            .field("file", &self.shown)
            .field("every", &self.every)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}
