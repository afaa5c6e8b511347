//! A source that asks again and again.

use super::answer::{body, detail, retry_after};
use super::client::said;
use super::metered;
use super::target::place;
use super::{Client, Error};
use crate::stream::Backoff;
use crate::stream::meter::{self, Meter};
use futures::future::BoxFuture;
use futures::{FutureExt, Stream};
use reqwest::header::{
    ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use reqwest::{Method, StatusCode, Url};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// What is at a URL, in JSON, whenever it has changed; a [`Stream`].
///
/// ```no_run
/// use futures::StreamExt;
/// use mape::edge::PollSource;
/// use mape::stream::Operators;
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), mape::edge::Error> {
/// let levels = PollSource::<f64>::new("https://gauges.example/river/level")?.every(Duration::from_mins(1));
/// let mut levels = levels.skip_errors(|error| eprintln!("{error}"));
/// while let Some(level) = levels.next().await {
///     println!("{level} m");
/// }
/// # Ok(()) }
/// ```
///
/// It asks at once and then each interval (a minute unless said), and never before the last item was taken. The answer is
/// emitted if its body is another than the last; servers that know `ETag` or `Last-Modified` need not even send it.
///
/// A failure is an item, too, and the stream goes on: it asks again with back-off, at least after an interval, or when the
/// other side says (`Retry-After`). The same failure again and again is told once; what is there afterwards is emitted
/// only if it is new. It never ends by itself.
///
/// # Delivery
///
/// The state at the time of asking: what is there for less than an interval may never be seen.
///
/// # Cancel safety
///
/// Waiting for the next item is cancel safe: what was begun goes on with the next call.
pub struct PollSource<T> {
    place: Place,
    every: Duration,
    backoff: Backoff,
    due: Instant,
    asking: Option<BoxFuture<'static, Asked>>,
    /// What the last answer was, for those who can say that it is the same.
    known: HeaderMap,
    last: Option<[u8; 32]>,
    failed: u32,
    failure: Option<String>,
    meter: Arc<Meter>,
    item: PhantomData<fn() -> T>,
}

/// Who is asked, and how.
#[derive(Clone)]
struct Place {
    url: Url,
    shown: String,
    client: Client,
    longest: usize,
}

/// What came of asking once.
struct Asked {
    took: Option<Duration>,
    answer: Result<Option<(Vec<u8>, HeaderMap)>, Error>,
    retry_after: Option<Duration>,
}

impl<T: DeserializeOwned> PollSource<T> {
    /// Asks this URL, `http://`, `https://` or neither before `HOST:PORT/PATH`.
    ///
    /// # Errors
    /// [`Error::Target`].
    pub fn new(url: &str) -> Result<Self, Error> {
        let (url, shown) = place(url)?;
        let meter = Meter::new(&metered::SOURCE, shown.as_str());
        Ok(Self {
            place: Place { url, shown, client: Client::new(), longest: 1024 * 1024 },
            every: Duration::from_mins(1),
            backoff: Backoff::exponential(Duration::from_secs(1), Duration::from_mins(5)),
            due: Instant::now(),
            asking: None,
            known: HeaderMap::new(),
            last: None,
            failed: 0,
            failure: None,
            meter,
            item: PhantomData,
        })
    }

    /// How long from one question to the next. Default: a minute.
    #[must_use]
    pub fn every(mut self, interval: Duration) -> Self {
        self.every = interval;
        self
    }

    /// With these headers, token and times.
    #[must_use]
    pub fn client(mut self, client: &Client) -> Self {
        self.place.client = client.clone();
        self
    }

    /// The longest answer that is read, in bytes. Default: 1 MiB.
    #[must_use]
    pub fn longest(mut self, bytes: usize) -> Self {
        self.place.longest = bytes;
        self
    }

    /// How long to wait after failures, if that is longer than the interval: 1 s, doubling up to 5 min, unless said. It
    /// never gives up: when the attempts are used up, it waits as for the last.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// What came of asking, if it is news.
    fn hear(&mut self, asked: Asked) -> Option<Result<T, Error>> {
        if let Some(took) = asked.took {
            self.meter.record(took);
        }
        let news = match asked.answer {
            Ok(None) => Ok(None),
            Ok(Some((body, known))) => self.read(&body, known),
            Err(error) => Err(error),
        };
        let Err(error) = news else {
            if let Ok(news) = &news {
                self.meter.add(if news.is_some() { metered::ITEMS } else { metered::REPEATED }, 1);
            }
            (self.failed, self.failure) = (0, None);
            // Whoever comes late does not make up for what was missed.
            self.due = (self.due + self.every).max(Instant::now());
            return news.ok().flatten().map(Ok);
        };
        let counter =
            if matches!(error, Error::Decode { .. }) { metered::REFUSED } else { metered::FAILURES };
        self.meter.add(counter, 1);
        let mut backoff = self.backoff;
        backoff.max_attempts = None;
        let own = backoff.wait(self.failed).unwrap_or(self.every).max(self.every);
        self.failed = self.failed.saturating_add(1);
        self.due = Instant::now() + asked.retry_after.unwrap_or(own).max(own);
        let said = error.to_string();
        let is_news = self.failure.as_deref() != Some(said.as_str());
        self.failure = Some(said);
        is_news.then_some(Err(error))
    }

    fn read(&mut self, body: &[u8], known: HeaderMap) -> Result<Option<T>, Error> {
        let digest: [u8; 32] = Sha256::digest(body).into();
        if self.last == Some(digest) {
            self.known = known;
            return Ok(None);
        }
        let item = super::decode::json(body).map_err(|reason| {
            let place = self.place.shown.clone();
            Error::Decode { place, type_name: type_name::<T>(), reason }
        })?;
        (self.last, self.known) = (Some(digest), known);
        Ok(Some(item))
    }
}

impl Place {
    async fn ask(self, known: HeaderMap) -> Asked {
        let (mut retry, since) = (None, meter::now());
        let answer = self.answer(known, &mut retry).await;
        Asked { took: since.map(|since| since.elapsed()), answer, retry_after: retry }
    }

    /// The body and what it is known by; nothing if it is the same as before.
    async fn answer(
        &self,
        known: HeaderMap,
        retry: &mut Option<Duration>,
    ) -> Result<Option<(Vec<u8>, HeaderMap)>, Error> {
        let request = self.client.request(Method::GET, self.url.clone()).await?;
        let request = request.header("Accept", "application/json").headers(known);
        let response = request.send().await.map_err(|error| {
            let place = self.shown.clone();
            Error::NoAnswer { place, reason: said(error) }
        })?;
        let status = response.status();
        *retry = retry_after(response.headers());
        if status == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        let mut known = HeaderMap::new();
        let mut keep = |from: HeaderName, to: HeaderName| {
            let value: Option<HeaderValue> = response.headers().get(from).cloned();
            value.map(|value| known.insert(to, value));
        };
        keep(ETAG, IF_NONE_MATCH);
        keep(LAST_MODIFIED, IF_MODIFIED_SINCE);
        let body =
            body(response, self.longest).await.map_err(|error| error.error(&self.shown, self.longest))?;
        if status.is_success() {
            return Ok(Some((body, known)));
        }
        let json = serde_json::from_slice(&body).ok();
        let detail = detail(json.as_ref(), &body);
        Err(Error::Answered { place: self.shown.clone(), status: status.as_u16(), detail })
    }
}

impl<T: DeserializeOwned> Stream for PollSource<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let (place, known, due) = (&self.place, &self.known, self.due);
            if self.asking.is_none() {
                let (place, known) = (place.clone(), known.clone());
                self.asking = Some(
                    async move {
                        sleep_until(due).await;
                        place.ask(known).await
                    }
                    .boxed(),
                );
            }
            let Some(asking) = &mut self.asking else { return Poll::Pending };
            let asked = ready!(asking.poll_unpin(cx));
            self.asking = None;
            if let Some(news) = self.hear(asked) {
                return Poll::Ready(Some(news));
            }
        }
    }
}

impl<T> fmt::Debug for PollSource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, every, failure, .. } = self;
        f.debug_struct("PollSource")
            .field("place", &place.shown)
            .field("every", every)
            .field("failure", failure)
            .finish_non_exhaustive()
    }
}
