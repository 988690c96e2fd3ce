"""The rest of the system: memory, load, clock, disk."""

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
from ..told import ask, natural
from .case import Case, Finding, Noted, Skipped, error, info, warning

LOW_MB, TOO_LOW_MB = 128, 32
"""A Python process with text, voice and face takes about 100 MiB, one of C++ about 20."""
RELEASED = 2026
"""No clock that is right shows an earlier year."""
_STOLEN = 0.05
_SLOW_CLOCKS = ("jiffies", "acpi_pm", "hpet", "refined-jiffies")
_DISK_MB, _DISK_FULL_MB = 100, 10
_GIVEN_OUT = ("ext2", "ext3", "ext4", "f2fs", "btrfs", "xfs")  # read-only by a fault rather than by design


def memory(case: Case) -> Iterator[Finding]:
    """What could still be had, of the machine and of a container."""
    free, limit = case.condition.memory_free_mb, _memory_left(case)
    if free is None and limit is None:
        raise Skipped("proc/meminfo is not there, or tells no MemAvailable")
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


def load(case: Case) -> Iterator[Finding]:
    """Who else wants the cores."""
    busy, cores = case.condition.load, machine.cores(case.root)
    if busy is None:
        raise Skipped("proc/loadavg is not there, or tells no load")
    if busy > cores:
        yield warning(
            "machine-busy",
            f"{busy:.1f} processes want {cores} cores: everything takes longer, measurements most of all.",
            "mean of the last minute in proc/loadavg",
            "See who: `top`; stop it, or run this at a higher priority (`nice -n -5`).",
        )
    stolen = _stolen(case)
    if stolen is not None and stolen > _STOLEN:
        yield warning(
            "cpu-stolen",
            f"Other machines on this host took {stolen:.0%} of the processor's time.",
            "steal of proc/stat, since the start",
            "Take a host with cores of your own, and distrust timings.",
        )


def clock(case: Case) -> Noted:
    """Year, synchronisation, and how fine time is measured."""
    year = time.gmtime(time.time()).tm_year
    if year < RELEASED:
        yield warning(
            "clock-wrong",
            f"The clock says {year}: times in logs are wrong, and downloads fail by certificate.",
            f"time.time() lies before {RELEASED}, when this release was made",
            "`sudo timedatectl set-ntp true`, or `sudo date -s …`; a board without a battery needs the "
            "network or a clock module. Streams count their own milliseconds and do not mind.",
        )
    synchronised = ask("timedatectl", "show", "-p", "NTPSynchronized", "--value")
    if synchronised == "no":
        yield info(
            "clock-not-synchronised",
            "The clock is not synchronised: times of several devices do not compare.",
            "`timedatectl show -p NTPSynchronized` says no",
            "`sudo timedatectl set-ntp true`",
        )
    step = time.get_clock_info("monotonic").resolution
    if step > 1e-3:
        yield warning(
            "clock-coarse",
            f"Time is measured in steps of {1000 * step:g} ms: latencies below are guesses.",
            "time.get_clock_info('monotonic').resolution",
            "Use a kernel with high-resolution timers (CONFIG_HIGH_RES_TIMERS).",
        )
    source = case.read("sys/devices/system/clocksource/clocksource0/current_clocksource")
    if source in _SLOW_CLOCKS:
        yield warning(
            "clock-source-slow",
            f"The kernel reads its time from {source}: slow or coarse, and in every measurement.",
            "sys/devices/system/clocksource/clocksource0/current_clocksource",
            "Choose one of available_clocksource beside it: `echo tsc | sudo tee` to that file; if the "
            "kernel rejected tsc, `dmesg | grep -i tsc` says why.",
        )
    silent = shutil.which("timedatectl") and synchronised not in ("yes", "no")
    return "timedatectl does not tell whether the clock is synchronised" if silent else ""


def disk(case: Case) -> Iterator[Finding]:
    """Space and rights where temporary files and caches go; a card that was set to read-only."""
    yield from _mounts(case)
    try:
        folders = {"temp": Path(tempfile.gettempdir())}
    except FileNotFoundError as reason:
        folders = {}
        yield warning(
            "temp-missing",
            "There is no folder for temporary files.",
            " ".join(str(reason).split()),
            "`mkdir -m 1777 /tmp`, or set TMPDIR to a folder you may write to.",
        )
    folders["cache"] = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))  # noqa: PTH111
    for name, folder in folders.items():
        there = next((p for p in (folder, *folder.parents) if os.path.isdir(p)), Path("/"))  # noqa: PTH112
        if not access(there, W_OK):
            yield (warning if name == "temp" else info)(
                f"{name}-read-only",
                f"The folder for {name} files cannot be written to.",
                f"{there} is read-only, or not yours",
                f"Set {'TMPDIR' if name == 'temp' else 'XDG_CACHE_HOME'} to a folder you may write to, or "
                "`chown` it.",
            )
        usage = shutil.disk_usage(there)
        free_mb = usage.free // 2**20
        if usage.total and free_mb < _DISK_MB:  # 0 of what is no disk
            yield (error if free_mb < _DISK_FULL_MB else warning)(
                "disk-full",
                f"{free_mb} MiB are left on the disk of {there}.",
                "shutil.disk_usage",
                f"Make room: `du -xh {there} | sort -h | tail`, `sudo apt-get clean`, `journalctl "
                "--vacuum-size 50M`.",
            )


def _mounts(case: Case) -> Iterator[Finding]:
    for line in case.read("proc/mounts").splitlines():
        device, place, kind, options = (line.split() + [""] * 4)[:4]
        if place == "/" and kind in _GIVEN_OUT and "ro" in options.split(","):
            yield warning(
                "root-read-only",
                "The root file system is read-only: after errors Linux sets a card so.",
                f"proc/mounts: {device} on / is {options.split(',')[0]} ({kind})",
                "If you did not do it: `dmesg | grep -i -E 'ext4|mmc'`, copy what you need, change the "
                "card; else `sudo mount -o remount,rw /`.",
            )


def _memory_left(case: Case) -> int | None:
    """Return what a container's limit leaves, in MiB; None without one. Files it read count as free."""
    for prefix, limit, used in (
        ("sys/fs/cgroup/", "memory.max", "memory.current"),
        ("sys/fs/cgroup/memory/", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        told, taken = natural(case.read(prefix + limit)), natural(case.read(prefix + used))
        if told is not None and told < 2**50:  # cgroup 1 says 2**63 where there is none
            files = re.search(
                r"^(?:total_)?inactive_file (\d+)", case.read(f"{prefix}memory.stat"), re.MULTILINE
            )
            given_back = natural(files[1]) or 0 if files else 0
            return max(0, told - (taken or 0) + given_back) // 2**20
    return None


def _stolen(case: Case) -> float | None:
    name, *told = (case.read("proc/stat").splitlines() or ["-"])[0].split() or ["-"]
    ticks = [value for value in map(natural, told[:8]) if value is not None]
    if name != "cpu" or len(ticks) < 8:
        return None
    active = sum(ticks) - ticks[3] - ticks[4]  # neither idle nor waiting
    return ticks[7] / active if active > 100 * 60 else None  # of a minute's work at least
