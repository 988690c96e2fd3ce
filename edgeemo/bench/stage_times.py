"""Time the stages of a call, in calls apart from those that are timed as a whole.

The engine itself measures the stages, where it runs the model. Python adds only the time between the stages.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

STAGES = ("detect", "frontend", "quantize", "invoke", "dequantize", "post")
"""The stages in their order. ``capture`` comes before the call."""
BETWEEN = "between"
"""The rest of a call: Python's own work, and the way to the engine and back."""


def staged(
    opened: Any, method: str, arguments: tuple[Any, ...], clock: Callable[[], int] = perf_counter_ns
) -> Callable[[], dict[str, int]]:
    """Return a function that makes one call and returns the ns of its stages, `BETWEEN` included.

    Args:
        opened: a `Recognizer` or `FaceDetector`. method: of it. arguments: of the method. clock: in ns.
    """
    call = getattr(opened, method)

    def measured() -> dict[str, int]:
        opened.time_stages(True)  # from zero
        try:
            begin = clock()
            call(*arguments)
            whole = clock() - begin
            times = opened.stage_times()
        finally:
            opened.time_stages(False)
        found = {stage: int(times[stage]) for stage in STAGES if times[stage]}
        return {**found, BETWEEN: max(0, whole - sum(found.values()))}

    return measured
