//! Small models, written as ONNX. The benchmark of models uses this, too.

use super::onnx;

/// A model with one output `y`, put together node by node.
#[derive(Clone, Default)]
pub(super) struct Onnx {
    graph: Vec<u8>,
    nodes: u32,
}

pub(super) const F32: u64 = 1;
pub(super) const I64: u64 = 7;
pub(super) const TEXT: u64 = 8;
pub(super) const F64: u64 = 11;

/// A dimension: a number, or a name for one that is open.
pub(super) enum Dim {
    Is(usize),
    Open(&'static str),
}

impl From<usize> for Dim {
    fn from(length: usize) -> Self {
        Self::Is(length)
    }
}

impl From<&'static str> for Dim {
    fn from(name: &'static str) -> Self {
        Self::Open(name)
    }
}

/// Dimensions of different kinds: `dims!["N", 2]`, where this module is in scope as `onnx`.
macro_rules! dims {
    ($($dim:expr),*) => { vec![$(onnx::Dim::from($dim)),*] };
}
pub(super) use dims;

impl Onnx {
    pub(super) fn new() -> Self {
        let mut new = Self::default();
        text(&mut new.graph, 2, "test");
        new
    }

    pub(super) fn input(mut self, name: &str, of: u64, shape: Vec<Dim>) -> Self {
        message(&mut self.graph, 11, &value_info(name, of, shape));
        self
    }

    pub(super) fn output(mut self, name: &str, of: u64, shape: Vec<Dim>) -> Self {
        message(&mut self.graph, 12, &value_info(name, of, shape));
        self
    }

    /// Constant numbers.
    pub(super) fn floats(self, name: &str, shape: &[usize], values: &[f32]) -> Self {
        let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor(name, F32, shape, &raw)
    }

    /// Constant whole numbers.
    pub(super) fn whole(self, name: &str, shape: &[usize], values: &[i64]) -> Self {
        let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor(name, I64, shape, &raw)
    }

    pub(super) fn tensor(mut self, name: &str, of: u64, shape: &[usize], raw: &[u8]) -> Self {
        let mut tensor = Vec::new();
        for dim in shape {
            number(&mut tensor, 1, *dim as u64);
        }
        number(&mut tensor, 2, of);
        text(&mut tensor, 8, name);
        message(&mut tensor, 9, raw);
        message(&mut self.graph, 5, &tensor);
        self
    }

    /// Numbers that are said to be in another file.
    pub(super) fn elsewhere(mut self, name: &str, shape: &[usize]) -> Self {
        let mut tensor = Vec::new();
        for dim in shape {
            number(&mut tensor, 1, *dim as u64);
        }
        number(&mut tensor, 2, F32);
        text(&mut tensor, 8, name);
        let mut entry = Vec::new();
        text(&mut entry, 1, "location");
        text(&mut entry, 2, "weights.bin");
        message(&mut tensor, 13, &entry);
        number(&mut tensor, 14, 1);
        message(&mut self.graph, 5, &tensor);
        self
    }

    pub(super) fn node(self, operation: &str, inputs: &[&str], output: &str) -> Self {
        self.node_with(operation, inputs, output, &[])
    }

    /// A node with attributes that are whole numbers, or with `axes`, which are a list of them.
    pub(super) fn node_with(
        mut self,
        operation: &str,
        inputs: &[&str],
        output: &str,
        attributes: &[(&str, &[i64])],
    ) -> Self {
        let mut node = Vec::new();
        for input in inputs {
            text(&mut node, 1, input);
        }
        text(&mut node, 2, output);
        self.nodes += 1;
        text(&mut node, 3, &format!("n{}", self.nodes));
        text(&mut node, 4, operation);
        for (name, values) in attributes {
            let mut attribute = Vec::new();
            text(&mut attribute, 1, name);
            if let ([value], false) = (values, *name == "axes") {
                number(&mut attribute, 3, u64::from_ne_bytes(value.to_ne_bytes()));
                number(&mut attribute, 20, 2);
            } else {
                for value in *values {
                    number(&mut attribute, 8, u64::from_ne_bytes(value.to_ne_bytes()));
                }
                number(&mut attribute, 20, 7);
            }
            message(&mut node, 5, &attribute);
        }
        message(&mut self.graph, 1, &node);
        self
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut model = Vec::new();
        number(&mut model, 1, 8);
        let mut opset = Vec::new();
        text(&mut opset, 1, "");
        number(&mut opset, 2, 13);
        message(&mut model, 8, &opset);
        message(&mut model, 7, &self.graph);
        model
    }
}

/// `y = x * by`, rows of that width, any number of them.
pub(super) fn scaled(width: usize, by: f32) -> Onnx {
    Onnx::new()
        .input("x", F32, dims!["N", width])
        .output("y", F32, dims!["N", width])
        .floats("by", &[1], &[by])
        .node("Mul", &["x", "by"], "y")
}

/// `y = ln(x)`: NaN below 0, infinite at 0.
pub(super) fn logarithm(width: usize) -> Onnx {
    Onnx::new().input("x", F32, dims!["N", width]).output("y", F32, dims!["N", width]).node(
        "Log",
        &["x"],
        "y",
    )
}

/// `y = 100 / x` in whole numbers: nothing can be divided by 0.
pub(super) fn division() -> Onnx {
    Onnx::new()
        .input("x", I64, dims!["N", 1])
        .output("y", I64, dims!["N", 1])
        .whole("hundred", &[1], &[100])
        .node("Div", &["hundred", "x"], "y")
}

/// The columns of a model that is slow.
pub(super) const SLOW_WIDTH: usize = 512;

/// Takes long for many rows, and no time for a few: products of large matrices, the more the more layers there are.
pub(super) fn slow(layers: usize) -> Onnx {
    let weights: Vec<f32> =
        (0..SLOW_WIDTH * SLOW_WIDTH).map(|i| f32::from(u8::try_from(i % 7).unwrap()) / 2000.0).collect();
    let mut model = Onnx::new()
        .input("x", F32, dims!["N", SLOW_WIDTH])
        .output("y", F32, dims!["N", SLOW_WIDTH])
        .floats("w", &[SLOW_WIDTH, SLOW_WIDTH], &weights);
    for layer in 0..layers {
        let from = if layer == 0 { "x".to_owned() } else { format!("h{layer}") };
        let to = if layer + 1 == layers { "y".to_owned() } else { format!("h{}", layer + 1) };
        model = model.node("MatMul", &[&from, "w"], &to);
    }
    model
}

fn value_info(name: &str, of: u64, shape: Vec<Dim>) -> Vec<u8> {
    let mut dims = Vec::new();
    for dim in shape {
        let mut one = Vec::new();
        match dim {
            Dim::Is(length) => number(&mut one, 1, length as u64),
            Dim::Open(name) => text(&mut one, 2, name),
        }
        message(&mut dims, 1, &one);
    }
    let mut tensor = Vec::new();
    number(&mut tensor, 1, of);
    message(&mut tensor, 2, &dims);
    let mut kind = Vec::new();
    message(&mut kind, 1, &tensor);
    let mut info = Vec::new();
    text(&mut info, 1, name);
    message(&mut info, 2, &kind);
    info
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap();
        value >>= 7;
        if value == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3);
    varint(out, value);
}

fn message(out: &mut Vec<u8>, field: u64, content: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, content.len() as u64);
    out.extend_from_slice(content);
}

fn text(out: &mut Vec<u8>, field: u64, content: &str) {
    message(out, field, content.as_bytes());
}
