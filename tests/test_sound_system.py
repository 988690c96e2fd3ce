"""Sound from a simulated sound system that mostly fails (test_microphone.py has the real one)."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import small_voice

from edgeemo import VoiceRecognizer
from edgeemo.errors import RuntimeUnavailableError, SourceError
from edgeemo.sources import AudioFile, Microphone, microphones

RATE = small_voice.RATE
CLIP = np.concatenate([small_voice.voice("anger", 1.1), small_voice.noise(0.2)])


class PortAudioError(Exception):
    pass


class Sound:
    """Stands in for the module sounddevice."""

    PortAudioError = PortAudioError

    def __init__(self) -> None:
        self.devices: list[dict[str, Any]] = [
            self.device("Built-in Speaker", 0),
            self.device("Built-in Mic", 2, 48_000),
            self.device("USB Headset: Mono", 1, 16_000),
            self.device("USB Webcam", 2, 44_100),
        ]
        self.default = SimpleNamespace(device=[-1, -1])
        self.refuses: list[Exception] = []
        self.opened: list[Any] = []
        self.started = 0
        self.dead: list[str] = []  # what PortAudio says at its next starts
        self._initialized = 1

    @staticmethod
    def device(name: str, channels: int, rate: float = 44_100.0) -> dict[str, Any]:
        return {"name": name, "max_input_channels": channels, "default_samplerate": float(rate)}

    def query_devices(self) -> list[dict[str, Any]]:
        if not self._initialized:
            raise PortAudioError("Error querying device", "PortAudio not initialized", -10_000)
        return self.devices

    def query_hostapis(self) -> list[dict[str, Any]]:
        return [{"default_input_device": 1 if len(self.devices) > 1 else -1}]

    def _terminate(self) -> None:
        if not self._initialized:
            raise PortAudioError("Error terminating PortAudio", "PortAudio not initialized", -10_000)
        self._initialized -= 1

    def _initialize(self) -> None:
        if self.dead:
            raise PortAudioError("Error initializing PortAudio", self.dead.pop(0), -9_999)
        self.started += 1
        self._initialized += 1

    def InputStream(self, **how: Any) -> Any:  # noqa: N802
        if self.refuses:
            raise self.refuses.pop(0)
        stream: Any = SimpleNamespace(
            how=how, start=lambda: None, close=lambda ignore_errors: self.unplug(stream)
        )
        self.opened.append(stream)
        return stream

    def record(self, value: int, n: int = 1, overflow: bool = False) -> None:
        """Let the open stream record blocks of one value."""
        how = self.opened[-1].how
        for _ in range(n):
            block = np.full((how["blocksize"], how["channels"]), value, np.int16)
            how["callback"](block, len(block), None, SimpleNamespace(input_overflow=overflow))

    def unplug(self, stream: Any = None) -> None:
        """A stream ends, once; so it does when it is closed."""
        (stream or self.opened[-1]).how.pop("finished_callback", lambda: None)()


@pytest.fixture
def sound(monkeypatch: pytest.MonkeyPatch) -> Sound:
    sound = Sound()
    monkeypatch.setitem(sys.modules, "sounddevice", sound)
    monkeypatch.setattr("edgeemo.sources.microphone._BACK_OFF_S", (0.01, 0.02))
    return sound


def test_devices_that_record_are_listed(sound: Sound) -> None:
    assert [(d.index, d.name, d.is_default) for d in microphones()] == [
        (1, "Built-in Mic", True),
        (2, "USB Headset: Mono", False),
        (3, "USB Webcam", False),
    ]
    sound.default.device[0] = 3
    assert [d.is_default for d in microphones()] == [False, False, True]


@pytest.mark.parametrize(
    ("device", "index"), [(None, 1), (3, 3), ("headset", 2), ("USB Webcam", 3), ("built-in", 1)]
)
def test_a_microphone_is_chosen_by_name_or_index(sound: Sound, device: Any, index: int) -> None:
    with Microphone(device) as microphone:
        assert microphone.device.index == sound.opened[0].how["device"] == index
        assert microphone.rate_hz == microphone.device.rate_hz
        assert sound.opened[0].how["blocksize"] == microphone.rate_hz // 20


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("usb", "several microphones 'usb': expected one of 2 'USB Headset: Mono', 3 'USB Webcam'"),
        ("laser", "no microphone 'laser': expected 1 'Built-in Mic', .*--list-devices"),
        (0, "no microphone 0"),
        (99, "no microphone 99"),
    ],
)
def test_a_microphone_that_is_not_there_is_a_named_error(sound: Sound, device: Any, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        Microphone(device)


def test_no_microphone_at_all_is_a_named_error(sound: Sound) -> None:
    del sound.devices[1:]
    with pytest.raises(SourceError, match=r"There is no microphone\. Plug one in"):
        Microphone()


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("Unanticipated host error [PaErrorCode -9999]: 'Permission denied'", "group 'audio'"),
        ("Device unavailable [PaErrorCode -9985]", "plugged in and no other program holds it"),
        ("Invalid sample rate [PaErrorCode -9997]", "device's own rate"),
        ("Invalid number of channels [PaErrorCode -9998]", "fewer channels"),
    ],
)
def test_a_microphone_that_cannot_be_used_says_why_and_what_to_do(
    sound: Sound, reason: str, remedy: str
) -> None:
    sound.refuses = [PortAudioError(reason)]
    with pytest.raises(SourceError, match=remedy) as caught:
        Microphone("headset")
    assert reason in str(caught.value)
    assert "'USB Headset: Mono' cannot be used" in str(caught.value)


def test_a_sound_system_that_does_not_answer_is_a_named_error(
    sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise PortAudioError("Host error")

    monkeypatch.setattr(sound, "query_devices", fail)
    with pytest.raises(SourceError, match="The sound system cannot be used: Host error"):
        microphones()


@pytest.mark.parametrize(
    ("module", "open_it"),
    [("sounddevice", microphones), ("sounddevice", Microphone), ("soundfile", lambda: AudioFile("a.wav"))],
)
def test_a_missing_package_says_how_to_get_it(
    module: str, open_it: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(RuntimeUnavailableError, match=rf"{module}.*pip install 'edgeemo\[voice\]'"):
        open_it()


@pytest.mark.parametrize(
    ("module", "open_it", "remedy"),
    [
        ("sounddevice", Microphone, "apt-get install libportaudio2"),
        ("soundfile", lambda: AudioFile("a.wav"), "apt-get install libsndfile1"),
    ],
)
def test_a_missing_library_says_how_to_get_it(
    module: str, open_it: Any, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"{module}.py").write_text("raise OSError('library not found')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(RuntimeUnavailableError, match=remedy):
        open_it()


def test_a_microphone_counts_its_samples_from_zero(sound: Sound) -> None:
    with Microphone(rate_hz=16_000, channels=2) as microphone:
        sound.record(7, 3)
        blocks = [next(microphone) for _ in range(3)]
    assert [t_ms for _, t_ms in blocks] == [0, 50, 100]
    assert {chunk.shape for chunk, _ in blocks} == {(800, 2)}
    assert blocks[0][0].dtype == np.int16
    assert list(microphone) == []


def test_a_slow_consumer_does_not_hold_recording_up(sound: Sound) -> None:
    with Microphone(rate_hz=16_000, buffer_s=0.25) as microphone:
        sound.record(1, 12)
        assert microphone.drops == 7
        assert [next(microphone)[1] for _ in range(5)] == [350, 400, 450, 500, 550]


def test_dropped_blocks_are_a_gap_to_the_stream(sound: Sound, voice: VoiceRecognizer) -> None:
    stream = voice.stream(16_000)
    with Microphone(rate_hz=16_000, buffer_s=0.5) as microphone:
        sound.record(1, 1)
        stream.push(*next(microphone))
        sound.record(2, 30)
        first = stream.push(*next(microphone))
    assert [(r.start_ms, r.end_ms) for r in first] == [(0, 45)]
    assert stream.flush()[0].start_ms == 1050


def test_samples_the_system_lost_are_counted(sound: Sound) -> None:
    with Microphone(rate_hz=16_000) as microphone:
        sound.record(1, 2)
        sound.record(1, 1, overflow=True)
        assert microphone.drops == 1
        assert [next(microphone)[1] for _ in range(3)] == [0, 50, 100]


def test_a_device_that_says_nothing_for_long_jumps_in_time(
    sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000.0
    monkeypatch.setattr("edgeemo.sources.microphone.time.monotonic", lambda: now)
    with Microphone(rate_hz=16_000) as microphone:
        sound.record(1)
        now += 0.9  # late, but no sample need be lost
        sound.record(1)
        now += 60.0  # the laptop slept
        sound.record(1, 2)
        assert [next(microphone)[1] for _ in range(4)] == [0, 50, 60_900, 60_950]


def test_an_unplugged_microphone_is_used_again_when_it_is_back(sound: Sound) -> None:
    with Microphone("headset", rate_hz=16_000) as microphone:
        sound.record(1, 2)
        assert [next(microphone)[1] for _ in range(2)] == [0, 50]
        sound.unplug()
        sound.refuses = [PortAudioError("Device unavailable")] * 3
        sound.devices.insert(1, sound.device("A new one", 1))  # its index moves, its name does not

        def come_back() -> None:
            while len(sound.opened) < 2:
                time.sleep(0.01)
            sound.record(2)

        thread = threading.Thread(target=come_back)
        thread.start()
        chunk, t_ms = next(microphone)
        thread.join()
    assert chunk[0] == 2
    assert t_ms >= 100
    assert sound.refuses == []
    assert sound.opened[1].how["device"] == 3
    assert sound.started == 4


def test_a_microphone_that_falls_silent_is_opened_again_once(
    sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeemo.sources.microphone._STALL_S", 0.2)
    with Microphone("headset", rate_hz=16_000) as microphone:

        def come_back() -> None:
            while len(sound.opened) < 2:
                time.sleep(0.01)
            sound.record(2)

        thread = threading.Thread(target=come_back)
        thread.start()
        chunk, _ = next(microphone)
        thread.join()
    assert chunk[0] == 2
    assert len(sound.opened) == 2


def test_a_microphone_closed_while_it_is_opened_again_stays_closed(
    sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    microphone = Microphone("headset")
    opened = sound.InputStream

    def close_meanwhile(**how: Any) -> Any:
        microphone.close()
        return opened(**how)

    monkeypatch.setattr(sound, "InputStream", close_meanwhile)
    sound.unplug()
    assert list(microphone) == []
    assert all("finished_callback" not in stream.how for stream in sound.opened)


def test_a_sound_system_that_does_not_start_again_at_once_is_tried_again(sound: Sound) -> None:
    with Microphone("headset", rate_hz=16_000) as microphone:
        sound.unplug()
        sound.dead = ["Unanticipated host error"] * 3

        def come_back() -> None:
            while len(sound.opened) < 2:
                time.sleep(0.01)
            sound.record(2)

        thread = threading.Thread(target=come_back, daemon=True)
        thread.start()
        assert next(microphone)[0][0] == 2
        thread.join()
    assert (sound.dead, sound._initialized) == ([], 1)


def test_a_sound_system_that_does_not_start_again_is_a_named_error(sound: Sound) -> None:
    with Microphone("headset", patience_s=0.05) as microphone:
        sound.unplug()
        sound.dead = ["Unanticipated host error"] * 10_000
        with pytest.raises(SourceError, match=r"'USB Headset: Mono' went away .*Unanticipated host error"):
            next(microphone)
    sound.dead.clear()


def test_a_microphone_that_stays_away_is_a_named_error(sound: Sound) -> None:
    with Microphone("headset", patience_s=0.05) as microphone:
        sound.unplug()
        del sound.devices[1:]
        with pytest.raises(SourceError, match=r"'USB Headset: Mono' went away and did not .* 0\.05 s"):
            next(microphone)


def test_what_was_recorded_before_is_read_first(sound: Sound) -> None:
    with Microphone("headset", rate_hz=16_000, patience_s=0.01) as microphone:
        sound.record(5, 2)
        sound.unplug()
        del sound.devices[1:]
        assert [next(microphone)[1] for _ in range(2)] == [0, 50]
        with pytest.raises(SourceError):
            next(microphone)


def test_closing_ends_a_consumer_that_waits(sound: Sound) -> None:
    microphone = Microphone()
    threading.Timer(0.05, microphone.close).start()
    assert list(microphone) == []
