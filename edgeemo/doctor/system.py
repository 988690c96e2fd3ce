"""Check memory, load, clock and disk."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from os import W_OK, access
from pathlib import Path

from .. import machine
from ..system_files import natural, tool_output
from .context import Context, Finding, Noted, Skipped, error, info, warning

LOW_MB, TOO_LOW_MB = 128, 32
"""A Python process with text, voice and face takes about 100 MiB, one of C++ about 20."""
RELEASED = 2026
"""A clock that shows an earlier year is wrong."""
_STOLEN = 0.05
_DISK_MB, _DISK_FULL_MB = 100, 10
_WRITABLE = ("ext2", "ext3", "ext4", "f2fs", "btrfs", "xfs")  # read-only by a fault rather than by design


def memory(context: Context) -> Iterator[Finding]:
    """The memory that is still available in the machine and in a container."""
    free, limit = context.condition.memory_free_mb, _memory_left(context)
    if free is None and limit is None:
        raise Skipped("proc/meminfo is missing, or has no MemAvailable")
    if free is not None and free < LOW_MB:
        yield (error if free < TOO_LOW_MB else warning)(
            "memory-low",
            f"{free} MiB of memory are left.",
            "MemAvailable of proc/meminfo",
            "Stop what you do not need (`ps aux --sort -rss | head`), or use the C library (16 MB) instead "
            "of Python.",
        )
    if limit is not None and limit < LOW_MB:
        yield warning(
            "memory-limit",
            f"The container has {limit} MiB left of its limit.",
            "memory.max and memory.current of sys/fs/cgroup",
            "Start it with more: `docker run --memory 512m`, `MemoryMax=` of systemd.",
        )


def load(context: Context) -> Iterator[Finding]:
    """Other programs that use the cores."""
    busy, cores = context.condition.load, machine.cores(context.root)
    if busy is None:
        raise Skipped("proc/loadavg is missing, or holds no load")
    if busy > cores:
        yield warning(
            "machine-busy",
            f"{busy:.1f} processes want {cores} cores: everything takes longer, measurements most of all.",
            "mean of the last minute in proc/loadavg",
            "Look at them with `top`, and stop some, or run this at a higher priority (`nice -n -5`).",
        )
    stolen = _stolen(context)
    if stolen is not None and stolen > _STOLEN:
        yield warning(
            "cpu-stolen",
            f"Other machines on this host took {stolen:.0%} of the processor's time.",
            "steal of proc/stat, since the start",
            "Take a host with cores of your own, and distrust timings.",
        )


def clock(context: Context) -> Noted:
    """Year and synchronisation."""
    year = time.gmtime(time.time()).tm_year
    if year < RELEASED:
        yield warning(
            "clock-wrong",
            f"The clock says {year}: times in logs are wrong, and downloads fail by certificate.",
            f"time.time() lies before {RELEASED}, the year of this release",
            "`sudo timedatectl set-ntp true`, or `sudo date -s …`. A board without a battery needs the "
            "network or a clock module. Streams count their own milliseconds and are right.",
        )
    synchronised = tool_output("timedatectl", "show", "-p", "NTPSynchronized", "--value")
    if synchronised == "no":
        yield info(
            "clock-not-synchronised",
            "The clock is not synchronised, so times of several devices do not compare.",
            "`timedatectl show -p NTPSynchronized` says no",
            "`sudo timedatectl set-ntp true`",
        )
    unknown = shutil.which("timedatectl") and synchronised not in ("yes", "no")
    return "timedatectl does not say whether the clock is synchronised" if unknown else ""


def disk(context: Context) -> Iterator[Finding]:
    """Space and rights for temporary files and caches, and a root that became read-only."""
    for line in context.read("proc/mounts").splitlines():
        device, place, kind, options = (line.split() + [""] * 4)[:4]
        if place == "/" and kind in _WRITABLE and "ro" in options.split(","):
            yield warning(
                "root-read-only",
                "The root file system is read-only. Linux does this to a card with errors.",
                f"proc/mounts: {device} on / is {options.split(',')[0]} ({kind})",
                "If you did not do it: `dmesg | grep -i -E 'ext4|mmc'`, copy what you need, and change the "
                "card; else `sudo mount -o remount,rw /`.",
            )
    folders = {"cache": Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))}  # noqa: PTH111
    try:
        folders["temp"] = Path(tempfile.gettempdir())
    except FileNotFoundError as reason:
        yield warning(
            "temp-missing",
            "There is no folder for temporary files.",
            " ".join(str(reason).split()),
            "`mkdir -m 1777 /tmp`, or set TMPDIR to a folder that you may write to.",
        )
    for name, folder in folders.items():
        existing = next((p for p in (folder, *folder.parents) if os.path.isdir(p)), Path("/"))  # noqa: PTH112
        if not access(existing, W_OK):
            variable = "TMPDIR" if name == "temp" else "XDG_CACHE_HOME"
            yield (warning if name == "temp" else info)(
                f"{name}-read-only",
                f"You may not write to the folder for {name} files.",
                f"{existing} is read-only, or not yours",
                f"Set {variable} to a folder that you may write to, or `chown` it.",
            )
        usage = shutil.disk_usage(existing)
        free_mb = usage.free // 2**20
        if usage.total and free_mb < _DISK_MB:  # a total of 0 means that this is not a disk
            yield (error if free_mb < _DISK_FULL_MB else warning)(
                "disk-full",
                f"{free_mb} MiB are left on the disk of {existing}.",
                "shutil.disk_usage",
                f"Make room: `du -xh {existing} | sort -h | tail`, `sudo apt-get clean`, `journalctl "
                "--vacuum-size 50M`.",
            )


def _memory_left(context: Context) -> int | None:
    """Return the MiB that a container's limit leaves, None without a limit. Cached files count as free."""
    for prefix, limit, used in (
        ("sys/fs/cgroup/", "memory.max", "memory.current"),
        ("sys/fs/cgroup/memory/", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        most, taken = natural(context.read(prefix + limit)), natural(context.read(prefix + used))
        if most is not None and most < 2**50:  # cgroup 1 says 2**63 without a limit
            files = re.search(
                r"^(?:total_)?inactive_file (\d+)", context.read(f"{prefix}memory.stat"), re.MULTILINE
            )
            cached = natural(files[1]) or 0 if files else 0
            return max(0, most - (taken or 0) + cached) // 2**20
    return None


def _stolen(context: Context) -> float | None:
    """Return the share of active time that the host gave to other machines; None if it is unknown."""
    name, *words = (context.read("proc/stat").splitlines() or ["-"])[0].split() or ["-"]
    ticks = [value for value in map(natural, words[:8]) if value is not None]
    if name != "cpu" or len(ticks) < 8:
        return None
    active = sum(ticks) - ticks[3] - ticks[4]  # without idle and waiting
    return ticks[7] / active if active > 100 * 60 else None  # at least a minute of work
