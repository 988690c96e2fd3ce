"""Sources: files, pipes and a sound system that misbehaves give chunks, or an error with a remedy."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import parrot
import pytest

from edgeemo import VoiceRecognizer
from edgeemo.errors import InputError, RuntimeUnavailableError, SourceError
from edgeemo.sources import AudioFile, Microphone, RawAudio, is_audio, microphones
from edgeemo.sources.base import AudioSource, Latest

RATE = parrot.RATE
CLIP = np.concatenate([parrot.voice("anger", 1.1), parrot.noise(0.2)])


def samples_of(source: AudioSource) -> npt.NDArray[Any]:
    """Read a source to its end, checking that its clock counts samples."""
    chunks, n = [], 0
    with source:
        for chunk, t_ms in source:
            assert len(chunk)
            assert t_ms == 1000 * n // source.rate_hz
            n += len(chunk)
            chunks.append(chunk)
    assert source.drops == 0
    return np.concatenate(chunks) if chunks else np.zeros(0)


# --- the queue between capture and consumer ---


def test_the_queue_keeps_the_latest_and_counts_what_it_dropped() -> None:
    queue = Latest(3)
    for i in range(10):
        queue.put((np.full(1, i), i))
    assert queue.drops == 7
    assert [(queue.get(0) or ("", None))[1] for _ in range(4)] == [7, 8, 9, None]


def test_the_queue_waits_and_can_be_woken() -> None:
    queue = Latest(3)
    threading.Timer(0.05, queue.put, [(np.zeros(1), 5)]).start()
    assert (queue.get(10) or ("", None))[1] == 5
    threading.Timer(0.05, queue.wake).start()
    assert queue.get(10) is None
    begin = time.monotonic()
    assert queue.get(0.01) is None
    assert time.monotonic() - begin < 5


# --- audio files ---


@pytest.fixture
def sf() -> Any:
    return pytest.importorskip("soundfile", reason="needs edgeemo[voice]")


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "au", "caf", "w64"])
@pytest.mark.parametrize("channels", [1, 2])
def test_lossless_files_give_their_samples(sf: Any, tmp_path: Path, suffix: str, channels: int) -> None:
    clip = CLIP if channels == 1 else np.stack([CLIP, -CLIP], 1)
    path = tmp_path / f"clip.{suffix}"
    sf.write(path, clip, RATE)
    source = AudioFile(path)
    assert (source.rate_hz, source.channels) == (RATE, channels)
    np.testing.assert_array_equal(samples_of(source), (clip / 32768).astype(np.float32))
    assert is_audio(path)


@pytest.mark.parametrize(
    ("suffix", "how"),
    [("ogg", {"subtype": "VORBIS"}), ("opus", {"format": "OGG", "subtype": "OPUS"}), ("mp3", {})],
)
def test_lossy_files_give_a_voice(
    sf: Any, tmp_path: Path, suffix: str, how: dict[str, str], voice: VoiceRecognizer
) -> None:
    path = tmp_path / f"clip.{suffix}"
    try:
        sf.write(path, CLIP, RATE, **how)
    except sf.LibsndfileError:
        pytest.skip(f"this libsndfile writes no {suffix}")
    with AudioFile(path) as source:
        stream = voice.stream(source.rate_hz, source.channels)
        results = [result for chunk, t_ms in source for result in stream.push(chunk, t_ms)]
    assert results[0].label == "anger"
    assert is_audio(path)


def test_a_file_that_was_closed_ends(sf: Any, tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", CLIP, RATE)
    source = AudioFile(tmp_path / "a.wav")
    next(source)
    source.close()
    assert list(source) == []


def test_a_file_cut_off_is_read_as_far_as_it_goes(sf: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    sf.write(path, CLIP, RATE)
    path.write_bytes(path.read_bytes()[:10_001])
    found = samples_of(AudioFile(path))
    np.testing.assert_array_equal(found, (CLIP[: len(found)] / 32768).astype(np.float32))
    assert len(found) == (10_001 - 44) // 2


def test_a_file_of_no_samples_gives_none(sf: Any, tmp_path: Path, voice: VoiceRecognizer) -> None:
    sf.write(tmp_path / "a.wav", CLIP[:0], RATE)
    assert list(AudioFile(tmp_path / "a.wav")) == []


CORRUPT = {
    "empty": b"",
    "text": b"so happy\n" * 50,
    "zeros": b"\0" * 1000,
    "only the header's beginning": b"RIFF\x24\0\0\0WAVE",
    "a lying header": b"fLaC" + b"\xff" * 500,
}


@pytest.mark.parametrize("content", CORRUPT.values(), ids=CORRUPT)
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".raw", ""])
def test_a_corrupt_file_is_a_named_error(sf: Any, tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"clip{suffix}"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"(?s)clip.* Convert it to wav or flac\."):
        AudioFile(path)


def test_a_file_damaged_in_the_middle_says_where(sf: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    sf.write(path, np.tile(parrot.noise(1), 20), RATE)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = os.urandom(len(data) - len(data) // 2)
    path.write_bytes(data)
    try:
        found = samples_of(AudioFile(path))
    except SourceError as error:
        assert "a.flac is damaged after" in str(error)  # noqa: PT017
    else:  # decoders may also resynchronise, or stop
        assert len(found) <= 20 * RATE


def test_a_decoder_that_gives_up_is_a_named_error(
    sf: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up(*_: object, **__: object) -> None:
        raise sf.LibsndfileError(5, "lost sync")

    sf.write(tmp_path / "a.wav", CLIP, RATE)
    source = AudioFile(tmp_path / "a.wav")
    next(source)
    monkeypatch.setattr(source._file, "read", give_up)
    with pytest.raises(SourceError, match=r"a\.wav is damaged after 0\.5 s .*Fetch it again"):
        next(source)


@pytest.mark.parametrize("name", ["missing.wav", "", "x" * 5_000, "a\0b"])
def test_a_missing_file_is_a_named_error(sf: Any, tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match=r"cannot be read: .* Check the path and its rights"):
        AudioFile(tmp_path / name)


@pytest.mark.skipif(os.name != "posix", reason="rights")
def test_a_file_without_rights_is_a_named_error(sf: Any, tmp_path: Path) -> None:
    path = tmp_path / "secret.wav"
    sf.write(path, CLIP, RATE)
    path.chmod(0)
    script = (
        "import os, sys\nfrom edgeemo.sources import AudioFile\nimport soundfile\n"
        "if os.getuid() == 0: os.chmod(sys.argv[2], 0o755); os.setuid(65534)\n"
        "AudioFile(sys.argv[1])"
    )
    for folder in (tmp_path, *tmp_path.parents):  # root's private folders would hide the file itself
        if os.getuid() == 0 and folder.name.startswith("pytest"):
            folder.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", script, path, tmp_path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "SourceError" in done.stderr
    assert "cannot be read: Permission denied. Check the path and its rights." in done.stderr


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("a.WAV", b"", True),
        ("a.opus", b"", True),
        ("noname", b"RIFF\0\0\0\0WAVEfmt ", True),
        ("noname", b"RIFF\0\0\0\0AVI LIST", False),
        ("noname", b"fLaC\0\0\0\x22", True),
        ("noname", b"OggS\0\2", True),
        ("noname", b"ID3\4", True),
        ("noname", b"\xff\xfb\x90\x64", True),
        ("noname", b"\xff\xfeh\0i\0", False),
        ("notes.txt", b"so happy", False),
        ("notes.txt", b"", False),
    ],
)
def test_audio_is_told_from_text_by_suffix_or_first_bytes(
    tmp_path: Path, name: str, head: bytes, expected: bool
) -> None:
    (tmp_path / name).write_bytes(head)
    assert is_audio(tmp_path / name) is expected


@pytest.mark.parametrize("name", ["missing.wav", "", "x" * 5_000, "a\0b.wav"])
def test_what_is_no_file_is_no_audio(tmp_path: Path, name: str) -> None:
    assert not is_audio(tmp_path / name)


# --- raw samples from a pipe ---


class Trickle:
    """A pipe that gives its bytes in odd pieces."""

    def __init__(self, data: bytes, *sizes: int) -> None:
        self._data, self._sizes = data, list(sizes)

    def read1(self, size: int = -1, /) -> bytes:
        n = min(size, self._sizes.pop(0) if self._sizes else size)
        piece, self._data = self._data[:n], self._data[n:]
        return piece


@pytest.mark.parametrize("channels", [1, 2, 7])
@pytest.mark.parametrize("format", ["s16le", "f32le"])
@pytest.mark.parametrize("sizes", [(), (1,) * 40, (3, 5, 1, 997, 2, 1)], ids=["whole", "bytes", "odd"])
def test_raw_samples_come_as_they_are_however_they_trickle(
    channels: int, format: str, sizes: tuple[int, ...]
) -> None:
    clip = CLIP[: len(CLIP) // channels * channels].reshape(-1, channels)
    sent = clip.astype("<i2") if format == "s16le" else (clip / 32768).astype("<f4")
    source = RawAudio(Trickle(sent.tobytes(), *sizes), format, rate_hz=RATE, channels=channels)
    found = samples_of(source)
    assert found.dtype == (np.int16 if format == "s16le" else np.float32)
    np.testing.assert_array_equal(found.reshape(-1, channels), sent)


def test_raw_samples_are_read_by_a_stream(voice: VoiceRecognizer) -> None:
    source = RawAudio(io.BytesIO(CLIP.tobytes()), rate_hz=RATE)
    stream = voice.stream(source.rate_hz, source.channels)
    results = [result for chunk, t_ms in source for result in stream.push(chunk, t_ms)]
    assert results + stream.flush() == voice.timeline(CLIP, RATE)


def test_a_last_sample_cut_in_half_is_left_out() -> None:
    assert len(samples_of(RawAudio(io.BytesIO(CLIP.tobytes()[:-1]), rate_hz=RATE))) == len(CLIP) - 1


def test_a_pipe_of_nothing_gives_nothing() -> None:
    assert list(RawAudio(io.BytesIO(b""), rate_hz=RATE)) == []
    assert list(RawAudio(io.BytesIO(b"\1"), rate_hz=RATE)) == []


def test_raw_audio_ends_when_closed() -> None:
    source = RawAudio(io.BytesIO(CLIP.tobytes()), rate_hz=RATE)
    next(source)
    source.close()
    assert list(source) == []


def test_a_pipe_that_breaks_is_a_named_error() -> None:
    class Broken:
        def read1(self, size: int = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(SourceError, match=r"cannot be read: Input/output error\. Check the pipe"):
        next(RawAudio(Broken(), rate_hz=RATE))


@pytest.mark.parametrize(
    ("format", "how"),
    [("s24le", {"rate_hz": RATE}), ("s16le", {"rate_hz": 0}), ("s16le", {"rate_hz": RATE, "channels": 0})],
)
def test_raw_audio_of_another_kind_is_refused(format: str, how: dict[str, int]) -> None:
    with pytest.raises(InputError):
        RawAudio(io.BytesIO(), format, **how)


# --- a sound system that does as it is told (the real one: test_microphone.py) ---


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
