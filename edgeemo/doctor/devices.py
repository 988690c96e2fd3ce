"""Check microphones and cameras: whether they are there and usable, and whether the rate fits."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from ..errors import EdgeemoError, RuntimeUnavailableError
from .context import Context, Finding, Noted, Skipped, info, warning

_NO_CAMERA = ("codec", "isp", "hevc", "rpivid", "loopback")  # a Raspberry Pi's other video devices


def microphone(context: Context) -> Iterator[Finding]:
    """PortAudio, the devices that record, their rights and their rate."""
    yield from forbidden(context, "dev/snd/pcm*c", "microphone-permission", "audio")
    wanted = bool(context.rate_hz or context.find("dev/snd/pcm*c"))
    if find_spec("sounddevice") is None:
        raise Skipped("sounddevice is missing; if you want a microphone: `pip install 'edgeemo[voice]'`")
    from ..sources import microphones

    try:
        found = microphones()
    except EdgeemoError as reason:
        missing = isinstance(reason, RuntimeUnavailableError)
        yield (warning if wanted else info)(
            "portaudio-missing" if missing else "sound-system-silent",
            "PortAudio is missing, so sounddevice cannot read a microphone."
            if missing
            else "The sound system does not answer.",
            " ".join(str(reason).split()),
            "`sudo apt-get install libportaudio2`"
            if missing
            else "See whether `arecord -l` lists devices; `systemctl --user restart pipewire` (or "
            "pulseaudio).",
        )
        return
    if not found and not wanted:
        raise Skipped("no device records, and no --rate was given")
    if not found:
        yield warning(
            "microphone-none",
            "No device records.",
            "PortAudio lists none" + ("" if context.rate_hz else ", and there are dev/snd/pcm*c"),
            "Plug it in, and see `arecord -l` and `edgeemo listen --list-devices`; in a container "
            "`--device /dev/snd`.",
        )
        return
    device = next((d for d in found if d.is_default), found[0])
    yield from _rates(context, device.name, device.rate_hz)


def _rates(context: Context, name: str, rate_hz: int) -> Iterator[Finding]:
    """A microphone of another rate than the product's is not a fault: PortAudio or edgeemo resample."""
    cards = [bundle.card for bundle in context.intact.values() if bundle.card.modality == "voice"]
    model_hz = max((int(card.spec.get("rate_hz", 16_000)) for card in cards), default=16_000)
    product_hz = context.rate_hz or rate_hz
    seen = f"PortAudio: default rate of {name!r} is {rate_hz} Hz"
    if min(product_hz, rate_hz) < model_hz:
        yield warning(
            "sample-rate-low",
            f"{'The microphone records' if rate_hz < model_hz else 'Your product reads'} at "
            f"{min(product_hz, rate_hz)} Hz, and models read {model_hz} Hz: the upper band is missing.",
            seen if rate_hz < model_hz else f"--rate {context.rate_hz}",
            "Choose another rate, device or profile: a Bluetooth headset as a microphone is often 8 kHz; "
            "`edgeemo listen --list-devices`.",
        )
    elif product_hz != rate_hz:
        yield info(
            "sample-rate-resampled",
            f"Your product assumes {product_hz} Hz, and the microphone's own rate is {rate_hz} Hz: the "
            "samples are converted.",
            seen,
            "Nothing is wrong, as long as the rate you pass is that of the samples you pass: "
            f"`Microphone(rate_hz={product_hz})`, or `recognizer.stream(rate_hz={rate_hz})`.",
        )


def camera(context: Context) -> Noted:
    """Video devices and their rights."""
    yield from forbidden(context, "dev/video*", "camera-permission", "video")
    nodes = [node.name for node in context.find("dev/video*")]
    names = {context.read(f"sys/class/video4linux/{node}/name") for node in nodes}
    if nodes and all(any(word in name.lower() for word in _NO_CAMERA) for name in names):
        yield info(
            "camera-none",
            "There are video devices, but none of them is a camera.",
            f"dev/video* are {', '.join(sorted(names))}",
            "If you want a camera, plug it in. For a Raspberry Pi's own, see the ribbon cable and "
            "`rpicam-hello --list`.",
        )
    missing = [] if nodes else ["there is no camera"]
    if find_spec("cv2") is None:
        missing.append("there is no OpenCV to read a camera: `pip install 'edgeemo[face]'`")
    return "; ".join(missing)


def forbidden(context: Context, pattern: str, id: str, group: str) -> Iterator[Finding]:
    """Yield a finding for the first device that this user may not read and write."""
    for path in context.find(pattern):
        try:
            found = path.stat()
        except OSError:
            continue
        if not _may_use(context, path, found):
            owner = f"{_name(pwd.getpwuid, found.st_uid)}:{_name(grp.getgrgid, found.st_gid)}"
            you = _name(pwd.getpwuid, os.geteuid())
            yield warning(
                id,
                f"The device {path.name} exists, but you may not read and write it.",
                f"{path}: {stat.filemode(found.st_mode)} {owner}; you are {you}",
                f"`sudo usermod -aG {group} $USER`, then log in again; in a container `--device "
                f"/{path.relative_to(context.root)}`.",
            )
            return


def _may_use(context: Context, path: Path, found: os.stat_result) -> bool:
    """Return whether the user may use a device: by the system, which knows access lists, or by its mode.

    The mode counts below another root, and for root, who may do anything: products seldom run as root.
    """
    user = os.geteuid()
    if user != 0 and context.root == Path("/"):
        return os.access(path, os.R_OK | os.W_OK)
    in_group = found.st_gid in (*os.getgroups(), os.getegid())
    bits = 0o600 if user in (0, found.st_uid) else 0o060 if in_group else 0o006
    return found.st_mode & bits == bits


def _name(entry: object, number: int) -> str:
    try:
        return str(entry(number)[0])  # type: ignore[operator]
    except KeyError:  # a container seldom knows the host's names
        return str(number)
