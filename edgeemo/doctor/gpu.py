"""Graphics processors: rights to them, Vulkan's drivers, and whether models run there rightly."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterator
from pathlib import Path

from ..bundle import Bundle, shipped
from ..delegates import survey
from ..told import find, read
from .case import Case, Finding, Noted, Skipped, info, warning
from .devices import forbidden

_ICD = ("usr/share/vulkan/icd.d", "usr/local/share/vulkan/icd.d", "etc/vulkan/icd.d")
_SOFTWARE = ("lvp", "swiftshader", "llvmpipe")
_LIBRARIES = ("lib*", "lib/*-linux-gnu*", "usr/lib*", "usr/lib/*-linux-gnu*", "usr/local/lib")


def gpu(case: Case) -> Noted:
    """Vulkan's drivers and the rights to a graphics processor."""
    yield from forbidden(case, "dev/dri/renderD*", "gpu-permission", "render")
    drivers = _drivers(case)
    whole = []
    for driver in drivers:
        problem = _problem_of_driver(case.root, driver)
        if problem:
            yield warning(
                "vulkan-driver-broken",
                f"Vulkan's driver {driver.name} cannot be used.",
                f"{driver}: {problem}",
                "`sudo apt-get install --reinstall mesa-vulkan-drivers`, or the maker's driver; or remove "
                "the file.",
            )
        else:
            whole.append(driver.name)
    if not drivers:
        return "there is no Vulkan driver: models run on the CPU, which is fast for models this small"
    if whole and not _library(case.root, "libvulkan.so.1"):
        yield warning(
            "vulkan-loader-missing",
            "A Vulkan driver is there, its loader is not.",
            "no libvulkan.so.1 in the system's library folders",
            "`sudo apt-get install libvulkan1`",
        )
    elif whole and all(any(word in name.lower() for word in _SOFTWARE) for name in whole):
        yield info(
            "vulkan-software",
            "Vulkan here is made by the CPU: it is slower than the CPU itself, and one such driver gave "
            "wrong numbers.",
            f"drivers: {', '.join(whole)}",
            "Use the delegate 'cpu'.",
        )
    return ""


def delegates(case: Case) -> Iterator[Finding]:
    """Whether a GPU that has a driver answers as the CPU does, by what `edgeemo delegates` asks, too."""
    if case.root != Path("/"):
        raise Skipped("a drawn machine has no GPU to try")
    if not _drivers(case):
        raise Skipped("there is no Vulkan driver: nothing to try but the CPU")
    bundles = [found for name in shipped().values() if isinstance(found := case.opened[str(name)], Bundle)]
    if not bundles:
        raise Skipped("no bundle came with this edgeemo to try it with")
    refused: dict[str, dict[str, str]] = {}  # delegate: {bundle: why}
    for bundle in bundles:
        # nothing of it is kept: the doctor changes nothing
        for report in survey(bundle, threads=case.threads, delegate_options={"probe_records": ""}):
            if not report.usable:
                refused.setdefault(report.name, {})[bundle.card.name] = report.reason
    for delegate, reasons in refused.items():
        why = {reason: [name for name in reasons if reasons[name] == reason] for reason in reasons.values()}
        yield info(
            "delegate-unusable",
            f"The delegate {delegate} was tried, and is not used for {', '.join(reasons)}.",
            "; ".join(f"{', '.join(names)}: {reason}" for reason, names in why.items()),
            "Nothing is wrong with the CPU: leave the delegate at 'auto' or 'cpu'. `edgeemo delegates` tries "
            "again after a new driver.",
        )


def _drivers(case: Case) -> list[Path]:
    """Return the files that describe Vulkan's drivers."""
    found = [path for folder in _ICD for path in find(case.root, f"{folder}/*.json")]
    named = os.environ.get("VK_DRIVER_FILES") or os.environ.get("VK_ICD_FILENAMES") or ""
    if case.root == Path("/"):
        found += [Path(name) for name in named.split(os.pathsep) if name]
    return found


def _problem_of_driver(root: Path, driver: Path) -> str:
    text = read(driver)
    try:
        library = json.loads(text)["ICD"]["library_path"] if text else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return "is no JSON with ICD.library_path"
    if not isinstance(library, str) or not library:
        return "cannot be read" if not text else "is no JSON with ICD.library_path"
    if "/" not in library:
        return "" if _library(root, library) else f"there is no {library} in the system's library folders"
    place = driver.parent / library if not library.startswith("/") else root / library.lstrip("/")
    return "" if os.path.exists(place) else f"there is no {place}"  # noqa: PTH110


def _library(root: Path, name: str) -> bool:
    return any(find(root, f"{folder}/{glob.escape(name)}") for folder in _LIBRARIES)
