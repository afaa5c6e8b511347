//! What a model takes and gives.

use super::Kind;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a model takes and gives, as it was found in its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = ModelDescription))]
#[non_exhaustive]
pub struct Description {
    /// The file it comes from.
    pub file: String,
    /// What the file is.
    pub kind: Kind,
    /// How many bytes it has.
    pub bytes: u64,
    /// What is fed with rows.
    pub input: Port,
    /// What is read.
    pub output: Port,
    /// How many rows run at once.
    pub batch: Batch,
    /// How many words its vocabulary has; 0 where it takes no texts.
    pub words: usize,
    /// The names of the classes; empty where it has none.
    pub classes: Vec<String>,
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {} -> {}, {}", self.file, self.kind, self.input, self.output, self.batch)
    }
}

/// A tensor that a model takes or gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = ModelTensor))]
#[non_exhaustive]
pub struct Port {
    /// Its name in the model.
    pub name: String,
    /// The type of its numbers.
    #[serde(rename = "type")]
    pub element_type: ElementType,
    /// The shape of what belongs to one row, without the batch.
    pub shape: Vec<usize>,
}

impl Port {
    /// How many numbers belong to one row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.shape.iter().product()
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {}", self.name, self.shape, self.element_type)
    }
}

/// The type of the numbers of a tensor. Rows are given and read as `f64` or `f32` and converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = ModelNumber))]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "they are called as in Rust")]
pub enum ElementType {
    F16,
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    Bool,
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F16 => "f16",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::I8 => "i8",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::U8 => "u8",
            Self::U16 => "u16",
            Self::U32 => "u32",
            Self::U64 => "u64",
            Self::Bool => "bool",
        })
    }
}

/// Up to here `f64` has all whole numbers.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl ElementType {
    /// Whether a finite number can be one of this type without becoming another; fractions are rounded.
    pub(super) fn holds(self, value: f64) -> bool {
        let whole = |from: f64, to: f64| value.fract() == 0.0 && value >= from && value <= to;
        match self {
            Self::F16 => value.abs() <= 65504.0,
            Self::F32 => value.abs() <= f64::from(f32::MAX),
            Self::F64 => true,
            Self::I8 => whole(f64::from(i8::MIN), f64::from(i8::MAX)),
            Self::I16 => whole(f64::from(i16::MIN), f64::from(i16::MAX)),
            Self::I32 => whole(f64::from(i32::MIN), f64::from(i32::MAX)),
            Self::I64 => whole(-EXACT, EXACT),
            Self::U8 => whole(0.0, f64::from(u8::MAX)),
            Self::U16 => whole(0.0, f64::from(u16::MAX)),
            Self::U32 => whole(0.0, f64::from(u32::MAX)),
            Self::U64 => whole(0.0, EXACT),
            Self::Bool => whole(0.0, 1.0),
        }
    }
}

/// How many rows a model runs at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "http", derive(utoipa::ToSchema), schema(as = ModelBatch))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Batch {
    /// As many as there are.
    Any,
    /// So many, as its file has it: larger batches are divided, and what is missing is filled up.
    Fixed(usize),
}

impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any number of rows at once"),
            Self::Fixed(1) => f.write_str("row by row"),
            Self::Fixed(rows) => write!(f, "{rows} rows at once"),
        }
    }
}
