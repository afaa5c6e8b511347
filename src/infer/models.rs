//! Models by name.

use super::slot::Slot;
use super::version::Listed;
use super::{Description, Disagreement, Error, Input, Model, RowError, Settings, Verdict};
use crate::hint::nearest;
use futures::Stream;
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

/// How many models there may be.
const MODELS_AT_MOST: usize = 64;

/// The verdicts on a batch, one for each row in the order in which they were given, when it is polled to its end.
pub type Judging = Pin<Box<dyn Future<Output = Result<Vec<Result<Verdict, RowError>>, Error>> + Send>>;

/// Models by name, each with versions of which one is live. Clones are the same models.
///
/// Another version goes live between two batches: those under way end on the version that they began with, so no batch
/// has verdicts of two versions, and none waits.
#[derive(Clone, Default)]
pub struct Models {
    slots: Arc<RwLock<BTreeMap<String, Arc<Slot>>>>,
}

impl Models {
    /// No models.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Loads a model from a file and [adds](Self::add) it. The name of its version.
    ///
    /// # Errors
    /// Those of [`Model::load`] and of [`add`](Self::add); nothing has changed then.
    ///
    /// # Cancel safety
    /// When the future is dropped, nothing is added.
    pub async fn load(
        &self,
        name: &str,
        version: Option<&str>,
        path: impl AsRef<Path>,
        settings: Settings,
    ) -> Result<String, Error> {
        check_names(name, version)?;
        let model = Model::load(path, settings).await.inspect_err(|_| self.has_not_loaded(name))?;
        self.add(name, version, model)
    }

    /// Counts a version that did not load, if there is a model of that name.
    pub(crate) fn has_not_loaded(&self, name: &str) {
        if let Some(slot) = self.slots.read().get(name) {
            slot.has_not_loaded();
        }
    }

    /// Adds a version of a model; without a name for it, the next number. The first version of a name is live at once,
    /// any other when it is [swapped](Self::swap) in.
    ///
    /// # Errors
    /// [`Error::Differs`] if it takes or gives something else than the live version: who uses the name relies on that.
    /// [`Error::VersionTaken`], [`Error::Many`] and [`Error::Name`].
    pub fn add(&self, name: &str, version: Option<&str>, model: Model) -> Result<String, Error> {
        check_names(name, version)?;
        let mut slots = self.slots.write();
        if let Some(slot) = slots.get(name) {
            let slot = slot.clone();
            drop(slots);
            return slot.add(version, model).inspect_err(|_| slot.has_not_loaded());
        }
        if slots.len() >= MODELS_AT_MOST {
            return Err(Error::Many { what: "models".to_owned(), limit: MODELS_AT_MOST });
        }
        let slot = Slot::new(name, version, model);
        let version = slot.live().name().to_string();
        slots.insert(name.to_owned(), Arc::new(slot));
        Ok(version)
    }

    /// Makes a version live. The name of the one that was.
    ///
    /// # Errors
    /// [`Error::UnknownModel`] and [`Error::UnknownVersion`].
    pub fn swap(&self, name: &str, version: &str) -> Result<String, Error> {
        self.slot(name)?.swap(version)
    }

    /// Makes the version live again that was before the last [swap](Self::swap). Its name.
    ///
    /// # Errors
    /// [`Error::UnknownModel`] and [`Error::NoWayBack`].
    pub fn roll_back(&self, name: &str) -> Result<String, Error> {
        self.slot(name)?.roll_back()
    }

    /// Removes a version that is not in use. Batches that it has begun with end.
    ///
    /// # Errors
    /// [`Error::InUse`] for the live version and the shadow, [`Error::UnknownModel`] and [`Error::UnknownVersion`].
    pub fn retire(&self, name: &str, version: &str) -> Result<(), Error> {
        self.slot(name)?.retire(version)
    }

