"""Runs a model in tflite-runtime, in its own old Python, for `benchmarks.parts.runtimes`.

    python tflite_worker.py MODEL.tflite INPUTS.npy ANSWERS.npz

Writes the model's answer to each input, by output tensor, and prints the version. Then the program reads
numbers of calls from standard input. For each number the program prints the seconds that the calls took, of
the processor and on the wall. The program imports nothing of edgeemo, only NumPy 1 and tflite-runtime 2.14.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from time import perf_counter_ns, process_time_ns
from typing import Any

import numpy as np


def main(model: str, inputs: str, answers: str) -> None:
    from tflite_runtime.interpreter import Interpreter

    interpreter: Any = Interpreter(model_path=model, num_threads=1)
    interpreter.allocate_tensors()
    (given,), details = interpreter.get_input_details(), interpreter.get_output_details()

    def invoke(value: Any) -> list[Any]:
        interpreter.set_tensor(given["index"], value[np.newaxis])
        interpreter.invoke()
        return [interpreter.get_tensor(each["index"]) for each in details]

    values = np.load(inputs)
    said = [invoke(value) for value in values]
    outputs: Any = {f"output {i}": np.concatenate([row[i] for row in said]) for i in range(len(details))}
    np.savez(answers, **outputs)
    print(version("tflite-runtime"), *(each["name"].replace(" ", "_") for each in details), flush=True)
    for line in sys.stdin:
        wall, processor = perf_counter_ns(), process_time_ns()
        for _ in range(int(line)):
            invoke(values[0])
        processor = process_time_ns() - processor
        print(processor / 1e9, (perf_counter_ns() - wall) / 1e9, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
