"""Measure the cost of a stream against the time of a hop of audio, or of a frame of a camera."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from ..recognizer import FaceRecognizer, VoiceRecognizer
from .block_statistics import quantiles
from .timing import Effort, timed

FRAMES_PER_S = 30
_WARM = 12  # pushes: more than the hops in a span of any known bundle
_LEAST, _MOST = 20, 1000  # pushes
_SHARE = 0.2  # of the effort
Push = Callable[[], object]


def stream_cost(
    opened: Any, arguments: tuple[Any, ...], effort: Effort, tick: Callable[[], None] = lambda: None
) -> dict[str, Any] | None:
    """Time the pushes of a stream, and call ``tick`` between them.

    Returns:
        ``what`` was pushed, the time available for a push (``budget_us``), and quantiles of the time that a
        push took (``cost_us``). ``share`` is the median's share of the budget. None without a stream.
    """
    if isinstance(opened, VoiceRecognizer):
        what, budget_ms, push = _voice(opened, *arguments)
    elif isinstance(opened, FaceRecognizer):
        what, budget_ms, push = _face(opened, *arguments)
    else:
        return None

    def pushed(times: int) -> list[int]:
        ns = []
        for _ in range(times):
            ns += timed(push, 1)
            tick()
        return ns

    warm_ns = sorted(pushed(_WARM))[_WARM // 2]
    many = int(_SHARE * effort.seconds * 1e9 / max(warm_ns, 1)) if effort.rounds is None else effort.rounds
    cost = quantiles(pushed(min(max(many, _LEAST), _MOST)))
    share = round(cost["p50"] / 1e3 / budget_ms, 6)
    return {"what": what, "budget_us": round(1e3 * budget_ms, 1), "cost_us": cost, "share": share}


def _voice(opened: VoiceRecognizer, pcm: npt.NDArray[Any], rate_hz: int) -> tuple[str, float, Push]:
    stream = opened.stream(rate_hz, 1 if pcm.ndim == 1 else pcm.shape[1])
    size = max(1, round(stream.hop_ms * rate_hz / 1000))
    if len(pcm) < size:
        pcm = np.resize(pcm, (size, *pcm.shape[1:]))
    chunks = [pcm[i : i + size] for i in range(0, len(pcm) - size + 1, size)]
    clock = count()

    def push() -> object:
        i = next(clock)
        return stream.push(chunks[i % len(chunks)], round(1000 * i * size / rate_hz))

    return f"a hop of {stream.hop_ms:g} ms pushed into a stream", stream.hop_ms, push


def _face(opened: FaceRecognizer, frame: npt.NDArray[Any], color: str) -> tuple[str, float, Push]:
    stream, clock = opened.stream(), count()

    def push() -> object:
        return stream.push(frame, round(1000 * next(clock) / FRAMES_PER_S), color)

    return f"a frame at {FRAMES_PER_S} a second pushed into a stream", 1000 / FRAMES_PER_S, push
