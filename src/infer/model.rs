//! A model that is loaded.

use super::classes::Classes;
use super::filling::{Aside, Filled, Spare, fill};
use super::lane::{Lane, said, within};
use super::plan::Plan;
use super::reading::File;
use super::running::Answers;
use super::trial::{self, try_out};
use super::{Batch, Description, Error, Input, Kind, RowError, Settings};
use crate::text::Vocabulary;
use std::fmt;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::oneshot;
use tract_onnx::prelude::{DatumType, Tensor};

/// A model that is loaded, was tried, and runs on a thread of its own. Clones are the same model.
///
/// One batch runs at a time, in the order in which they were given; runs of several models go side by side. The thread
/// ends when the last clone is dropped.
#[derive(Clone)]
pub struct Model {
    inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) description: Description,
    pub(super) classes: Arc<Classes>,
    plan: Arc<Plan>,
    pub(super) settings: Settings,
    pub(super) lane: Lane,
    pub(super) spare: Spare,
}

impl Model {
    /// Reads a model from a file, prepares it and tries it, on a thread of its own.
    ///
    /// # Errors
    /// What is wrong with the file or the settings, and [`Error::WarmUp`] for a model that fails when it is tried.
    ///
    /// # Cancel safety
    /// When the future is dropped, the model is loaded to the end and then discarded.
    pub async fn load(path: impl AsRef<Path>, settings: Settings) -> Result<Self, Error> {
        let path = path.as_ref().to_owned();
        let name = path.display().to_string();
        let kind = settings.kind.map_or_else(|| Kind::of(&name), Ok)?;
        let limit = settings.limits.file_bytes;
        let named = name.clone();
        let file = move || Ok(File { bytes: read(&path, &named, limit)?, name: named, kind });
        Self::make(name, settings, (), file).await
    }

    /// Makes a model of the bytes of a file that is called `name`.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    ///
    /// # Cancel safety
    /// As [`load`](Self::load).
    pub async fn read(name: impl Into<String>, bytes: Vec<u8>, settings: Settings) -> Result<Self, Error> {
        Self::read_holding(name, bytes, settings, ()).await
    }

    /// As [`read`](Self::read); something is held until the bytes are no longer there, also if that is long after it is
    /// given up here.
    pub(crate) async fn read_holding(
        name: impl Into<String>,
        bytes: Vec<u8>,
        settings: Settings,
        held: impl Send + 'static,
    ) -> Result<Self, Error> {
        let name = name.into();
        let kind = settings.kind.map_or_else(|| Kind::of(&name), Ok)?;
        let (found, limit) = (bytes.len() as u64, settings.limits.file_bytes);
        if found > limit {
            return Err(Error::Large { file: name, bytes: found, limit });
        }
        Self::make(name.clone(), settings, held, move || Ok(File { name, kind, bytes })).await
    }

    async fn make(
        name: String,
        settings: Settings,
        held: impl Send + 'static,
        file: impl FnOnce() -> Result<File, Error> + Send + 'static,
    ) -> Result<Self, Error> {
        settings.check()?;
        let limit = settings.limits.load_time;
        let (done, made) = oneshot::channel();
        let work = move || {
            let made = file().and_then(|file| {
                let made = std::panic::catch_unwind(|| prepare(&file, settings));
                made.unwrap_or_else(|panic| {
                    Err(file.invalid(format!("the reader panicked: {}", said(&*panic))))
                })
            });
            // Before anybody hears of it: who does may load the next at once.
            drop(held);
            drop(done.send(made));
        };
        let thread = std::thread::Builder::new().name("mape-model-load".to_owned()).spawn(work);
        if let Err(source) = thread {
            return Err(Error::Thread { model: name, source: Arc::new(source) });
        }
        let model = match within(limit, made).await {
            Some(Ok(made)) => Self { inner: Arc::new(made?) },
            Some(Err(_)) => {
                return Err(Error::WarmUp {
                    file: name,
                    rows: 0,
                    why: "the thread that loads it ended".to_owned(),
                });
            }
            None => return Err(Error::Slow { file: name, limit }),
        };
        model.warm_up().await?;
        Ok(model)
    }

