"""What makes a machine slow: its processor, clock, heat, power, and who else wants it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from .. import machine
from ..machine import CPUS, ask, read
from .case import Case, Finding, Skipped, error, info, warning

HOT_C, TOO_HOT_C = 80.0, 90.0
"""Raspberry Pi's firmware begins to slow down at 80 °C, others between 85 and 100."""
_ADAPTIVE = ("intel_pstate", "amd-pstate", "amd-pstate-epp", "intel_cpufreq")


def processor(case: Case) -> Iterator[Finding]:
    """Instructions that int8 models and frontends are fast with."""
    cpuinfo = case.read("proc/cpuinfo")
    features = case.machine.features
    if "flags" in cpuinfo and "avx2" not in features:
        yield warning(
            "cpu-no-avx2",
            "The processor has no AVX2: models and frontends take their slow paths (the answers are "
            "the same).",
            f"proc/cpuinfo: flags of {case.machine.cpu or 'the processor'} without avx2",
            "Of a virtual machine, ask for the host's processor (`-cpu host` of QEMU, 'host-passthrough' of "
            "libvirt); else count on two to four times the time.",
        )
    if "asimd" in features and "asimddp" not in features:
        yield info(
            "cpu-no-dot-product",
            "The processor has no dot-product instruction: int8 is slower than on newer ones.",
            f"proc/cpuinfo: Features of {case.machine.cpu or 'the processor'} without asimddp",
            "Nothing is wrong; keep LiteRT's GPU library out (it dies of SIGILL on a Cortex-A72): "
            "delegate 'cpu'.",
        )
    if not cpuinfo:
        raise Skipped("there is no proc/cpuinfo")


def governor(case: Case) -> Iterator[Finding]:
    """Whether the clock may rise."""
    governors = case.condition.governors
    if not governors:
        raise Skipped("no cpufreq here: the clock is not the system's to set")
    drivers = {read(path) for path in case.root.glob(f"{CPUS}/cpu[0-9]*/cpufreq/scaling_driver")} - {""}
    seen = f"{CPUS}/cpu*/cpufreq/scaling_governor says {', '.join(governors)}"
    faster = (
        "`echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor` (until the next "
        "start; `cpufrequtils` keeps it)"
    )
    if "powersave" in governors and drivers & set(_ADAPTIVE):
        yield info(
            "governor-adaptive",
            "The governor is powersave, which this driver takes as 'as fast as needed': fine for a product, "
            "noisy for a measurement.",
            f"{seen}; driver {', '.join(sorted(drivers))}",
            f"For measurements: {faster}",
        )
    elif "powersave" in governors:
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


def throttling(case: Case) -> Iterator[Finding]:
    """Power and heat that slowed the processor, now or since the start."""
    condition = case.condition
    if shutil.which("vcgencmd") and not ask("vcgencmd", "get_throttled"):
        yield info(
            "vcgencmd-fails",
            "vcgencmd is there and does not answer: whether power is low is not known from it.",
            "`vcgencmd get_throttled` fails or says nothing",
            "`sudo usermod -aG video $USER`, then log in again.",
        )
    for when, bits in (("", condition.throttled), ("-before", condition.throttled_before)):
        past = "was, since the start," if when else "is"
        if when:
            bits = tuple(bit for bit in bits if bit not in condition.throttled)
        if "under-voltage" in bits:
            yield (warning if when else error)(
                f"under-voltage{when}",
                f"The supply voltage {past} too low: the board slows down and may corrupt its card.",
                "vcgencmd get_throttled, or its file, has the bit "
                f"under-voltage{' since the start' if when else ''}",
                "Use the board's own supply (5.1 V 3 A for a Pi 4, 5 A for a Pi 5), a short thick "
                "cable, and a "
                "powered hub for USB devices.",
            )
        others = [bit for bit in bits if bit != "under-voltage"]
        if others:
            yield warning(
                f"throttled{when}",
                f"The processor {past} slowed down: {', '.join(others)}.",
                f"vcgencmd get_throttled, or its file, has these bits{' since the start' if when else ''}",
                "Cool it (heat sink, fan, open case), then start again and see whether it comes back.",
            )
    if condition.throttle_events:
        yield warning(
            "throttled-before",
            "Cores were slowed down for heat since the start.",
            f"thermal_throttle/core_throttle_count of all cores: {condition.throttle_events}",
            "Clean or replace fan and heat sink; see the temperature under load: `watch sensors`.",
        )
    alarms = [p for p in case.root.glob("sys/class/hwmon/hwmon*/oc*_event_cnt") if read(p) not in ("", "0")]
    if alarms:
        yield warning(
            "over-current",
            "The board drew more current than its supply gives, and was slowed down.",
            f"{alarms[0].relative_to(case.root)} counts {read(alarms[0])}",
            "Use the supply of the developer kit, or a lower power mode: `sudo nvpmodel -q`, then `-m`.",
        )
    if condition.throttle_events is None and not shutil.which("vcgencmd") and not condition.throttled:
        raise Skipped("neither vcgencmd nor a counter of throttling is here")


def heat(case: Case) -> Iterator[Finding]:
    """The hottest sensor."""
    temperature = case.condition.temperature_c
    if temperature is None:
        raise Skipped("there is no sensor in sys/class/thermal")
    if temperature >= HOT_C:
        yield (error if temperature >= TOO_HOT_C else warning)(
            "hot",
            f"The processor has {temperature:.0f} °C: it is, or soon will be, slowed down.",
            "the highest of sys/class/thermal/thermal_zone*/temp",
            "Cool it (heat sink, fan, open case), or read fewer frames: a larger hop, a smaller picture.",
        )


def power(case: Case) -> Iterator[Finding]:
    """Battery and power modes."""
    supplies = [p for p in case.root.glob("sys/class/power_supply/*") if read(p / "type") == "Battery"]
    mode = ask("nvpmodel", "-q").split("\n")[0].split(":")[-1].strip()
    if not supplies and not mode:
        raise Skipped("there is neither a battery nor nvpmodel")
    if any(read(supply / "status") == "Discharging" for supply in supplies):
        yield info(
            "on-battery",
            "The machine runs from its battery: many are slower then.",
            f"{supplies[0].relative_to(case.root)}/status says Discharging",
            "Plug it in before you measure.",
        )
    if mode and not mode.upper().startswith("MAXN"):
        yield info(
            "power-mode",
            f"The board's power mode is {mode}, not its fastest.",
            "`nvpmodel -q`",
            "`sudo nvpmodel -m 0 && sudo jetson_clocks`, if supply and cooling bear it.",
        )


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
    offline = case.read(f"{CPUS}/offline")
    if offline:
        yield warning(
            "cores-offline",
            f"Cores are switched off: {offline}.",
            f"{CPUS}/offline",
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
