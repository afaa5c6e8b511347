//! From the bytes of a file to a graph with one input and one output.

use super::memory::Room;
use super::proto::{look_at_onnx, look_at_tensorflow};
use super::{Error, Kind, Settings};
use crate::hint::nearest;
use std::collections::BTreeSet;
use tract_onnx::prelude::{Framework, InferenceModel};
use tract_onnx::tract_hir::internal::OutletId;
use tract_onnx::tract_hir::ops::unimpl::UnimplementedOp;

/// A file with a model.
pub(super) struct File {
    /// What people call it.
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) bytes: Vec<u8>,
}

/// A model as it was read, with the one input and the one output that count.
pub(super) struct Graph {
    pub(super) model: InferenceModel,
    pub(super) input: String,
    pub(super) output: String,
}

/// A tensor in a graph that was read.
type Named = (String, OutletId);

/// What a file holds, before an input and an output are chosen.
struct Found {
    model: InferenceModel,
    inputs: Vec<Named>,
    outputs: Vec<Named>,
    /// All tensors that may be read, those inside as well.
    all: Vec<Named>,
}

impl File {
    pub(super) fn invalid(&self, why: impl Into<String>) -> Error {
        Error::Invalid { file: self.name.clone(), kind: self.kind, why: why.into() }
    }

    /// Reads the file. What it says of the shapes of tensors inside is left out with `bare`: where the batch becomes
    /// another than the file has, those are wrong.
    pub(super) fn graph(&self, settings: &Settings, bare: bool) -> Result<Graph, Error> {
        if self.bytes.is_empty() {
            return Err(self.invalid("the file is empty"));
        }
        let room = Room::of(self, &settings.limits, 1);
        let found = match self.kind {
            Kind::Onnx => self.onnx(bare, &room)?,
            Kind::Tensorflow => self.tensorflow(&room)?,
        };
        let Found { mut model, inputs, outputs, all } = found;
        let input = self.choose("input", settings.input.as_deref(), &inputs, &inputs)?;
        let output = self.choose("output", settings.output.as_deref(), &outputs, &all)?;
        model.set_input_outlets(&[input.1]).map_err(|error| self.invalid(format!("{error:#}")))?;
        model.select_output_outlets(&[output.1]).map_err(|error| self.invalid(format!("{error:#}")))?;
        self.check_what_is_needed(&model, &inputs, &input, &output)?;
        Ok(Graph { model, input: input.0, output: output.0 })
    }

    fn onnx(&self, bare: bool, room: &Room<'_>) -> Result<Found, Error> {
        let reader = tract_onnx::onnx().with_ignore_value_info(bare);
        let mut proto = reader
            .proto_model_for_read(&mut self.bytes.as_slice())
            .map_err(|error| self.invalid(format!("it can't be read ({})", error.root_cause())))?;
        let Some(graph) = &mut proto.graph else {
            return Err(self.invalid("there is no graph in it"));
        };
        look_at_onnx(graph, room)?;
        let named: Vec<String> = graph.output.iter().map(|output| output.name.clone()).collect();
        let outside = |tensor: &tract_onnx::pb::TensorProto| tensor.data_location() as i32 == 1;
        if let Some(tensor) = graph.initializer.iter().find(|tensor| outside(tensor)) {
            let name = &tensor.name;
            return Err(
                self.invalid(format!("the data of `{name}` is in another file: save the model as one file"))
            );
        }
        let mut read = reader.parse(&proto, None).map_err(|error| self.invalid(format!("{error:#}")))?;
        if let Some(missing) = read.unresolved_inputs.first() {
            return Err(self.invalid(format!("nothing in it makes `{missing}`, which it needs")));
        }
        let inputs = read.model.input_outlets().map_err(|error| self.invalid(format!("{error:#}")))?;
        let inputs =
            inputs.iter().map(|outlet| (read.model.node(outlet.node).name.clone(), *outlet)).collect();
        let outputs = named.into_iter().filter_map(|name| {
            let outlet = *read.outlets_by_name.get(&name)?;
            Some((name, outlet))
        });
        let outputs = outputs.collect();
        let mut all: Vec<Named> = read.outlets_by_name.drain().collect();
        all.sort();
        Ok(Found { model: read.model, inputs, outputs, all })
    }

