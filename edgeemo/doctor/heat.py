"""Power and heat, which slow a processor down."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from ..machine import ask, read, throttle_events
from .case import Case, Finding, Skipped, error, info, warning

PI_HOT_C, HOT_C = 80.0, 90.0
"""Raspberry Pi's firmware begins to slow down at 80 °C, others between 85 and 100, where they do not say."""
LEAST_TRIP_C = 50.0
"""A trip point below is not set, or of a battery that is charged more slowly."""


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
    zones = [p for p in case.root.glob("sys/class/thermal/thermal_zone*") if _celsius(p / "temp") is not None]
    if not zones:
        raise Skipped("there is no sensor in sys/class/thermal")
    pi = "Raspberry Pi" in case.machine.board
    hottest = max(zones, key=lambda zone: (_celsius(zone / "temp") or 0.0) - _limit(zone, pi))
    temperature, limit = _celsius(hottest / "temp") or 0.0, _limit(hottest, pi)
    if temperature >= limit:
        yield warning(
            "hot",
            f"The machine has {temperature:.0f} °C: it is, or soon will be, slowed down.",
            f"{hottest.relative_to(case.root)} ({read(hottest / 'type') or 'without a type'}) slows down "
            f"at about {limit:.0f} °C",
            "Cool it (heat sink, fan, open case), or read fewer frames: a larger hop, a smaller picture.",
        )


def _limit(zone: Path, pi: bool) -> float:
    """Return at how many °C the kernel slows a zone down, as it says; else what is usual."""
    trips = {
        read(path): _celsius(path.with_name(path.name.replace("_type", "_temp")))
        for path in sorted(zone.glob("trip_point_*_type"), reverse=True)
    }
    told = [trips[kind] for kind in ("passive", "hot") if trips.get(kind)]
    usual = PI_HOT_C if pi else HOT_C
    return min((limit for limit in told if limit and limit >= LEAST_TRIP_C), default=usual)


def _celsius(path: Path) -> float | None:
    """Return what a sensor says; None of one that says nothing, or nothing sane."""
    try:
        value = float(read(path)) / 1000
    except ValueError:
        return None
    return value if -40 < value < 200 else None


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
