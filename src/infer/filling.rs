//! Rows, checked and put into one tensor.

use super::plan::Plan;
use super::{Batch, ElementType, Input, RowError};
use crate::text::{Bag, Error as TextError, Vocabulary};
use parking_lot::Mutex;
use tract_onnx::prelude::{DatumType, Tensor, TractResult};

/// Rows that were given, as far as they are in order, in one tensor.
pub(super) struct Filled {
    /// The rows that the model is asked about, filled up to what it runs at once; nothing if there is none.
    pub(super) tensor: Option<Tensor>,
    /// How many rows that are.
    pub(super) rows: usize,
    /// How many rows were given.
    pub(super) given: usize,
    /// Those that the model is not asked about, by their places among all that were given.
    pub(super) aside: Vec<(usize, Aside)>,
}

/// Why the model is not asked about a row.
pub(super) enum Aside {
    Wrong(RowError),
    /// It is all zero, and that is unknown.
    Blank,
}

/// Tensors to use again, so that full batches need no new memory.
#[derive(Default)]
pub(super) struct Spare(Mutex<Vec<Tensor>>);

impl Spare {
    /// As many as can be on the way at once: one that runs and one that is filled.
    const KEPT: usize = 2;

    fn take(&self, of: DatumType, shape: &[usize]) -> TractResult<Tensor> {
        let mut kept = self.0.lock();
        let found = kept.iter().position(|tensor| tensor.shape() == shape && tensor.datum_type() == of);
        let found = found.map(|place| kept.swap_remove(place));
        drop(kept);
        found.map_or_else(|| Tensor::zero_dt(of, shape), Ok)
    }

    pub(super) fn give_back(&self, tensor: Tensor) {
        let mut kept = self.0.lock();
        if kept.len() >= Self::KEPT {
            kept.remove(0);
        }
        kept.push(tensor);
    }
}

/// Puts rows into a tensor, the good ones one after another.
pub(super) fn fill(
    plan: &Plan,
    spare: &Spare,
    words: Option<&Vocabulary>,
    blank_is_unknown: bool,
    given: &[Input<'_>],
) -> TractResult<Filled> {
    let mut filled = Filled { tensor: None, rows: 0, given: given.len(), aside: Vec::new() };
    if given.is_empty() {
        return Ok(filled);
    }
    let shape = |rows: usize| -> Vec<usize> {
        let rows = match plan.batch {
            Batch::Any => rows,
            Batch::Fixed(at_once) => rows.next_multiple_of(at_once),
        };
        std::iter::once(rows).chain(plan.input.shape.iter().copied()).collect()
    };
    // Numbers of all other types are read as `f64` and converted where the model runs.
    let single = plan.takes == DatumType::F32;
    let of = if single { DatumType::F32 } else { DatumType::F64 };
    let mut tensor = spare.take(of, &shape(given.len()))?;
    {
        let mut slots = tensor.try_as_plain_ram_mut()?;
        let row = Row { wanted: plan.input.width(), of: plan.input.element_type, words, blank_is_unknown };
        if single {
            row.put_all(slots.as_slice_mut::<f32>()?, given, &mut filled);
        } else {
            row.put_all(slots.as_slice_mut::<f64>()?, given, &mut filled);
        }
    }
    let needed = shape(filled.rows);
    filled.tensor = match needed.first() {
        Some(0) | None => None,
        Some(_) if needed == tensor.shape() => Some(tensor),
        Some(first) => Some(tensor.slice(0, 0, *first)?),
    };
    Ok(filled)
}

/// How rows are put into place.
struct Row<'a> {
    wanted: usize,
    of: ElementType,
    words: Option<&'a Vocabulary>,
    blank_is_unknown: bool,
}

