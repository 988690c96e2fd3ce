"""The microphone, through PortAudio. Capture never waits; a device that comes back records on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Event
from typing import Any

import numpy as np
import numpy.typing as npt

from ..data.sounds import one_channel_flat
from ..errors import RuntimeUnavailableError, SourceError
from .base import AudioSource, Block, Latest

_BLOCK_MS = 50
_STALL_S = 2.0  # a device that says nothing for so long is gone
_BACK_OFF_S = (0.25, 5.0)
_SLACK_MS = 1000.0  # so far a block may be late without samples being lost
_LIST = "`edgeemo listen --list-devices` shows all."


@dataclass(frozen=True)
class Device:
    """A device that records, with its usual rate and its largest number of channels."""

    index: int
    name: str
    channels: int
    rate_hz: int
    is_default: bool


def microphones() -> list[Device]:
    """Return the devices that record.

    Raises:
        RuntimeUnavailableError: sounddevice or PortAudio is not installed.
        SourceError: the sound system does not answer.
    """
    sd = _sounddevice()
    try:
        default = sd.default.device[0]
        if default < 0:  # not chosen by the caller: PortAudio's own
            default = next((api["default_input_device"] for api in sd.query_hostapis()), -1)
        return [
            Device(i, d["name"], d["max_input_channels"], int(d["default_samplerate"]), i == default)
            for i, d in enumerate(sd.query_devices())
            if d["max_input_channels"] > 0
        ]
    except sd.PortAudioError as error:
        raise _failure("The sound system", error) from error


class Microphone(AudioSource):
    """Records from a device, 50 ms at a time, as int16. Recording begins at once.

    The clock is monotonic, begins at 0 and counts samples. After lost samples the clock jumps to the time of
    the next ones. A slow consumer does not stop the recording: the latest ``buffer_s`` seconds wait, and
    `Microphone` drops older blocks and counts them in `drops`. The gap shows in ``t_ms``. If somebody unplugs
    the device, `Microphone` opens the device of the same name again as soon as it is back.

    Args:
        device: part of a name (upper and lower case alike) or an index of `microphones`; by default the
            system's microphone.
        rate_hz: by default the device's usual rate.
        channels: 1 … what the device has.
        buffer_s: how much may wait for the consumer.
        patience_s: how long to wait for a device that went away.

    Raises:
        RuntimeUnavailableError: sounddevice or PortAudio is not installed.
        SourceError: there is no such device, the device is busy, lacks the rate or the channels, or the user
            may not use it. While iterating: the device went away for more than ``patience_s``.

    To open a device again, PortAudio looks for all devices. This ends other streams that the process opened
    through sounddevice.
    """

    def __init__(
        self,
        device: str | int | None = None,
        *,
        rate_hz: int | None = None,
        channels: int = 1,
        buffer_s: float = 10.0,
        patience_s: float = 30.0,
    ) -> None:
        self._sd = _sounddevice()
        self.device = _choose(device)
        self.rate_hz, self.channels = rate_hz or self.device.rate_hz, channels
        self._queue = Latest(max(1, round(buffer_s * 1000 / _BLOCK_MS)))
        self._patience_s = patience_s
        self._closed = Event()
        self._origin_ms: float | None = None
        self._anchor_ms, self._samples, self._lost = 0.0, 0, 0
        self._fresh = True
        self._stream: Any = None
        self._start()

    @property
    def drops(self) -> int:
        """How many blocks were lost: a slow consumer, or a gap in the system's recording (one each)."""
        return self._queue.drops + self._lost

    def __next__(self) -> Block:
        while not self._closed.is_set():
            block = self._queue.get(_STALL_S)
            if block is not None:
                return block
            if not self._closed.is_set():
                self._reopen()
        raise StopIteration

    def close(self) -> None:
        """Stop recording; the iterator then ends. May be called from any thread."""
        self._closed.set()
        self._queue.wake()
        self._stop()

    def _start(self) -> None:
        sd = self._sd
        self._queue.calm()  # the end of the last stream woke the queue
        try:
            self._stream = sd.InputStream(
                samplerate=self.rate_hz,
                blocksize=max(1, self.rate_hz * _BLOCK_MS // 1000),
                device=self.device.index,
                channels=self.channels,
                dtype="int16",
                dither_off=True,
                callback=self._take,
                finished_callback=self._queue.wake,
            )
            self._stream.start()
        except (sd.PortAudioError, ValueError) as error:
            self._stop()
            raise _failure(f"The microphone {self.device.name!r}", error) from error

    def _stop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close(ignore_errors=True)

    def _reopen(self) -> None:
        """Wait until the device is back, with growing pauses."""
        self._stop()
        pause, longest = _BACK_OFF_S
        deadline = time.monotonic() + self._patience_s
        while not self._closed.wait(pause):
            try:
                if self._sd._initialized:  # not where the last try ended between the two
                    self._sd._terminate()  # PortAudio's list of devices is as old as its start
                self._sd._initialize()
                self.device = _choose(self.device.name)
                self._fresh = True
                self._start()
                if self._closed.is_set():  # meanwhile
                    self._stop()
                return
            except (SourceError, self._sd.PortAudioError) as error:
                if time.monotonic() > deadline:
                    raise SourceError(
                        f"The microphone {self.device.name!r} went away and did not come back within "
                        f"{self._patience_s:g} s ({_reason(error)}). Plug it in and start again."
                    ) from error
            pause = min(2 * pause, longest)

    def _take(self, recorded: npt.NDArray[np.int16], frames: int, _: object, status: Any) -> None:
        """Stamp and keep a block. PortAudio's thread calls this method and must not wait."""
        length_ms = 1000 * frames / self.rate_hz
        began_ms = time.monotonic() * 1000 - length_ms
        if self._origin_ms is None:
            self._origin_ms = began_ms
        began_ms -= self._origin_ms
        expected_ms = self._anchor_ms + 1000 * self._samples / self.rate_hz
        if status.input_overflow:
            self._lost += 1
        if self._fresh or status.input_overflow or began_ms > expected_ms + _SLACK_MS:
            self._anchor_ms, self._samples = max(began_ms, expected_ms), 0
            expected_ms, self._fresh = self._anchor_ms, False
        self._samples += frames
        self._queue.put((one_channel_flat(recorded).copy(), int(expected_ms)))


def _choose(device: str | int | None) -> Device:
    """Return the device of this index or name, or the default device."""
    known = microphones()
    if not known:
        raise SourceError(
            "There is no microphone. Plug one in, and check that you may use it (on Linux: group 'audio')."
        )
    if device is None:
        return next((d for d in known if d.is_default), known[0])
    if isinstance(device, int):
        found = [d for d in known if d.index == device]
    else:
        exact = [d for d in known if d.name == device]
        found = exact[:1] or [d for d in known if device.lower() in d.name.lower()]
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"{d.index} {d.name!r}" for d in found or known)
    what = "There is no microphone" if not found else "There are several microphones"
    raise SourceError(f"{what} {device!r}: expected {'one of ' if found else ''}{names}. {_LIST}")


def _sounddevice() -> Any:
    """Import sounddevice, or say how to get it."""
    try:
        import sounddevice
    except ImportError as error:
        raise RuntimeUnavailableError(
            "The microphone needs sounddevice: install it with `pip install 'edgeemo[voice]'`."
        ) from error
    except OSError as error:
        raise RuntimeUnavailableError(
            f"The microphone needs PortAudio ({error}): `apt-get install libportaudio2`."
        ) from error
    return sounddevice


def _failure(what: str, error: Exception) -> SourceError:
    """Return PortAudio's error as an error with a remedy."""
    reason = _reason(error)
    if "ermission" in reason:
        remedy = "Allow it: on Linux add yourself to the group 'audio' and log in again."
    elif "sample rate" in reason:
        remedy = "Ask for the device's own rate."
    elif "number of channels" in reason:
        remedy = "Ask for fewer channels."
    else:
        remedy = "Check that it is plugged in and no other program holds it."
    return SourceError(f"{what} cannot be used: {reason}. {remedy} {_LIST}")


def _reason(error: Exception) -> str:
    return " ".join(str(part) for part in error.args if part).replace("\n", " ").rstrip(".")
