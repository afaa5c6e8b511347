//! Runs of a model on the thread that it has.

use super::Batch;
use super::plan::Plan;
use std::sync::Arc;
use tract_onnx::prelude::{DatumType, IntoTValue, TValue, Tensor, TractResult, TypedSimpleState, tvec};

/// What a model answers to the rows of a batch, flat.
#[derive(Debug)]
pub(super) struct Answers {
    pub(super) values: Vec<f64>,
    pub(super) width: usize,
}

impl Answers {
    /// The answer to each row.
    pub(super) fn rows(&self) -> std::slice::ChunksExact<'_, f64> {
        self.values.chunks_exact(self.width.max(1))
    }
}

/// What a plan needs to run again and again.
pub(super) struct Running {
    plan: Arc<Plan>,
    whole: TypedSimpleState,
    one: Option<TypedSimpleState>,
}

impl Running {
    pub(super) fn new(plan: Arc<Plan>) -> TractResult<Self> {
        let whole = plan.whole.spawn()?;
        let one = plan.one.as_ref().map(|one| one.spawn()).transpose()?;
        Ok(Self { plan, whole, one })
    }

    /// The answers to the first `rows` rows of a tensor whose first dimension is the batch.
    pub(super) fn run(&mut self, input: &Arc<Tensor>, rows: usize) -> TractResult<Answers> {
        let width = self.plan.output.width();
        let mut values = Vec::with_capacity(rows.saturating_mul(width));
        let takes = self.plan.takes;
        let input = if input.datum_type() == takes {
            input.clone()
        } else {
            Arc::new(input.cast_to_dt(takes)?.into_owned())
        };
        let input = fit(input, self.plan.batch, rows)?;
        match self.plan.batch {
            Batch::Any => {
                let state = self.one.as_mut().filter(|_| rows == 1).unwrap_or(&mut self.whole);
                read(&*once(state, input.into_tvalue())?, rows * width, rows * width, &mut values)?;
            }
            Batch::Fixed(at_once) => {
                for from in (0..rows).step_by(at_once) {
                    let mut part = input.slice(0, from, from + at_once)?;
                    if self.plan.bare {
                        part.remove_axis(0)?;
                    }
                    let wanted = at_once.min(rows - from) * width;
                    read(&*once(&mut self.whole, part.into_tvalue())?, at_once * width, wanted, &mut values)?;
                }
            }
        }
        Ok(Answers { values, width })
    }
}

/// A tensor of as many rows as are run: what another version was shown may be filled up otherwise.
fn fit(input: Arc<Tensor>, batch: Batch, rows: usize) -> TractResult<Arc<Tensor>> {
    let wanted = match batch {
        Batch::Any => rows,
        Batch::Fixed(at_once) => rows.next_multiple_of(at_once),
    };
    match input.shape().first() {
        Some(there) if *there == wanted => Ok(input),
        Some(there) if *there > wanted => Ok(Arc::new(input.slice(0, 0, wanted)?)),
        _ => {
            let mut shape: Vec<usize> = input.shape().to_vec();
            let there = shape.first().copied().unwrap_or(0);
            if let Some(first) = shape.first_mut() {
                *first = wanted;
            }
            let mut full = Tensor::zero_dt(input.datum_type(), &shape)?;
            full.assign_slice(0..there, &input, 0..there, 0)?;
            Ok(Arc::new(full))
        }
    }
}

fn once(state: &mut TypedSimpleState, input: TValue) -> TractResult<TValue> {
    let mut outputs = state.run(tvec!(input))?;
    outputs.pop().ok_or_else(|| tract_onnx::prelude::TractError::msg("it gave no output"))
}

/// Adds the first `wanted` numbers of a tensor that has to have `all`.
fn read(output: &Tensor, all: usize, wanted: usize, values: &mut Vec<f64>) -> TractResult<()> {
    let found = output.len();
    if found != all {
        let shape = output.shape();
        return Err(tract_onnx::prelude::TractError::msg(format!(
            "its output has the shape {shape:?}, which is {found} numbers and not {all}"
        )));
    }
    if output.datum_type() == DatumType::F32 {
        let plain = output.try_as_plain_ram()?;
        values.extend(plain.as_slice::<f32>()?.iter().take(wanted).map(|value| f64::from(*value)));
    } else {
        let cast = output.cast_to_dt(DatumType::F64)?;
        let plain = cast.try_as_plain_ram()?;
        values.extend_from_slice(plain.as_slice::<f64>()?.get(..wanted).unwrap_or_default());
    }
    Ok(())
}
