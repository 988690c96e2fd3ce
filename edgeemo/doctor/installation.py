"""Check Python, edgeemo itself, and NumPy."""

from __future__ import annotations

import platform
import re
import struct
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from .. import __version__, native_paths
from ..errors import RuntimeUnavailableError
from .context import Context, Finding, Skipped, error, info, warning

PYTHONS = ((3, 10), (3, 14))
"""The oldest and the newest Python that edgeemo supports."""


def version_of(package: str) -> str:
    """Return the version of an installed package, ``""`` if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version for comparison, () if there are none."""
    found = re.match(r"[0-9]{1,19}(\.[0-9]{1,19})*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


def python(context: Context) -> Iterator[Finding]:
    """Version, bits and platform of the interpreter."""
    oldest, newest = PYTHONS
    if not oldest <= sys.version_info[:2] <= newest:
        yield warning(
            "python-version",
            f"edgeemo supports Python {oldest[0]}.{oldest[1]} to {newest[0]}.{newest[1]}.",
            f"{sys.executable} is Python {platform.python_version()}",
            "Make an environment with one of these: `python3.11 -m venv .venv`, and install edgeemo into it.",
        )
    bits = 8 * struct.calcsize("P")
    if bits < 64:
        yield error(
            "python-32-bit",
            "This Python is a 32-bit program, for which LiteRT has no wheel.",
            f"pointers of {bits} bits on {platform.machine()}",
            "Install the 64-bit image of your system. Then `uname -m` says aarch64 or x86_64, and `getconf "
            "LONG_BIT` says 64.",
        )
    system = platform.system()
    if system != "Linux":
        yield warning(
            "platform-untested",
            f"edgeemo is tested on Linux only, and this is {system or 'unknown'}.",
            f"platform.system() says {system!r}",
            "Run it on Linux, or in a container of Linux. The checks of Linux' own files are skipped here.",
        )
    elif platform.libc_ver()[0] != "glibc":
        yield libc_not_glibc(f"platform.libc_ver() says {platform.libc_ver()[0] or 'nothing'!r}")


def libc_not_glibc(evidence: str) -> Finding:
    """Return the finding that this system, or the one below the root, has another C library."""
    return warning(
        "libc-not-glibc",
        "The C library is not glibc, so LiteRT's wheels do not load (Alpine has musl).",
        evidence,
        "Use an image with glibc, for instance `python:3.11-slim` in place of `python:3.11-alpine`.",
    )


def package(context: Context) -> Iterator[Finding]:
    """Whether the Python code and the C library are of one release."""
    installed = version_of("edgeemo")
    if installed and installed != __version__:
        yield warning(
            "edgeemo-version-mismatch",
            f"The code is edgeemo {__version__}, and the installation says {installed}.",
            f"{Path(__file__).parent.parent} against the metadata that pip wrote",
            "Install again: `pip install --force-reinstall --no-deps edgeemo`, or `pip install -e .`.",
        )
    try:
        native_paths.paths()
    except RuntimeUnavailableError as reason:
        yield info(
            "c-library-missing",
            f"{native_paths.LIBRARY} is missing: Python works, but programs in C and C++ cannot link it.",
            str(reason).split(":")[0],
            "If you need it: `pip install .` (not editable), or `cmake --install` as the documentation says.",
        )


def numpy(context: Context) -> Iterator[Finding]:
    """NumPy's version, alone and beside tflite-runtime."""
    version, legacy = version_of("numpy"), version_of("tflite-runtime")
    if not version:
        raise Skipped("NumPy's version is not known, because pip did not install it")
    if numbers(version) < (1, 26):
        yield warning(
            "numpy-old",
            "NumPy is older than the releases that edgeemo is tested with.",
            f"numpy {version}, expected 1.26 or newer",
            "`pip install 'numpy>=1.26'`",
        )
    if legacy and numbers(version) >= (2,):
        only = not (version_of("ai-edge-litert") or version_of("ai-edge-litert-nightly"))
        yield (error if only else warning)(
            "tflite-runtime-numpy-2",
            "tflite-runtime was built for NumPy 1. Beside NumPy 2 its interpreters raise errors.",
            f"tflite-runtime {legacy} beside numpy {version}",
            "`pip install 'numpy<2'`, or, if LiteRT runs here, `pip uninstall tflite-runtime`.",
        )
