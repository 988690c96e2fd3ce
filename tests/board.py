"""A healthy board that is drawn, and everything that can be wrong with it: what the doctor is tried on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import small_text
from edgeemo.converters.golden import scene, signal
from voice_training_data import buzz

from edgeemo.doctor import Context
from edgeemo.errors import RuntimeUnavailableError, SourceError
from edgeemo.sources import Device

CORES = "sys/devices/system/cpu"
SYSTEM, LITERT = "edgeemo.doctor.system.", "edgeemo.doctor.litert."
INSTALLATION = "edgeemo.doctor.installation."
HWMON = "sys/class/hwmon/hwmon0"
PI = "Features\t: fp asimd evtstrm aes crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp\n"
OLD_SERVER = "processor\t: 0\nmodel name\t: Xeon\nflags\t\t: sse2 avx2\n"
LIBC = "lib/aarch64-linux-gnu/libc.so.6"
ICD = "usr/share/vulkan/icd.d/broadcom_icd.aarch64.json"
DRIVER = json.dumps({"ICD": {"library_path": "libvulkan_broadcom.so", "api_version": "1.3.0"}})

HEALTHY: Mapping[str, str] = {
    "proc/cpuinfo": f"processor\t: 0\n{PI}CPU part\t: 0xd0b\n\nModel\t\t: Raspberry Pi 5 Model B Rev 1.0\n",
    "proc/meminfo": "MemTotal:        8245044 kB\nMemAvailable:    7051008 kB\n",
    "proc/loadavg": "0.22 0.18 0.09 1/189 1234\n",
    "proc/mounts": "/dev/mmcblk0p2 / ext4 rw,noatime 0 0\nproc /proc proc rw 0 0\n",
    "proc/stat": "cpu  90000 0 9000 800000 500 0 100 0 0 0\n",
    "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
    "sys/class/thermal/thermal_zone0/temp": "48700\n",
    "sys/fs/cgroup/cpu.max": "max 100000\n",
    f"{CORES}/present": "0-3\n",
    f"{CORES}/offline": "\n",
    **{
        f"{CORES}/cpu{i}/{name}": text
        for i in range(4)
        for name, text in {
            "cpufreq/scaling_governor": "performance\n",
            "cpufreq/scaling_cur_freq": "2400000\n",
            "cpufreq/scaling_max_freq": "2400000\n",
            "cpufreq/cpuinfo_max_freq": "2400000\n",
            "thermal_throttle/core_throttle_count": "0\n",
        }.items()
    },
    LIBC: "GNU C Library (Debian GLIBC 2.36-9+rpt2) stable release version 2.36.\n",
    "usr/lib/python3/dist-packages/ai_edge_litert-2.3.0.dist-info/METADATA": "Version: 2.3.0\n",
    ICD: DRIVER,
    "usr/lib/aarch64-linux-gnu/libvulkan_broadcom.so": "",
    "usr/lib/aarch64-linux-gnu/libvulkan.so.1": "",
    "dev/dri/renderD128": "",
    "dev/snd/pcmC0D0c": "",
    "dev/video0": "",
    "sys/class/video4linux/video0/name": "HD Webcam\n",
}
TOOLS = {"vcgencmd": "echo throttled=0x0", "timedatectl": "echo yes"}
MICROPHONE = Device(0, "USB microphone", 1, 16_000, True)


@dataclass(frozen=True)
class Fault:
    """Something wrong: the ``id`` it must be found by, and how it comes about.

    Args:
        files: below the root: text, or None where it is missing. modes: of such files.
        tools: shell scripts on the path. patches: attributes by dotted name.
        versions: of installed packages.
        options: of `Context`. bundle, picture, recording: write such a file into a folder, and return it.
        blinds: to what; what another `needs` to be seen.
    """

    id: str
    files: Mapping[str, str | None] = field(default_factory=dict)
    modes: Mapping[str, int] = field(default_factory=dict)
    tools: Mapping[str, str] = field(default_factory=dict)
    patches: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    bundle: Callable[[Path], Path] | None = None
    picture: Callable[[Path], Path] | None = None
    recording: Callable[[Path], Path] | None = None
    blinds: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()

    @property
    def touches(self) -> set[str]:
        """The names that the fault changes: two faults that change the same name cannot stand together."""
        kinds = (self.files, self.modes, self.tools, self.patches, self.versions, self.options)
        found = {name for kind in kinds for name in kind}
        return found | {kind for kind in ("picture", "recording") if getattr(self, kind)}

    def stands_with(self, other: Fault) -> bool:
        """Tell whether both can be there and be seen."""
        blind = self.blinds & other.needs or other.blinds & self.needs
        return self.id != other.id and not self.touches & other.touches and not blind


def every_core(name: str, text: str) -> dict[str, str | None]:
    return {f"{CORES}/cpu{i}/{name}": text for i in range(4)}


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


def microphone(**changes: Any) -> dict[str, Any]:
    return {"edgeemo.sources.microphones": lambda: [replace(MICROPHONE, **changes)]}


class Board:
    """The healthy board, drawn once into a folder; `with_faults` spoils it, `heal` undoes that.

    The installation is the real one, except that the C library always exists.
    """

    def __init__(self, folder: Path) -> None:
        self.root, self.bin, self._shelf = folder / "root", folder / "bin", folder / "shelf"
        self._written: dict[int, Path] = {}
        self._spoilt: list[tuple[Path, str | None]] = []
        self._shelf.mkdir()
        for name, text in HEALTHY.items():
            _write(self.root / name, text)
        for name, script in TOOLS.items():
            _write(self.bin / name, f"#!/bin/sh\n{script}\n")

    def with_faults(
        self, monkeypatch: pytest.MonkeyPatch, *faults: Fault, context: Context | None = None
    ) -> Context:
        """Return a context of the board with these faults; tools are those that are drawn and no others."""
        patches: dict[str, Any] = microphone() | {"edgeemo.native_paths.paths": dict}
        versions: dict[str, str] = {}
        options: dict[str, Any] = {"root": self.root}
        for fault in faults:
            for name, text in fault.files.items():
                self._spoil(self.root / name, text)
            for name, script in fault.tools.items():
                self._spoil(self.bin / name, f"#!/bin/sh\n{script}\n")
            for name, mode in fault.modes.items():
                self._spoil(self.root / name, HEALTHY[name])
                (self.root / name).chmod(mode)
            patches |= fault.patches
            versions |= fault.versions
            options |= fault.options
            for kind in ("picture", "recording"):
                if write := getattr(fault, kind):
                    options[kind] = self._once(write)
        bundles = [str(self._once(fault.bundle)) for fault in faults if fault.bundle]
        monkeypatch.setenv("PATH", str(self.bin))
        for name in ("VK_ICD_FILENAMES", "VK_DRIVER_FILES"):
            monkeypatch.delenv(name, raising=False)
        for name, value in patches.items():
            monkeypatch.setattr(name, value)
        if versions:
            monkeypatch.setattr(metadata, "version", _versions(versions))
        return replace(context or Context(), bundles=tuple(bundles), **options)

    def heal(self) -> None:
        """Make it as it was."""
        for path, text in reversed(self._spoilt):
            path.unlink(missing_ok=True)
            if text is not None:
                _write(path, text)
        self._spoilt.clear()

    def _spoil(self, path: Path, text: str | None) -> None:
        self._spoilt.append((path, path.read_text() if path.exists() else None))
        path.unlink(missing_ok=True)
        if text is not None:
            _write(path, text)

    def _once(self, write: Callable[[Path], Path]) -> Path:
        """Return the file that a fault wants; each is written once."""
        if id(write) not in self._written:
            folder = self._shelf / str(len(self._written))
            folder.mkdir()
            self._written[id(write)] = write(folder)
        return self._written[id(write)]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if path.parent.name == "bin":
        path.chmod(0o755)


def _versions(known: Mapping[str, str]) -> Callable[[str], str]:
    real = metadata.version
    return lambda package: known.get(package) or real(package)


# --- files to look into ---

SKIN = np.array([1.0, 0.8, 0.65])


def portrait(folder: Path, change: Callable[[Any], Any] = lambda pixels: pixels) -> Path:
    """Write a drawn face, large and in colour, that the shipped detector finds."""
    from PIL import Image

    gray = np.kron(scene("level"), np.ones((2, 2), np.uint8))
    pixels = change((gray[..., None] * SKIN).astype(np.uint8))
    Image.fromarray(np.ascontiguousarray(pixels).astype(np.uint8)).save(folder / "portrait.png")
    return folder / "portrait.png"


def voice(folder: Path, change: Callable[[Any], Any] = lambda pcm: pcm, *, rate_hz: int = 16_000) -> Path:
    """Write a made voice that the shipped voice bundle takes for speech, as float32 ±1."""
    import soundfile

    pcm = np.asarray(change(np.tile(3 * buzz("neutral", 2, 0), 9)[:48_000].astype(np.float32)))
    kind = "FLOAT" if pcm.dtype.kind == "f" else "PCM_16"
    soundfile.write(folder / "voice.wav", pcm, rate_hz, subtype=kind)
    return folder / "voice.wav"


def blurred(pixels: Any) -> Any:
    for axis in (0, 1):
        for _ in range(3):
            pixels = sum(np.roll(pixels.astype(float), k, axis) for k in range(-6, 7)) / 13
    return pixels


def band(low_hz: float, high_hz: float) -> Callable[[Any], Any]:
    def cut(pcm: Any) -> Any:
        spectrum = np.fft.rfft(pcm)
        hz = np.fft.rfftfreq(len(pcm), 1 / 16_000)
        spectrum[(hz < low_hz) | (hz > high_hz)] = 0
        return np.fft.irfft(spectrum, len(pcm)).astype(np.float32)

    return cut


def _bundle(**changes: Any) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = small_text.bundle(**changes).write(folder / "given.tflite").path
        assert path is not None
        return path

    return write


def _damaged(folder: Path) -> Path:
    data = small_text.bundle().to_bytes()
    (folder / "damaged.tflite").write_bytes(data[:200] + b"?" + data[201:])
    return folder / "damaged.tflite"


def _newer(folder: Path) -> Path:
    # the schema is read first, so a card of the future needs no other field
    from edgeemo.bundle import CARD_NAME, _zip

    model = small_text.bundle().flatbuffer
    (folder / "newer.tflite").write_bytes(model + _zip({CARD_NAME: b'{"schema": 99}'}, len(model)))
    return folder / "newer.tflite"


WRONG = {"text": "so happy", "scores": [0, 0, 0, 0, 0, 0, 0, 1.0], "valence": 0.0, "arousal": 0.0}

FAULTS = [
    Fault("governor-powersave", every_core("cpufreq/scaling_governor", "powersave")),
    Fault("governor-ondemand", every_core("cpufreq/scaling_governor", "ondemand")),
    Fault("clock-limited", every_core("cpufreq/scaling_max_freq", "1500000")),
    Fault("clock-limited", {f"{CORES}/cpu2/cpufreq/scaling_max_freq": "600000"}),  # of a cluster of its own
    Fault(
        "clock-held",
        every_core("cpufreq/scaling_governor", "userspace")
        | every_core("cpufreq/scaling_cur_freq", "600000"),
    ),
    Fault("hot", {"sys/class/thermal/thermal_zone0/temp": "84000"}),
    Fault("hot", {f"{HWMON}/name": "k10temp", f"{HWMON}/temp1_input": "99000"}),
    Fault("memory-low", {"proc/meminfo": "MemTotal: 512000 kB\nMemAvailable: 61000 kB\n"}),
    Fault(
        "memory-limit", {"sys/fs/cgroup/memory.max": "67108864", "sys/fs/cgroup/memory.current": "60000000"}
    ),
    Fault("machine-busy", {"proc/loadavg": "7.50 6.00 5.00 9/200 99\n"}),
    Fault("cpu-stolen", {"proc/stat": "cpu  90000 0 9000 800000 500 0 100 30000 0 0\n"}),
    Fault("cpu-quota", {"sys/fs/cgroup/cpu.max": "50000 100000"}),
    Fault("cores-offline", {f"{CORES}/offline": "2-3"}),
    Fault("threads-exceed-cores", options={"threads": 8}),
    Fault("under-voltage", tools={"vcgencmd": "echo throttled=0x1"}),
    Fault("under-voltage-before", tools={"vcgencmd": "echo throttled=0x10000"}),
    Fault("throttled", tools={"vcgencmd": "echo throttled=0x6"}),
    Fault("throttled-before", tools={"vcgencmd": "echo throttled=0x40000"}),
    Fault("throttled-before", every_core("thermal_throttle/core_throttle_count", "12")),
    Fault(
        "under-voltage",
        {f"{HWMON}/name": "rpi_volt", f"{HWMON}/in0_lcrit_alarm": "1"},
        tools={"vcgencmd": "exit 1"},
    ),
    Fault("vcgencmd-fails", tools={"vcgencmd": "echo VCHI initialization failed >&2; exit 255"}),
    Fault("vcgencmd-fails", tools={"vcgencmd": "echo VCHI initialization failed"}),
    Fault("vcgencmd-fails", tools={"vcgencmd": "echo throttled=zzz"}),
    Fault("vcgencmd-fails", tools={"vcgencmd": "echo throttled=-1"}),
    Fault("nvpmodel-fails", tools={"nvpmodel": "echo cannot open shared object file"}),
    Fault("over-current", {"sys/class/hwmon/hwmon3/oc1_event_cnt": "7"}),
    Fault("power-mode", tools={"nvpmodel": "echo 'NV Power Mode: MODE_15W'; echo 2"}),
    Fault(
        "on-battery",
        {
            "sys/class/power_supply/BAT0/type": "Battery",
            "sys/class/power_supply/BAT0/status": "Discharging",
        },
    ),
    Fault(
        "cpu-no-dot-product", {"proc/cpuinfo": "processor: 0\nFeatures : fp asimd crc32\nCPU part : 0xd08\n"}
    ),
    Fault("cpu-no-avx2", {"proc/cpuinfo": "processor: 0\nmodel name : Celeron\nflags : sse2 sse4_2 avx\n"}),
    Fault("litert-needs-glibc", {LIBC: "GNU C Library (Debian GLIBC 2.31) stable release version 2.31.\n"}),
    Fault("litert-needs-glibc", {LIBC: None, "lib64/libc-2.17.so": "", "proc/cpuinfo": OLD_SERVER}),
    Fault("libc-not-glibc", {LIBC: None, "lib/ld-musl-aarch64.so.1": ""}),
    Fault("clock-not-synchronised", tools={"timedatectl": "echo no"}),
    Fault("clock-wrong", patches={"time.time": lambda: 1e6}),
    Fault("root-read-only", {"proc/mounts": "/dev/mmcblk0p2 / ext4 ro,noatime 0 0\n"}),
    Fault("disk-full", patches={"shutil.disk_usage": lambda _: SimpleNamespace(free=2**22, total=2**34)}),
    Fault(
        "temp-missing",
        patches={"tempfile.gettempdir": raising(FileNotFoundError("no /tmp"))},
        blinds=frozenset({"temp"}),
    ),
    Fault(
        "temp-read-only",
        patches={SYSTEM + "access": lambda *_: False},
        needs=frozenset({"temp"}),
    ),
    Fault("camera-permission", modes={"dev/video0": 0o000}),
    Fault("camera-none", {"sys/class/video4linux/video0/name": "bcm2835-isp-output0\n"}),
    Fault("microphone-permission", modes={"dev/snd/pcmC0D0c": 0o000}),
    Fault("microphone-none", patches={"edgeemo.sources.microphones": list}),
    Fault(
        "portaudio-missing",
        patches={"edgeemo.sources.microphones": raising(RuntimeUnavailableError("needs PortAudio"))},
    ),
    Fault(
        "sound-system-silent",
        patches={"edgeemo.sources.microphones": raising(SourceError("Host error. Check it."))},
    ),
    Fault("sample-rate-low", patches=microphone(rate_hz=8000)),
    Fault("sample-rate-low", patches=microphone(), options={"rate_hz": 8000}),
    Fault("sample-rate-resampled", patches=microphone(rate_hz=48_000), options={"rate_hz": 16_000}),
    Fault("gpu-permission", modes={"dev/dri/renderD128": 0o000}),
    Fault(
        "vulkan-driver-broken",
        {"etc/vulkan/icd.d/nvidia_icd.json": DRIVER.replace("libvulkan_broadcom", "libGLX_nvidia")},
        blinds=frozenset({"vulkan"}),
    ),
    Fault("vulkan-driver-broken", {"etc/vulkan/icd.d/cut.json": DRIVER[:20]}, blinds=frozenset({"vulkan"})),
    Fault("vulkan-loader-missing", {"usr/lib/aarch64-linux-gnu/libvulkan.so.1": None, ICD: DRIVER}),
    Fault(
        "python-version",
        patches={INSTALLATION + "sys": SimpleNamespace(version_info=(3, 8, 10), executable="python3.8")},
    ),
    Fault("python-32-bit", patches={INSTALLATION + "struct": SimpleNamespace(calcsize=lambda _: 4)}),
    Fault("libc-not-glibc", patches={"platform.libc_ver": lambda: ("", "")}),
    Fault("edgeemo-version-mismatch", versions={"edgeemo": "0.0.9"}),
    Fault(
        "c-library-missing",
        patches={
            "edgeemo.native_paths.paths": raising(RuntimeUnavailableError("no libedgeemo.so: built so"))
        },
    ),
    Fault("numpy-old", versions={"numpy": "1.24.4"}),
    Fault("tflite-runtime-numpy-2", versions={"tflite-runtime": "2.14.0", "numpy": "2.1.0"}),
    Fault("litert-untested", versions={"ai-edge-litert": "3.1.0"}, needs=frozenset({"litert"})),
    Fault(
        "litert-missing",
        patches={"edgeemo.doctor.litert._is_installed": lambda: False},
        blinds=frozenset({"litert"}),
    ),
    Fault(
        "litert-library-missing",
        patches={"edgeemo.doctor.litert.litert_library": lambda: ""},
        needs=frozenset({"litert"}),
    ),
    Fault("bundle-missing", bundle=lambda folder: folder / "nowhere.tflite"),
    Fault("bundle-damaged", bundle=_damaged),
    Fault("bundle-newer", bundle=_newer),
    Fault("bundle-mismatch", bundle=_bundle(spec_digest="0" * 64)),
    Fault("golden-differs", bundle=_bundle(golden=(WRONG,))),
    Fault("bundle-without-goldens", bundle=_bundle()),
    Fault("picture-bgr", picture=lambda f: portrait(f, lambda p: p[..., ::-1])),
    Fault("picture-turned", picture=lambda f: portrait(f, np.rot90)),
    Fault("picture-turned", picture=lambda f: portrait(f, lambda p: np.rot90(p, -1))),
    Fault("picture-dark", picture=lambda f: portrait(f, lambda p: p // 14)),
    Fault("picture-overexposed", picture=lambda f: portrait(f, lambda p: p * 0 + 255)),
    Fault("picture-flat", picture=lambda f: portrait(f, lambda p: p * 0 + 99)),
    Fault("picture-blurred", picture=lambda f: portrait(f, blurred)),
    Fault("picture-face-small", picture=lambda f: portrait(f, lambda p: p[::6, ::6])),
    Fault("picture-no-face", picture=lambda f: portrait(f, lambda p: p[:100])),
    Fault("picture-unreadable", picture=lambda f: f / "absent.jpg"),
    Fault("recording-clipped", recording=lambda f: voice(f, lambda x: np.clip(8 * x, -0.9, 0.9))),
    Fault("recording-over-full-scale", recording=lambda f: voice(f, lambda x: 10 * x)),
    Fault("recording-silent", recording=lambda f: voice(f, lambda x: 0 * x)),
    Fault("recording-quiet", recording=lambda f: voice(f, lambda x: x / 300)),
    Fault("recording-dc-offset", recording=lambda f: voice(f, lambda x: x / 2 + np.float32(0.1))),
    Fault(
        "recording-byte-order",
        recording=lambda f: voice(f, lambda x: (32768 * band(80, 2000)(x)).astype(np.int16).byteswap()),
    ),
    Fault("recording-int16-as-float", recording=lambda f: voice(f, lambda x: 32768 * x)),
    Fault(
        "recording-float-as-int16",
        recording=lambda f: voice(f, lambda x: np.sign(np.rint(4 * x)).astype(np.int16)),
    ),
    Fault("recording-one-channel", recording=lambda f: voice(f, lambda x: np.c_[x, 0 * x])),
    Fault("recording-duplicated-channel", recording=lambda f: voice(f, lambda x: np.c_[x, x])),
    Fault("recording-opposite-channels", recording=lambda f: voice(f, lambda x: np.c_[x, -x])),
    Fault("recording-interleaved", recording=lambda f: voice(f, lambda x: np.repeat(band(80, 7000)(x), 2))),
    Fault("recording-narrow-band", recording=lambda f: voice(f, band(200, 3400))),
    Fault("recording-not-finite", recording=lambda f: voice(f, lambda x: np.append(x, np.float32("nan")))),
    Fault("recording-short", recording=lambda f: voice(f, lambda x: x[:4000])),
    Fault("recording-no-speech", recording=lambda f: voice(f, lambda _: signal("hiss"))),
    Fault("sample-rate-unsupported", recording=lambda f: voice(f, rate_hz=6000)),
    Fault("sample-rate-unsupported", recording=lambda f: voice(f, rate_hz=384_000)),
    Fault("recording-unreadable", recording=lambda f: f / "absent.wav"),
    Fault("sample-rate-low", recording=lambda f: voice(f, lambda x: x[::2], rate_hz=8000)),
    Fault(
        "sample-rate-mismatch",
        recording=voice,
        options={"rate_hz": 44_100},
        patches=microphone(rate_hz=44_100),
    ),
]
