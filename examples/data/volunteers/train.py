"""Trains the model of the example from `comments.tsv`, and writes all that goes with it.

    pip install nltk==3.10.4 scikit-learn==1.9.1 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
    python train.py

Writes beside itself: `vocabulary.json`, `classes.json`, `interest.onnx`, a second version `interest-2.onnx`, and
`expected.json`: what onnxruntime answers to some texts. On one machine the same versions write the same files.
"""

import csv
import json
from collections import Counter
from pathlib import Path

import nltk
import numpy as np
import onnxruntime
from nltk.stem import LancasterStemmer
from onnx import TensorProto, checker, helper, numpy_helper, save
from sklearn.metrics import classification_report, confusion_matrix
from sklearn.neural_network import MLPClassifier

HERE = Path(__file__).parent
# Stems that fewer comments have teach nothing that holds elsewhere.
FEWEST = 3
VERSIONS = {"interest": {"hidden": 16, "seed": 9}, "interest-2": {"hidden": 24, "seed": 10}}


def stems(text):
    return [stemmer.stem(word.lower()) for word in nltk.word_tokenize(text)]


def bags(texts):
    """0 or 1 for each word of the vocabulary."""
    rows = np.zeros((len(texts), len(vocabulary)), np.float32)
    for row, text in zip(rows, texts):
        row[[places[stem] for stem in stems(text) if stem in places]] = 1
    return rows


def write(name, value):
    (HERE / name).write_text(json.dumps(value, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


def train(hidden, seed):
    model = MLPClassifier((hidden,), alpha=0.05, max_iter=400, random_state=seed)
    return model.fit(bags([text for _, text in taught]), [classes.index(name) for name, _ in taught])


def export(model, name):
    """Gemm, Relu, Gemm, Softmax: `bag` [N, words] to `scores` [N, classes], any N."""
    (first, second), (first_bias, second_bias) = model.coefs_, model.intercepts_
    weights = {"w1": first, "b1": first_bias, "w2": second, "b2": second_bias}
    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["bag", "w1", "b1"], ["hidden"]),
            helper.make_node("Relu", ["hidden"], ["positive"]),
            helper.make_node("Gemm", ["positive", "w2", "b2"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["scores"], axis=-1),
        ],
        name,
        [helper.make_tensor_value_info("bag", TensorProto.FLOAT, ["N", len(vocabulary)])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", len(classes)])],
        [numpy_helper.from_array(value.astype(np.float32), key) for key, value in weights.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    checker.check_model(made, full_check=True)
    save(made, HERE / f"{name}.onnx")


def answers(name, texts):
    session = onnxruntime.InferenceSession(HERE / f"{name}.onnx", providers=["CPUExecutionProvider"])
    return session.run(["scores"], {"bag": bags(texts)})[0]


def report(name):
    scores = answers(name, [text for _, text in asked])
    truth, found = np.array([classes.index(label) for label, _ in asked]), scores.argmax(axis=1)
    print(f"{name}: {np.mean(truth == found):.3f} of {len(asked)} comments that it has not seen are classified rightly")
    print(classification_report(truth, found, target_names=classes, digits=3))
    print(confusion_matrix(truth, found))


def write_expected():
    """Of what it has not seen: comments as they are, and several as one text with capitals and marks."""
    drawn = np.random.default_rng(9)
    texts = [asked[place][1] for place in drawn.choice(len(asked), 160, replace=False)]
    for mark in (". ", "! ", "? ", "... ") * 10:
        some = [asked[place][1].capitalize() for place in drawn.choice(len(asked), 2, replace=False)]
        texts.append(mark.join(some) + mark.strip())
    # Texts of which no word is known.
    texts += ["", " \n", "¯\\_(ツ)_/¯"]
    scores = {name: answers(name, texts) for name in VERSIONS}
    rows = []
    for place, (text, bag) in enumerate(zip(texts, bags(texts))):
        row = {"text": text, "bag": [int(word) for word in bag.nonzero()[0]]}
        for name in VERSIONS:
            given = scores[name][place]
            row[name] = {"class": classes[int(given.argmax())], "scores": [round(float(score), 7) for score in given]}
        rows.append(json.dumps(row, ensure_ascii=False))
    (HERE / "expected.json").write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    try:
        nltk.data.find("tokenizers/punkt_tab/english/")
    except LookupError:
        nltk.download("punkt_tab")
    stemmer = LancasterStemmer()
    with open(HERE / "comments.tsv", encoding="utf-8") as file:
        comments = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    taught = [(row["class"], row["text"]) for row in comments if row["split"] != "test"]
    asked = [(row["class"], row["text"]) for row in comments if row["split"] == "test"]
    classes = sorted({row["class"] for row in comments})
    counts = Counter(stem for _, text in taught for stem in set(stems(text)))
    vocabulary = sorted(stem for stem, count in counts.items() if count >= FEWEST)
    places = {stem: place for place, stem in enumerate(vocabulary)}
    print(f"{len(taught)} comments, {len(vocabulary)} stems, {len(classes)} classes")
    write("vocabulary.json", vocabulary)
    write("classes.json", classes)
    for version, how in VERSIONS.items():
        export(train(**how), version)
        report(version)
    write_expected()
