"""Check the processor: its instructions, its clock, and the number of cores."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from .. import machine
from ..machine import CPUS
from ..system_files import natural, read
from .context import Context, Finding, Noted, Skipped, info, warning

_FASTER = (
    "`echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor` (until the "
    "next start; `cpufrequtils` keeps it)"
)
HELD = 0.8
"""A clock that 'userspace' holds below this share of its maximum is slow. Clocks vary by a few per cent."""
_GOVERNORS = {
    *("performance", "powersave", "ondemand", "conservative", "userspace", "schedutil"),  # Linux' own
    *("interactive", "walt"),  # Android's
}
_ADAPTIVE = {"intel_pstate", "amd-pstate", "amd-pstate-epp", "intel_cpufreq"}


def processor(context: Context) -> Iterator[Finding]:
    """The instructions that make int8 models and frontends fast."""
    cpuinfo = context.read("proc/cpuinfo")
    features = context.machine.features
    if "flags" in cpuinfo and "avx2" not in features:
        yield warning(
            "cpu-no-avx2",
            "The processor has no AVX2, so models and frontends take slower paths to the same answers.",
            f"proc/cpuinfo: flags of {context.machine.cpu or 'the processor'} without avx2",
            "In a virtual machine, ask for the host's processor (`-cpu host` of QEMU, 'host-passthrough' of "
            "libvirt); else count on two to four times the time.",
        )
    if "asimd" in features and "asimddp" not in features:
        yield info(
            "cpu-no-dot-product",
            "The processor has no dot-product instruction, so int8 is slower than on newer ones.",
            f"proc/cpuinfo: Features of {context.machine.cpu or 'the processor'} without asimddp",
            "Nothing is wrong. Use the delegate 'cpu': LiteRT's GPU library dies of SIGILL on a Cortex-A72.",
        )
    if "flags" not in cpuinfo and not features:
        raise Skipped("proc/cpuinfo is missing, or names no instructions")


def governor(context: Context) -> Noted:
    """Whether the clock may rise."""
    governors = context.condition.governors
    if not governors:
        raise Skipped("there is no cpufreq: the system does not set the clock here")
    drivers = {read(path) for path in context.find(f"{CPUS}/cpu[0-9]*/cpufreq/scaling_driver")} - {""}
    seen = f"{CPUS}/cpu*/cpufreq/scaling_governor says {', '.join(governors)}"
    adaptive = bool(drivers & _ADAPTIVE)
    if "powersave" in governors and not adaptive:
        yield warning("governor-powersave", "The governor holds the clock at its lowest.", seen, _FASTER)
    if {"ondemand", "conservative"} & set(governors):
        yield info(
            "governor-ondemand",
            "The clock rises only under load: the first answers after a pause are slower.",
            seen,
            f"If answers come in short bursts: {_FASTER}",
        )
    if low := _below(context, "scaling_max_freq", 1.0):
        yield warning(
            "clock-limited",
            f"The clock is limited: {'; '.join(low)}.",
            f"{CPUS}/cpu*/cpufreq/scaling_max_freq is below cpuinfo_max_freq",
            "`for c in /sys/devices/system/cpu/cpu*/cpufreq; do sudo cp $c/cpuinfo_max_freq "
            "$c/scaling_max_freq; done`, and look for a power mode that sets it (`nvpmodel`, BIOS).",
        )
    if "userspace" in governors and (
        low := _below(context, "scaling_setspeed", HELD) or _below(context, "scaling_cur_freq", HELD)
    ):
        yield warning(
            "clock-held",
            f"The governor 'userspace' holds the clock down: {'; '.join(low)}.",
            f"{CPUS}/cpu*/cpufreq/scaling_setspeed or scaling_cur_freq against cpuinfo_max_freq",
            _FASTER,
        )
    if not set(governors) & _GOVERNORS:
        raise Skipped(f"the governors are unknown: {', '.join(governors)}")
    if "powersave" in governors and adaptive:
        return f"powersave is 'as fast as needed' to {', '.join(sorted(drivers))}; to measure: {_FASTER}"
    return ""


def _below(context: Context, name: str, share: float) -> list[str]:
    """Return "cpu2, cpu3 at 600 of 2400 MHz" for each clock below a share of its maximum."""
    cores: dict[tuple[int, int], list[str]] = {}
    for folder in machine.processors(context.root):
        now, most = (natural(read(folder / "cpufreq" / file)) for file in (name, "cpuinfo_max_freq"))
        if now is not None and most is not None and now < share * most:
            cores.setdefault((now // 1000, most // 1000), []).append(folder.name)
    return [f"{', '.join(names)} at {now} of {most} MHz" for (now, most), names in cores.items()]


def cores(context: Context) -> Iterator[Finding]:
    """The cores of the machine, of this process and of a container, against the threads asked for."""
    usable, allowed = machine.cores(context.root), machine.quota(context.root)
    present = len(machine.processors(context.root))
    if allowed is not None and allowed < max(present, 1):
        yield (warning if allowed < 1 else info)(
            "cpu-quota",
            f"A container's quota allows {allowed:g} of {max(present, 1)} cores.",
            "sys/fs/cgroup/cpu.max, or cpu/cpu.cfs_quota_us",
            "Start it with more (`docker run --cpus 2`, `CPUQuota=` of systemd), or use no more threads.",
        )
    off, known = (_numbers(context.read(f"{CPUS}/{name}")) for name in ("offline", "present"))
    off &= known or off  # a virtual machine lists cores that it may be given later
    # without hyper-threads every second processor is off on purpose
    hidden = len(known) // 2 if context.read(f"{CPUS}/smt/control") in ("off", "forceoff") else 0
    if len(off) > hidden:
        yield warning(
            "cores-offline",
            f"Cores are switched off: {', '.join(map(str, sorted(off)))}.",
            f"{CPUS}/offline and present",
            "`echo 1 | sudo tee /sys/devices/system/cpu/cpu*/online`; on a Jetson see `nvpmodel -q`.",
        )
    if context.root == Path("/") and usable < (os.cpu_count() or 1) and allowed is None:
        yield info(
            "cores-bound",
            f"This process may use {usable} of {os.cpu_count()} cores.",
            "sched_getaffinity",
            "Start it without `taskset` (or `--cpuset-cpus`) if you want more.",
        )
    if context.root != Path("/") and not present and allowed is None:
        raise Skipped(f"{CPUS} names no core")
    if context.threads > usable:
        yield warning(
            "threads-exceed-cores",
            f"{context.threads} threads share {usable} cores and wait for each other.",
            f"--threads {context.threads} against cores, affinity and quota",
            f"Use threads={usable} or fewer; one is best for models that take under a millisecond.",
        )


def _numbers(ranges: str) -> set[int]:
    """Return the numbers in a list of ranges such as "0-2,5"."""
    found: set[int] = set()
    for part in ranges[:4096].split(","):  # files of sysfs have at most one page
        start, _, last = part.partition("-")
        first, end = natural(start), natural(last or start)
        if first is not None and end is not None:
            found |= set(range(first, min(end, 8191) + 1))  # Linux' own limit
    return found
