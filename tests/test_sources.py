"""Sources: files and pipes give chunks, or an error with a remedy (sound systems: test_sound_system.py)."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import small_voice

from edgeemo import VoiceRecognizer
from edgeemo.errors import InputError, SourceError
from edgeemo.sources import AudioFile, HeaderWarning, RawAudio, is_audio
from edgeemo.sources.base import AudioSource, Latest

RATE = small_voice.RATE
CLIP = np.concatenate([small_voice.voice("anger", 1.1), small_voice.noise(0.2)])


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
    assert queue.get(0.01) is None


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
    with pytest.warns(HeaderWarning, match="the file holds 9,957"):
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
    sf.write(path, np.tile(small_voice.noise(1), 20), RATE)
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
    monkeypatch.setattr(source._file._decoder, "read", give_up)
    with pytest.raises(SourceError, match=r"a\.wav is damaged after 0\.5 s .*Fetch it again"):
        next(source)


@pytest.mark.parametrize("name", ["missing.wav", "", "x" * 5_000, "a\0b"])
def test_a_missing_file_is_a_named_error(sf: Any, tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match=r"cannot be read: .* Check the path and its rights"):
        AudioFile(tmp_path / name)


@pytest.mark.skipif(os.name != "posix", reason="rights")
def test_a_file_without_rights_is_a_named_error(sf: Any) -> None:
    """In /tmp, which any user may enter: the checkout and TMPDIR may lie in a private folder."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "secret.wav"
        sf.write(path, CLIP, RATE)
        path.chmod(0)
        script = (
            "import os, sys\nfrom edgeemo.sources import AudioFile\nimport soundfile\n"
            "if os.getuid() == 0: os.setuid(65534)\n"
            "AudioFile(sys.argv[1])"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, path], capture_output=True, text=True, check=False
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
