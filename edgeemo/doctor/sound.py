"""Find wrong numbers in a recording, whatever somebody says in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .context import Finding, error, info, warning
from .samples import Samples, as_int16, roughness

MODEL_HZ = 16_000
SHORT_S = 0.5
QUIET_DB = -55.0
"""The loudest tenth of a second, of full scale. Very quiet actors reach −45."""
CLIPPED = 1e-3
"""Share of samples that are at the largest value with their neighbours."""
OFFSET = 0.02
ROUGH, SMOOTH = 0.8, 0.6
"""Bounds of `roughness`. With exchanged bytes 93 % of 1,000 clips of speech pass both, as they are none of
1,232."""
NARROW_HZ, NARROW = 4200, 1e-6
"""The share of energy above a frequency. Telephone lines end at 3.4 kHz."""


def broken(name: str, sound: Samples) -> Iterator[Finding]:
    """Too short, not finite, of the wrong type or byte order, or silent."""
    pcm = sound.pcm
    if sound.seconds < SHORT_S:
        yield (warning if len(pcm) else error)(
            "recording-short",
            f"{name} lasts {sound.seconds:.2f} s, which is too short to hear a feeling.",
            f"{len(pcm)} samples at {sound.rate_hz} Hz",
            "Give at least half a second, better three.",
        )
    if not len(pcm):
        return
    if not np.isfinite(pcm).all():
        yield error(
            "recording-not-finite",
            f"{name} has samples that are not numbers.",
            f"{int((~np.isfinite(pcm)).sum())} samples are NaN or infinite",
            "Look for a division by zero in the program that made it, for instance a normaliser on silence.",
        )
    elif sound.peak > 8:
        yield error(
            "recording-int16-as-float",
            f"{name} has float samples as large as {sound.peak:.0f}: int16 numbers that were not divided by "
            "32768.",
            "full scale of float samples is 1",
            "Divide: `pcm.astype(np.float32) / 32768`; or pass int16 as it is.",
        )
    elif sound.peak <= 2**-90:
        yield error(
            "recording-silent",
            f"{name} is silent.",
            "all samples are 0",
            "Check the device (`edgeemo listen --list-devices`), its mute button (`alsamixer`, F4), and "
            "rights to it.",
        )
    elif sound.peak <= 2 / 32768:
        yield error(
            "recording-float-as-int16",
            f"{name} holds only −1, 0 and 1 in int16: float samples that were not multiplied by 32767.",
            f"the largest sample is {sound.peak * 32768:.0f} of 32768",
            "Scale: `(pcm * 32767).astype(np.int16)`; or pass float32 as it is.",
        )
    else:
        whole = as_int16(pcm[:, 0])
        as_it_is, exchanged = roughness(whole), roughness(whole.byteswap())
        if as_it_is > ROUGH and exchanged < SMOOTH:
            yield error(
                "recording-byte-order",
                f"{name} is noise as it is, and a smooth wave with the bytes of each sample exchanged.",
                f"step from sample to sample over level: {as_it_is:.2f}, exchanged {exchanged:.2f}",
                "Read it in the other byte order: `np.frombuffer(data, '>i2')` for '<i2', `sox -x`, or "
                "`ffmpeg -f s16be`.",
            )


def level(name: str, sound: Samples) -> Iterator[Finding]:
    """Too quiet, clipped, shifted, or without its upper band."""
    if sound.loudest_db < QUIET_DB:
        yield warning(
            "recording-quiet",
            f"{name} is very quiet.",
            f"the loudest tenth of a second has {sound.loudest_db:.0f} dB of full scale",
            "Raise the gain of the microphone (`alsamixer`, F4) or come nearer; a factor afterwards raises "
            "the noise, too.",
        )
    if sound.clipped > CLIPPED:
        yield warning(
            "recording-clipped",
            f"{name} is clipped: its waves are cut off.",
            f"{sound.clipped:.1%} of samples stand in a row at ±{sound.peak:.2f}",
            "Lower the gain of the microphone (`alsamixer`, F4) until peaks stay below 0.7.",
        )
    elif sound.peak > 1.5:
        yield warning(
            "recording-over-full-scale",
            f"{name} has float samples up to {sound.peak:.1f}: more than full scale.",
            "full scale of float samples is 1",
            "Find the program that scales it; a converter to int16 would clip it.",
        )
    if sound.offset > OFFSET:
        yield warning(
            "recording-dc-offset",
            f"The samples of {name} do not lie around 0.",
            f"the mean is {sound.offset:.3f} of full scale",
            "Look for a cheap sound card, or unsigned samples read as signed. edgeemo takes the mean off, "
            "but the offset costs headroom.",
        )
    if sound.rate_hz >= MODEL_HZ and sound.share_above(NARROW_HZ) < NARROW:
        yield warning(
            "recording-narrow-band",
            f"{name} has {sound.rate_hz} Hz and nothing above {NARROW_HZ / 1000:.1f} kHz. A telephone "
            "does so, and a recorder at 8 kHz.",
            f"less than {NARROW:g} of the energy lies there",
            "Ask for the wide band (HD voice, mSBC of a Bluetooth headset). A telephone line costs about 0.1 "
            "of recall.",
        )


def channels(name: str, sound: Samples) -> Iterator[Finding]:
    """Channels that are silent, equal, opposite, or interleaved."""
    if sound.repeats():
        yield warning(
            "recording-interleaved",
            f"The samples of {name} come in pairs: stereo was read as mono, or a rate was doubled by "
            "repeating.",
            "the step within a pair is less than a tenth of the step between pairs",
            "Read it with `channels=2`: `pcm.reshape(-1, 2)`.",
        )
    for i in range(1, sound.channels):
        a, b = sound.pcm[:, 0], sound.pcm[:, i]
        loud, low = max(np.abs(a).max(), np.abs(b).max()), min(np.abs(a).max(), np.abs(b).max())
        alike = sound.correlation(i)
        if low < loud * 1e-3:
            yield warning(
                "recording-one-channel",
                f"One channel of {name} is silent, so the average of both is half as loud.",
                f"largest samples of channel 1 and {i + 1}: {np.abs(a).max():.3g}, {np.abs(b).max():.3g}",
                "Pass the other channel: `pcm[:, 0]`; or check plug and adapter.",
            )
        elif alike < -0.9:
            yield error(
                "recording-opposite-channels",
                f"Channels 1 and {i + 1} of {name} are opposite, so their average is silence.",
                f"correlation {alike:.2f}",
                "Pass one channel: `pcm[:, 0]`. A microphone with a balanced plug was read as stereo.",
            )
        elif alike > 0.99999:
            yield info(
                "recording-duplicated-channel",
                f"Channels 1 and {i + 1} of {name} are the same.",
                f"correlation {alike:.6f}",
                "Record one channel, which costs half: `Microphone(channels=1)`.",
            )
