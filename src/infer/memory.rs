//! What a model takes of memory, found out before it takes it.

use super::reading::File;
use super::{Error, Limits, trial};
use std::collections::{BTreeSet, HashMap};
use std::mem::take;
use std::time::Instant;
use tract_onnx::prelude::{InferenceModel, Symbol, TDim, TVec, TractResult, TypedModel, TypedRunnableModel};
use tract_onnx::tract_core::ops::konst::Const;
use tract_onnx::tract_hir::internal::{Factoid, InferenceFact, OutletId, SymbolValues, TypedFact, TypedNode};

/// How much the tensors of a model may hold at once, and how long may be looked.
pub(super) struct Room<'a> {
    file: &'a File,
    limits: &'a Limits,
    until: Option<Instant>,
    /// The batches that are looked at, the largest first.
    batches: Vec<Batch>,
}

/// A number of rows, and what the symbols of a model are then.
struct Batch {
    rows: usize,
    values: SymbolValues,
}

impl<'a> Room<'a> {
    /// For the largest batch and small ones, whose number of rows is called `symbol` in the model.
    pub(super) fn of_any(file: &'a File, limits: &'a Limits, symbol: &Symbol) -> Self {
        let batch = |rows: usize| Batch {
            rows,
            values: SymbolValues::default().with(symbol, i64::try_from(rows).unwrap_or(i64::MAX)),
        };
        // A shape can be the longer the fewer rows there are, and with so many the model is tried.
        let batches = std::iter::once(limits.rows).chain(1..=trial::ROWS).map(batch).collect();
        Self { batches, ..Self::of(file, limits, limits.rows) }
    }

    /// For batches of that many rows.
    pub(super) fn of(file: &'a File, limits: &'a Limits, rows: usize) -> Self {
        let batches = vec![Batch { rows, values: SymbolValues::default() }];
        Self { file, limits, until: Instant::now().checked_add(limits.load_time), batches }
    }

    /// Finds types and shapes inside the model, and the values that do not depend on its input.
    ///
    /// A value is computed as soon as what it is made of is known, so each shape is looked at before.
    pub(super) fn analyse(&self, model: &mut InferenceModel) -> Result<(), Error> {
        let invalid = |model: &InferenceModel, node: usize, error| {
            self.file.invalid(format!("`{}`: {error:#}", name(model, node)))
        };
        let mut open: BTreeSet<usize> = (0..model.nodes().len()).collect();
        let mut observers: HashMap<OutletId, Vec<usize>> = HashMap::new();
        for node in model.nodes() {
            let observed =
                node.op.observe_outlets(model, node).map_err(|error| invalid(model, node.id, error))?;
            for outlet in observed {
                observers.entry(outlet).or_default().push(node.id);
            }
        }
        let mut computed = 0_u64;
        while let Some(node) = open.pop_first() {
            if self.until.is_some_and(|until| Instant::now() > until) {
                return Err(Error::Slow { file: self.file.name.clone(), limit: self.limits.load_time });
            }
            self.foresee(model, node)?;
            let learned = infer(model, node).map_err(|error| invalid(model, node, error))?;
            for outlet in learned {
                if outlet.node == node && !is_const(model, node) {
                    let values = model.outlet_fact(outlet).ok().and_then(|fact| fact.value.concretize());
                    let bytes =
                        values.map_or(0, |value| (value.volume() * value.datum_type().size_of()) as u64);
                    computed = computed.saturating_add(bytes);
                    self.fits(computed, self.limits.rows, || name(model, node))?;
                }
                let successors = model.outlet_successors(outlet).iter().map(|to| to.node);
                open.extend(successors.filter(|to| *to != outlet.node));
                open.extend(Some(outlet.node).filter(|from| *from != node));
                open.extend(observers.get(&outlet).into_iter().flatten());
            }
        }
        Ok(())
    }

    /// Looks at the shapes that a node is given, and at those that it is going to give. What is wrong with it otherwise is told
    /// when it is analysed.
    fn foresee(&self, model: &InferenceModel, node: usize) -> Result<(), Error> {
        if is_const(model, node) {
            return Ok(());
        }
        let given = model.node_input_facts(node).unwrap_or_default().into_iter();
        for fact in given.filter(|fact| !fact.value.is_concrete()) {
            self.fact_fits(fact, || name(model, node))?;
        }
        let Ok(facts) = foreseen(model, node) else { return Ok(()) };
        facts.iter().try_for_each(|fact| self.fact_fits(fact, || name(model, node)))
    }

    fn fact_fits(&self, fact: &InferenceFact, tensor: impl Fn() -> String) -> Result<(), Error> {
        let size = fact.datum_type.concretize().map_or(1, |of| of.size_of() as u64);
        let dims: Vec<TDim> = fact.shape.dims().filter_map(Factoid::concretize).collect();
        self.batches.iter().try_for_each(|batch| self.fits(batch.bytes(size, &dims), batch.rows, &tensor))
    }

