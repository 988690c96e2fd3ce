"""Python, edgeemo itself, and the packages around it."""

from __future__ import annotations

import ast
import platform
import struct
import sys
import sysconfig
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from .. import __version__, _core, native_paths
from ..errors import RuntimeUnavailableError
from ..told import natural
from .case import Case, Finding, Skipped, error, info, warning

PYTHONS = ((3, 10), (3, 14))
"""The oldest and the newest Python that edgeemo is made for."""


def version_of(package: str) -> str:
    """Return the version of an installed package, "" where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def number(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version, for comparison; () of what is none."""
    parts: list[int] = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        value = natural(digits)
        if value is None:
            break
        parts.append(value)
        if digits != part:
            break
    return tuple(parts)


def python(case: Case) -> Iterator[Finding]:
    """Version, bits and platform of the interpreter."""
    oldest, newest = PYTHONS
    here = sys.version_info[:2]
    if not oldest <= here <= newest:
        yield warning(
            "python-version",
            f"edgeemo is made for Python {oldest[0]}.{oldest[1]} to {newest[0]}.{newest[1]}.",
            f"{sys.executable} is Python {platform.python_version()}",
            "Make an environment with one of these: `python3.11 -m venv .venv`, and install edgeemo into it.",
        )
    bits = 8 * struct.calcsize("P")
    if bits < 64:
        yield error(
            "python-32-bit",
            "This Python is a 32-bit program: there is no LiteRT wheel for it.",
            f"pointers of {bits} bits on {platform.machine()}",
            "Install the 64-bit image of your system (`uname -m` then says aarch64 or x86_64, and so does "
            "`getconf LONG_BIT` 64).",
        )
    system = platform.system()
    if system != "Linux":
        yield warning(
            "platform-untested",
            f"edgeemo is tested on Linux, this is {system or 'unknown'}.",
            f"platform.system() says {system!r}",
            "Run it on Linux, or in a container of one; what Linux' own files tell is not checked here.",
        )
    elif platform.libc_ver()[0] != "glibc":
        yield libc_not_glibc(f"platform.libc_ver() says {platform.libc_ver()[0] or 'nothing'!r}")


def libc_not_glibc(evidence: str) -> Finding:
    """Return the finding that a system, this one or a drawn one, has another C library."""
    return warning(
        "libc-not-glibc",
        "The C library is not glibc: LiteRT's wheels do not load (Alpine has musl).",
        evidence,
        "Use an image with glibc, for instance `python:3.11-slim` in place of `python:3.11-alpine`.",
    )


def wheels(case: Case) -> Iterator[Finding]:
    """Whether compiled packages were built for this platform: forced installs and copied folders are not."""
    for name in ("edgeemo", "numpy", "ai-edge-litert"):
        built = platforms_of(name)
        if built and not any(_fits(tag) for tag in built):
            yield error(
                "wheel-platform",
                f"The installed wheel of {name} is of another platform than this Python.",
                f"its file WHEEL says {', '.join(built)}; this is {sysconfig.get_platform()}, "
                f"{platform.libc_ver()[0] or 'no glibc'}",
                f"`pip install --force-reinstall --no-deps {name}` on this machine; do not copy "
                "site-packages, and build images for their own platform (`docker build --platform`).",
            )


def platforms_of(package: str) -> tuple[str, ...]:
    """Return the platforms that a wheel was built for; () of one for any, or that is not installed."""
    try:
        told = metadata.distribution(package).read_text("WHEEL") or ""
    except metadata.PackageNotFoundError:
        return ()
    tags = [line.partition(":")[2].strip() for line in told.splitlines() if line.startswith("Tag:")]
    platforms = {part for tag in tags for part in tag.rpartition("-")[2].split(".")}
    return () if "any" in platforms else tuple(sorted(platforms))


def _fits(tag: str) -> bool:
    system, _, machine = sysconfig.get_platform().partition("-")
    if system != "linux":
        return tag.startswith(system)  # and no more, for it is not tested
    foreign = tag.startswith("musllinux" if platform.libc_ver()[0] == "glibc" else "manylinux")
    return "linux" in tag and tag.endswith(f"_{machine}") and not foreign


def package(case: Case) -> Iterator[Finding]:
    """Whether Python sources, compiled module and C library are of one release."""
    installed = version_of("edgeemo")
    if installed and installed != __version__:
        yield warning(
            "edgeemo-version-mismatch",
            f"The code says it is edgeemo {__version__}, the installation {installed}.",
            f"{Path(__file__).parent.parent} against the metadata pip wrote",
            "Install again: `pip install --force-reinstall --no-deps edgeemo`, or `pip install -e .`.",
        )
    missing = sorted(set(_promised()) - set(dir(_core)))
    if missing:
        yield error(
            "core-stale",
            "The compiled module is older than the Python code beside it.",
            f"{_core.__file__} has no {', '.join(missing[:4])}",
            "Build it again: `pip install --force-reinstall --no-deps edgeemo`, or `pip install .` in a "
            "clone.",
        )
    try:
        native_paths.paths()
    except RuntimeUnavailableError as reason:
        yield info(
            "c-library-missing",
            f"{native_paths.LIBRARY} is not there: Python works, programs in C and C++ cannot link it.",
            str(reason).split(":")[0],
            "If you need it: `pip install .` (not editable), or `cmake --install` as the README says.",
        )


def numpy(case: Case) -> Iterator[Finding]:
    """NumPy, alone and beside tflite-runtime."""
    version, legacy = version_of("numpy"), version_of("tflite-runtime")
    if not version:
        raise Skipped("NumPy's version is not known: it was not installed by pip")
    if number(version) < (1, 26):
        yield warning(
            "numpy-old",
            "NumPy is older than what edgeemo is tested with.",
            f"numpy {version}, expected 1.26 or newer",
            "`pip install 'numpy>=1.26'`",
        )
    if legacy and number(version) >= (2,):
        only = not (version_of("ai-edge-litert") or version_of("ai-edge-litert-nightly"))
        yield (error if only else warning)(
            "tflite-runtime-numpy-2",
            "tflite-runtime was built for NumPy 1: beside NumPy 2 every interpreter of it raises.",
            f"tflite-runtime {legacy} beside numpy {version}",
            "`pip install 'numpy<2'`, or, if LiteRT runs here, `pip uninstall tflite-runtime`.",
        )


def _promised() -> Iterator[str]:
    """Yield the names that the compiled module's stub promises."""
    stub = Path(__file__).parent.parent / "_core.pyi"
    if stub.is_file():
        for node in ast.parse(stub.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                yield node.name
