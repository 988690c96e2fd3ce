"""Where the time of a call goes: a twin of the product with clocks at its seams.

The twin is the recognizer itself with three parts replaced: the frontend, `Runtime.run` and
`Backend.invoke`. It runs the product's own code and shares its engine, so nothing is told twice, and the
recognizer that is timed as a whole has no clock in it.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from time import perf_counter_ns
from typing import Any

from ..backends import Tensor
from ..runtime import Runtime
from ..types import FloatArray

STAGES = ("detect", "frontend", "quantize", "invoke", "dequantize", "post")
"""In the order in which a call goes through them. ``capture`` comes before the call."""
REST = "rest"
_READINGS = 201  # of the clock, to know what one takes


class Laps:
    """One clock and the stage it runs for.

    ``rest`` is what lies between the stages: the Python that hands values on. What a reading of the clock
    itself takes is measured at first, and taken off each stage.
    """

    def __init__(self, clock: Callable[[], int] = perf_counter_ns) -> None:
        self._clock = clock
        self._stages: list[str] = []
        self._times: list[int] = []
        for _ in range(_READINGS):
            self.to(REST)
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

    def lap(self, call: Callable[[], object]) -> dict[str, int]:
        """Call once, and return the ns of each stage that it went through."""
        self._stages, self._times = [], []
        self.to(REST)
        call()
        self.to(REST)
        spent: dict[str, int] = {}
        for stage, (begin, end) in zip(self._stages, pairwise(self._times), strict=False):
            spent[stage] = spent.get(stage, 0) + max(end - begin - self._reading, 0)
        return spent


def twin(opened: Any, laps: Laps) -> Any:
    """Return a `Recognizer` or `FaceDetector` with the same parts and ``laps`` between them.

    It must not be closed: what it was made of is closed instead.
    """
    found = _copy(opened)
    found.runtime = _Runtime(opened.runtime, laps)
    found.frontend = _Frontend(opened.frontend, laps)
    if hasattr(opened, "_reader"):
        found._reader = _copy(opened._reader)
        found._reader._runtime = found.runtime
        if hasattr(opened._reader, "_frontend"):
            found._reader._frontend = found.frontend
    if hasattr(opened, "detector"):
        found._detector = _Detector(opened.detector, laps)
    return found


def _copy(thing: Any) -> Any:
    """Return another with the same parts (`copy.copy` would call ``__new__``, which asks for a bundle)."""
    found = object.__new__(type(thing))
    found.__dict__.update(thing.__dict__)
    return found


class _Runtime(Runtime):
    def __init__(self, runtime: Runtime, laps: Laps) -> None:
        self.__dict__.update(runtime.__dict__)
        self._laps = laps
        self._before = "quantize" if any(i.scale for i in runtime.inputs.values()) else REST
        after = "dequantize" if any(o.scale for o in runtime.outputs.values()) else "post"
        self._backend = _Backend(runtime._backend, laps, after)

    def run(self, *inputs: Tensor) -> dict[str, FloatArray]:
        self._laps.to(self._before)
        found = super().run(*inputs)
        self._laps.to("post")
        return found


class _Backend:
    """The backend, with the clock on ``after`` once it has answered."""

    def __init__(self, backend: Any, laps: Laps, after: str) -> None:
        self._laps, self._after = laps, after
        self._invoke = backend.invoke
        self.name, self.delegate = backend.name, backend.delegate
        self.inputs, self.outputs = backend.inputs, backend.outputs

    def invoke(self, *inputs: Tensor) -> list[Tensor]:
        self._laps.to("invoke")
        found: list[Tensor] = self._invoke(*inputs)
        self._laps.to(self._after)
        return found


class _Frontend:
    """A frontend of any modality; streams of voices that it opens have clocks, too."""

    def __init__(self, frontend: Any, laps: Laps) -> None:
        self.spec = frontend.spec
        for name in ("encode", "compute", "compute_int8", "align", "fitted", "given"):
            if hasattr(frontend, name):
                setattr(self, name, laps.around("frontend", getattr(frontend, name)))
        if hasattr(frontend, "stream"):
            opened = laps.around("frontend", frontend.stream)
            self.stream = lambda *how: _Voice(opened(*how), laps)


class _Voice:
    def __init__(self, voice: Any, laps: Laps) -> None:
        self.push, self.flush, self.reset = (
            laps.around("frontend", method) for method in (voice.push, voice.flush, voice.reset)
        )


class _Detector:
    def __init__(self, detector: Any, laps: Laps) -> None:
        self.detect = laps.around("detect", detector.detect)
