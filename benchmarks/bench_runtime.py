"""Times the Runtime and a bare interpreter call, both in processor time, in turns in the same run.

Run with ``pytest benchmarks/bench_runtime.py``. The bundle is the shipped ``text`` where it is there, else
the small text bundle of the tests.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.timing import interleaved_ratio
from edgeemo import Bundle, Runtime
from edgeemo.bundle import shipped

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))


def a_bundle() -> Bundle:
    import small_text

    return Bundle.open("text") if "text" in shipped() else Bundle.from_bytes(small_text.bundle().to_bytes())


def a_bare_interpreter(bundle: Bundle) -> tuple[Any, int, dict[str, Any]]:
    """Return what a caller without edgeemo would have: interpreter, input index, outputs by name."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=bundle.flatbuffer, num_threads=1)
    interpreter.allocate_tensors()
    runner = interpreter.get_signature_runner()
    (given,) = (detail["index"] for detail in runner.get_input_details().values())
    return interpreter, given, dict(sorted(runner.get_output_details().items()))


def test_run_beside_the_bare_interpreter(benchmark: Any, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = a_bundle()
    runtime = Runtime(bundle.flatbuffer)
    (info,) = runtime.inputs.values()
    ids = np.zeros(info.shape, info.dtype)
    ids[0, :4] = 2

    interpreter, given, outputs = a_bare_interpreter(bundle)

    def bare() -> list[np.ndarray[Any, np.dtype[Any]]]:
        interpreter.set_tensor(given, ids)
        interpreter.invoke()
        return [interpreter.get_tensor(detail["index"]) for detail in outputs.values()]

    for (name, detail), raw in zip(outputs.items(), bare(), strict=True):
        scale, zero_point = detail["quantization"]
        expected = (raw.astype(np.float32) - zero_point) * np.float32(scale) if scale else raw
        np.testing.assert_array_equal(runtime.run(ids)[name], expected)

    alone, ours, _ = interleaved_ratio(bare, lambda: runtime.run(ids))
    benchmark.extra_info.update(bundle=bundle.card.name, bare_us=alone, run_us=ours, added_us=ours - alone)
    with capsys.disabled():
        print(f"\n{bundle.card.name}: interpreter {alone:.1f} µs, run {ours:.1f} µs: {ours - alone:+.1f} µs")
    benchmark(runtime.run, ids)


@pytest.mark.parametrize("threads", [1, 2])
def test_invoke(benchmark: Any, threads: int) -> None:
    bundle = a_bundle()
    runtime = Runtime(bundle.flatbuffer, threads=threads)
    (info,) = runtime.inputs.values()
    ids = np.zeros(info.shape, info.dtype)
    outputs = benchmark(runtime.run, ids)
    assert set(outputs) == set(bundle.card.outputs.values())
    assert all(np.isfinite(value).all() for value in outputs.values())


def test_open(benchmark: Any) -> None:
    """Reading, checking and loading a bundle."""
    bundle = a_bundle()
    data = bundle.to_bytes()
    opened = benchmark(lambda: Runtime(Bundle.from_bytes(data).flatbuffer))
    assert opened.info.backend == "native"
