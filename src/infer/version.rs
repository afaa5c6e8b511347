//! One version of a model that has a name.

use super::verdict::Judge;
use super::{Description, Model};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A model under a name and a version.
pub(super) struct Version {
    pub(super) model: Model,
    pub(super) judge: Arc<Judge>,
    rows: AtomicU64,
}

impl Version {
    pub(super) fn new(name: Arc<str>, version: Arc<str>, model: Model) -> Self {
        let judge = Arc::new(Judge { model: name, version, classes: model.inner().classes.clone() });
        Self { model, judge, rows: AtomicU64::new(0) }
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.judge.version
    }

    pub(super) fn has_judged(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Relaxed);
    }

    /// What differs between what the two take and give, in words; nothing if one can stand in for the other.
    pub(super) fn differences(&self, new: &Model) -> Vec<String> {
        let words = (&self.model.settings().vocabulary, &new.settings().vocabulary);
        let (old, new) = (self.model.describe(), new.describe());
        let mut differences = Vec::new();
        let version = self.name();
        if old.input.shape != new.input.shape {
            let (old, new) = (&old.input.shape, &new.input.shape);
            differences.push(format!("it takes rows of shape {new:?}, and `{version}` takes {old:?}"));
        }
        if old.output.shape != new.output.shape {
            let (old, new) = (&old.output.shape, &new.output.shape);
            differences.push(format!("it answers with {new:?}, and `{version}` with {old:?}"));
        }
        if old.classes != new.classes {
            let (old, new) = (old.classes.join(", "), new.classes.join(", "));
            differences.push(format!("its classes are [{new}], and those of `{version}` are [{old}]"));
        }
        match words {
            (Some(old), Some(new)) if old != new => {
                differences.push(format!("its words are others than those of `{version}`"));
            }
            (Some(_), None) => {
                differences.push(format!("it has no words, so it takes no texts as `{version}` does"));
            }
            _ => {}
        }
        differences
    }

    pub(super) fn listed(&self) -> ListedVersion {
        ListedVersion {
            version: self.name().to_string(),
            description: self.model.describe().clone(),
            rows: self.rows.load(Relaxed),
            late: self.model.late(),
        }
    }
}

/// A model that has a name, as it is listed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = ModelListed))]
#[non_exhaustive]
pub struct Listed {
    /// The name.
    pub name: String,
    /// The version that judges.
    pub live: String,
    /// The version that [going back](super::Models::roll_back) would make live.
    pub former: Option<String>,
    /// The version that is tried beside it.
    pub shadow: Option<ListedShadow>,
    /// All versions, in the order in which they came.
    pub versions: Vec<ListedVersion>,
    /// What was counted of it since it came, by the names of its metrics: rows, batches, and what became of them.
    pub counts: BTreeMap<String, u64>,
}

/// A version of a model, as it is listed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = ModelVersion))]
#[non_exhaustive]
pub struct ListedVersion {
    /// Its name.
    pub version: String,
    /// What it takes and gives.
    pub description: Description,
    /// How many rows it has judged while it was live.
    pub rows: u64,
    /// How many of its runs were late and are still under way.
    pub late: usize,
}

/// A version that is tried beside the live one, as it is listed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = ModelShadow))]
#[non_exhaustive]
pub struct ListedShadow {
    /// Which version.
    pub version: String,
    /// How much scores may differ; nothing if only classes are compared.
    pub tolerance: Option<f64>,
    /// Rows that it judged as the live version.
    pub agreed: u64,
    /// Rows that it judged differently.
    pub disagreed: u64,
    /// Rows that it was not shown, because it was busy with others, or failed at.
    pub skipped: u64,
}
