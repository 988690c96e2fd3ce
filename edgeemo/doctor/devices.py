"""Microphones and cameras: there, usable, and of a rate that fits."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from ..errors import EdgeemoError, RuntimeUnavailableError
from ..told import find
from .case import Case, Finding, Noted, Skipped, info, warning

_NO_CAMERA = ("codec", "isp", "hevc", "rpivid", "loopback")  # a Raspberry Pi's other video devices


def microphone(case: Case) -> Iterator[Finding]:
    """PortAudio, the devices that record, their rights and their rate."""
    yield from forbidden(case, "dev/snd/pcm*c", "microphone-permission", "audio")
    wanted = bool(case.rate_hz or find(case.root, "dev/snd/pcm*c"))
    if find_spec("sounddevice") is None:
        raise Skipped("there is no sounddevice; if you want a microphone: `pip install 'edgeemo[voice]'`")
    from ..sources import microphones

    try:
        found = microphones()
    except RuntimeUnavailableError as reason:
        yield (warning if wanted else info)(
            "portaudio-missing",
            "sounddevice is there and PortAudio is not: no microphone can be read.",
            " ".join(str(reason).split()),
            "`sudo apt-get install libportaudio2`",
        )
        return
    except EdgeemoError as reason:
        yield (warning if wanted else info)(
            "sound-system-silent",
            "The sound system does not answer.",
            " ".join(str(reason).split()),
            "See whether `arecord -l` lists devices; `systemctl --user restart pipewire` (or pulseaudio).",
        )
        return
    if not found and not wanted:
        raise Skipped("no device records, and no --rate was given")
    if not found:
        yield warning(
            "microphone-none",
            "No device records.",
            "PortAudio lists none" + ("" if case.rate_hz else ", and there are dev/snd/pcm*c"),
            "Plug it in, and see `arecord -l` and `edgeemo listen --list-devices`; in a container "
            "`--device /dev/snd`.",
        )
        return
    device = next((d for d in found if d.is_default), found[0])
    yield from _rates(case, device.name, device.rate_hz)


def _rates(case: Case, name: str, rate_hz: int) -> Iterator[Finding]:
    """A microphone of another rate than the product's is resampled by PortAudio or edgeemo: no fault."""
    model_hz, product_hz = max(_model_rates(case), default=16_000), case.rate_hz or rate_hz
    seen = f"PortAudio: default rate of {name!r} is {rate_hz} Hz"
    if min(product_hz, rate_hz) < model_hz:
        yield warning(
            "sample-rate-low",
            f"{'The microphone records' if rate_hz < model_hz else 'Your product reads'} at "
            f"{min(product_hz, rate_hz)} Hz, models read {model_hz} Hz: the upper band is missing.",
            seen if rate_hz < model_hz else f"--rate {case.rate_hz}",
            "Choose another rate, device or profile: a Bluetooth headset as a microphone is often 8 kHz; "
            "`edgeemo listen --list-devices`.",
        )
    elif product_hz != rate_hz:
        yield info(
            "sample-rate-resampled",
            f"Your product assumes {product_hz} Hz, the microphone's own rate is {rate_hz} Hz: it is "
            "resampled.",
            seen,
            "Nothing is wrong, as long as the rate you pass is that of the samples you pass: "
            f"`Microphone(rate_hz={product_hz})`, or `recognizer.stream(rate_hz={rate_hz})`.",
        )


def camera(case: Case) -> Noted:
    """Video devices and their rights."""
    yield from forbidden(case, "dev/video*", "camera-permission", "video")
    nodes = [node.name for node in find(case.root, "dev/video*")]
    names = {node: case.read(f"sys/class/video4linux/{node}/name") for node in nodes}
    if nodes and all(any(word in name.lower() for word in _NO_CAMERA) for name in names.values()):
        yield info(
            "camera-none",
            "There are video devices, and no camera.",
            f"dev/video* are {', '.join(sorted(set(names.values())))}",
            "If you want one: plug it in; of a Raspberry Pi's own see the ribbon cable and `rpicam-hello "
            "--list`.",
        )
    missing = "" if nodes else "there is no camera"
    if find_spec("cv2") is None:
        missing += f"{'; ' if missing else ''}no OpenCV to read one: `pip install 'edgeemo[face]'`"
    return missing


def _model_rates(case: Case) -> Iterator[int]:
    for bundle in case.whole.values():
        if bundle.card.modality == "voice":
            yield int(bundle.card.spec.get("rate_hz", 16_000))


def forbidden(case: Case, pattern: str, id: str, group: str) -> Iterator[Finding]:
    """Yield a finding for the first device that this user may not read and write."""
    for path in find(case.root, pattern):
        try:
            found = path.stat()
        except OSError:
            continue
        if _may_use(case, path, found):
            continue
        owner = f"{_name(pwd.getpwuid, found.st_uid)}:{_name(grp.getgrgid, found.st_gid)}"
        yield warning(
            id,
            f"The device {path.name} is there, and you may not read and write it.",
            f"{path}: {stat.filemode(found.st_mode)} {owner}; you are {_name(pwd.getpwuid, os.geteuid())}",
            f"`sudo usermod -aG {group} $USER`, then log in again; in a container `--device "
            f"/{path.relative_to(case.root)}`.",
        )
        return


def _may_use(case: Case, path: Path, found: os.stat_result) -> bool:
    """As the system says, which knows access lists, too; of a drawn one, and to root, as the mode says.

    Root may do anything, but a product seldom runs as root.
    """
    if os.geteuid() != 0 and case.root == Path("/"):
        return os.access(path, os.R_OK | os.W_OK)
    mode = found.st_mode
    if found.st_uid == os.geteuid() or os.geteuid() == 0:
        return bool(mode & 0o600 == 0o600)
    if found.st_gid in (*os.getgroups(), os.getegid()):
        return mode & 0o060 == 0o060
    return mode & 0o006 == 0o006


def _name(of: object, number: int) -> str:
    try:
        return str(of(number)[0])  # type: ignore[operator]
    except KeyError:  # a container seldom knows the host's
        return str(number)
