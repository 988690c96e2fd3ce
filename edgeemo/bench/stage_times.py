"""Time the stages of a call, in calls apart from those that are timed as a whole.

A copy of the recognizer has clocks around its frontend, `Runtime.run` and `Backend.invoke`. The copy runs the
product's own code on the same engine.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from time import perf_counter_ns
from typing import Any

from ..backends import Tensor
from ..errors import InferenceError
from ..runtime import Runtime
from ..types import FloatArray

STAGES = ("detect", "frontend", "quantize", "invoke", "dequantize", "post")
"""The stages in their order. ``capture`` comes before the call."""
BETWEEN = "between"
"""The Python code between the stages."""
_READINGS = 201  # of the clock, to know what one takes


class StageClock:
    """One clock and the stage it runs for.

    The time of a reading of the clock is measured at first, and taken off each stage.
    """

    def __init__(self, clock: Callable[[], int] = perf_counter_ns) -> None:
        self._clock = clock
        self._stages: list[str] = []
        self._times: list[int] = []
        for _ in range(_READINGS):
            self.to(BETWEEN)
        gaps = [after - before for before, after in pairwise(self._times)]
        self._reading = sorted(gaps)[len(gaps) // 2]

    def to(self, stage: str) -> None:
        """Let the clock run for another stage from now on."""
        self._stages.append(stage)
        self._times.append(self._clock())

    def around(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with the clock running for ``stage`` in it, and afterwards for what it ran."""

        def timed(*arguments: Any, **how: Any) -> Any:
            before = self._stages[-1]
            self.to(stage)
            try:
                return function(*arguments, **how)
            finally:
                self.to(before)

        return timed

    def measure(self, call: Callable[[], object]) -> dict[str, int]:
        """Call once, and return the ns of each stage that it went through."""
        self._stages, self._times = [], []
        self.to(BETWEEN)
        call()
        self.to(BETWEEN)
        spent: dict[str, int] = {}
        for stage, (begin, end) in zip(self._stages, pairwise(self._times), strict=False):
            spent[stage] = spent.get(stage, 0) + max(end - begin - self._reading, 0)
        return spent


def staged(opened: Any, method: str, arguments: tuple[Any, ...]) -> Callable[[], dict[str, int]]:
    """Return a function that makes one call and returns the ns of its stages, `BETWEEN` included.

    Raises:
        InferenceError: the clocks change the answer.
    """
    clock = StageClock()
    call = partial(getattr(with_clock(opened, clock), method), *arguments)
    answers: list[Any] = [getattr(opened, method)(*arguments)]
    clock.measure(lambda: answers.append(call()))
    if answers[0] != answers[1] and opened.runtime.info.delegate == "cpu":
        raise InferenceError(
            f"{opened.card.name} answers differently with clocks between its stages: {answers[1]} "
            f"for {answers[0]}. Please report it."
        )
    return partial(clock.measure, call)


def with_clock(opened: Any, clock: StageClock) -> Any:
    """Return a copy of a `Recognizer` or `FaceDetector` with clocks; close the original instead of it."""
    found = _copy(opened)
    found.runtime = _Runtime(opened.runtime, clock)
    found.frontend = _Frontend(opened.frontend, clock)
    if hasattr(opened, "_reader"):
        found._reader = _copy(opened._reader)
        found._reader._runtime = found.runtime
        if hasattr(opened._reader, "_frontend"):
            found._reader._frontend = found.frontend
    if hasattr(opened, "detector"):
        found._detector = _Detector(opened.detector, clock)
    return found


def _copy(thing: Any) -> Any:
    """Return another with the same parts (`copy.copy` would call ``__new__``, which asks for a bundle)."""
    found = object.__new__(type(thing))
    found.__dict__.update(thing.__dict__)
    return found


class _Runtime(Runtime):
    def __init__(self, runtime: Runtime, clock: StageClock) -> None:
        self.__dict__.update(runtime.__dict__)
        self._clock = clock
        self._before = "quantize" if any(i.scale for i in runtime.inputs.values()) else BETWEEN
        after = "dequantize" if any(o.scale for o in runtime.outputs.values()) else "post"
        self._backend = _Backend(runtime._backend, clock, after)

    def run(self, *inputs: Tensor) -> dict[str, FloatArray]:
        self._clock.to(self._before)
        found = super().run(*inputs)
        self._clock.to("post")
        return found


class _Backend:
    """The backend, with the clock on ``after`` once it has answered."""

    def __init__(self, backend: Any, clock: StageClock, after: str) -> None:
        self._clock, self._after = clock, after
        self._invoke = backend.invoke
        self.name, self.delegate = backend.name, backend.delegate
        self.inputs, self.outputs = backend.inputs, backend.outputs

    def invoke(self, *inputs: Tensor) -> list[Tensor]:
        self._clock.to("invoke")
        found: list[Tensor] = self._invoke(*inputs)
        self._clock.to(self._after)
        return found


class _Frontend:
    """A frontend of any modality; streams of voices that it opens have clocks, too."""

    def __init__(self, frontend: Any, clock: StageClock) -> None:
        self.spec = frontend.spec
        for name in ("encode", "compute", "compute_int8", "align", "fitted", "given"):
            if hasattr(frontend, name):
                setattr(self, name, clock.around("frontend", getattr(frontend, name)))
        if hasattr(frontend, "stream"):
            opened = clock.around("frontend", frontend.stream)
            self.stream = lambda *how: _Voice(opened(*how), clock)


class _Voice:
    def __init__(self, voice: Any, clock: StageClock) -> None:
        self.push, self.flush, self.reset = (
            clock.around("frontend", method) for method in (voice.push, voice.flush, voice.reset)
        )


class _Detector:
    def __init__(self, detector: Any, clock: StageClock) -> None:
        self.detect = clock.around("detect", detector.detect)
