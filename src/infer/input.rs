//! What a model is given.

use serde::{Deserialize, Serialize};

/// What one row is made of, lent for as long as the batch is put together.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Input<'a> {
    /// The numbers of a row, flat in row-major order.
    F32(&'a [f32]),
    /// The numbers of a row, flat in row-major order.
    F64(&'a [f64]),
}

impl<'a> From<&'a [f32]> for Input<'a> {
    fn from(row: &'a [f32]) -> Self {
        Self::F32(row)
    }
}

impl<'a> From<&'a [f64]> for Input<'a> {
    fn from(row: &'a [f64]) -> Self {
        Self::F64(row)
    }
}

impl<'a> From<&'a Vec<f32>> for Input<'a> {
    fn from(row: &'a Vec<f32>) -> Self {
        Self::F32(row)
    }
}

impl<'a> From<&'a Vec<f64>> for Input<'a> {
    fn from(row: &'a Vec<f64>) -> Self {
        Self::F64(row)
    }
}

impl<'a> From<&'a Given> for Input<'a> {
    fn from(given: &'a Given) -> Self {
        match given {
            Given::Row(row) | Given::Item { input: row } => Self::F64(row),
        }
    }
}

/// What one row is made of, as it is written in JSON: `[1, 0, 0.5]` or `{"input": [1, 0, 0.5]}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Given {
    /// The numbers of a row.
    Row(Vec<f64>),
    /// The same, named.
    Item {
        /// The numbers of a row.
        input: Vec<f64>,
    },
}
