//! What kinds of models there are.

use super::Error;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a file with a model is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = ModelKind))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// ONNX, a file `….onnx`.
    Onnx,
    /// A frozen graph of TensorFlow, a file `….pb`: one `GraphDef` whose variables have become constants.
    #[serde(alias = "pb")]
    Tensorflow,
}

impl Kind {
    /// The kind that the name of a file says.
    pub fn of(file: &str) -> Result<Self, Error> {
        match file.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).as_deref() {
            Some("onnx") => Ok(Self::Onnx),
            Some("pb") => Ok(Self::Tensorflow),
            _ => Err(Error::Kind { file: file.to_owned() }),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Onnx => "ONNX",
            Self::Tensorflow => "a frozen graph of TensorFlow",
        })
    }
}
