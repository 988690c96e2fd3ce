"""The command line on voices: files, pipes, live bars, and what it says when something is missing."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import float_text
import numpy as np
import pytest
import small_voice

from edgeemo import VoiceRecognizer
from edgeemo.cli import main
from edgeemo.cli.voice import Peaks
from edgeemo.types import RESULT_SCHEMA

RATE = small_voice.RATE
CLIP = np.concatenate(
    [small_voice.voice("sadness", 1.2), small_voice.noise(0.8), small_voice.voice("anger", 1.2)]
)


@pytest.fixture
def clip(tmp_path: Path) -> str:
    sf = pytest.importorskip("soundfile", reason="needs edgeemo[voice]")
    sf.write(tmp_path / "clip.wav", CLIP, RATE)
    return str(tmp_path / "clip.wav")


@pytest.fixture
def bundle(small_voice_path: Path) -> str:
    return str(small_voice_path)


def pipe(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Let standard input give these bytes."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: False))


# --- predict ---


def test_an_audio_file_gives_a_json_line_for_the_whole_and_one_an_utterance(
    clip: str, bundle: str, voice: VoiceRecognizer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", clip, "--bundle", bundle, "--json"]) == 0
    printed = capsys.readouterr()
    said, *utterances = map(json.loads, printed.out.splitlines())
    assert said.pop("timeline") == [r.to_dict() for r in voice.timeline(CLIP, RATE)]
    whole = voice.predict(CLIP, RATE).to_dict()
    assert said == {"file": clip, "rate_hz": RATE, "channels": 1, **whole}
    assert (said["kind"], said["start_ms"], said["end_ms"]) == ("clip", 0, len(CLIP) * 1000 // RATE)
    assert utterances == [{"file": clip, **r.to_dict()} for r in voice.utterances(CLIP, RATE)]
    assert [row["label"] for row in utterances] == ["sadness", "anger"]
    assert printed.err == ""


def test_an_audio_file_gives_a_table_of_the_whole_and_its_utterances(
    clip: str, bundle: str, voice: VoiceRecognizer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", clip, "--bundle", bundle]) == 0
    header, whole, *utterances = capsys.readouterr().out.splitlines()
    assert header.split() == ["seconds", "emotion", "valence", "arousal", "evidence"]
    assert whole.startswith("0.00 – 3.20")
    assert whole.endswith("the whole")
    expected = voice.utterances(CLIP, RATE)
    begins = [f"{r.start_ms / 1000:.2f} – {r.end_ms / 1000:.2f}" for r in expected]
    assert [line[: len(begin)] for line, begin in zip(utterances, begins, strict=True)] == begins
    assert [line.split()[3] for line in utterances] == ["sadness", "anger"]
    assert all(line.endswith("  utterance") for line in utterances)


def test_a_row_names_the_likeliest_burst(
    clip: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hears = str(small_voice.write(tmp_path, **small_voice.HEARS_BURSTS))
    assert main(["predict", clip, "--bundle", hears]) == 0
    first, second = capsys.readouterr().out.splitlines()[2:]
    assert re.search(r"  utterance  sob \d\.\d\d$", first)
    assert re.search(r"  utterance  scream \d\.\d\d$", second)


@pytest.mark.parametrize("channels", [1, 2])
def test_a_sample_that_is_no_sound_is_named_by_its_place_in_the_file(
    bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], channels: int
) -> None:
    sf = pytest.importorskip("soundfile", reason="needs edgeemo[voice]")
    pcm = np.zeros((3 * RATE, channels), np.float32)
    pcm[2 * RATE + 345, -1] = np.nan
    sf.write(tmp_path / "broken.wav", pcm, RATE, subtype="FLOAT")
    assert main(["predict", str(tmp_path / "broken.wav"), "--bundle", bundle, "--json"]) == 1
    assert f"broken.wav: sample {2 * RATE + 345} is nan" in capsys.readouterr().err


def test_audio_without_a_suffix_is_known_by_its_first_bytes(
    clip: str, bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(clip).rename(tmp_path / "take one")
    assert main(["predict", str(tmp_path / "take one"), "--bundle", bundle, "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["modality"] == "voice"


def test_a_bundle_that_reads_voice_takes_any_file_as_audio(
    bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("soundfile", reason="needs edgeemo[voice]")
    (tmp_path / "notes.txt").write_text("so happy\n")
    assert main(["predict", str(tmp_path / "notes.txt"), "--bundle", bundle]) == 1
    assert "notes.txt is not audio that libsndfile reads" in capsys.readouterr().err


def test_texts_and_text_files_go_on_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reader = str(float_text.write(tmp_path))
    (tmp_path / "notes.txt").write_text("so happy\nsad\n")
    for argument, labels in (
        (str(tmp_path / "notes.txt"), ["happiness", "sadness"]),
        ("so happy with this new song.mp3", ["happiness"]),
        ("I am sad. See a.wav", ["sadness"]),
    ):
        assert main(["predict", argument, "--bundle", reader, "--json"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [json.loads(line)["label"] for line in lines] == labels
    assert main(["predict", "--text", "sad.wav", "--bundle", reader]) == 0


def test_the_default_bundle_follows_the_argument(
    clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("edgeemo.bundle.ZOO", tmp_path / "zoo")
    (tmp_path / "zoo").mkdir()
    float_text.write(tmp_path / "zoo", "text.tflite")
    small_voice.write(tmp_path / "zoo", "voice.tflite")
    for argument, modality in ((clip, "voice"), ("so happy", "text")):
        assert main(["predict", argument, "--json"]) == 0
        assert json.loads(capsys.readouterr().out.splitlines()[0])["modality"] == modality


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["CLIP", "--bundle", "TEXT"], "reads text, .*clip.wav is audio"),
        (["so happy", "--bundle", "VOICE"], "reads voice: give an audio file"),
        (["-", "--bundle", "VOICE"], "reads voice: give an audio file"),
        (["so happy", "--bundle", "TEXT", "--picture", "a.png"], "--picture draws audio files and photo"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(
    clip: str, bundle: str, arguments: list[str], message: str, tmp_path: Path, capsys: Any
) -> None:
    names = {"CLIP": clip, "VOICE": bundle, "TEXT": str(float_text.write(tmp_path))}
    assert main(["predict", *(names.get(a, a) for a in arguments)]) == 2
    assert re.search(message, " ".join(capsys.readouterr().err.split()))


@pytest.mark.parametrize("name", ["missing.wav", "/nowhere/talk.OPUS"])
def test_a_missing_audio_file_is_not_read_as_a_text(
    name: str, bundle: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("soundfile", reason="needs edgeemo[voice]")
    assert main(["predict", name, "--bundle", bundle]) == 1
    assert capsys.readouterr().err == (
        f"edgeemo: error: {name} cannot be read: No such file or directory. Check the path and its rights.\n"
    )


def test_a_corrupt_file_is_one_line_and_exit_code_one(
    bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("soundfile", reason="needs edgeemo[voice]")
    (tmp_path / "a.wav").write_bytes(b"RIFF junk")
    assert main(["predict", str(tmp_path / "a.wav"), "--bundle", bundle, "--json"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "Convert it to wav or flac" in printed.err


def test_a_file_of_no_samples_is_neutral_without_evidence(
    bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sf = pytest.importorskip("soundfile", reason="needs edgeemo[voice]")
    sf.write(tmp_path / "a.wav", CLIP[:0], RATE)
    picture = tmp_path / "a.png"
    arguments = ["--picture", str(picture)] if "matplotlib" in sys.modules else []
    assert main(["predict", str(tmp_path / "a.wav"), "--bundle", bundle, "--json", *arguments]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["label"], said["evidence"], said["timeline"]) == ("neutral", 0.0, [])


@pytest.mark.parametrize("channels", [1, 2])
def test_a_picture_is_drawn(
    channels: int, bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib", reason="needs edgeemo[eval]")
    sf = pytest.importorskip("soundfile", reason="needs edgeemo[voice]")
    sf.write(tmp_path / "a.flac", np.repeat(CLIP[:, np.newaxis], channels, 1), RATE)
    picture = tmp_path / "a.png"
    assert main(["predict", str(tmp_path / "a.flac"), "--bundle", bundle, "--picture", str(picture)]) == 0
    assert picture.read_bytes()[:4] == b"\x89PNG"
    assert capsys.readouterr().err == f"edgeemo: wrote {picture}\n"


@pytest.mark.parametrize("size", [1, 73, 80, 1_000])
def test_the_waveform_of_a_picture_holds_every_sample(size: int) -> None:
    """However the file is cut into chunks, each 10 ms have their least and their greatest sample."""
    samples = np.sin(np.arange(8_030, dtype=np.float32))
    peaks = Peaks(8_000)
    for begin in range(0, len(samples), size):
        peaks.add(np.stack([samples[begin : begin + size]] * 2, axis=1))
    tens = samples[:8_000].reshape(100, 80)
    np.testing.assert_array_equal(peaks.array(), np.stack([tens.min(1), tens.max(1)], axis=1))
    assert peaks.step_s == 0.01


@pytest.mark.parametrize("name", ["nowhere/a.png", "a.nonsense"])
def test_a_picture_that_cannot_be_written_is_a_named_error(
    name: str, clip: str, bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib", reason="needs edgeemo[eval]")
    assert main(["predict", clip, "--bundle", bundle, "--picture", str(tmp_path / name)]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_a_picture_without_matplotlib_says_how_to_get_it_before_reading(
    clip: str, bundle: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main(["predict", clip, "--bundle", bundle, "--picture", "a.png"]) == 1
    printed = capsys.readouterr()
    assert "pip install 'edgeemo[eval]'" in printed.err
    assert printed.out == ""


# --- listen ---


@pytest.mark.parametrize(("format", "dtype", "scale"), [("s16le", "<i2", 1), ("f32le", "<f4", 1 / 32768)])
@pytest.mark.parametrize("channels", [1, 2])
def test_raw_samples_give_a_json_line_a_result(
    format: str, dtype: str, scale: float, channels: int, bundle: str, voice: VoiceRecognizer,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    samples = np.repeat(CLIP[:, np.newaxis], channels, 1)
    pipe(monkeypatch, (samples * scale).astype(dtype).tobytes())
    arguments = ["--stdin", format, "--rate", str(RATE), "--channels", str(channels), "--json"]
    assert main(["listen", *arguments, "--bundle", bundle]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row.pop("drops") for row in said] == [0] * len(said)
    rows = {kind: [row for row in said if row["kind"] == kind] for kind in ("span", "utterance")}
    assert len(said) == len(rows["span"]) + len(rows["utterance"])
    assert rows["span"] == [r.to_dict() for r in voice.timeline(CLIP, RATE)]
    assert rows["utterance"] == [r.to_dict() for r in voice.utterances(CLIP, RATE)]


@pytest.mark.parametrize("kinds", [["span"], ["utterance"], ["span", "partial"]])
def test_the_kinds_of_results_can_be_chosen(
    kinds: list[str], bundle: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe(monkeypatch, CLIP.tobytes())
    arguments = ["--stdin", "s16le", "--rate", str(RATE), "--json", "--bundle", bundle]
    assert main(["listen", *arguments, *(a for kind in kinds for a in ("--results", kind))]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["kind"] for row in said} == set(kinds)


def test_without_a_terminal_results_are_rows(
    bundle: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe(monkeypatch, CLIP.tobytes())
    assert main(["listen", "--stdin", "s16le", "--rate", str(RATE), "--bundle", bundle]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("evidence  drops")
    assert lines[1].split()[3:] == ["sadness", "1.00", "-0.70", "-0.50", "1.00", "0"]
    utterances = [line.split() for line in lines if line.endswith("  utterance")]
    assert [cells[3] for cells in utterances] == ["sadness", "anger"]


def test_it_stops_after_so_many_seconds(
    bundle: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe(monkeypatch, np.tile(CLIP, 20).tobytes())
    arguments = ["--stdin", "s16le", "--rate", str(RATE), "--seconds", "1.5", "--json", "--bundle", bundle]
    assert main(["listen", *arguments]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert 1_400 < said[-1]["end_ms"] <= 1_550


@pytest.mark.parametrize("source", [None, "front-door"])
def test_results_carry_the_model_and_the_name_of_the_stream(
    source: str | None, bundle: str, voice: VoiceRecognizer,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    pipe(monkeypatch, CLIP.tobytes())
    arguments = ["--stdin", "s16le", "--rate", str(RATE), "--json", "--bundle", bundle]
    assert main(["listen", *arguments, *(["--source", source] if source else [])]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    who = (voice.card.name, voice.card.version, RESULT_SCHEMA, source)
    assert said
    assert {(row["model"], row["version"], row["schema"], row["source"]) for row in said} == {who}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--stdin", "s16le"],
        ["--stdin", "s16le", "--rate", "16000", "--device", "x"],
        ["--stdin", "mp3", "--rate", "16000"],
        ["--rate", "5"],
        ["--channels", "33"],
        ["--results", "clip"],
        ["--seconds", "0"],
    ],
)
def test_listening_to_what_cannot_be_is_wrong_usage(arguments: list[str], bundle: str) -> None:
    assert main(["listen", *arguments, "--bundle", bundle]) == 2


def test_a_text_bundle_cannot_listen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["listen", "--bundle", str(float_text.write(tmp_path))]) == 2
    assert "reads text, not voice" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--list-devices"], ["--bundle", "BUNDLE"]])
def test_without_portaudio_it_says_how_to_get_it(
    arguments: list[str], bundle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    assert main(["listen", *(bundle if a == "BUNDLE" else a for a in arguments)]) == 1
    assert capsys.readouterr().err == (
        "edgeemo: error: The microphone needs PortAudio (PortAudio library not found): "
        "`apt-get install libportaudio2`.\n"
    )


LISTEN = [sys.executable, "-m", "edgeemo.cli", "listen", "--stdin", "s16le", "--rate", str(RATE)]


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals")
def test_on_a_terminal_bars_are_drawn_and_an_interrupt_ends_it_cleanly(bundle: str) -> None:
    ours, theirs = os.openpty()

    def heed_interrupts() -> None:  # a parent in the background passes on that they are ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    with subprocess.Popen(
        [*LISTEN, "--bundle", bundle],
        stdin=subprocess.PIPE, stdout=theirs, stderr=subprocess.PIPE, preexec_fn=heed_interrupts,
        env={**os.environ, "TERM": "xterm-256color"},
    ) as process:  # fmt: skip
        os.close(theirs)
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(CLIP.tobytes())
        process.stdin.flush()
        shown = b""
        while b"arousal +0.80" not in shown or b"  partial" not in shown or shown.count(b" utterance") < 2:
            shown += os.read(ours, 4096)
        assert b"anger" in shown
        assert b"listening" in shown
        assert "█".encode() in shown
        assert b"drops 0" in shown
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b"edgeemo: interrupted\n"
        while True:
            try:
                shown += os.read(ours, 4096)
            except OSError:
                break
    assert process.returncode == 130
    assert shown.rfind(b"\x1b[?25h") > shown.rfind(b"\x1b[?25l")  # the cursor is back
    os.close(ours)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_reader_that_leaves_ends_it_quietly(bundle: str) -> None:
    with subprocess.Popen(
        [*LISTEN, "--json", "--bundle", bundle],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(CLIP.tobytes())
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        try:
            for _ in range(50):
                process.stdin.write(CLIP.tobytes())
        except BrokenPipeError:
            pass
        assert process.stderr.read() == b""
    assert process.returncode == 141
