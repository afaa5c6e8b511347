//! A model is tried before it is put to use.

use super::lane::{Failure, said};
use super::plan::Plan;
use super::reading::File;
use super::running::{Answers, Running};
use super::{Batch, ElementType, Error, Settings};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tract_onnx::prelude::{Tensor, TractResult};

/// How many rows a model is tried with that takes any number.
pub(super) const ROWS: usize = 3;

/// Runs a model that can take any number of rows with a few together and one by one. Where that makes a difference, the
/// model mixes its rows, and runs as its file has it from then on.
pub(super) fn try_out(file: &File, plan: Plan, settings: &Settings) -> Result<Plan, Error> {
    if settings.warm_up == 0 || plan.batch != Batch::Any {
        return Ok(plan);
    }
    let plan = Arc::new(plan);
    let apart = || {
        tracing::info!(
            file = file.name,
            "the model mixes the rows of a batch, so that it runs as its file has it"
        );
        Plan::apart(file, settings)
    };
    let failed = |failure: Failure| Error::WarmUp { file: file.name.clone(), rows: ROWS, why: failure.why() };
    let input = rows(&plan, ROWS).map_err(|error| failed(Failure::Failed(format!("{error:#}"))))?;
    let together = match attempt(&plan, &input, ROWS) {
        Ok(together) => together,
        // What it does with one row decides.
        Err(failure) => {
            let first =
                input.slice(0, 0, 1).map_err(|error| failed(Failure::Failed(format!("{error:#}"))))?;
            return if attempt(&plan, &Arc::new(first), 1).is_ok() { apart() } else { Err(failed(failure)) };
        }
    };
    for (row, expected) in together.rows().enumerate() {
        let one =
            input.slice(0, row, row + 1).map_err(|error| failed(Failure::Failed(format!("{error:#}"))))?;
        let alone = attempt(&plan, &Arc::new(one), 1).map_err(failed)?;
        if !alone.rows().next().is_some_and(|alone| are_close(alone, expected)) {
            return apart();
        }
    }
    Arc::into_inner(plan).ok_or_else(|| file.invalid("it is still in use after it was tried"))
}

fn attempt(plan: &Arc<Plan>, input: &Arc<Tensor>, rows: usize) -> Result<Answers, Failure> {
    let run = || Running::new(plan.clone())?.run(input, rows);
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(ended) => {
            ended.map_err(|error: tract_onnx::prelude::TractError| Failure::Failed(format!("{error:#}")))
        }
        Err(panic) => Err(Failure::Panicked(said(&*panic))),
    }
}

/// Rows of our own making: numbers from 0 to 1 that differ, where fractions are possible; else ones, which most models
/// can divide by and look up.
pub(super) fn rows(plan: &Plan, rows: usize) -> TractResult<Arc<Tensor>> {
    let shape: Vec<usize> = std::iter::once(rows).chain(plan.input.shape.iter().copied()).collect();
    let mut tensor = Tensor::zero::<f32>(&shape)?;
    let fractions = matches!(plan.input.element_type, ElementType::F16 | ElementType::F32 | ElementType::F64);
    let width = plan.input.width();
    for (place, value) in tensor.try_as_plain_ram_mut()?.as_slice_mut::<f32>()?.iter_mut().enumerate() {
        let (row, column) = (place / width.max(1), place % width.max(1));
        let fifth = u8::try_from((column * 7 + row * 3) % 5).unwrap_or(0);
        *value = if fractions { f32::from(fifth) / 4.0 } else { 1.0 };
    }
    Ok(Arc::new(tensor))
}

/// Whether two answers are the same but for what the order of additions makes.
fn are_close(a: &[f64], b: &[f64]) -> bool {
    let close = |a: f64, b: f64| {
        (a - b).abs() <= 1e-3 * (1.0 + a.abs().max(b.abs())) || (!a.is_finite() && !b.is_finite())
    };
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| close(*a, *b))
}
