"""Graphics processors: rights to them, and Vulkan's drivers and loader."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from ..machine import read
from .case import Case, Finding, info, warning
from .devices import forbidden

_ICD = ("usr/share/vulkan/icd.d", "usr/local/share/vulkan/icd.d", "etc/vulkan/icd.d")
_SOFTWARE = ("lvp", "swiftshader", "llvmpipe")
_LIBRARIES = ("lib*", "lib/*-linux-gnu*", "usr/lib*", "usr/lib/*-linux-gnu*", "usr/local/lib")


def gpu(case: Case) -> Iterator[Finding]:
    """Vulkan's drivers and the rights to a graphics processor."""
    yield from forbidden(case, "dev/dri/renderD*", "gpu-permission", "render")
    drivers = [path for folder in _ICD for path in sorted((case.root / folder).glob("*.json"))]
    if case.root == Path("/"):
        named = os.environ.get("VK_DRIVER_FILES") or os.environ.get("VK_ICD_FILENAMES") or ""
        drivers += [Path(name) for name in named.split(os.pathsep) if name]
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
        yield info(
            "vulkan-none",
            "There is no Vulkan driver: models run on the CPU, which is fast for models this small.",
            f"no JSON in {', '.join(_ICD)}",
            "If you want to try a GPU: `sudo apt-get install mesa-vulkan-drivers libvulkan1`.",
        )
    elif whole and not _library(case.root, "libvulkan.so.1"):
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


def _problem_of_driver(root: Path, driver: Path) -> str:
    text = read(driver)
    try:
        library = json.loads(text)["ICD"]["library_path"] if text else None
    except (ValueError, KeyError, TypeError):
        return "is no JSON with ICD.library_path"
    if not isinstance(library, str) or not library:
        return "cannot be read" if not text else "is no JSON with ICD.library_path"
    if "/" not in library:
        return "" if _library(root, library) else f"there is no {library} in the system's library folders"
    place = driver.parent / library if not library.startswith("/") else root / library.lstrip("/")
    return "" if place.exists() else f"there is no {place}"


def _library(root: Path, name: str) -> bool:
    return any(next(root.glob(f"{folder}/{name}"), None) for folder in _LIBRARIES)
