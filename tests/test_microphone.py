"""The microphone for real, without hardware: ALSA's file plugin (exact) and a PulseAudio null sink (paced).

Each test has a HOME and a runtime folder of its own and speaks to no sound system of the machine.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import small_voice

from edgeemo import VoiceRecognizer

RATE = small_voice.RATE
CLIP = np.concatenate([small_voice.voice("sadness", 1), small_voice.voice("anger", 1)])
CLIP[0] = 12_345  # where it begins


@pytest.fixture(scope="module", autouse=True)
def portaudio() -> None:
    if sys.platform != "linux":
        pytest.skip("ALSA is Linux's")
    try:
        import sounddevice  # noqa: F401
    except (ImportError, OSError) as error:
        pytest.skip(f"no PortAudio here ({error}): edgeemo[voice], apt-get install libportaudio2")


def surroundings(home: Path, asoundrc: str) -> dict[str, str]:
    """An environment whose sound system is this ``.asoundrc`` alone."""
    (home / ".asoundrc").write_text(asoundrc)
    (home / "run").mkdir(mode=0o700, exist_ok=True)
    return {
        **{
            name: value for name, value in os.environ.items() if not name.startswith(("PULSE", "ALSA", "XDG"))
        },
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home / "run"),
        "PULSE_SERVER": f"unix:{home}/pulse",
        "PULSE_COOKIE": str(home / "cookie"),
        "PYTHONPATH": str(Path(__file__).parent),
    }


def child(script: str, environment: dict[str, str], *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-u", "-c", script, *map(str, arguments)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finished(process: subprocess.Popen[str]) -> str:
    """Return what a child printed; show what it complained of, if it failed."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


# --- ALSA's file plugin: a device that reads a file, as fast as it is asked ---


@pytest.fixture
def file_device(tmp_path: Path) -> dict[str, str]:
    CLIP.tofile(tmp_path / "speech.raw")
    return surroundings(
        tmp_path,
        'pcm.virtmic { type file slave.pcm null file "/dev/null" format raw hint.show on\n'
        f'  infile "{tmp_path}/speech.raw" }}\n',
    )


def test_a_microphone_gives_exactly_the_samples_of_the_device(
    file_device: dict[str, str], small_voice_path: Path, tmp_path: Path, voice: VoiceRecognizer
) -> None:
    script = (
        "import json, sys\nimport numpy as np\n"
        "from edgeemo import Recognizer\nfrom edgeemo.sources import Microphone\n"
        "stream = Recognizer.open(sys.argv[1]).stream(16000)\n"
        "chunks, times, results = [], [], []\n"
        "with Microphone('virtmic', rate_hz=16000, buffer_s=1000) as microphone:\n"
        "    for chunk, t_ms in microphone:\n"
        "        chunks.append(chunk); times.append(t_ms); results += stream.push(chunk, t_ms)\n"
        "        if len(chunks) == 40: break\n"
        "np.concatenate(chunks).tofile(sys.argv[2])\n"
        "results += stream.flush()\n"
        "print(json.dumps([times, microphone.drops, [r.to_dict() for r in results]]))\n"
    )
    heard = tmp_path / "heard.raw"
    times, drops, results = json.loads(finished(child(script, file_device, small_voice_path, heard)))
    assert times == list(range(0, 2000, 50))
    assert drops == 0
    np.testing.assert_array_equal(np.fromfile(heard, np.int16), CLIP)
    assert results == [r.to_dict() for r in voice.timeline(CLIP, RATE)]


def test_a_consumer_that_sleeps_loses_the_oldest_blocks_and_sees_it(file_device: dict[str, str]) -> None:
    script = (
        "import time\nfrom edgeemo.sources import Microphone\n"
        "with Microphone('virtmic', rate_hz=16000, buffer_s=0.5) as microphone:\n"
        "    while not microphone.drops: time.sleep(0.01)\n"
        "    print(next(microphone)[1] > 0)\n"
    )
    assert finished(child(script, file_device)) == "True\n"


def test_the_command_line_lists_the_device_and_names_what_is_missing(
    file_device: dict[str, str], small_voice_path: Path
) -> None:
    listen = [sys.executable, "-m", "edgeemo.cli", "listen"]
    how = {"env": file_device, "capture_output": True, "text": True, "timeout": 120, "check": False}
    listed = subprocess.run([*listen, "--list-devices", "--json"], **how)  # type: ignore[call-overload]
    assert "virtmic" in [device["name"] for device in json.loads(listed.stdout)]
    missing = subprocess.run([*listen, "--device", "laser", "--bundle", small_voice_path], **how)  # type: ignore[call-overload]
    assert missing.returncode == 1
    assert missing.stderr.startswith("edgeemo: error: There is no microphone 'laser': expected 0 'virtmic'")
    assert missing.stderr.count("\n") == 1


def test_a_machine_without_a_sound_card_is_a_named_error(tmp_path: Path) -> None:
    environment = surroundings(tmp_path, "pcm.broken { type hw card 77 hint { show on } }\n")
    script = "from edgeemo.sources import Microphone\nMicrophone()\n"
    process = child(script, environment)
    _, err = process.communicate(timeout=60)
    assert "edgeemo.errors.SourceError: There is no microphone. Plug one in" in err


