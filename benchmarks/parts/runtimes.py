"""One model, several runtimes: the time of the bare model and whether the answers are the same.

The runtimes are LiteRT in our engine, LiteRT's own Interpreter, and tflite-runtime 2.14 in a process of its
own. ONNX Runtime runs models that tf2onnx converted, in int8 and in float. Each runtime has one thread; they
take turns. A hundred inputs from the data go through our frontend. An answer is the most probable label, or
the detector's most probable cell. The reference is LiteRT's Interpreter.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeemo import Bundle
from edgeemo.backends import NativeBackend
from edgeemo.evaluation.bootstrap import Interval

from ..peers.onnx_models import BUNDLES, path_of
from ..timing import Batch, Spent, batches_of, race
from .inputs import inputs_of
from .row import ROOT, Context, Row, Score, Skip, digest, needs, ours, quiet, versions

WORKER = ROOT / "benchmarks" / "peers" / "tflite_worker.py"
Tensor = npt.NDArray[Any]


@dataclass
class Candidate:
    """A runtime with the model in it: batches on the first input, and its answer to every input."""

    name: str
    packages: tuple[str, ...]
    batch: Batch | None = None
    winners: Tensor = field(default_factory=lambda: np.zeros(0, np.intp))
    path: Path | None = None
    version: dict[str, str] = field(default_factory=dict)
    missing: str = ""


def measure(context: Context) -> Iterator[Row]:
    """Yield all runtimes of each bundle."""
    with quiet():
        for name in BUNDLES:
            task = f"runtime: the bare model of {name}"
            try:
                yield from _bundle(context, name, task)
            except Skip as reason:
                yield Row(task, "all runtimes", skipped=str(reason))


def _bundle(context: Context, name: str, task: str) -> Iterator[Row]:
    bundle = Bundle.open(name)
    inputs = inputs_of(context, bundle)
    with ExitStack() as stack:
        makers: list[Callable[[], Candidate]] = [
            lambda: _native(bundle, inputs),
            lambda: _interpreter(bundle, inputs),
            lambda: _tflite_runtime(context, bundle, inputs, stack),
            lambda: _onnx(bundle, inputs, "int8"),
            lambda: _onnx(bundle, inputs, "float"),
        ]
        candidates = [make() for make in makers]
        contest = race({one.name: one.batch for one in candidates if one.batch}, seconds=4.0)
    reference = candidates[1].winners
    for one in candidates:
        row = Row(task, one.name, versions=one.version or versions(*one.packages), skipped=one.missing)
        if one is candidates[0]:
            row = ours(task, name)
            row.system, row.sha256 = one.name, bundle.card.flatbuffer_sha256  # of the bundle only this runs
        if one.batch:
            same = one.winners == reference
            row.score = Score("same answer as LiteRT's Interpreter", wilson(same), len(same), "inputs")
            row.timed(contest, one.name)
        if one.path:
            row.cache, row.sha256 = str(one.path.relative_to(ROOT)), digest(one.path)
        yield row


def wilson(right: Sequence[bool] | npt.NDArray[np.bool_]) -> Interval:
    """Return a share with Wilson's 95 % interval (1927), which also says something of 100 %."""
    n, share, z = len(right), float(np.mean(right)), 1.96
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    return Interval(share, min(middle - half, share), max(middle + half, share))


def _answer(bundle: Bundle) -> str:
    """Return the name of the output whose largest number is the answer."""
    outputs: dict[str, str] = dict(bundle.card.outputs)
    return outputs.get("labels") or outputs["logits"]


def _native(bundle: Bundle, inputs: Tensor) -> Candidate:
    backend = NativeBackend(bundle.flatbuffer)
    place = [info.name for info in backend.outputs].index(_answer(bundle))
    winners = np.array([backend.invoke(x[np.newaxis])[place].argmax() for x in inputs])
    first = inputs[:1].copy()
    return Candidate("LiteRT, edgeemo's engine", (), batches_of(lambda: backend.invoke(first)), winners)


