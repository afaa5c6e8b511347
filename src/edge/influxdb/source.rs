//! A source of what a query gives.

use super::InfluxServer;
use super::flux::Tables;
use super::influxql::Chunks;
use crate::edge::Error;
use crate::edge::answer::{body, detail};
use crate::edge::client::said;
use crate::edge::metered::{FAILURES, ITEMS, SOURCE};
use crate::stream::meter::Meter;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt, TryStreamExt};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::any::type_name;
use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// The columns of a row and their values.
pub(super) type Row = Map<String, Value>;

/// The rows that a query gives, each as a `T`; a [`Stream`].
///
/// ```no_run
/// use futures::TryStreamExt;
/// use mape::edge::{InfluxServer, InfluxSource};
///
/// #[derive(serde::Deserialize)]
/// struct Mean {
///     time: i64,
///     mean: Option<f64>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), mape::edge::Error> {
/// let server = InfluxServer::new("http://localhost:8086")?.bucket("water");
/// let query = "SELECT mean(value) FROM flow WHERE time > now() - 1d GROUP BY time(1h)";
/// let mut means = InfluxSource::<Mean>::influxql(&server, query);
/// while let Some(hour) = means.try_next().await? {
///     println!("{} {:?}", hour.time, hour.mean);
/// }
/// # Ok(()) }
/// ```
///
/// It asks when it is first polled, and reads on as rows are taken, so a large answer is never in memory as a whole. It ends
/// with the answer, or behind an error. The client's timeout is that of the whole answer.
///
/// A row is an object of its columns. With Flux these have the types that the answer says; times are texts in RFC 3339. With
/// `InfluxQL` they are `time` in nanoseconds since 1970, what was selected, the tags that were grouped by, and the series' name as
/// `_measurement`. What is absent is null.
///
/// # Cancel safety
///
/// Waiting for the next item is cancel safe: what was begun goes on with the next call.
pub struct InfluxSource<T> {
    rows: BoxStream<'static, Result<Row, Error>>,
    place: String,
    meter: Arc<Meter>,
    ended: bool,
    item: std::marker::PhantomData<fn() -> T>,
}

/// The longest row (Flux) or chunk of rows (`InfluxQL`).
const LONGEST: usize = 16 * 1024 * 1024;
/// The longest refusal that is read.
const LONGEST_REFUSAL: usize = 64 * 1024;

/// An answer that is being read.
struct Reading {
    response: Response,
    form: Form,
    rows: VecDeque<Row>,
    ended: bool,
    place: String,
}

enum Form {
    Flux(Box<Tables>),
    InfluxQl(Chunks),
}

impl<T: DeserializeOwned> InfluxSource<T> {
    /// What a query in Flux gives, at an InfluxDB 2.
    #[must_use]
    pub fn flux(server: &InfluxServer, query: impl Into<String>) -> Self {
        let (asked, query) = (server.clone(), query.into());
        let answer = async move {
            let dialect =
                json!({"annotations": ["datatype", "group", "default"], "delimiter": ",", "header": true});
            let question = json!({"query": query, "type": "flux", "dialect": dialect}).to_string();
            let request = asked.request(Method::POST, asked.flux_url()).await?;
            let request = request.header(CONTENT_TYPE, "application/json").header(ACCEPT, "application/csv");
            Reading::begin(&asked, request.body(question), Form::Flux(Box::new(Tables::new(LONGEST)))).await
        };
        Self::rows(server.name(), stream::once(answer).map_ok(Reading::rows).try_flatten().boxed())
    }

    /// What a query in `InfluxQL` gives, at an InfluxDB 1.x, or 2 and 3 if they have that API.
    #[must_use]
    pub fn influxql(server: &InfluxServer, query: impl Into<String>) -> Self {
        let (asked, query) = (server.clone(), query.into());
        let answer = async move {
            let request = asked.request(Method::GET, asked.influxql_url(&query)).await?;
            let request = request.header(ACCEPT, "application/json");
            Reading::begin(&asked, request, Form::InfluxQl(Chunks::new(LONGEST))).await
        };
        Self::rows(server.name(), stream::once(answer).map_ok(Reading::rows).try_flatten().boxed())
    }

    pub(super) fn rows(place: String, rows: BoxStream<'static, Result<Row, Error>>) -> Self {
        let meter = Meter::new(&SOURCE, place.as_str());
        Self { rows, place, meter, ended: false, item: std::marker::PhantomData }
    }

    fn read(&self, row: Row) -> Result<T, Error> {
        serde_path_to_error::deserialize(Value::Object(row)).map_err(|error| Error::Decode {
            place: self.place.clone(),
            type_name: type_name::<T>(),
            reason: error.to_string(),
        })
    }
}

impl Reading {
    async fn begin(server: &InfluxServer, request: RequestBuilder, form: Form) -> Result<Self, Error> {
        let place = server.name();
        let answer = request.send().await.map_err(said);
        if server.debug {
            let status = answer.as_ref().map_or(0, |answer| answer.status().as_u16());
            tracing::info!(place, status, error = answer.as_ref().err(), "queried InfluxDB");
        }
        let response = answer.map_err(|reason| Error::NoAnswer { place: place.clone(), reason })?;
        let status = response.status();
        if status.is_success() {
            return Ok(Self { response, form, rows: VecDeque::new(), ended: false, place });
        }
        let body =
            body(response, LONGEST_REFUSAL).await.map_err(|error| error.error(&place, LONGEST_REFUSAL))?;
        let json = serde_json::from_slice(&body).ok();
        Err(Error::Answered { place, status: status.as_u16(), detail: detail(json.as_ref(), &body) })
    }

    fn rows(self) -> impl Stream<Item = Result<Row, Error>> {
        stream::try_unfold(self, |mut reading| async move {
            loop {
                if let Some(row) = reading.rows.pop_front() {
                    return Ok(Some((row, reading)));
                }
                if reading.ended {
                    return Ok(None);
                }
                reading.go_on().await?;
            }
        })
    }

    async fn go_on(&mut self) -> Result<(), Error> {
        let part = self
            .response
            .chunk()
            .await
            .map_err(|error| Error::NoAnswer { place: self.place.clone(), reason: said(error) })?;
        self.ended = part.is_none();
        let part = part.unwrap_or_default();
        if part.is_empty() && !self.ended {
            return Ok(());
        }
        let read = match &mut self.form {
            Form::Flux(tables) => tables.feed(&part, &mut self.rows),
            Form::InfluxQl(chunks) => chunks.feed(&part, &mut self.rows),
        };
        read.map_err(|detail| Error::Answered { place: self.place.clone(), status: 200, detail })
    }
}

impl<T: DeserializeOwned> Stream for InfluxSource<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let next = ready!(self.rows.poll_next_unpin(cx));
        let item = next.map(|row| row.and_then(|row| self.read(row)));
        self.ended = !matches!(item, Some(Ok(_)));
        match &item {
            Some(Ok(_)) => self.meter.add(ITEMS, 1),
            Some(Err(_)) => self.meter.add(FAILURES, 1),
            None => {}
        }
        Poll::Ready(item)
    }
}

impl<T> fmt::Debug for InfluxSource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InfluxSource").field("from", &self.place).finish_non_exhaustive()
    }
}
