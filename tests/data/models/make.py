"""Writes the models of this folder, and what they answer.

Run with: tensorflow-cpu==2.21.0 for `frozen.pb`; onnxruntime==1.32.0 numpy==2.4.6 nltk==3.10.4 (and its data `punkt_tab` for
English, in a directory that NLTK_DATA names) for `comments.classes.txt`; onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6 for the
rest:

    python make.py tensorflow
    python make.py comments
    python make.py onnx

Weights and inputs are drawn from a seeded generator; nothing here is trained.
"""

import json
import sys
from pathlib import Path

import numpy as np

WORDS, HIDDEN, CLASSES = 44, 8, 7


def rows(how_many):
    """Bags of words: zeros and ones. The first row is all zero."""
    drawn = np.random.default_rng(9).random((how_many, WORDS)) < 0.12
    drawn[0] = False
    return drawn.astype(np.float32)


def write(name, inputs, scores):
    with open(name, "w", encoding="utf-8") as file:
        lines = [
            json.dumps({"input": given.astype(int).tolist(), "output": [float(np.float32(score)) for score in found]})
            for given, found in zip(inputs, scores)
        ]
        file.write("[\n" + ",\n".join(lines) + "\n]\n")


def tensorflow():
    """As `convert_variables_to_constants_v2` freezes a Keras model: input `x`, output `Identity`."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    tf.keras.utils.set_random_seed(9)
    model = tf.keras.Sequential(
        [
            tf.keras.Input((WORDS,)),
            tf.keras.layers.Flatten(),
            tf.keras.layers.Dense(HIDDEN, activation="relu", bias_initializer="random_normal"),
            tf.keras.layers.Dense(CLASSES, bias_initializer="random_normal"),
            tf.keras.layers.Softmax(),
        ]
    )
    whole = tf.function(lambda x: model(x))
    whole = whole.get_concrete_function(tf.TensorSpec((None, WORDS), tf.float32, name="x"))
    frozen = convert_variables_to_constants_v2(whole)
    # The name of a parameter of the function is the name of the placeholder.
    tf.io.write_graph(frozen.graph, ".", "frozen.pb", as_text=False)
    inputs = rows(37)
    write("frozen.expected.json", inputs, frozen(tf.constant(inputs))[0].numpy())


def onnx(name="mlp", seed=9, hidden=HIDDEN):
    """Gemm, Relu, Gemm, Softmax: input `bag` [N, words], output `scores` [N, classes]."""
    import onnxruntime
    from onnx import TensorProto, checker, helper, numpy_helper, save

    drawn = np.random.default_rng(seed)
    weights = {
        "w1": drawn.normal(0, 0.6, (WORDS, hidden)),
        "b1": drawn.normal(0, 0.1, hidden),
        "w2": drawn.normal(0, 0.8, (hidden, CLASSES)),
        "b2": drawn.normal(0, 0.1, CLASSES),
    }
    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["bag", "w1", "b1"], ["h"]),
            helper.make_node("Relu", ["h"], ["r"]),
            helper.make_node("Gemm", ["r", "w2", "b2"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["scores"], axis=-1),
        ],
        "mlp",
        [helper.make_tensor_value_info("bag", TensorProto.FLOAT, ["N", WORDS])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", CLASSES])],
        [numpy_helper.from_array(value.astype(np.float32), key) for key, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    checker.check_model(model, full_check=True)
    save(model, f"{name}.onnx")
    inputs = rows(37)
    session = onnxruntime.InferenceSession(f"{name}.onnx", providers=["CPUExecutionProvider"])
    write(f"{name}.expected.json", inputs, session.run(["scores"], {"bag": inputs})[0])


def comments(how_many=1000, in_a_line=100):
    """The place of the class that the model of the example `volunteers` gives to each of the first comments; `-` for no word."""
    import nltk
    import onnxruntime
    from nltk.stem import LancasterStemmer

    folder, stemmer = Path(__file__).parents[3] / "examples/data/volunteers", LancasterStemmer()
    words = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
    lines = (folder / "comments.tsv").read_text(encoding="utf-8").splitlines()[1 : how_many + 1]
    found = [{stemmer.stem(token.lower()) for token in nltk.word_tokenize(line.split("\t")[3])} for line in lines]
    bags = np.array([[word in stems for word in words] for stems in found], np.float32)
    session = onnxruntime.InferenceSession(folder / "interest.onnx", providers=["CPUExecutionProvider"])
    places = session.run(["scores"], {"bag": bags})[0].argmax(axis=1)
    classes = "".join(str(place) if bag.any() else "-" for place, bag in zip(places, bags))
    parts = [classes[at : at + in_a_line] for at in range(0, how_many, in_a_line)]
    Path("comments.classes.txt").write_text("\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["tensorflow"]:
        tensorflow()
    elif sys.argv[1:] == ["comments"]:
        comments()
    else:
        onnx()
        onnx("mlp-2", seed=10, hidden=12)