def _interpreter(bundle: Bundle, inputs: Tensor) -> Candidate:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=bundle.flatbuffer, num_threads=1)
    interpreter.allocate_tensors()
    (given,) = (each["index"] for each in interpreter.get_input_details())
    details = interpreter.get_signature_runner().get_output_details()
    places = [each["index"] for each in details.values()]
    answer = details[_answer(bundle)]["index"]

    def invoke(value: Tensor) -> dict[int, Tensor]:
        interpreter.set_tensor(given, value)
        interpreter.invoke()
        return {place: interpreter.get_tensor(place) for place in places}

    winners = np.array([invoke(x[np.newaxis])[answer].argmax() for x in inputs])
    first = inputs[:1].copy()
    return Candidate("LiteRT, Interpreter", ("ai-edge-litert",), batches_of(lambda: invoke(first)), winners)


def _tensor_of_answer(bundle: Bundle) -> str:
    """Return what the answer's tensor is called in the flatbuffer."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=bundle.flatbuffer, num_threads=1)
    interpreter.allocate_tensors()
    return str(interpreter.get_signature_runner().get_output_details()[_answer(bundle)]["name"])


def _tflite_runtime(context: Context, bundle: Bundle, inputs: Tensor, stack: ExitStack) -> Candidate:
    candidate = Candidate("tflite-runtime 2.14", ("tflite-runtime",))
    if context.legacy is None or not context.legacy.is_file():
        candidate.missing = "no --legacy Python with tflite-runtime: `make legacy` needs a Python before 3.12"
        return candidate
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    model, given, said = folder / "model.tflite", folder / "inputs.npy", folder / "answers.npz"
    model.write_bytes(bundle.flatbuffer)
    np.save(given, inputs)
    process = subprocess.Popen(
        [str(part) for part in (context.legacy, WORKER, model, given, said)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    stack.callback(_end, process)
    assert process.stdin is not None
    assert process.stdout is not None
    asked, answered = process.stdin, process.stdout
    number, *names = answered.readline().split() or [""]
    if not names:
        candidate.missing = f"{context.legacy} cannot run tflite-runtime 2.14: make legacy"
        return candidate
    place = names.index(_tensor_of_answer(bundle).replace(" ", "_"))
    with np.load(said) as answers:
        candidate.winners = answers[f"output {place}"].reshape(len(inputs), -1).argmax(1)
    candidate.version = {"tflite-runtime": number}

    def batch(calls: int) -> Spent:
        print(calls, file=asked, flush=True)
        processor, wall = map(float, answered.readline().split())
        return Spent(processor, wall)

    candidate.batch = batch
    return candidate


def _end(process: subprocess.Popen[str]) -> None:
    with suppress(OSError):
        if process.stdin is not None:
            process.stdin.close()
    process.wait(timeout=10)
    if process.stdout is not None:
        process.stdout.close()


def _onnx(bundle: Bundle, inputs: Tensor, kind: str) -> Candidate:
    candidate = Candidate(f"ONNX Runtime, {kind}", ("onnxruntime", "tf2onnx"))
    try:
        needs("onnxruntime")
        path = path_of(bundle, kind)
        if not path.is_file():
            raise Skip(f"{path.name} is not made: make peers-train DATA=… (it needs TensorFlow)")
    except Skip as reason:
        candidate.missing = str(reason)
        return candidate
    import onnxruntime  # type: ignore[import-not-found,import-untyped,unused-ignore]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    place = [output.name for output in session.get_outputs()].index(_tensor_of_answer(bundle))

    def invoke(value: Tensor) -> list[Tensor]:
        return list(session.run(None, {given.name: value}))

    candidate.winners = np.array([invoke(x[np.newaxis])[place].argmax() for x in inputs])
    first = inputs[:1].copy()
    candidate.batch, candidate.path = batches_of(lambda: invoke(first)), path
    return candidate
