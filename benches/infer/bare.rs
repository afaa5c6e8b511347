//! The bare call of tract, on tensors that are there already.

use super::{ROWS, row};
use mape_benches::Run;
use std::hint::black_box;
use std::time::{Duration, Instant};
use tract_onnx::prelude::*;

/// A model and the batches of a run. A batch of one is fixed when the model is prepared, others are open as they are for
/// ours: each is what is faster.
pub(super) struct Bare {
    plan: Arc<TypedRunnableModel>,
    batches: Vec<TValue>,
}

impl Bare {
    pub(super) fn new(bytes: &[u8], batch: usize) -> Self {
        let mut model = tract_onnx::onnx().model_for_read(&mut &bytes[..]).unwrap();
        if batch == 1 {
            let fact = InferenceFact::dt_shape(f32::datum_type(), [batch, 44]);
            model = model.with_input_fact(0, fact).unwrap();
        }
        let model = model.into_optimized().unwrap();
        let plan = model.into_runnable().unwrap();
        let tensors = (0..ROWS / batch).map(|number| {
            let rows: Vec<f32> = (0..batch).flat_map(|place| row(number * batch + place)).collect();
            Tensor::from_shape(&[batch, 44], &rows).unwrap().into_tvalue()
        });
        Self { plan, batches: tensors.collect() }
    }

    pub(super) fn run(&self) -> Run {
        let mut state = self.plan.spawn().unwrap();
        let begun = Instant::now();
        for batch in &self.batches {
            black_box(state.run(tvec!(batch.clone())).unwrap());
        }
        Run { count: ROWS as u64, wall: begun.elapsed(), cpu: Duration::ZERO }
    }
}
