"""A clip as a picture: the waveform, where there is speech, and the curves of emotion and affect."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib.figure
import numpy as np

from ..errors import DataError
from ..files import explained
from ..types import EMOTIONS, EmotionResult
from .voice import Peaks

_INK, _SPEECH = "#22303c", "#f2c14e"
_COLOURS = ("#8a939c", "#e3a008", "#2f6f9f", "#c0392b", "#6c4f9c", "#5b8c3a", "#d9822b", "#8c5a3c")


def draw(path: Path, title: str, peaks: Peaks, timeline: Sequence[EmotionResult], length_s: float) -> None:
    """Write a PNG, or another format by the suffix of ``path``.

    Each result stands at the middle of its span. The more evidence of speech, the darker the shade.

    Raises:
        DataError: matplotlib cannot write the file, or does not know the suffix.
    """
    figure = matplotlib.figure.Figure((10, 6), layout="constrained", facecolor="white")
    wave, emotions, affect = figure.subplots(3, 1, sharex=True, height_ratios=(2, 3, 2))
    middles = np.array([(r.start_ms + r.end_ms) / 2000 for r in timeline])

    heights = peaks.array()
    times = np.arange(len(heights)) * peaks.step_s
    wave.fill_between(times, heights[:, 0], heights[:, 1], color=_INK, linewidth=0.5)
    edges = np.concatenate(([0.0], (middles[1:] + middles[:-1]) / 2, [length_s])) if timeline else middles
    for begin, end, result in zip(edges, edges[1:], timeline, strict=False):
        wave.axvspan(begin, end, color=_SPEECH, alpha=0.6 * result.evidence, linewidth=0, zorder=0)
    wave.set(title=title, ylabel="waveform,\nspeech", xlim=(0, max(length_s, 1e-3)))

    for i, emotion in enumerate(EMOTIONS):
        scores = [float(r.scores[i]) for r in timeline]
        if max(scores, default=0) > 0:
            emotions.plot(middles, scores, marker=".", color=_COLOURS[i], label=emotion)
    emotions.set(ylabel="expressed emotion", ylim=(-0.02, 1.02))
    for name, style in (("valence", "-"), ("arousal", "--")):
        affect.plot(middles, [getattr(r, name) for r in timeline], style, color=_INK, marker=".", label=name)
    affect.set(ylabel="affect", ylim=(-1.05, 1.05), xlabel="seconds")
    for axes in (emotions, affect):
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    remedy = "Give the name of a .png in a folder you may write to."
    with explained(f"{path} cannot be written", DataError, remedy):
        figure.savefig(path, dpi=120)
