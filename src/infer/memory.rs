//! What a model takes of memory, found out before it takes it.

use super::reading::File;
use super::{Error, Limits};
use std::mem::take;
use tract_onnx::prelude::{
    DatumType, InferenceModel, Symbol, TDim, TVec, TractResult, TypedModel, TypedRunnableModel,
};
use tract_onnx::tract_hir::internal::{Factoid, InferenceFact, OutletId, SymbolValues, TypedNode};

/// How much the tensors of a model may hold at once.
pub(super) struct Room<'a> {
    file: &'a File,
    limit: u64,
    rows: usize,
    /// The largest batch.
    values: SymbolValues,
}

impl<'a> Room<'a> {
    /// For the largest batch, whose number of rows is called `symbol` in the model.
    pub(super) fn of_any(file: &'a File, limits: &Limits, symbol: &Symbol) -> Self {
        let rows = i64::try_from(limits.rows).unwrap_or(i64::MAX);
        let values = SymbolValues::default().with(symbol, rows);
        Self { file, limit: limits.run_bytes, rows: limits.rows, values }
    }

    /// For batches of that many rows.
    pub(super) fn of(file: &'a File, limits: &Limits, rows: usize) -> Self {
        Self { file, limit: limits.run_bytes, rows, values: SymbolValues::default() }
    }

    /// Finds types and shapes inside the model, and what does not depend on its input.
    ///
    /// A value is computed as soon as what it is made of is known, so each shape is looked at before.
    pub(super) fn analyse(&self, model: &mut InferenceModel) -> Result<(), Error> {
        loop {
            let mut changed = false;
            for node in 0..model.nodes().len() {
                self.foresee(model, node)?;
                changed |= infer(model, node).map_err(|error| {
                    let node = model.nodes().get(node).map(|node| node.name.as_str()).unwrap_or_default();
                    self.file.invalid(format!("`{node}`: {error:#}"))
                })?;
            }
            if !changed {
                return Ok(());
            }
        }
    }

    /// Looks at the shapes that a node is going to give. What is wrong with it otherwise is told when it is analysed.
    fn foresee(&self, model: &InferenceModel, node: usize) -> Result<(), Error> {
        let Ok(facts) = foreseen(model, node) else { return Ok(()) };
        for fact in facts {
            let Some(of) = fact.datum_type.concretize() else { continue };
            let dims = fact.shape.dims().filter_map(Factoid::concretize);
            let name = || model.nodes().get(node).map(|node| node.name.clone()).unwrap_or_default();
            self.fits(self.bytes(of, dims), name)?;
        }
        Ok(())
    }

    /// Looks at the tensors of each node by themselves.
    pub(super) fn check_tensors(&self, model: &TypedModel) -> Result<(), Error> {
        model.nodes().iter().try_for_each(|node| self.fits(self.gives(node), || node.name.clone()))
    }

    /// Looks at what is there at once while it runs: a tensor is let go of after its last use.
    pub(super) fn check_run(&self, ready: &TypedRunnableModel) -> Result<(), Error> {
        let nodes = ready.model().nodes();
        let order = ready.order_without_consts();
        let mut last_uses = vec![None; nodes.len()];
        for (step, id) in order.iter().enumerate() {
            for input in nodes.get(*id).iter().flat_map(|node| &node.inputs) {
                if let Some(last_use) = last_uses.get_mut(input.node) {
                    *last_use = Some(step);
                }
            }
        }
        let mut sizes = vec![0; nodes.len()];
        let mut held = 0_u64;
        for (step, id) in order.iter().enumerate() {
            let (Some(node), Some(size)) = (nodes.get(*id), sizes.get_mut(*id)) else { continue };
            *size = self.gives(node);
            held = held.saturating_add(*size);
            self.fits(held, || node.name.clone())?;
            for input in node.inputs.iter().map(|input| input.node) {
                if last_uses.get(input) == Some(&Some(step)) {
                    held -= sizes.get_mut(input).map(take).unwrap_or_default();
                }
            }
        }
        Ok(())
    }

