"""What a stream costs of the time it hears or sees: a hop of audio, a frame of a camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from ..recognizer import FaceRecognizer, VoiceRecognizer
from .robust import quantiles
from .timing import Effort, timed

FRAMES_PER_S = 30
_WARM = 12  # pushes: more than hops in a span of any bundle that is known
_LEAST, _MOST = 20, 1000
_SHARE = 0.2  # of the effort


@dataclass(frozen=True)
class Hop:
    """What was pushed, the time there is for it, and the ns that each push took."""

    what: str
    budget_ms: float
    times: list[int]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; ``share`` is that of the budget, by the median."""
        cost = quantiles(self.times)
        share = round(cost["p50"] / 1e3 / self.budget_ms, 6)
        budget_us = round(1e3 * self.budget_ms, 1)
        return {"what": self.what, "budget_us": budget_us, "cost_us": cost, "share": share}


def hop(
    opened: Any, arguments: tuple[Any, ...], effort: Effort, tick: Callable[[], None] = lambda: None
) -> Hop | None:
    """Time the pushes of a stream, with ``tick`` between them; None of what reads no stream."""
    if isinstance(opened, VoiceRecognizer):
        what, budget_ms, push = _voice(opened, *arguments)
    elif isinstance(opened, FaceRecognizer):
        what, budget_ms, push = _face(opened, *arguments)
    else:
        return None
    warm = sorted(_pushed(push, _WARM, tick))
    many = effort.rounds
    if many is None:
        many = int(_SHARE * effort.seconds * 1e9 / max(warm[_WARM // 2], 1))
    return Hop(what, budget_ms, _pushed(push, min(max(many, _LEAST), _MOST), tick))


def _pushed(push: Callable[[], object], count: int, tick: Callable[[], None]) -> list[int]:
    times = []
    for _ in range(count):
        times += timed(push, 1)
        tick()
    return times


def _voice(
    opened: VoiceRecognizer, pcm: npt.NDArray[Any], rate_hz: int
) -> tuple[str, float, Callable[[], object]]:
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


def _face(
    opened: FaceRecognizer, frame: npt.NDArray[Any], color: str
) -> tuple[str, float, Callable[[], object]]:
    stream, clock = opened.stream(), count()

    def push() -> object:
        return stream.push(frame, round(1000 * next(clock) / FRAMES_PER_S), color)

    return f"a frame at {FRAMES_PER_S} a second pushed into a stream", 1000 / FRAMES_PER_S, push
