"""Measure the samples of a recording."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

Pcm = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Samples:
    """The beginning of a recording: ``pcm`` float32 ``(samples, channels)``, full scale ±1."""

    pcm: Pcm
    rate_hz: int

    @classmethod
    def read(cls, path: Path, at_most_s: float) -> Samples:
        """Read the beginning of a file; raises the errors of `edgeemo.sources.AudioFile`."""
        from ..sources import AudioFile

        blocks: list[Pcm] = []
        with AudioFile(path) as source:
            for block, t_ms in source:
                blocks.append(block.reshape(len(block), -1))
                if t_ms >= 1000 * at_most_s:
                    break
            empty = np.zeros((0, source.channels), np.float32)
            return cls(np.concatenate([empty, *blocks]), source.rate_hz)

    @property
    def channels(self) -> int:
        """The number of channels."""
        return int(self.pcm.shape[1])

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return len(self.pcm) / self.rate_hz

    @cached_property
    def peak(self) -> float:
        """The largest magnitude of a sample; 0 without samples."""
        return float(np.abs(self.pcm).max(initial=0))

    @cached_property
    def loudest_db(self) -> float:
        """The level of the loudest tenth of a second, in dB of full scale."""
        step = max(1, self.rate_hz // 10)
        whole = self.pcm[: len(self.pcm) // step * step] if len(self.pcm) >= step else self.pcm
        power = (whole.astype(np.float64) ** 2).mean(1).reshape(-1, min(step, len(whole))).mean(1)
        return float(10 * np.log10(power.max() + 1e-20))

    @cached_property
    def clipped(self) -> float:
        """The share of samples in runs of three or more within a thousandth of the peak."""
        share = 0.0
        for channel in self.pcm.T:
            if np.abs(channel).max(initial=0) < 0.05:
                continue
            for side in (channel, -channel):
                top = side >= side.max() * 0.999
                share += float((top[:-2] & top[1:-1] & top[2:]).sum()) / max(1, len(channel))
        return share / self.channels

    @cached_property
    def offset(self) -> float:
        """The largest distance of a channel's mean from 0."""
        return float(np.abs(self.pcm.mean(0, dtype=np.float64)).max())

    def share_above(self, hz: float) -> float:
        """Return the share of energy above a frequency; 1 if there is less than one window."""
        size = 1024
        if len(self.pcm) < size:
            return 1.0
        whole = self.pcm[: len(self.pcm) // size * size].astype(np.float64)
        power = (np.abs(np.fft.rfft(whole.T.reshape(-1, size) * np.hanning(size))) ** 2).sum(0)
        return float(power[np.fft.rfftfreq(size, 1 / self.rate_hz) > hz].sum() / (power.sum() + 1e-30))

    def repeats(self) -> bool:
        """Return whether samples come in pairs: much nearer to one neighbour than to the other."""
        if self.channels != 1 or len(self.pcm) < 1000:
            return False
        steps = np.abs(np.diff(self.pcm[: len(self.pcm) // 2 * 2, 0].astype(np.float64)))
        low, high = sorted((steps[::2].mean(), steps[1::2].mean()))
        return bool(high > 0 and low < 0.1 * high)

    def correlation(self, channel: int) -> float:
        """Return the correlation of a channel with the first, from −1 to 1; 0 if one is constant."""
        a, b = (self.pcm[:, i].astype(np.float64) for i in (0, channel))
        a, b = a - a.mean(), b - b.mean()
        size = float(np.sqrt((a**2).sum() * (b**2).sum()))
        return float((a * b).sum() / size) if size > 0 else 0.0


def as_int16(samples: Pcm) -> npt.NDArray[np.int16]:
    """Return float samples as int16."""
    return np.asarray(np.clip(np.rint(samples * np.float32(32768)), -32768, 32767), np.int16)


def roughness(samples: npt.NDArray[np.int16]) -> float:
    """Return the mean step between samples over the mean level: about √2 for noise, less for waves."""
    whole = samples.astype(np.float64) - samples.mean()
    level = np.abs(whole).mean()
    return float(np.abs(np.diff(whole)).mean() / level) if level > 0 and len(whole) > 1 else 0.0