# --- PulseAudio: a speaker that plays into nothing, and its monitor as the microphone ---


class Pulse:
    """A sound server of our own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = surroundings(home, "pcm.pulsemic { type pulse hint.show on }\n")
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        form = "rate=16000 channels=1 format=s16le"
        modules = [
            f"module-native-protocol-unix auth-anonymous=1 socket={self.home}/pulse",
            f"module-null-sink sink_name=speaker {form}",
            f"module-remap-source master=speaker.monitor source_name=microphone {form}",
        ]
        options = ["-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--disable-shm=yes"]
        loads = [part for module in modules for part in ("-L", module)]
        self._server = subprocess.Popen(
            ["pulseaudio", *options, *loads], env=self.environment, stderr=subprocess.DEVNULL
        )
        for _ in range(200):
            asked = subprocess.run(
                ["pactl", "list", "short", "sources"], env=self.environment, capture_output=True, check=False
            )
            if b"microphone" in asked.stdout:
                return
            time.sleep(0.05)
        self.stop()
        pytest.skip("PulseAudio does not start here")

    def stop(self) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.wait()

    def play(self, path: Path) -> None:
        form = ["--raw", "--rate=16000", "--channels=1", "--format=s16le", "--latency-msec=300"]
        subprocess.run(
            ["pacat", "--device=speaker", *form, path], env=self.environment, check=True, timeout=60
        )


@pytest.fixture
def pulse(tmp_path: Path) -> Iterator[Pulse]:
    missing = [tool for tool in ("pulseaudio", "pactl", "pacat") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"no {', '.join(missing)} here: apt-get install pulseaudio pulseaudio-utils")
    if not list(Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so")):
        pytest.skip("no ALSA plugin for PulseAudio here: apt-get install libasound2-plugins")
    server = Pulse(tmp_path)
    server.start()
    yield server
    server.stop()


RECORD = (
    "import json, sys\nimport numpy as np\nfrom edgeemo.sources import Microphone\n"
    "chunks, times, quiet = [], [], 0\n"
    "with Microphone('pulsemic', rate_hz=16000) as microphone:\n"
    "    for chunk, t_ms in microphone:\n"
    "        chunks.append(chunk); times.append(t_ms)\n"
    "        if len(chunks) == 1: print('recording')\n"
    "        heard = any(c.any() for c in chunks) if not quiet else True\n"
    "        quiet = quiet + 1 if heard and not chunk.any() else (1 if heard and quiet else 0)\n"
    "        if quiet > 10 or t_ms > 30000: break\n"
    "np.concatenate(chunks).tofile(sys.argv[1])\n"
    "print(json.dumps([times, microphone.drops]))\n"
)


def test_a_paced_microphone_gives_every_sample_in_its_time(pulse: Pulse, tmp_path: Path) -> None:
    CLIP.tofile(tmp_path / "speech.raw")
    for _ in range(3):  # a busy machine may make the player stumble
        process = child(RECORD, pulse.environment, tmp_path / "heard.raw")
        assert process.stdout is not None
        assert process.stdout.readline() == "recording\n"
        pulse.play(tmp_path / "speech.raw")
        times, drops = json.loads(finished(process))
        heard = np.fromfile(tmp_path / "heard.raw", np.int16)
        begin = int((heard == CLIP[0]).argmax())
        if np.array_equal(heard[begin : begin + len(CLIP)], CLIP):
            break
    np.testing.assert_array_equal(heard[begin : begin + len(CLIP)], CLIP)
    assert times[0] == 0
    assert drops == 0
    assert all(later > earlier for earlier, later in pairwise(times))


def test_listening_on_the_command_line_follows_the_voice(
    pulse: Pulse, small_voice_path: Path, tmp_path: Path
) -> None:
    CLIP.tofile(tmp_path / "speech.raw")
    command = [sys.executable, "-m", "edgeemo.cli", "listen", "--device", "pulsemic", "--rate", "16000"]
    with subprocess.Popen(
        [*command, "--seconds", "3", "--json", "--bundle", small_voice_path],
        env=pulse.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        first = process.stdout.readline()
        pulse.play(tmp_path / "speech.raw")
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    said = [json.loads(line) for line in [first, *out.splitlines()]]
    assert said[0]["evidence"] == 0
    assert {"sadness", "anger"} <= {row["label"] for row in said}
    assert said[-1]["drops"] == 0
    assert said[-1]["end_ms"] <= 3_100


def test_a_microphone_that_vanishes_is_found_again(pulse: Pulse) -> None:
    script = (
        "from edgeemo.sources import Microphone\n"
        "with Microphone('pulsemic', rate_hz=16000, patience_s=100) as microphone:\n"
        "    last = -50\n"
        "    for chunk, t_ms in microphone:\n"
        "        if last < 0: print('recording')\n"
        "        if t_ms - last > 400: print('back after', t_ms - last); break\n"
        "        last = t_ms\n"
    )
    process = child(script, pulse.environment)
    assert process.stdout is not None
    assert process.stdout.readline() == "recording\n"
    pulse.stop()
    time.sleep(0.5)
    pulse.start()
    assert finished(process).startswith("back after")
