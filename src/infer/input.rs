//! What a model is given.

/// What one row is made of, lent for as long as the batch is put together.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Input<'a> {
    /// The numbers of a row, flat in row-major order.
    F32(&'a [f32]),
    /// The numbers of a row, flat in row-major order.
    F64(&'a [f64]),
    /// A text, whose numbers the [vocabulary](super::Settings::vocabulary) of the model says.
    Text(&'a str),
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

impl<'a> From<&'a str> for Input<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Input<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}
