"""What makes a machine slow: its processor, its clock, and how many cores there are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from .. import machine
from ..machine import CPUS
from ..told import find, natural, read
from .case import Case, Finding, Noted, Skipped, info, warning

_FASTER = (
    "`echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor` (until the "
    "next start; `cpufrequtils` keeps it)"
)
HELD = 0.8
"""Of the clock's maximum: what 'userspace' holds below is named. Clocks told move by a few per cent."""
_GOVERNORS = {
    *("performance", "powersave", "ondemand", "conservative", "userspace", "schedutil"),  # Linux' own
    *("interactive", "walt"),  # Android's
}
_ADAPTIVE = ("intel_pstate", "amd-pstate", "amd-pstate-epp", "intel_cpufreq")


def processor(case: Case) -> Iterator[Finding]:
    """Instructions that int8 models and frontends are fast with."""
    cpuinfo = case.read("proc/cpuinfo")
    features = case.machine.features
    if "flags" in cpuinfo and "avx2" not in features:
        yield warning(
            "cpu-no-avx2",
            "The processor has no AVX2: models and frontends take their slow paths (the answers are the "
            "same).",
            f"proc/cpuinfo: flags of {case.machine.cpu or 'the processor'} without avx2",
            "Of a virtual machine, ask for the host's processor (`-cpu host` of QEMU, 'host-passthrough' of "
            "libvirt); else count on two to four times the time.",
        )
    if "asimd" in features and "asimddp" not in features:
        yield info(
            "cpu-no-dot-product",
            "The processor has no dot-product instruction: int8 is slower than on newer ones.",
            f"proc/cpuinfo: Features of {case.machine.cpu or 'the processor'} without asimddp",
            "Nothing is wrong; keep LiteRT's GPU library out (it dies of SIGILL on a Cortex-A72): delegate "
            "'cpu'.",
        )
    if "flags" not in cpuinfo and not features:
        raise Skipped("proc/cpuinfo is not there, or tells of no instructions")


def governor(case: Case) -> Noted:
    """Whether the clock may rise."""
    governors = case.condition.governors
    if not governors:
        raise Skipped("no cpufreq here: the clock is not the system's to set")
    drivers = {read(path) for path in find(case.root, f"{CPUS}/cpu[0-9]*/cpufreq/scaling_driver")} - {""}
    seen = f"{CPUS}/cpu*/cpufreq/scaling_governor says {', '.join(governors)}"
    adaptive = bool(drivers & set(_ADAPTIVE))
    if "powersave" in governors and not adaptive:
        yield warning("governor-powersave", "The clock is held at its lowest.", seen, _FASTER)
    if {"ondemand", "conservative"} & set(governors):
        yield info(
            "governor-ondemand",
            "The clock rises only under load: the first answers after a pause are slower.",
            seen,
            f"If answers come in short bursts: {_FASTER}",
        )
    yield from _limited(case)
    if "userspace" in governors:
        yield from _held(case)
    unknown = set(governors) - _GOVERNORS
    if unknown == set(governors):
        raise Skipped(f"no governor that is known: {', '.join(governors)}")
    if "powersave" in governors and adaptive:
        return f"powersave is 'as fast as needed' to {', '.join(sorted(drivers))}; to measure: {_FASTER}"
    return f"governors that are not known: {', '.join(sorted(unknown))}" if unknown else ""


def _limited(case: Case) -> Iterator[Finding]:
    """A board's cores may have clocks of their own: each is looked at, and all are told at once."""
    low = _below(case, "scaling_max_freq", 1.0)
    if low:
        yield warning(
            "clock-limited",
            f"The clock is limited: {'; '.join(low)}.",
            f"{CPUS}/cpu*/cpufreq/scaling_max_freq is below cpuinfo_max_freq",
            "`for c in /sys/devices/system/cpu/cpu*/cpufreq; do sudo cp $c/cpuinfo_max_freq "
            "$c/scaling_max_freq; done`, and look for a power mode that sets it (`nvpmodel`, BIOS).",
        )


def _held(case: Case) -> Iterator[Finding]:
    low = _below(case, "scaling_setspeed", HELD) or _below(case, "scaling_cur_freq", HELD)
    if low:
        yield warning(
            "clock-held",
            f"The governor 'userspace' holds the clock down: {'; '.join(low)}.",
            f"{CPUS}/cpu*/cpufreq/scaling_setspeed or scaling_cur_freq against cpuinfo_max_freq",
            _FASTER,
        )


def _below(case: Case, name: str, share: float) -> list[str]:
    """Return "cpu2, cpu3 at 600 of 2400 MHz" for each clock that is below a share of what it is able to."""
    cores: dict[tuple[int, int], list[str]] = {}
    for folder in machine.processors(case.root):
        now, able = (natural(read(folder / "cpufreq" / file)) for file in (name, "cpuinfo_max_freq"))
        if now is not None and able is not None and now < share * able:
            cores.setdefault((now // 1000, able // 1000), []).append(folder.name)
    return [f"{', '.join(names)} at {now} of {able} MHz" for (now, able), names in cores.items()]


def cores(case: Case) -> Iterator[Finding]:
    """Cores of the machine, of this process, of a container; and the threads that were asked for."""
    usable, allowed = machine.cores(case.root), machine.quota(case.root)
    present = len(machine.processors(case.root))
    if allowed is not None and allowed < max(present, 1):
        yield (warning if allowed < 1 else info)(
            "cpu-quota",
            f"A container's quota allows {allowed:g} of {max(present, 1)} cores.",
            "sys/fs/cgroup/cpu.max, or cpu/cpu.cfs_quota_us",
            "Start it with more (`docker run --cpus 2`, `CPUQuota=` of systemd), or use no more threads.",
        )
    off, there = (_numbers(case.read(f"{CPUS}/{name}")) for name in ("offline", "present"))
    off &= there or off  # a virtual machine's list goes on to cores it may be given some day
    # without hyper-threads every second processor is off, and that is meant
    hidden = len(there) // 2 if case.read(f"{CPUS}/smt/control") in ("off", "forceoff") else 0
    if len(off) > hidden:
        yield warning(
            "cores-offline",
            f"Cores are switched off: {', '.join(map(str, sorted(off)))}.",
            f"{CPUS}/offline and present",
            "`echo 1 | sudo tee /sys/devices/system/cpu/cpu*/online`; on a Jetson see `nvpmodel -q`.",
        )
    if case.root == Path("/") and usable < (os.cpu_count() or 1) and allowed is None:
        yield info(
            "cores-bound",
            f"This process may use {usable} of {os.cpu_count()} cores.",
            "sched_getaffinity",
            "Start it without `taskset` (or `--cpuset-cpus`) if you want more.",
        )
    if case.root != Path("/") and not present and allowed is None:
        raise Skipped(f"{CPUS} tells of no core")
    if case.threads > usable:
        yield warning(
            "threads-exceed-cores",
            f"{case.threads} threads share {usable} cores: they wait for each other.",
            f"--threads {case.threads} against cores, affinity and quota",
            f"Use threads={usable} or fewer; one is best for models that take under a millisecond.",
        )


def _numbers(ranges: str) -> set[int]:
    """Return the numbers of "0-2,5"; none of what is no such list."""
    found: set[int] = set()
    for part in ranges[:4096].split(","):  # a page, which sysfs' files do not exceed
        start, _, last = part.partition("-")
        first, end = natural(start), natural(last or start)
        if first is not None and end is not None:
            found |= set(range(first, min(end, 8191) + 1))  # Linux' own limit
    return found
