"""What makes a machine slow: its processor, its clock, and how many cores there are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from .. import machine
from ..machine import CPUS, read
from .case import Case, Finding, Noted, Skipped, info, warning

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
    if not cpuinfo:
        raise Skipped("there is no proc/cpuinfo")


def governor(case: Case) -> Noted:
    """Whether the clock may rise."""
    governors = case.condition.governors
    if not governors:
        raise Skipped("no cpufreq here: the clock is not the system's to set")
    drivers = {read(path) for path in case.root.glob(f"{CPUS}/cpu[0-9]*/cpufreq/scaling_driver")} - {""}
    seen = f"{CPUS}/cpu*/cpufreq/scaling_governor says {', '.join(governors)}"
    faster = (
        "`echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor` (until the "
        "next start; `cpufrequtils` keeps it)"
    )
    adaptive = bool(drivers & set(_ADAPTIVE))
    if "powersave" in governors and not adaptive:
        yield warning("governor-powersave", "The clock is held at its lowest.", seen, faster)
    if {"ondemand", "conservative"} & set(governors):
        yield info(
            "governor-ondemand",
            "The clock rises only under load: the first answers after a pause are slower.",
            seen,
            f"If answers come in short bursts: {faster}",
        )
    for limit in sorted(case.root.glob(f"{CPUS}/cpu[0-9]*/cpufreq/scaling_max_freq"))[:1]:
        allowed, able = read(limit), read(limit.with_name("cpuinfo_max_freq"))
        if allowed.isdecimal() and able.isdecimal() and int(allowed) < int(able):
            yield warning(
                "clock-limited",
                f"The clock is limited to {int(allowed) // 1000} of {int(able) // 1000} MHz.",
                f"{limit.relative_to(case.root)} is below cpuinfo_max_freq",
                f"`echo {able} | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_max_freq`, and look "
                "for a power mode that sets it (`nvpmodel`, BIOS).",
            )
    if "powersave" in governors and adaptive:
        return f"powersave is 'as fast as needed' to {', '.join(sorted(drivers))}; to measure: {faster}"
    return ""


def cores(case: Case) -> Iterator[Finding]:
    """Cores of the machine, of this process, of a container; and the threads that were asked for."""
    usable, allowed = machine.cores(case.root), machine.quota(case.root)
    present = len([p for p in (case.root / CPUS).glob("cpu[0-9]*") if p.name[3:].isdecimal()])
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
    for part in ranges.split(","):
        first, _, last = part.partition("-")
        if first.isdecimal() and (last or first).isdecimal():
            found |= set(range(int(first), min(int(last or first), 8191) + 1))  # Linux' own limit
    return found