    /// Runs a few rows, in a batch of one and of several, where all later batches run.
    async fn warm_up(&self) -> Result<(), Error> {
        let Inner { plan, lane, settings, .. } = &*self.inner;
        for run in 0..settings.warm_up {
            let rows = if run % 2 == 0 { 2 } else { 1 };
            let failed = |why| Error::WarmUp { file: lane.name.clone(), rows, why };
            let input = trial::rows(plan, rows).map_err(|error| failed(format!("{error:#}")))?;
            lane.run(input, rows, settings.limits.load_time)
                .await
                .map_err(|error| failed(error.to_string()))?;
        }
        Ok(())
    }

    /// What it takes and gives.
    #[must_use]
    pub fn describe(&self) -> &Description {
        &self.inner.description
    }

    /// How it was loaded.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// How many late runs are still under way.
    #[must_use]
    pub fn late(&self) -> usize {
        self.inner.lane.late()
    }

    /// Its outputs for a batch of rows, one for each row in their order.
    ///
    /// Rows that are not in order have an error of their own and are not shown to the model. Without rows, the model is
    /// not run.
    ///
    /// # Errors
    /// What is wrong with the batch as a whole: no row has an answer then.
    ///
    /// # Cancel safety
    /// When the future is dropped, the batch is not run; one that has begun runs to its end and its outputs are discarded. Where
    /// others wait for their turn, it is late as any other.
    pub async fn run<'a, I>(&self, rows: I) -> Result<Vec<Result<Vec<f64>, RowError>>, Error>
    where
        I: IntoIterator<Item: Into<Input<'a>>>,
    {
        let rows: Vec<Input<'a>> = rows.into_iter().map(Into::into).collect();
        let filled = self.inner.fill(&rows, false)?;
        drop(rows);
        let asked = self.inner.ask(filled).await?;
        self.inner.recycle(asked.input);
        Ok(Rows::new(asked.aside, asked.given, asked.answers.as_ref())
            .map(|row| match row {
                Row::Answer(answer) => Ok(answer.to_vec()),
                Row::Wrong(error) => Err(error),
                // Only verdicts are asked for with blanks left out.
                Row::Blank => Ok(Vec::new()),
            })
            .collect())
    }

    pub(super) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Model").field(&self.inner.description).finish()
    }
}

/// What came of a batch.
pub(super) struct Asked {
    /// What the model was shown, if there was anything.
    pub(super) input: Option<Arc<Tensor>>,
    pub(super) answers: Option<Answers>,
    pub(super) aside: Vec<(usize, Aside)>,
    pub(super) given: usize,
}

impl Inner {
    /// Checks rows and puts them together. With `judge`, rows that are unknown by themselves are set aside.
    pub(super) fn fill(&self, rows: &[Input<'_>], judge: bool) -> Result<Filled, Error> {
        let limit = self.settings.limits.rows;
        if rows.len() > limit {
            return Err(Error::Batch { model: self.lane.name.clone(), rows: rows.len(), limit });
        }
        fill(&self.plan, &self.spare, &self.settings, judge, rows).map_err(|error| Error::Run {
            model: self.lane.name.clone(),
            rows: rows.len(),
            why: format!("{error:#}"),
        })
    }

    /// Lets the model answer what is in a batch.
    pub(super) async fn ask(&self, filled: Filled) -> Result<Asked, Error> {
        let Filled { tensor, rows, given, aside } = filled;
        let Some(tensor) = tensor else { return Ok(Asked { input: None, answers: None, aside, given }) };
        let input = Arc::new(tensor);
        let answers = self.lane.run(input.clone(), rows, self.settings.limits.batch_time).await?;
        Ok(Asked { input: Some(input), answers: Some(answers), aside, given })
    }

    /// Keeps the memory of a batch for the next, unless somebody still reads it.
    pub(super) fn recycle(&self, input: Option<Arc<Tensor>>) {
        if let Some(tensor) = input.and_then(Arc::into_inner) {
            self.spare.give_back(tensor);
        }
    }
}

/// What came of one row.
pub(super) enum Row<'a> {
    Answer(&'a [f64]),
    Wrong(RowError),
    Blank,
}

/// What came of each row of a batch, in the order in which they were given.
pub(super) struct Rows<'a> {
    aside: std::iter::Peekable<std::vec::IntoIter<(usize, Aside)>>,
    answers: Option<std::slice::ChunksExact<'a, f64>>,
    next: usize,
    given: usize,
}

