//! The section `models`.

use super::bound::{one_or_more, some_time};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A model that judges what flows: its file, and what its outputs mean. Files are relative to the working directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Model {
    /// The file: `….onnx`, or `….pb`, a frozen graph of TensorFlow.
    #[serde(deserialize_with = "some_path")]
    pub file: PathBuf,
    /// What it is, where its name does not say it. Default: what its name says.
    #[serde(default)]
    pub kind: Option<ModelKind>,
    /// What this version is called. Default: `1`.
    #[serde(default)]
    pub version: Option<String>,
    /// The input tensor by name. Default: the only one.
    #[serde(default)]
    pub input: Option<String>,
    /// The output tensor by name. Default: the only one.
    #[serde(default)]
    pub output: Option<String>,
    /// The shape of a row, where the file leaves it open. Default: that of the file.
    #[serde(default)]
    pub shape: Option<Vec<usize>>,
    /// The names of the classes in the order of the outputs, or a file with them: a JSON array. Default: their numbers.
    #[serde(default)]
    pub classes: Classes,
    /// A file with the words that texts are looked through for, a JSON array. Default: none, so that texts are no rows.
    #[serde(default)]
    pub vocabulary: Option<PathBuf>,
    /// A verdict whose score is below is `unknown`. Default: 0.
    #[serde(default)]
    pub threshold: f64,
    /// Whether a row of zeros alone is `unknown`, without asking the model. Default: no; with a vocabulary, yes.
    #[serde(default)]
    pub blank_is_unknown: bool,
    /// How often it is tried before it is put to use. Default: 2.
    #[serde(default = "two")]
    pub warm_up: usize,
    /// Another version that is tried beside it: its file, or `{file, version, tolerance}`. Default: none.
    #[serde(default)]
    pub shadow: Option<ModelShadow>,
    /// What it may take.
    #[serde(default)]
    pub limits: ModelLimits,
}

fn two() -> usize {
    2
}

/// What the file of a model is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ModelKind {
    /// ONNX.
    Onnx,
    /// A frozen graph of TensorFlow.
    Tensorflow,
}

/// The names of classes, or where they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Classes {
    /// These; none are numbers.
    Names(Vec<String>),
    /// Those of a file.
    File(PathBuf),
}

impl Default for Classes {
    fn default() -> Self {
        Self::Names(Vec::new())
    }
}

/// A version that is tried beside the one that judges.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ModelShadow {
    /// Its file.
    pub file: PathBuf,
    /// What it is called. Default: `shadow`.
    pub version: String,
    /// How much scores may differ. Default: any amount, so that classes alone are compared.
    pub tolerance: Option<f64>,
}

/// What a model may take of memory and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ModelLimits {
    /// Bytes of its file. Default: 256 MiB.
    #[serde(deserialize_with = "one_or_more")]
    pub file_bytes: usize,
    /// Rows of a batch. Default: 4096.
    #[serde(deserialize_with = "one_or_more")]
    pub rows: usize,
    /// Bytes of the numbers of a full batch, going in and coming out. Default: 256 MiB.
    #[serde(deserialize_with = "one_or_more")]
    pub batch_bytes: usize,
    /// Bytes that a run of a full batch may hold at once, inside the model as well. Default: 1 GiB.
    #[serde(deserialize_with = "one_or_more")]
    pub run_bytes: usize,
    /// Bytes of a text that becomes a row. Default: 16 KiB.
    #[serde(deserialize_with = "one_or_more")]
    pub text_bytes: usize,
    /// Time for a batch. Default: 10 s.
    #[serde(with = "some_time")]
    pub batch_time: Duration,
    /// How many late batches may still be under way while the next begins. Default: 1.
    pub late: usize,
    /// Time to load it. Default: 1 min.
    #[serde(with = "some_time")]
    pub load_time: Duration,
}

impl Default for ModelLimits {
    fn default() -> Self {
        Self {
            file_bytes: 256 << 20,
            rows: 4096,
            batch_bytes: 256 << 20,
            run_bytes: 1 << 30,
            text_bytes: 16 << 10,
            batch_time: Duration::from_secs(10),
            late: 1,
            load_time: Duration::from_mins(1),
        }
    }
}

fn some_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let path = PathBuf::deserialize(deserializer)?;
    if path.as_os_str().is_empty() {
        return Err(D::Error::invalid_value(Unexpected::Str(""), &"a file"));
    }
    Ok(path)
}

impl<'de> Deserialize<'de> for Classes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ClassesVisitor)
    }
}

struct ClassesVisitor;

impl<'de> Visitor<'de> for ClassesVisitor {
    type Value = Classes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of names, or a file with them")
    }

    fn visit_str<E: Error>(self, file: &str) -> Result<Classes, E> {
        if file.is_empty() {
            return Err(E::invalid_value(Unexpected::Str(file), &self));
        }
        Ok(Classes::File(file.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, names: A) -> Result<Classes, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(names)).map(Classes::Names)
    }
}

impl<'de> Deserialize<'de> for ModelShadow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShadowVisitor)
    }
}

struct ShadowVisitor;

impl<'de> Visitor<'de> for ShadowVisitor {
    type Value = ModelShadow;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the file of another version, or {file, version, tolerance}")
    }

    fn visit_str<E: Error>(self, file: &str) -> Result<ModelShadow, E> {
        if file.is_empty() {
            return Err(E::invalid_value(Unexpected::Str(file), &self));
        }
        Ok(ModelShadow { file: file.into(), version: "shadow".to_owned(), tolerance: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ModelShadow, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            #[serde(deserialize_with = "some_path")]
            file: PathBuf,
            version: Option<String>,
            tolerance: Option<f64>,
        }
        let Written { file, version, tolerance } = Written::deserialize(MapAccessDeserializer::new(map))?;
        Ok(ModelShadow { file, version: version.unwrap_or_else(|| "shadow".to_owned()), tolerance })
    }
}
