"""Check graphics processors: the rights to them, Vulkan's drivers, and the answers of models there."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ..bundle import Bundle, shipped
from ..delegates import survey
from ..system_files import find, read
from .context import Context, Finding, Noted, Skipped, info, warning
from .devices import forbidden

_ICD = ("usr/share/vulkan/icd.d", "usr/local/share/vulkan/icd.d", "etc/vulkan/icd.d")
_LIBRARIES = ("lib*", "lib/*-linux-gnu*", "usr/lib*", "usr/lib/*-linux-gnu*", "usr/local/lib")


def gpu(context: Context) -> Noted:
    """Vulkan's drivers and the rights to a graphics processor."""
    yield from forbidden(context, "dev/dri/renderD*", "gpu-permission", "render")
    drivers = _drivers(context)
    usable = []
    for driver in drivers:
        problem = _problem_of_driver(context.root, driver)
        if problem:
            yield warning(
                "vulkan-driver-broken",
                f"The Vulkan driver {driver.name} cannot be used.",
                f"{driver}: {problem}",
                "`sudo apt-get install --reinstall mesa-vulkan-drivers`, or the maker's driver; or remove "
                "the file.",
            )
        else:
            usable.append(driver.name)
    if not drivers:
        return "there is no Vulkan driver, so models run on the CPU, which is fast for models this small"
    if usable and not _library(context.root, "libvulkan.so.1"):
        yield warning(
            "vulkan-loader-missing",
            "There is a Vulkan driver, but its loader is missing.",
            "no libvulkan.so.1 in the system's library folders",
            "`sudo apt-get install libvulkan1`",
        )
    return ""


def delegates(context: Context) -> Iterator[Finding]:
    """Whether a GPU with a driver answers as the CPU does, as `edgeemo delegates` asks, too."""
    if context.root != Path("/"):
        raise Skipped("the files below another root have no GPU to try")
    if not _drivers(context):
        raise Skipped("there is no Vulkan driver, so only the CPU could be tried")
    bundles = [found for name in shipped().values() if isinstance(found := context.opened[str(name)], Bundle)]
    if not bundles:
        raise Skipped("edgeemo has no shipped bundle to try a GPU with")
    refused: dict[str, dict[str, str]] = {}  # delegate: {bundle: why}
    for bundle in bundles:
        # keep no record: the doctor changes nothing
        for report in survey(bundle, threads=context.threads, delegate_options={"probe_records": ""}):
            if not report.usable:
                refused.setdefault(report.name, {})[bundle.card.name] = report.reason
    for delegate, reasons in refused.items():
        why = {reason: [name for name in reasons if reasons[name] == reason] for reason in reasons.values()}
        yield info(
            "delegate-unusable",
            f"The delegate {delegate} was tried, and is not used for {', '.join(reasons)}.",
            "; ".join(f"{', '.join(names)}: {reason}" for reason, names in why.items()),
            "Nothing is wrong with the CPU: leave the delegate at 'auto' or 'cpu'. After you install a new "
            "driver, `edgeemo delegates` tries again.",
        )


def _drivers(context: Context) -> list[Path]:
    """Return the files that describe Vulkan's drivers."""
    named = os.environ.get("VK_DRIVER_FILES") or os.environ.get("VK_ICD_FILENAMES") or ""
    added = named.split(os.pathsep) if context.root == Path("/") else []
    return [path for folder in _ICD for path in context.find(f"{folder}/*.json")] + [
        Path(n) for n in added if n
    ]


def _problem_of_driver(root: Path, driver: Path) -> str:
    text, library = read(driver), None
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        library = json.loads(text)["ICD"]["library_path"]
    if not isinstance(library, str) or not library:
        return "is not JSON with ICD.library_path" if text else "cannot be read"
    if "/" not in library:
        return "" if _library(root, library) else f"there is no {library} in the system's library folders"
    place = driver.parent / library if not library.startswith("/") else root / library.lstrip("/")
    return "" if os.path.exists(place) else f"there is no {place}"  # noqa: PTH110


def _library(root: Path, name: str) -> bool:
    return any(find(root, f"{folder}/{glob.escape(name)}") for folder in _LIBRARIES)
