"""Compare the C library's version with what LiteRT needs.

pip goes by a wheel's tag. LiteRT's wheels for aarch64 say manylinux_2_27, but need glibc 2.34 from 2.1.2 on.
So they install on Debian bullseye and JetPack 5, and do not load there. The tags for x86-64 are right.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from pathlib import Path

from ..backends import litert_library
from ..files import open_regular
from ..system_files import find, read
from .context import Context, Finding, Skipped, error
from .installation import libc_not_glibc, numbers, version_of

NEEDS = {  # architecture: (first LiteRT, the glibc it needs), the newest first
    "aarch64": (((2, 1, 2), (2, 34)), ((1, 4), (2, 30))),
    "x86_64": (((2, 1), (2, 27)), ((1, 4), (2, 17))),
}
"""By the symbols of the libraries of 1.4.0, 2.1.0 and newer releases."""
OLDER = {"aarch64": "2.1.0", "x86_64": "1.4.0"}
"""The newest LiteRT known to need the older glibc."""

_RELEASES = {  # glibc of distributions by codename or number, if a root holds nothing more
    "buster": "2.28", "bullseye": "2.31", "bookworm": "2.36", "trixie": "2.41",
    "debian 10": "2.28", "debian 11": "2.31", "debian 12": "2.36", "debian 13": "2.41",
    "bionic": "2.27", "focal": "2.31", "jammy": "2.35", "noble": "2.39",
    "ubuntu 18.04": "2.27", "ubuntu 20.04": "2.31", "ubuntu 22.04": "2.35", "ubuntu 24.04": "2.39",
    "centos 7": "2.17", "amzn 2": "2.26",
}  # fmt: skip
_FOLDERS = ("lib*", "lib/*-linux-gnu*", "usr/lib*", "usr/lib/*-linux-gnu*")
_MUSL = "ld-musl-"  # begins the name of musl's loader
_LARGEST = 64_000_000  # bytes of a C library
_PACKAGES = ("usr/lib/python3*", "usr/local/lib/python3*", "opt/*/lib/python3*")


def glibc(context: Context) -> Iterator[Finding]:
    """Whether the C library is new enough for LiteRT."""
    version, architecture, source = c_library(context.root)
    if not version and _MUSL in source:
        yield libc_not_glibc(f"{source} exists, and no glibc")
    if not version:
        raise Skipped("no version of glibc is known here")
    litert = litert_version(context.root)
    need, why = _need(context.root, architecture, litert)
    if numbers(version) >= need:
        return
    wanted = ".".join(map(str, need))
    remedy = f"Use a system with glibc {wanted} or newer (Raspberry Pi OS bookworm, JetPack 6, Ubuntu 22.04)"
    if architecture in OLDER and numbers(version) >= NEEDS[architecture][-1][1]:
        remedy += (
            f", or an older runtime: `pip install 'ai-edge-litert=={OLDER[architecture]}'`. pip will say "
            "that edgeemo asks for a newer one; the native engine takes 1.4 to 2.3"
        )
    yield error(
        "litert-needs-glibc",
        f"LiteRT {litert or '(the newest)'} needs glibc {wanted}, and this system has {version}. LiteRT "
        "installs, but does not load.",
        f"{source} says glibc {version} on {architecture}; {why}",
        f"{remedy}.",
    )


def c_library(root: Path) -> tuple[str, str, str]:
    """Return glibc's version, the architecture, and the file that says so.

    The version is ``""`` if the C library is another one, or its version is unknown.
    """
    if root != Path("/"):
        found = _from_file(root) or _from_release(root)
        unknown = [path for name in ("libc.so.6", f"{_MUSL}*") for path in _libraries(root, name)]
        if found or unknown:
            return found or ("", _architecture(root), str(unknown[0]))
    name, version = platform.libc_ver()
    return (version if name == "glibc" else ""), _architecture(root), "this Python's C library"


def litert_version(root: Path) -> str:
    """Return the version of ai-edge-litert that is installed below a root, else in this Python."""
    if root != Path("/"):
        for place in _PACKAGES:
            for found in find(root, f"{place}/*-packages/ai_edge_litert-*.dist-info"):
                return found.name.removesuffix(".dist-info").rpartition("-")[2]
    return version_of("ai-edge-litert") or version_of("ai-edge-litert-nightly")


def _need(root: Path, architecture: str, litert: str) -> tuple[tuple[int, ...], str]:
    """Return the glibc that LiteRT needs, and how that is known."""
    library = litert_library() if root == Path("/") else ""
    if library:
        symbols = re.findall(rb"GLIBC_(\d+)\.(\d+)\b", Path(library).read_bytes())
        return max(((int(a), int(b)) for a, b in symbols), default=()), f"symbols of {library}"
    for since, need in NEEDS.get(architecture, ()):
        if not numbers(litert) or numbers(litert) >= since:
            first, wanted = (".".join(map(str, version)) for version in (since, need))
            return need, f"LiteRT's wheels for {architecture} need {wanted} since {first}"
    return (), ""


def _from_file(root: Path) -> tuple[str, str, str] | None:
    for path in _libraries(root, "libc.so.6") + _libraries(root, "libc-2.*.so"):
        name = path.readlink().name if path.is_symlink() else path.name
        data = _bytes(path)
        found = re.search(r"libc-(\d+\.\d+)", name) or re.search(
            r"GNU C Library.{0,80}? version (\d+\.\d+)", data.decode("latin-1"), re.DOTALL
        )
        if found:
            elf = int.from_bytes(data[18:20], "little") if data[:4] == b"\x7fELF" else 0  # e_machine
            architecture = {183: "aarch64", 62: "x86_64"}.get(elf)
            return found[1], architecture or _architecture(root, path.parent.name), str(path)
    return None


def _libraries(root: Path, name: str) -> list[Path]:
    return [path for folder in _FOLDERS for path in find(root, f"{folder}/{name}")]


def _from_release(root: Path) -> tuple[str, str, str] | None:
    for path in (root / "etc/os-release", root / "usr/lib/os-release"):
        fields = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', read(path), re.MULTILINE))
        number = f"{fields.get('ID', '').replace('raspbian', 'debian')} {fields.get('VERSION_ID', '')}"
        for name in (fields.get("VERSION_CODENAME", ""), number):
            if name in _RELEASES:
                return _RELEASES[name], _architecture(root), f"{path}, {name},"
    return None


def _architecture(root: Path, folder: str = "") -> str:
    """Return the architecture by a library folder's name, by the processor's features, or of this process."""
    if folder.endswith("-linux-gnu"):
        return folder.removesuffix("-linux-gnu")
    cpuinfo = read(root / "proc/cpuinfo")
    if root == Path("/") or not cpuinfo:
        return platform.machine()
    arm = re.search(r"^(CPU implementer|CPU part|Features)\s*:", cpuinfo, re.MULTILINE)
    return "aarch64" if arm else "x86_64"


def _bytes(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read(_LARGEST)
    except OSError:
        return b""
