"""Power and heat, which slow a processor down."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..machine import PROCESSORS, SPURIOUS_C, celsius, kernel_bits, sensors, throttle_events, vcgencmd_bits
from ..told import ask, find, natural, read
from .case import Case, Finding, Skipped, error, info, warning

PI_HOT_C, HOT_C = 80.0, 90.0
"""Raspberry Pi's firmware begins to slow down at 80 °C, others between 85 and 100, where they do not say."""
NEAR_C = 5.0
"""Processors slow down at what they call critical, and fans do all they can before."""
LEAST_TRIP_C = 50.0
"""A trip point below is not set, or of a battery that is charged more slowly."""


def throttling(case: Case) -> Iterator[Finding]:
    """Power and heat that slowed the processor, now or since the start."""
    condition = case.condition
    told_by_tool = vcgencmd_bits() is not None
    if shutil.which("vcgencmd") and not told_by_tool:
        yield info(
            "vcgencmd-fails",
            "vcgencmd is there and does not answer: whether power is low is not known from it.",
            "`vcgencmd get_throttled` fails, or says something else than throttled=0x…",
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
                "Use the board's own supply (5.1 V 3 A for a Pi 4, 5 A for a Pi 5), a short thick cable, "
                "and a powered hub for USB devices.",
            )
        others = [bit for bit in bits if bit != "under-voltage"]
        if others:
            yield (info if when else warning)(
                f"throttled{when}",
                f"The processor {past} slowed down: {', '.join(others)}.",
                f"vcgencmd get_throttled, or its file, has these bits{' since the start' if when else ''}",
                "Cool it (heat sink, fan, open case), then start again and see whether it comes back.",
            )
    before, now = case.throttle_events or 0, throttle_events(case.root)
    counter = "thermal_throttle/core_throttle_count of all cores"
    cooling = "Clean or replace fan and heat sink; see the temperature under load: `watch sensors`."
    if now and now > before:
        yield warning(
            "throttled",
            "Cores are slowed down for heat: they were while this was looked at.",
            f"{counter}: {before}, then {now}",
            cooling,
        )
    elif now:
        yield info(
            "throttled-before",
            "Cores were slowed down for heat since the start.",
            f"{counter}: {now}, and no more while this was looked at",
            f"If it was under the load of your product: {cooling[0].lower()}{cooling[1:]}",
        )
    alarms = [p for p in find(case.root, "sys/class/hwmon/hwmon*/oc*_event_cnt") if natural(read(p))]
    if alarms:
        yield warning(
            "over-current",
            "The board drew more current than its supply gives, and was slowed down.",
            f"{alarms[0].relative_to(case.root)} counts {read(alarms[0])}",
            "Use the supply of the developer kit, or a lower power mode: `sudo nvpmodel -q`, then `-m`.",
        )
    if condition.throttle_events is None and not told_by_tool and kernel_bits(case.root) is None:
        raise Skipped("neither vcgencmd nor the kernel tells of throttling")


def heat(case: Case) -> Iterator[Finding]:
    """The hottest sensor, by how near it is to where it slows things down."""
    told = {path: value for path in sensors(case.root) if (value := celsius(path)) is not None}
    if not told:
        raise Skipped("no sensor in sys/class/thermal or sys/class/hwmon tells a temperature")
    pi = "Raspberry Pi" in case.machine.board
    limits = {path: _zone_limit(path, pi) if path.name == "temp" else _chip_limit(path) for path in told}
    hottest = max(told, key=lambda path: told[path] - limits[path])
    if told[hottest] >= limits[hottest]:
        name = read(hottest.with_name("type" if hottest.name == "temp" else "name"))
        yield warning(
            "hot",
            f"The machine has {told[hottest]:.0f} °C: it is, or soon will be, slowed down.",
            f"{hottest.relative_to(case.root)} ({name or 'without a name'}) slows down at about "
            f"{limits[hottest]:.0f} °C",
            "Cool it (heat sink, fan, open case), or read fewer frames: a larger hop, a smaller picture.",
        )


def _zone_limit(temp: Path, pi: bool) -> float:
    """Return at how many °C the kernel slows a zone down, as it says; else what is usual."""
    trips = {
        read(path): celsius(path.with_name(path.name.replace("_type", "_temp")))
        for path in reversed(find(temp.parent, "trip_point_*_type"))
    }
    told = [trips.get(kind) or 0.0 for kind in ("passive", "hot")]
    return min((limit for limit in told if limit >= LEAST_TRIP_C), default=PI_HOT_C if pi else HOT_C)


def _chip_limit(input: Path) -> float:
    """Return how near a chip may come to what it calls critical, or to its maximum; else what is usual.

    A processor's maximum is where its fan should be at its fastest; an AMD's is 70 whatever it bears.
    """
    own = read(input.with_name("name")) in PROCESSORS
    for kind in ("crit",) if own else ("crit", "max"):
        limit = celsius(input.with_name(input.name.replace("_input", f"_{kind}"))) or 0.0
        if LEAST_TRIP_C <= limit < SPURIOUS_C:
            return limit - NEAR_C
    return HOT_C


def power(case: Case) -> Iterator[Finding]:
    """Battery and power modes."""
    supplies = [p for p in find(case.root, "sys/class/power_supply/*") if read(p / "type") == "Battery"]
    told = re.search(r"^NV Power Mode: *(\S.{,40})", ask("nvpmodel", "-q"), re.MULTILINE)
    mode = told[1].strip() if told else ""
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
    if shutil.which("nvpmodel") and not mode:
        yield info(
            "nvpmodel-fails",
            "nvpmodel is there and does not answer: whether the board is in its fastest mode is not known.",
            "`nvpmodel -q` fails, or says nothing of NV Power Mode",
            "`sudo nvpmodel -q`; if it fails, too, see `systemctl status nvpmodel`.",
        )
    if not supplies and not mode:
        raise Skipped("neither a battery nor nvpmodel tells how the machine is supplied")