    /// Looks at the tensors of each node by themselves.
    pub(super) fn check_tensors(&self, model: &TypedModel) -> Result<(), Error> {
        let computed = model.nodes().iter().filter(|node| !node.op_is::<Const>());
        computed.into_iter().try_for_each(|node| {
            self.batches
                .iter()
                .try_for_each(|batch| self.fits(batch.gives(node), batch.rows, || node.name.clone()))
        })
    }

    /// Looks at what is there at once while it runs.
    pub(super) fn check_run(&self, ready: &TypedRunnableModel) -> Result<(), Error> {
        self.batches.iter().try_for_each(|batch| self.check_batch(ready, batch))
    }

    /// A tensor is let go of after its last use; the input stays, as whoever gave it still holds it.
    fn check_batch(&self, ready: &TypedRunnableModel, batch: &Batch) -> Result<(), Error> {
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
        // Numbers that are made of those in the file; these are there already.
        let constants = nodes.iter().filter_map(|node| node.op_as::<Const>()).map(|of| of.val());
        let constants = constants.map(|value| (value.volume() * value.datum_type().size_of()) as u64);
        let mut held = constants.sum::<u64>().saturating_sub(self.file.bytes.len() as u64);
        let mut sizes = vec![0; nodes.len()];
        for (step, id) in order.iter().enumerate() {
            let (Some(node), Some(size)) = (nodes.get(*id), sizes.get_mut(*id)) else { continue };
            let bytes = batch.gives(node);
            if !node.inputs.is_empty() {
                *size = bytes;
            }
            held = held.saturating_add(bytes);
            self.fits(held, batch.rows, || node.name.clone())?;
            for input in node.inputs.iter().map(|input| input.node) {
                if last_uses.get(input) == Some(&Some(step)) {
                    held = held.saturating_sub(sizes.get_mut(input).map(take).unwrap_or_default());
                }
            }
        }
        Ok(())
    }

    /// Refuses to hold as many bytes.
    pub(super) fn fits(&self, bytes: u64, rows: usize, tensor: impl FnOnce() -> String) -> Result<(), Error> {
        let limit = self.limits.run_bytes;
        if bytes <= limit {
            return Ok(());
        }
        Err(Error::Memory { file: self.file.name.clone(), tensor: tensor(), rows, bytes, limit })
    }
}

impl Batch {
    /// How many bytes there are in what a node gives.
    fn gives(&self, node: &TypedNode) -> u64 {
        node.outputs.iter().map(|output| self.holds(&output.fact)).fold(0, u64::saturating_add)
    }

    fn holds(&self, fact: &TypedFact) -> u64 {
        // What is packed for a product of matrices is a tensor of buffers.
        let buffers = fact.exotic_fact().into_iter().flat_map(|of| of.buffer_sizes());
        let buffers = buffers.map(|size| self.length(&size)).fold(0, u64::saturating_add);
        let dims: Vec<TDim> = fact.shape.iter().cloned().collect();
        self.bytes(buffers.max(fact.datum_type.size_of() as u64), &dims)
    }

    /// How many bytes a tensor has at least: a length that is not known is taken for 1.
    fn bytes(&self, size: u64, dims: &[TDim]) -> u64 {
        dims.iter().fold(size, |bytes, dim| bytes.saturating_mul(self.length(dim)))
    }

    fn length(&self, dim: &TDim) -> u64 {
        match dim.eval_to_i64(&self.values) {
            Ok(length) => u64::try_from(length).unwrap_or(0),
            Err(error) if format!("{error:#}").contains("Overflow") => u64::MAX,
            // It depends on a row, or the model does not run with so many.
            Err(_) => 1,
        }
    }
}

fn name(model: &InferenceModel, node: usize) -> String {
    model.nodes().get(node).map(|node| node.name.clone()).unwrap_or_default()
}

/// Whether a node is numbers of the file.
fn is_const(model: &InferenceModel, node: usize) -> bool {
    model.nodes().get(node).is_some_and(|node| node.op.as_op().is::<Const>())
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

/// Learns what follows from a node, values among it; of which tensors that is more than was known.
fn infer(model: &mut InferenceModel, id: usize) -> TractResult<Vec<OutletId>> {
    let around = Around::of(model, id)?;
    let [inputs, outputs, observed] = around.facts();
    let (inputs, outputs, observed) = model.node_mut(id).op.infer(inputs, outputs, observed)?;
    let of_inputs = model.node(id).inputs.iter().copied().zip(inputs);
    let of_outputs = outputs.into_iter().enumerate().map(|(slot, fact)| (OutletId::new(id, slot), fact));
    let all: Vec<_> = of_inputs.chain(of_outputs).chain(around.looked_at.into_iter().zip(observed)).collect();
    let mut learned = Vec::new();
    for (outlet, fact) in all {
        let known = model.outlet_fact(outlet)?;
        let unified = fact.unify(known)?;
        if unified != *known {
            model.set_outlet_fact(outlet, unified)?;
            learned.push(outlet);
        }
    }
    Ok(learned)
}
