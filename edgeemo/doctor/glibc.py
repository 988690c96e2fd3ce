"""The C library's version, and what LiteRT asks of it.

pip goes by a wheel's tag: those of LiteRT for aarch64 say manylinux_2_27, need glibc 2.34 from 2.1.2 on, and
so install on Debian bullseye and JetPack 5 where they do not load. Those for x86-64 need what their tag says.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from pathlib import Path

from ..backends import litert_library
from ..files import open_regular
from ..told import find, read
from .case import Case, Finding, Skipped, error
from .installation import libc_not_glibc, number, version_of

NEEDS = {  # architecture: (first LiteRT, the glibc it needs), the newest first
    "aarch64": (((2, 1, 2), (2, 34)), ((1, 4), (2, 30))),
    "x86_64": (((2, 1), (2, 27)), ((1, 4), (2, 17))),
}
"""By the symbols of the libraries of 1.4.0, 2.1.0 and newer."""
OLDER = {"aarch64": "2.1.0", "x86_64": "1.4.0"}
"""The newest LiteRT known to need the older glibc."""

_RELEASES = {  # glibc of distributions by codename or number, where a root tells no more
    "buster": "2.28", "bullseye": "2.31", "bookworm": "2.36", "trixie": "2.41",
    "debian 10": "2.28", "debian 11": "2.31", "debian 12": "2.36", "debian 13": "2.41",
    "bionic": "2.27", "focal": "2.31", "jammy": "2.35", "noble": "2.39",
    "ubuntu 18.04": "2.27", "ubuntu 20.04": "2.31", "ubuntu 22.04": "2.35", "ubuntu 24.04": "2.39",
    "centos 7": "2.17", "amzn 2": "2.26",
}  # fmt: skip
_LIBRARIES = ("lib*", "lib/*-linux-gnu*", "usr/lib*", "usr/lib/*-linux-gnu*")
MUSL = "ld-musl-"
"""What the loader of the other C library is called, before the architecture."""
_LARGEST = 64_000_000  # of a C library, or a list of packages
_PACKAGES = ("usr/lib/python3*", "usr/local/lib/python3*", "opt/*/lib/python3*")


def glibc(case: Case) -> Iterator[Finding]:
    """Whether the C library is new enough for LiteRT."""
    version, architecture, told_by = c_library(case.root)
    if not version and MUSL in told_by:
        yield libc_not_glibc(f"{told_by} is there, and no glibc")
    if not version:
        raise Skipped("no glibc is known here")
    litert = litert_version(case.root)
    need, why = _need(case.root, architecture, litert)
    if number(version) >= need:
        return
    wanted = ".".join(map(str, need))
    yield error(
        "litert-needs-glibc",
        f"LiteRT {litert or '(what pip would install)'} needs glibc {wanted}, this system has {version}: it "
        "does not load, even where it installs.",
        f"{told_by} says glibc {version} on {architecture}; {why}",
        f"Use a system with glibc {wanted} or newer (Raspberry Pi OS bookworm, JetPack 6, Ubuntu 22.04)"
        + _or_an_older_runtime(architecture, number(version)),
    )


def _or_an_older_runtime(architecture: str, version: tuple[int, ...]) -> str:
    if architecture not in OLDER or version < NEEDS[architecture][-1][1]:
        return "."
    return (
        f", or an older runtime: `pip install 'ai-edge-litert=={OLDER[architecture]}'` (pip will say that "
        "edgeemo asks for a newer one; the native engine takes 1.4 to 2.3)."
    )


def c_library(root: Path) -> tuple[str, str, str]:
    """Return version of glibc, architecture, and who says so.

    The version is "" where a root has a C library that tells none, or it is silent and we have no glibc.
    """
    if root != Path("/"):
        told = _from_file(root) or _from_dpkg(root) or _from_release(root)
        silent = [path for name in ("libc.so.6", f"{MUSL}*") for path in _libraries(root, name)]
        if told or silent:
            return told or ("", _architecture(root), str(silent[0]))
    name, version = platform.libc_ver()
    return (version if name == "glibc" else ""), _architecture(root), "this Python's C library"


def litert_version(root: Path) -> str:
    """Return the version of ai-edge-litert installed below a root, or else of this process."""
    if root != Path("/"):
        for place in _PACKAGES:
            for found in find(root, f"{place}/*-packages/ai_edge_litert-*.dist-info"):
                return found.name.removesuffix(".dist-info").split("-")[1]
    return version_of("ai-edge-litert") or version_of("ai-edge-litert-nightly")


def _need(root: Path, architecture: str, litert: str) -> tuple[tuple[int, ...], str]:
    """Return the glibc that LiteRT needs, and how that is known."""
    library = litert_library() if root == Path("/") else ""
    if library:
        symbols = re.findall(rb"GLIBC_(\d+)\.(\d+)\b", Path(library).read_bytes())
        return max(((int(a), int(b)) for a, b in symbols), default=()), f"symbols of {library}"
    for since, need in NEEDS.get(architecture, ()):
        if not number(litert) or number(litert) >= since:
            said = ".".join(map(str, since))
            return need, f"LiteRT's wheels for {architecture} need {'.'.join(map(str, need))} since {said}"
    return (), ""


def _from_file(root: Path) -> tuple[str, str, str] | None:
    for path in _libraries(root, "libc.so.6") + _libraries(root, "libc-2.*.so"):
        name = path.readlink().name if path.is_symlink() else path.name
        found = re.search(r"libc-(\d+\.\d+)", name) or re.search(
            r"GNU C Library.{0,80}? version (\d+\.\d+)", _text(path), re.DOTALL
        )
        if found:
            return found[1], _of_elf(path) or _architecture(root, path.parent.name), str(path)
    return None


def _libraries(root: Path, name: str) -> list[Path]:
    return [path for place in _LIBRARIES for path in find(root, f"{place}/{name}")]


def _from_dpkg(root: Path) -> tuple[str, str, str] | None:
    path = root / "var/lib/dpkg/status"
    for paragraph in _text(path).split("\n\n"):
        if re.match(r"Package: libc6$", paragraph.strip(), re.MULTILINE):
            version = re.search(r"^Version: (\d+\.\d+)", paragraph, re.MULTILINE)
            machine = re.search(r"^Architecture: (\w+)$", paragraph, re.MULTILINE)
            if version:
                names = {"arm64": "aarch64", "amd64": "x86_64"}
                return version[1], names.get(machine[1] if machine else "", _architecture(root)), str(path)
    return None


def _from_release(root: Path) -> tuple[str, str, str] | None:
    for path in (root / "etc/os-release", root / "usr/lib/os-release"):
        told = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', read(path), re.MULTILINE))
        number = f"{told.get('ID', '').replace('raspbian', 'debian')} {told.get('VERSION_ID', '')}"
        for name in (told.get("VERSION_CODENAME", ""), number):
            if name in _RELEASES:
                return _RELEASES[name], _architecture(root), f"{path}, {name},"
    return None


def _of_elf(path: Path) -> str:
    try:
        with open_regular(path) as file:
            head = file.read(20)
    except OSError:
        return ""
    little = int.from_bytes(head[18:20], "little")  # e_machine
    return {183: "aarch64", 62: "x86_64"}.get(little, "") if head[:4] == b"\x7fELF" else ""


def _architecture(root: Path, folder: str = "") -> str:
    """Return it by a folder's name, or by what the processor says, or this process' own."""
    if folder.endswith("-linux-gnu"):
        return folder.removesuffix("-linux-gnu")
    cpuinfo = read(root / "proc/cpuinfo")
    if root != Path("/") and cpuinfo:
        return (
            "aarch64"
            if re.search(r"^(CPU implementer|CPU part|Features)\s*:", cpuinfo, re.MULTILINE)
            else "x86_64"
        )
    return platform.machine()


def _text(path: Path) -> str:
    try:
        with open_regular(path) as file:
            return file.read(_LARGEST).decode("latin-1")
    except OSError:
        return ""
