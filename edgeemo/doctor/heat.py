"""Check power and heat, which slow a processor down."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..machine import PROCESSORS, SPURIOUS_C, celsius, kernel_bits, sensors, throttle_events, vcgencmd_bits
from ..system_files import find, natural, read, tool_output
from .context import Context, Finding, Skipped, error, info, warning

PI_HOT_C, HOT_C = 80.0, 90.0
"""A Raspberry Pi's firmware slows down from 80 °C on, others between 85 and 100, if a sensor has no limit."""
NEAR_C = 5.0
"""Processors slow down at their critical temperature, and fans do all they can before."""
LEAST_TRIP_C = 50.0
"""A lower trip point is not set, or belongs to a battery that is charged more slowly."""


def throttling(context: Context) -> Iterator[Finding]:
    """Power and heat that slowed the processor down, now or since the start."""
    condition = context.condition
    tool_answers = vcgencmd_bits() is not None
    if shutil.which("vcgencmd") and not tool_answers:
        yield info(
            "vcgencmd-fails",
            "vcgencmd is installed but does not answer, so low voltage may go unseen.",
            "`vcgencmd get_throttled` fails, or prints something other than throttled=0x…",
            "`sudo usermod -aG video $USER`, then log in again.",
        )
    past = tuple(bit for bit in condition.throttled_before if bit not in condition.throttled)
    for suffix, verb, since, bits in (
        ("", "is", "", condition.throttled),
        ("-before", "was", " since the start", past),
    ):
        if "under-voltage" in bits:
            yield (warning if suffix else error)(
                f"under-voltage{suffix}",
                f"The supply voltage {verb} too low{since}: the board slows down and may corrupt its card.",
                f"vcgencmd get_throttled, or its file, has the bit under-voltage{since}",
                "Use the board's own supply (5.1 V 3 A for a Pi 4, 5 A for a Pi 5), a short thick cable, "
                "and a powered hub for USB devices.",
            )
        others = [bit for bit in bits if bit != "under-voltage"]
        if others:
            yield (info if suffix else warning)(
                f"throttled{suffix}",
                f"The processor {verb} slowed down{since}: {', '.join(others)}.",
                f"vcgencmd get_throttled, or its file, has these bits{since}",
                "Cool it (heat sink, fan, open case), then start again and see whether it comes back.",
            )
    before, now = context.throttle_events or 0, throttle_events(context.root)
    counter = "thermal_throttle/core_throttle_count of all cores"
    cooling = "clean or replace fan and heat sink; see the temperature under load: `watch sensors`."
    if now and now > before:
        yield warning(
            "throttled",
            "Heat slowed cores down while the doctor ran.",
            f"{counter}: {before}, then {now}",
            cooling.capitalize(),
        )
    elif now:
        yield info(
            "throttled-before",
            "Heat slowed cores down since the start.",
            f"{counter}: {now}, and no more while the doctor ran",
            f"Look at the load of your product at that time. If it was the cause, {cooling}",
        )
    alarms = [path for path in context.find("sys/class/hwmon/hwmon*/oc*_event_cnt") if natural(read(path))]
    if alarms:
        yield warning(
            "over-current",
            "The board drew more current than its supply gives, and was slowed down.",
            f"{alarms[0].relative_to(context.root)} counts {read(alarms[0])}",
            "Use the supply of the developer kit, or a lower power mode: `sudo nvpmodel -q`, then `-m`.",
        )
    if condition.throttle_events is None and not tool_answers and kernel_bits(context.root) is None:
        raise Skipped("neither vcgencmd nor the kernel reports throttling")


def heat(context: Context) -> Iterator[Finding]:
    """The sensor that is nearest to its limit."""
    values = {path: value for path in sensors(context.root) if (value := celsius(path)) is not None}
    if not values:
        raise Skipped("no sensor in sys/class/thermal or sys/class/hwmon has a temperature")
    usual = PI_HOT_C if "Raspberry Pi" in context.machine.board else HOT_C
    limits = {p: _zone_limit(p, usual) if p.name == "temp" else _chip_limit(p) for p in values}
    hottest = max(values, key=lambda path: values[path] - limits[path])
    if values[hottest] >= limits[hottest]:
        name = read(hottest.with_name("type" if hottest.name == "temp" else "name"))
        yield warning(
            "hot",
            f"The machine has {values[hottest]:.0f} °C, at which it slows down.",
            f"{hottest.relative_to(context.root)} ({name or 'without a name'}) slows down at about "
            f"{limits[hottest]:.0f} °C",
            "Cool it (heat sink, fan, open case), or read fewer frames: a larger hop, a smaller picture.",
        )


def _zone_limit(temp: Path, usual: float) -> float:
    """Return at how many °C the kernel slows a zone down, by its trip points, else what is usual."""
    trips = {
        read(path): celsius(path.with_name(path.name.replace("_type", "_temp"))) or 0.0
        for path in reversed(find(temp.parent, "trip_point_*_type"))
    }
    return min(
        (c for kind in ("passive", "hot") if (c := trips.get(kind, 0.0)) >= LEAST_TRIP_C), default=usual
    )


def _chip_limit(input: Path) -> float:
    """Return the temperature near a chip's critical one, or near its maximum; else what is usual.

    A processor's maximum is where its fan should be at its fastest. AMD's is always 70 °C.
    """
    own = read(input.with_name("name")) in PROCESSORS
    for kind in ("crit",) if own else ("crit", "max"):
        limit = celsius(input.with_name(input.name.replace("_input", f"_{kind}"))) or 0.0
        if LEAST_TRIP_C <= limit < SPURIOUS_C:
            return limit - NEAR_C
    return HOT_C


def power(context: Context) -> Iterator[Finding]:
    """Battery and power modes."""
    batteries = [p for p in context.find("sys/class/power_supply/*") if read(p / "type") == "Battery"]
    found = re.search(r"^NV Power Mode: *(\S.{,40})", tool_output("nvpmodel", "-q"), re.MULTILINE)
    mode = found[1].strip() if found else ""
    if any(read(battery / "status") == "Discharging" for battery in batteries):
        yield info(
            "on-battery",
            "The machine runs on its battery, which makes many machines slower.",
            f"{batteries[0].relative_to(context.root)}/status says Discharging",
            "Plug it in before you measure.",
        )
    if mode and not mode.upper().startswith("MAXN"):
        yield info(
            "power-mode",
            f"The board's power mode is {mode}, not its fastest.",
            "`nvpmodel -q`",
            "`sudo nvpmodel -m 0 && sudo jetson_clocks`, if supply and cooling allow it.",
        )
    if shutil.which("nvpmodel") and not mode:
        yield info(
            "nvpmodel-fails",
            "nvpmodel is installed but does not answer, so the board may be in a slower mode.",
            "`nvpmodel -q` fails, or prints no NV Power Mode",
            "`sudo nvpmodel -q`; if this fails, too, see `systemctl status nvpmodel`.",
        )
    if not batteries and not mode:
        raise Skipped("there is neither a battery nor an answer of nvpmodel")
