//! The models that are measured.

use super::onnx::{self, F32, Onnx, dims};

/// Two layers and a softmax: 44 numbers to 7 scores. With 1024 hidden ones it has the shape of the network that sorts
/// comments in `RedisAI`, of the platform for volunteers.
pub(super) fn network(hidden: usize) -> Onnx {
    const WORDS: usize = 44;
    const CLASSES: usize = 7;
    // Weights that differ, by a generator that is the same everywhere.
    let mut state = 9_u64;
    let mut drawn = |n: usize| -> Vec<f32> {
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f32::from(u16::try_from(state >> 48).unwrap()) / 65536.0 - 0.5
        };
        (0..n).map(next).collect()
    };
    Onnx::new()
        .input("bag", F32, dims!["N", WORDS])
        .output("scores", F32, dims!["N", CLASSES])
        .floats("w1", &[WORDS, hidden], &drawn(WORDS * hidden))
        .floats("b1", &[hidden], &drawn(hidden))
        .floats("w2", &[hidden, CLASSES], &drawn(hidden * CLASSES))
        .floats("b2", &[CLASSES], &drawn(CLASSES))
        .node("Gemm", &["bag", "w1", "b1"], "h")
        .node("Relu", &["h"], "r")
        .node("Gemm", &["r", "w2", "b2"], "logits")
        .node_with("Softmax", &["logits"], "scores", &[("axis", &[1])])
}
