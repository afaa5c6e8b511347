//! Rows, checked and put into one tensor.

use super::plan::Plan;
use super::{Batch, ElementType, Input, RowError, Settings};
use crate::text;
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
    /// As many as can be on the way at once: one that runs, one that is ready and one that is filled.
    const KEPT: usize = 3;

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

/// Puts rows into a tensor, the good ones one after another. With `judge`, those that are unknown by themselves are left
/// out.
pub(super) fn fill(
    plan: &Plan,
    spare: &Spare,
    settings: &Settings,
    judge: bool,
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
        let (wanted, of) = (plan.input.width(), plan.input.element_type);
        let fills_up = matches!(plan.batch, Batch::Fixed(_));
        let filling = Filling { wanted, of, settings, judge, fills_up };
        if single {
            filling.put_all(slots.as_slice_mut::<f32>()?, given, &mut filled);
        } else {
            filling.put_all(slots.as_slice_mut::<f64>()?, given, &mut filled);
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
struct Filling<'a> {
    wanted: usize,
    of: ElementType,
    settings: &'a Settings,
    judge: bool,
    /// The model is shown more rows than were given.
    fills_up: bool,
}

impl Filling<'_> {
    fn put_all<T: Number>(&self, slots: &mut [T], given: &[Input<'_>], filled: &mut Filled)
    where
        f32: Given<T>,
        f64: Given<T>,
    {
        let mut slots = slots.chunks_exact_mut(self.wanted);
        let mut slot = slots.next();
        for (place, input) in given.iter().enumerate() {
            let Some(free) = &mut slot else { break };
            let put = match *input {
                Input::F32(row) => self.put(free, place, row),
                Input::F64(row) => self.put(free, place, row),
                Input::Text(text) => self.put_text(free, place, text),
            };
            match put {
                Ok(()) => {
                    filled.rows += 1;
                    slot = slots.next();
                }
                Err(aside) => filled.aside.push((place, aside)),
            }
        }
        if self.fills_up {
            // What was here of other batches, or of a row that was refused, is not shown to the model.
            for rest in slot.into_iter().chain(slots) {
                rest.fill(T::default());
            }
        }
    }

    fn put_text<T: Number>(&self, slot: &mut [T], row: usize, text: &str) -> Result<(), Aside>
    where
        f32: Given<T>,
    {
        let Some(vocabulary) = &self.settings.vocabulary else {
            return Err(Aside::Wrong(RowError::Text { row }));
        };
        let (bytes, limit) = (text.len(), self.settings.limits.text_bytes);
        let long = |limit| Aside::Wrong(RowError::Long { row, bytes, limit });
        if bytes > limit {
            return Err(long(limit));
        }
        let bag = vocabulary.bag(text).map_err(|error| match error {
            text::Error::TooLong { most, .. } => long(most),
            _ => long(limit),
        })?;
        if self.judge && bag.knows_none() {
            return Err(Aside::Blank);
        }
        self.put(slot, row, bag.numbers())
    }

    fn put<T: Number, N: Given<T>>(&self, slot: &mut [T], row: usize, values: &[N]) -> Result<(), Aside> {
        let (found, wanted) = (values.len(), self.wanted);
        if found == 0 {
            return Err(Aside::Wrong(RowError::Empty { row, wanted }));
        }
        if found != wanted {
            return Err(Aside::Wrong(RowError::Width { row, found, wanted }));
        }
        if !N::put(slot, values, self.of) {
            return Err(Aside::Wrong(self.what_is_wrong(row, values.iter().map(|value| (*value).into()))));
        }
        if self.judge && self.settings.blank_is_unknown && slot.iter().all(|value| *value == T::default()) {
            return Err(Aside::Blank);
        }
        Ok(())
    }

    /// The first number of a row that is none for the model.
    fn what_is_wrong(&self, row: usize, values: impl Iterator<Item = f64>) -> RowError {
        let wrong = |value: f64| !value.is_finite() || !self.of.holds(value);
        let found = values.enumerate().find(|(_, value)| wrong(*value));
        let (column, value) = found.unwrap_or((0, f64::NAN));
        if value.is_finite() {
            RowError::Type { row, column, value, wanted: self.of }
        } else {
            RowError::NotFinite { row, column, value }
        }
    }
}

/// What tensors are filled with.
trait Number: Copy + Default + PartialEq {}

impl Number for f32 {}
impl Number for f64 {}

/// What rows are given as. A row is put into its place, and it is said whether all its numbers were in order, with no
/// branch for each of them.
trait Given<T>: Copy + Into<f64> {
    fn put(slot: &mut [T], row: &[Self], of: ElementType) -> bool;
}

impl Given<f32> for f32 {
    fn put(slot: &mut [f32], row: &[f32], _: ElementType) -> bool {
        slot.copy_from_slice(row);
        row.iter().fold(true, |fine, value| fine & value.is_finite())
    }
}

impl Given<f32> for f64 {
    fn put(slot: &mut [f32], row: &[f64], _: ElementType) -> bool {
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

impl Given<f64> for f32 {
    fn put(slot: &mut [f64], row: &[f32], of: ElementType) -> bool {
        for (slot, value) in slot.iter_mut().zip(row) {
            *slot = f64::from(*value);
        }
        slot.iter().fold(true, |fine, value| fine & (value.is_finite() & of.holds(*value)))
    }
}

impl Given<f64> for f64 {
    fn put(slot: &mut [f64], row: &[f64], of: ElementType) -> bool {
        slot.copy_from_slice(row);
        row.iter().fold(true, |fine, value| fine & (value.is_finite() & of.holds(*value)))
    }
}