    fn tensorflow(&self, room: &Room<'_>) -> Result<Found, Error> {
        let reader = tract_tensorflow::tensorflow();
        let mut graph = reader
            .read_frozen_model(&mut self.bytes.as_slice())
            .map_err(|error| self.invalid(format!("it can't be read ({})", error.root_cause())))?;
        if graph.node.is_empty() {
            return Err(self.invalid("there are no nodes in it: a saved model has to be frozen first"));
        }
        if let Some(variable) = graph.node.iter().find(|node| node.op.starts_with("VarHandle")) {
            let name = &variable.name;
            return Err(self.invalid(format!(
                "`{name}` is still a variable: freeze the graph, so that it is a constant"
            )));
        }
        look_at_tensorflow(self, &mut graph, room)?;
        let model = reader.parse_graph(&graph).map_err(|error| self.invalid(format!("{error:#}")))?.0;
        let named = |outlets: &[OutletId]| -> Vec<Named> {
            outlets.iter().map(|outlet| (model.node(outlet.node).name.clone(), *outlet)).collect()
        };
        let inputs = model.input_outlets().map(named).map_err(|error| self.invalid(format!("{error:#}")))?;
        let outputs =
            model.output_outlets().map(named).map_err(|error| self.invalid(format!("{error:#}")))?;
        let outputs = outputs.into_iter().filter(|(_, outlet)| !model.node(outlet.node).inputs.is_empty());
        let outputs = outputs.collect();
        let all = model.nodes().iter().filter(|node| !node.outputs.is_empty());
        let all = all.map(|node| (node.name.clone(), OutletId::new(node.id, 0))).collect();
        Ok(Found { model, inputs, outputs, all })
    }

    /// The tensor of that name among `all`, or the only one of those that the file `declares`.
    fn choose(
        &self,
        role: &'static str,
        name: Option<&str>,
        declared: &[Named],
        all: &[Named],
    ) -> Result<Named, Error> {
        let names = |of: &[Named]| of.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let Some(name) = name else {
            return match declared {
                [only] => Ok(only.clone()),
                [] => Err(self.invalid(format!("it has no {role}"))),
                _ => Err(Error::Several { file: self.name.clone(), role, known: names(declared) }),
            };
        };
        // TensorFlow calls the first output of a node by the node's name and `:0`.
        let plain =
            if self.kind == Kind::Tensorflow { name.strip_suffix(":0").unwrap_or(name) } else { name };
        let found = declared.iter().chain(all).find(|(known, _)| known == plain);
        found.cloned().ok_or_else(|| {
            let near = nearest(plain, declared.iter().chain(all).map(|(known, _)| known.as_str()));
            Error::Tensor {
                file: self.name.clone(),
                role,
                name: name.to_owned(),
                hint: near.map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default(),
                known: names(declared),
            }
        })
    }

    /// Refuses what the output needs and nobody gives or can do.
    fn check_what_is_needed(
        &self,
        model: &InferenceModel,
        inputs: &[Named],
        input: &Named,
        output: &Named,
    ) -> Result<(), Error> {
        let mut needed = BTreeSet::from([output.1.node]);
        let mut open = vec![output.1.node];
        while let Some(node) = open.pop() {
            if node == input.1.node {
                continue;
            }
            for from in model.nodes().get(node).into_iter().flat_map(|node| &node.inputs) {
                if needed.insert(from.node) {
                    open.push(from.node);
                }
            }
        }
        let operations: BTreeSet<String> = model
            .nodes()
            .iter()
            .filter(|node| needed.contains(&node.id))
            .filter(|node| node.op.as_op().downcast_ref::<UnimplementedOp>().is_some())
            .map(|node| node.op.name().trim_start_matches("Unimplemented(").trim_end_matches(')').to_owned())
            .collect();
        if !operations.is_empty() {
            return Err(Error::Operations {
                file: self.name.clone(),
                operations: operations.into_iter().collect(),
            });
        }
        let unfed: Vec<String> = inputs
            .iter()
            .filter(|(_, outlet)| outlet.node != input.1.node && needed.contains(&outlet.node))
            .map(|(name, _)| name.clone())
            .collect();
        if !unfed.is_empty() {
            return Err(Error::Unfed { file: self.name.clone(), output: output.0.clone(), inputs: unfed });
        }
        if !needed.contains(&input.1.node) {
            let (input, output) = (&input.0, &output.0);
            return Err(self.invalid(format!("its output `{output}` does not depend on its input `{input}`")));
        }
        Ok(())
    }
}
