"""Runtime: arrays by name, one caller at a time, and honest about what runs."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import numpy as np
import pytest
import small_text

from edgeemo import Runtime
from edgeemo.backends import FakeBackend, TensorInfo
from edgeemo.errors import DelegateError, InferenceError, InputError

IDS = np.array([[2, 0, 0, 0, 0, 0, 0, 0]], np.int32)


@pytest.fixture
def runtime() -> Runtime:
    return Runtime(small_text.FLATBUFFER.read_bytes())


def quantized(scale: float, zero_point: int) -> TensorInfo:
    return TensorInfo("y", (3,), np.dtype(np.int8), scale, zero_point)


def test_info_says_what_was_asked_for_and_what_runs(runtime: Runtime) -> None:
    info = runtime.info
    assert (info.backend, info.delegate, info.threads) == ("native", "cpu", 1)
    assert "XNNPACK on the CPU" in info.reason
    assert info.asked == "auto"
    asked = Runtime(small_text.FLATBUFFER.read_bytes(), delegate="cpu", threads=2).info
    assert (asked.delegate, asked.threads, asked.reason) == ("cpu", 2, "asked for")


def test_inputs_and_outputs_have_the_names_of_the_signature(runtime: Runtime) -> None:
    assert list(runtime.inputs) == ["ids"]
    assert set(runtime.outputs) == {"labels", "affect"}


def test_int8_outputs_come_back_as_float32(runtime: Runtime) -> None:
    outputs = runtime.run(IDS)
    assert {value.dtype for value in outputs.values()} == {np.dtype(np.float32)}
    assert outputs["labels"].argmax() == small_text.LABELS.index("joy")
    assert outputs["affect"][0, 0] > 0.5


@pytest.mark.parametrize(("scale", "zero_point"), [(0.5, 0), (0.25, -128), (2.0, 127)])
def test_dequantization_is_scale_times_difference(scale: float, zero_point: int) -> None:
    raw = np.array([-128, 0, 127], np.int8)
    runtime = Runtime(b"", backend=FakeBackend(lambda: [raw], [], [quantized(scale, zero_point)]))
    np.testing.assert_array_equal(runtime.run()["y"], (raw.astype(np.float32) - zero_point) * scale)


def test_float_outputs_pass_through() -> None:
    info = TensorInfo("y", (2,), np.dtype(np.float32), 0.0, 0)
    runtime = Runtime(b"", backend=FakeBackend(lambda: [np.array([0.5, np.inf], np.float32)], [], [info]))
    assert runtime.run()["y"].tolist() == [0.5, np.inf]


def test_the_same_input_gives_the_same_output(runtime: Runtime) -> None:
    first = runtime.run(IDS)
    runtime.run(np.zeros_like(IDS))
    for name, value in runtime.run(IDS).items():
        np.testing.assert_array_equal(value, first[name])


def test_more_threads_give_the_same_output(runtime: Runtime) -> None:
    many = Runtime(small_text.FLATBUFFER.read_bytes(), threads=4)
    for name, value in many.run(IDS).items():
        np.testing.assert_array_equal(value, runtime.run(IDS)[name])


@pytest.mark.parametrize("threads", [0, -1, 65, 1.5, "2", None])
def test_a_thread_number_out_of_range_is_refused(threads: Any) -> None:
    with pytest.raises(InputError, match="whole number from 1 to 64"):
        Runtime(small_text.FLATBUFFER.read_bytes(), threads=threads)


def test_a_delegate_we_do_not_have_is_refused() -> None:
    with pytest.raises(DelegateError):
        Runtime(small_text.FLATBUFFER.read_bytes(), delegate="npu")


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ((), "expected 1 arrays, got 0"),
        ((IDS, IDS), "expected 1 arrays, got 2"),
        ((IDS.tolist(),), "ids: expected a contiguous array of the model's shape and dtype"),
        ((IDS.astype(np.int64),), "ids: expected"),
        ((IDS.astype(np.float32),), "ids: expected"),
        ((IDS[0],), "ids: expected"),
        ((IDS[:, :4],), "ids: expected"),
    ],
)
def test_inputs_are_checked(runtime: Runtime, inputs: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InferenceError, match=message):
        runtime.run(*inputs)


def test_a_closed_runtime_says_so(runtime: Runtime) -> None:
    assert not runtime.closed
    runtime.close()
    runtime.close()
    assert runtime.closed
    with pytest.raises(InferenceError, match="was closed; open it again"):
        runtime.run(IDS)


def test_calls_are_served_one_after_the_other() -> None:
    inside, most = [0], [0]

    def model() -> list[np.ndarray]:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.001)
        inside[0] -= 1
        return [np.zeros(3, np.int8)]

    runtime = Runtime(b"", backend=FakeBackend(model, [], [quantized(1.0, 0)]))
    threads = [threading.Thread(target=runtime.run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


def test_a_failing_model_does_not_block_the_next_call() -> None:
    calls = iter([ValueError("once"), None])

    def model() -> list[np.ndarray]:
        error = next(calls)
        if error:
            raise InferenceError(str(error))
        return [np.zeros(3, np.int8)]

    runtime = Runtime(b"", backend=FakeBackend(model, [], [quantized(1.0, 0)]))
    with pytest.raises(InferenceError, match="once"):
        runtime.run()
    assert runtime.run()["y"].shape == (3,)


def test_in_a_forked_child_the_model_is_refused_not_waited_for() -> None:
    """While another thread of the parent is in the model, with a lock that nobody opens in the child."""
    inside, enough = threading.Event(), threading.Event()

    def slow() -> list[Any]:
        inside.set()
        enough.wait(20)
        return [np.zeros(3, np.int8)]

    runtime = Runtime(b"", backend=FakeBackend(slow, [], [quantized(1.0, 0)]))
    thread = threading.Thread(target=runtime.run)
    thread.start()
    assert inside.wait(10)
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        code = 1
        try:
            runtime.run()
        except InferenceError as error:
            code = 0 if "spawn" in str(error) else 2
        runtime.close()
        os._exit(code)
    status = os.waitpid(child, 0)[1]
    enough.set()
    thread.join()
    assert os.waitstatus_to_exitcode(status) == 0


def test_in_a_forked_child_the_native_engine_is_refused(runtime: Runtime) -> None:
    child = os.fork()
    if child == 0:
        try:
            runtime.model.invoke(IDS)
        except InferenceError as error:
            os._exit(0 if "spawn" in str(error) else 2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
