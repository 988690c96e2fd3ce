"""Power and heat, which slow a processor down."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from ..machine import ask, read
from .case import Case, Finding, Skipped, error, info, warning

HOT_C, TOO_HOT_C = 80.0, 90.0
"""Raspberry Pi's firmware begins to slow down at 80 °C, others between 85 and 100."""


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
