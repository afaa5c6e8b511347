//! What of a file is looked at before it is read as a model: reading makes whatever it asks for.

use super::Error;
use super::memory::Room;
use super::reading::File;
use tract_onnx::pb::GraphProto;
use tract_onnx::pb::tensor_shape_proto::dimension::Value::DimParam;
use tract_onnx::pb::type_proto::Value::TensorType;
use tract_tensorflow::tfpb::tensorflow::attr_value::Value;
use tract_tensorflow::tfpb::tensorflow::{DataType, GraphDef, TensorProto};

/// The longest formula of a dimension that is read, in bytes: each bracket in it is a call within a call.
const FORMULA: usize = 200;
/// How many outputs a node has at most.
const OUTPUTS: usize = 1000;

/// Looks at a graph of ONNX with those inside its nodes. A dimension whose formula is too long is left open.
pub(super) fn look_at_onnx(graph: &mut GraphProto, room: &Room<'_>) -> Result<(), Error> {
    look_inside(graph, room, &mut 0)
}

fn look_inside(graph: &mut GraphProto, room: &Room<'_>, made: &mut u64) -> Result<(), Error> {
    let values = graph.input.iter_mut().chain(&mut graph.output).chain(&mut graph.value_info);
    for value in values.filter_map(|value| value.r#type.as_mut()?.value.as_mut()) {
        let TensorType(tensor) = value;
        for dim in tensor.shape.iter_mut().flat_map(|shape| &mut shape.dim) {
            if matches!(&dim.value, Some(DimParam(formula)) if formula.len() > FORMULA) {
                dim.value = None;
            }
        }
    }
    for node in &mut graph.node {
        for attribute in &mut node.attribute {
            // What nodes without an input make of one number, some of it while they are read.
            if attribute.name == "shape" && node.input.is_empty() {
                let lengths = attribute.ints.iter().map(|length| u64::try_from(*length).unwrap_or(0));
                *made = made.saturating_add(lengths.fold(WIDEST, u64::saturating_mul));
                room.fits(*made, 1, || node.name.clone())?;
            }
            let graphs = attribute.g.iter_mut().chain(&mut attribute.graphs);
            graphs.into_iter().try_for_each(|graph| look_inside(graph, room, made))?;
        }
    }
    Ok(())
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
