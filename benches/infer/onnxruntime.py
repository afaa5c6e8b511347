"""Rows a second of a model in onnxruntime on one thread, for batches that are there already."""

import sys
import time

import numpy as np
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
for batch in (1, 32, 256):
    rows = (np.random.default_rng(9).random((batch, 44)) < 0.12).astype(np.float32)
    rates = []
    for _ in range(6):
        begun, runs = time.perf_counter(), 0
        while time.perf_counter() - begun < 0.5:
            session.run(["scores"], {"bag": rows})
            runs += 1
        rates.append(batch * runs / (time.perf_counter() - begun))
    # The first one is to get warm.
    print(batch, sorted(rates[1:])[2])