    fn gives(&self, node: &TypedNode) -> u64 {
        let facts = node.outputs.iter().map(|output| &output.fact);
        facts.map(|fact| self.bytes(fact.datum_type, fact.shape.iter().cloned())).fold(0, u64::saturating_add)
    }

    /// Refuses to hold as many bytes.
    pub(super) fn fits(&self, bytes: u64, tensor: impl FnOnce() -> String) -> Result<(), Error> {
        if bytes <= self.limit {
            return Ok(());
        }
        let (file, rows, limit) = (self.file.name.clone(), self.rows, self.limit);
        Err(Error::Memory { file, tensor: tensor(), rows, bytes, limit })
    }

    /// How many bytes a tensor has at least: a length that depends on what is in the rows is taken for 1.
    fn bytes(&self, of: DatumType, dims: impl Iterator<Item = TDim>) -> u64 {
        dims.fold(of.size_of() as u64, |bytes, dim| bytes.saturating_mul(self.length(&dim)))
    }

    fn length(&self, dim: &TDim) -> u64 {
        match dim.eval_to_i64(&self.values) {
            Ok(length) => u64::try_from(length).unwrap_or(0),
            Err(_) if dim.symbols().iter().any(|symbol| self.values.get(symbol).is_none()) => 1,
            Err(_) => u64::MAX,
        }
    }
}

/// What is known around a node: of its inputs, its outputs, and whatever else it looks at.
struct Around {
    inputs: TVec<InferenceFact>,
    outputs: TVec<InferenceFact>,
    observed: TVec<InferenceFact>,
    looked_at: Vec<OutletId>,
}

impl Around {
    fn of(model: &InferenceModel, id: usize) -> TractResult<Self> {
        let (inputs, outputs) = model.node_facts(id)?;
        let node = model.node(id);
        let looked_at = node.op.observe_outlets(model, node)?;
        let observed = looked_at.iter().map(|outlet| model.outlet_fact(*outlet).cloned());
        let observed = observed.collect::<TractResult<_>>()?;
        let (inputs, outputs) = (inputs.into_iter().cloned(), outputs.into_iter().cloned());
        Ok(Self { inputs: inputs.collect(), outputs: outputs.collect(), observed, looked_at })
    }

    fn facts(&self) -> [TVec<&InferenceFact>; 3] {
        [&self.inputs, &self.outputs, &self.observed].map(|facts| facts.iter().collect())
    }
}

/// What a node says of its outputs without computing them.
fn foreseen(model: &InferenceModel, id: usize) -> TractResult<TVec<InferenceFact>> {
    let around = Around::of(model, id)?;
    let [inputs, outputs, observed] = around.facts();
    let (_, outputs, _) = model.node(id).op.clone().infer_facts(inputs, outputs, observed)?;
    Ok(outputs)
}

/// Learns what follows from a node, values among it; whether that is more than was known.
fn infer(model: &mut InferenceModel, id: usize) -> TractResult<bool> {
    let around = Around::of(model, id)?;
    let [inputs, outputs, observed] = around.facts();
    let (inputs, outputs, observed) = model.node_mut(id).op.infer(inputs, outputs, observed)?;
    let of_inputs = model.node(id).inputs.iter().copied().zip(inputs);
    let of_outputs = outputs.into_iter().enumerate().map(|(slot, fact)| (OutletId::new(id, slot), fact));
    let all: Vec<_> = of_inputs.chain(of_outputs).chain(around.looked_at.into_iter().zip(observed)).collect();
    let mut changed = false;
    for (outlet, fact) in all {
        let known = model.outlet_fact(outlet)?;
        let unified = fact.unify(known)?;
        if unified != *known {
            model.set_outlet_fact(outlet, unified)?;
            changed = true;
        }
    }
    Ok(changed)
}