impl<'a> Rows<'a> {
    pub(super) fn new(aside: Vec<(usize, Aside)>, given: usize, answers: Option<&'a Answers>) -> Self {
        Self { aside: aside.into_iter().peekable(), answers: answers.map(Answers::rows), next: 0, given }
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Row<'a>> {
        if self.next >= self.given {
            return None;
        }
        let row = self.next;
        self.next += 1;
        match self.aside.next_if(|(place, _)| *place == row) {
            Some((_, Aside::Wrong(error))) => return Some(Row::Wrong(error)),
            Some((_, Aside::Blank)) => return Some(Row::Blank),
            None => {}
        }
        let answer = self.answers.as_mut().and_then(Iterator::next)?;
        let wrong = answer.iter().position(|value| !value.is_finite());
        let wrong = wrong.and_then(|column| Some((column, *answer.get(column)?)));
        Some(match wrong {
            Some((column, value)) => Row::Wrong(RowError::Answer { row, column, value }),
            None => Row::Answer(answer),
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.given - self.next;
        (left, Some(left))
    }
}

fn read(path: &Path, name: &str, limit: u64) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Read { file: name.to_owned(), source: Arc::new(source) };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        let bytes = std::fs::metadata(path).map_or(bytes.len() as u64, |data| data.len());
        return Err(Error::Large { file: name.to_owned(), bytes, limit });
    }
    Ok(bytes)
}

/// Everything that takes long, on the thread that loads.
fn prepare(file: &File, settings: Settings) -> Result<Inner, Error> {
    let plan = try_out(file, Plan::of(file, &settings)?, &settings)?;
    let plan = Arc::new(plan);
    let classes = Arc::new(Classes::new(file, &plan.output, &settings)?);
    if let Some(vocabulary) = &settings.vocabulary
        && vocabulary.len() != plan.input.width()
    {
        let (inputs, words) = (plan.input.width(), vocabulary.len());
        return Err(Error::Vocabulary { file: file.name.clone(), inputs, words });
    }
    let limits = settings.limits;
    // What is no `f32` is kept as `f64` until it is what the model takes.
    let size = if plan.takes == DatumType::F32 { 4 } else { 8 };
    let numbers = (plan.input.width() as u64)
        .saturating_mul(size)
        .saturating_add((plan.output.width() as u64).saturating_mul(8));
    let rows = match plan.batch {
        Batch::Any => limits.rows,
        Batch::Fixed(at_once) => limits.rows.checked_next_multiple_of(at_once).unwrap_or(usize::MAX),
    };
    let full = numbers.saturating_mul(rows as u64);
    if full > limits.batch_bytes {
        let fit = limits.batch_bytes / numbers.max(1);
        return Err(Error::Setting {
            what: format!(
                "a batch of {rows} rows for {} has {full} bytes, and may have {}: limit the rows to {fit}, or allow more by \
                 `batch_bytes`",
                file.name, limits.batch_bytes
            ),
        });
    }
    let description = Description {
        file: file.name.clone(),
        kind: file.kind,
        bytes: file.bytes.len() as u64,
        input: plan.input.clone(),
        output: plan.output.clone(),
        batch: plan.batch,
        words: settings.vocabulary.as_ref().map_or(0, Vocabulary::len),
        classes: settings.classes.clone(),
    };
    let lane = Lane::new(file.name.clone(), plan.clone(), limits.late);
    Ok(Inner { description, classes, plan, settings, lane, spare: Spare::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::time::Duration;
    use tokio::sync::Semaphore;

    #[tokio::test]
    async fn what_a_load_holds_is_held_until_its_thread_is_through_also_when_nobody_waits() {
        let loading = Arc::new(Semaphore::new(1));
        let limits = crate::infer::Limits { load_time: Duration::from_millis(1), ..Default::default() };
        let settings = Settings { limits, ..Settings::default() };
        let held = loading.clone().try_acquire_owned().unwrap();
        let (go, gone) = channel();
        let file = move || {
            gone.recv().unwrap();
            Ok(File { name: "none".to_owned(), kind: Kind::Onnx, bytes: Vec::new() })
        };
        let slow = Model::make("none".to_owned(), settings, held, file).await;
        assert!(matches!(slow, Err(Error::Slow { .. })), "{slow:?}");
        assert_eq!(loading.available_permits(), 0);
        go.send(()).unwrap();
        drop(loading.acquire().await.unwrap());
    }
}