    /// Removes a model with all its versions. Batches that were begun end; later ones have [`Error::UnknownModel`].
    ///
    /// # Errors
    /// [`Error::UnknownModel`].
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        let removed = self.slots.write().remove(name);
        removed.map(drop).ok_or_else(|| self.unknown(name))
    }

    /// Tries a version beside the live one: it judges the same batches, after their verdicts are there, so it neither
    /// delays nor fails them. What it is too slow for, it is not shown. Nothing ends that.
    ///
    /// A row is judged differently if the class is another or, with a tolerance, if a score differs by more.
    ///
    /// # Errors
    /// [`Error::InUse`] for the live version, [`Error::UnknownModel`] and [`Error::UnknownVersion`].
    pub fn shadow(&self, name: &str, version: Option<&str>, tolerance: Option<f64>) -> Result<(), Error> {
        self.slot(name)?.set_shadow(version, tolerance)
    }

    /// What the shadow of a model judges differently from now on.
    ///
    /// It ends when the model is removed. Who reads slowly loses the oldest; of them 1024 wait, and what was lost is
    /// counted at the model as `dropped`.
    ///
    /// # Errors
    /// [`Error::UnknownModel`].
    pub fn disagreements(
        &self,
        name: &str,
    ) -> Result<impl Stream<Item = Disagreement> + Send + Unpin + use<>, Error> {
        Ok(self.slot(name)?.disagreements())
    }

    /// All models with their versions, by name.
    #[must_use]
    pub fn list(&self) -> Vec<Listed> {
        let slots: Vec<Arc<Slot>> = self.slots.read().values().cloned().collect();
        slots.iter().map(|slot| slot.listed()).collect()
    }

    /// A model with its versions.
    ///
    /// # Errors
    /// [`Error::UnknownModel`].
    pub fn get(&self, name: &str) -> Result<Listed, Error> {
        Ok(self.slot(name)?.listed())
    }

    /// What the live version of a model takes and gives.
    ///
    /// # Errors
    /// [`Error::UnknownModel`].
    pub fn describe(&self, name: &str) -> Result<Description, Error> {
        Ok(self.slot(name)?.live().model.describe().clone())
    }

    /// The live version of a model.
    ///
    /// # Errors
    /// [`Error::UnknownModel`].
    pub fn model(&self, name: &str) -> Result<Model, Error> {
        Ok(self.slot(name)?.live().model.clone())
    }

    /// Lets the version judge that is live now: one verdict or [`RowError`] for each row, in their order.
    ///
    /// The rows are read at once, so the future borrows nothing.
    ///
    /// # Errors
    /// What is wrong with the batch as a whole: no row has a verdict then, and the rows may be given again where
    /// [`Error::is_transient`] says so.
    ///
    /// # Cancel safety
    /// When the future is dropped, the batch is not run; one that has begun runs to its end, and its verdicts are discarded.
    pub fn judge<'a, I>(&self, name: &str, rows: I) -> Judging
    where
        I: IntoIterator<Item: Into<Input<'a>>>,
    {
        let begun = self.slot(name).and_then(|slot| {
            let version = slot.live();
            let rows: Vec<Input<'a>> = rows.into_iter().map(Into::into).collect();
            let filled = slot.fill(&version, &rows)?;
            Ok((slot, version, filled))
        });
        match begun {
            Ok((slot, version, filled)) => Box::pin(async move { slot.judge(version, filled).await }),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn slot(&self, name: &str) -> Result<Arc<Slot>, Error> {
        let found = self.slots.read().get(name).cloned();
        found.ok_or_else(|| self.unknown(name))
    }

    fn unknown(&self, name: &str) -> Error {
        let known: Vec<String> = self.slots.read().keys().cloned().collect();
        let near = nearest(name, known.iter().map(String::as_str));
        let hint = near.map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default();
        Error::UnknownModel { name: name.to_owned(), hint, known }
    }
}

impl fmt::Debug for Models {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.slots.read().keys()).finish()
    }
}

fn check_names(name: &str, version: Option<&str>) -> Result<(), Error> {
    let wrong = |name: &&str| {
        name.is_empty() || name.len() > 200 || name.contains('/') || name.bytes().all(|byte| byte == b'.')
    };
    match std::iter::once(name).chain(version).find(wrong) {
        Some(name) => Err(Error::Name { name: name.chars().take(200).collect() }),
        None => Ok(()),
    }
}