impl Row<'_> {
    fn put_all<T: Number>(&self, slots: &mut [T], given: &[Input<'_>], filled: &mut Filled) {
        let mut slots = slots.chunks_exact_mut(self.wanted);
        let mut slot = slots.next();
        for (place, input) in given.iter().enumerate() {
            let Some(free) = &mut slot else { return };
            match self.put(free, place, *input) {
                Ok(()) => {
                    filled.rows += 1;
                    slot = slots.next();
                }
                Err(aside) => filled.aside.push((place, aside)),
            }
        }
    }

    fn put<T: Number>(&self, slot: &mut [T], row: usize, input: Input<'_>) -> Result<(), Aside> {
        let bag;
        let input = match input {
            Input::Text(text) => {
                bag = self.bag(row, text).map_err(Aside::Wrong)?;
                Input::F32(bag.numbers())
            }
            numbers => numbers,
        };
        let found = match input {
            Input::F32(values) => values.len(),
            Input::F64(values) => values.len(),
            Input::Text(_) => 0,
        };
        if found != self.wanted {
            let wanted = self.wanted;
            let error = if found == 0 {
                RowError::Empty { row, wanted }
            } else {
                RowError::Width { row, found, wanted }
            };
            return Err(Aside::Wrong(error));
        }
        let fine = match input {
            Input::F32(values) => T::put_f32(slot, values),
            Input::F64(values) => T::put_f64(slot, values, self.of),
            Input::Text(_) => false,
        };
        if !fine {
            return Err(Aside::Wrong(self.what_is_wrong(row, input)));
        }
        if self.blank_is_unknown && slot.iter().all(|value| *value == T::default()) {
            return Err(Aside::Blank);
        }
        Ok(())
    }

    /// The numbers of a text.
    fn bag(&self, row: usize, text: &str) -> Result<Bag, RowError> {
        let words = self.words.ok_or(RowError::Text { row })?;
        words.bag(text).map_err(|error| match error {
            TextError::TooLong { bytes, most } => RowError::Long { row, bytes, limit: most },
            // A text can be nothing but too long.
            _ => RowError::Text { row },
        })
    }

    /// The first number of a row that is none for the model.
    fn what_is_wrong(&self, row: usize, input: Input<'_>) -> RowError {
        let wrong = |value: f64| !value.is_finite() || !self.of.holds(value);
        let found = match input {
            Input::F32(values) => {
                values.iter().map(|value| f64::from(*value)).enumerate().find(|(_, v)| wrong(*v))
            }
            Input::F64(values) => values.iter().copied().enumerate().find(|(_, v)| wrong(*v)),
            Input::Text(_) => None,
        };
        let (column, value) = found.unwrap_or((0, f64::NAN));
        if value.is_finite() {
            RowError::Type { row, column, value, wanted: self.of }
        } else {
            RowError::NotFinite { row, column, value }
        }
    }
}

/// What tensors are filled with. Each puts a row into its place and says whether all numbers were in order, with no
/// branch for each number.
trait Number: Copy + Default + PartialEq {
    fn put_f32(slot: &mut [Self], row: &[f32]) -> bool;
    fn put_f64(slot: &mut [Self], row: &[f64], of: ElementType) -> bool;
}

impl Number for f32 {
    fn put_f32(slot: &mut [Self], row: &[f32]) -> bool {
        slot.copy_from_slice(row);
        row.iter().fold(true, |fine, value| fine & value.is_finite())
    }

    fn put_f64(slot: &mut [Self], row: &[f64], _: ElementType) -> bool {
        for (slot, value) in slot.iter_mut().zip(row) {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the nearest is what a model with such numbers takes"
            )]
            let value = *value as f32;
            *slot = value;
        }
        slot.iter().fold(true, |fine, value| fine & value.is_finite())
    }
}

impl Number for f64 {
    fn put_f32(slot: &mut [Self], row: &[f32]) -> bool {
        for (slot, value) in slot.iter_mut().zip(row) {
            *slot = f64::from(*value);
        }
        slot.iter().fold(true, |fine, value| fine & value.is_finite())
    }

    fn put_f64(slot: &mut [Self], row: &[f64], of: ElementType) -> bool {
        slot.copy_from_slice(row);
        row.iter().fold(true, |fine, value| fine & (value.is_finite() & of.holds(*value)))
    }
}
