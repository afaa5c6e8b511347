//! What of a file is looked at before it is read as a model: reading makes whatever it asks for.

use super::Error;
use super::memory::Room;
use super::reading::File;
use tract_onnx::pb::tensor_shape_proto::dimension::Value::DimParam;
use tract_onnx::pb::type_proto::Value::TensorType;
use tract_onnx::pb::{GraphProto, NodeProto, ValueInfoProto};
use tract_tensorflow::tfpb::tensorflow::attr_value::Value;
use tract_tensorflow::tfpb::tensorflow::{DataType, GraphDef, TensorProto};

/// The longest formula of a dimension, in bytes: each bracket in it is a call within a call.
const FORMULA: usize = 200;
/// How many outputs a node has at most.
const OUTPUTS: usize = 1000;

/// Looks at a graph of ONNX with those inside its nodes.
pub(super) fn look_at_onnx(file: &File, graph: &GraphProto, room: &Room<'_>) -> Result<(), Error> {
    for value in graph.input.iter().chain(&graph.output).chain(&graph.value_info) {
        if formulas(value).any(|formula| formula.len() > FORMULA) {
            let name = &value.name;
            return Err(
                file.invalid(format!("a dimension of `{name}` has a formula of more than {FORMULA} bytes"))
            );
        }
    }
    graph.node.iter().try_for_each(|node| look_at_node(file, node, room))
}

fn look_at_node(file: &File, node: &NodeProto, room: &Room<'_>) -> Result<(), Error> {
    for attribute in &node.attribute {
        // What nodes without an input make, such as constants and random numbers.
        if attribute.name == "shape" {
            let lengths = attribute.ints.iter().map(|length| u64::try_from(*length).unwrap_or(0));
            room.fits(lengths.fold(WIDEST, u64::saturating_mul), 1, || node.name.clone())?;
        }
        let graphs = attribute.g.iter().chain(&attribute.graphs);
        graphs.into_iter().try_for_each(|graph| look_at_onnx(file, graph, room))?;
    }
    Ok(())
}

fn formulas(value: &ValueInfoProto) -> impl Iterator<Item = &String> {
    let tensors = value.r#type.iter().filter_map(|of| of.value.as_ref()).map(|TensorType(tensor)| tensor);
    let dims = tensors.flat_map(|tensor| &tensor.shape).flat_map(|shape| &shape.dim);
    dims.filter_map(|dim| match &dim.value {
        Some(DimParam(formula)) => Some(formula),
        _ => None,
    })
}

/// How many bytes a number has at most.
const WIDEST: u64 = 8;

/// Looks at a graph of TensorFlow, and writes out what is left out in it.
pub(super) fn look_at_tensorflow(file: &File, graph: &mut GraphDef, room: &Room<'_>) -> Result<(), Error> {
    let mut written = 0_u64;
    for node in &mut graph.node {
        // An input is called by the number of the output behind its node's name.
        let numbers = node.input.iter().filter_map(|input| input.rsplit_once(':')?.1.parse::<usize>().ok());
        if numbers.max().is_some_and(|number| number >= OUTPUTS) {
            let name = &node.name;
            return Err(file.invalid(format!("`{name}` has an input with a number of {OUTPUTS} or more")));
        }
        for value in node.attr.values_mut() {
            if let Some(Value::Tensor(tensor)) = &mut value.value
                && tensor.tensor_content.is_empty()
            {
                let all = length(tensor);
                written = written.saturating_add(all.saturating_mul(WIDEST));
                room.fits(written, 1, || node.name.clone())?;
                write_out(tensor, usize::try_from(all).unwrap_or(usize::MAX));
            }
        }
    }
    Ok(())
}

/// How many numbers a tensor has by its shape.
fn length(tensor: &TensorProto) -> u64 {
    let dims = tensor.tensor_shape.iter().flat_map(|shape| &shape.dim);
    dims.fold(1, |all, dim| all.saturating_mul(u64::try_from(dim.size).unwrap_or(0)))
}

/// TensorFlow leaves out the numbers at the end of a tensor that are the same as the last one, and zeros of nothing but
/// zeros. The reader wants one or all.
fn write_out(tensor: &mut TensorProto, all: usize) {
    match tensor.dtype() {
        DataType::DtFloat => fill(&mut tensor.float_val, all),
        DataType::DtDouble => fill(&mut tensor.double_val, all),
        DataType::DtInt32 => fill(&mut tensor.int_val, all),
        DataType::DtInt64 => fill(&mut tensor.int64_val, all),
        _ => {}
    }
}

fn fill<T: Clone + Default>(values: &mut Vec<T>, all: usize) {
    if values.len() != 1 && values.len() < all {
        values.resize(all, values.last().cloned().unwrap_or_default());
    }
}
