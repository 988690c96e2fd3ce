"""Put results into tables and sentences, for the terminal, Markdown and pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..backends import INTERPRETERS
from .stage_times import BETWEEN, STAGES

Result = Mapping[str, Any]
Table = tuple[str, list[str], list[list[str]]]
"""Title, header (``>`` begins the name of a column with numbers), rows."""

_TOOLS = ("edgeemo", *INTERPRETERS, "numpy", "python")
_CONDITION = (
    ("temperature", "temperature_c", ".0f", " °C"),
    ("clock", "clock_mhz", ".0f", " MHz"),
    ("power", "power_w", ".1f", " W"),
    ("load", "load", ".1f", ""),
)
_MANY_FAULTS = 5  # a call; one fault takes 0.1 to 3 µs, as long as a small stage
_USUAL = {"delegate": "auto", "threads": 1, "batch": 1}


def tables(results: Sequence[Result]) -> list[Table]:
    """Return tables of the whole call (with setups that failed), of its stages, and of its needs."""
    ran = [result for result in results if result["total_us"] is not None]
    names = {id(result): name_of(result, results) for result in results}
    found: list[Table] = [("The whole call", *_whole(results, names))]
    if ran:
        found += [("Where the median goes", *_stages(ran, names)), ("What it takes", *_needs(ran, names))]
    return found


def notes(results: Sequence[Result]) -> list[str]:
    """Return sentences on noise, comparisons, inputs, and setups that failed."""
    found = []
    for result in results:
        name = name_of(result, results)
        if result["total_us"] is None:
            found.append(f"{name} did not run: {result['error']}")
            continue
        if result["noisy"]:
            found.append(f"{name} is too noisy to quote: {'; '.join(result['noise'])}.")
        else:
            found += [f"~ {name}: do not quote its {p}, {why}." for p, why in result["tail_noise"].items()]
        if result["page_faults"] >= _MANY_FAULTS:
            found.append(
                f"{name} takes {result['page_faults']:.0f} pages of memory from the system in each call, and "
                "gives them back. In a process with another heap it may be faster."
            )
        if "compared" in result:
            found.append(f"{name}: {verdict(result['compared'])}.")
    found += _conditions(results)
    inputs = [f"{r['bundle']} {r['versions']['bundle']} read {r['input']}." for r in results if "input" in r]
    return found + list(dict.fromkeys(inputs))


def verdict(compared: Result) -> str:
    """Return a comparison in words."""
    numbers = ""
    if "ratio" in compared:
        change, low, high = (compared[key] - 1 for key in ("ratio", "low", "high"))
        numbers = f", {change:+.1%} ({low:+.1%} … {high:+.1%}) since {compared['date']}"
    why = f" ({compared['why']})" if "why" in compared else ""
    changed = [f"{tool} {then} then, {now} now" for tool, (then, now) in compared.get("versions", {}).items()]
    return f"{compared['verdict']}{why}{numbers}" + (f" ({'; '.join(changed)})" if changed else "")


def markdown(results: Sequence[Result], machine: Result) -> str:
    """Return the tables and notes as Markdown."""
    parts = []
    for title, header, rows in tables(results):
        lines = [f"**{title}**", "", _line(name.removeprefix(">") for name in header)]
        lines.append(_line("---:" if name.startswith(">") else "---" for name in header))
        parts.append("\n".join([*lines, *(_line(row) for row in rows)]))
    parts.append("\n".join(f"- {note}" for note in (*notes(results), where(machine, results))))
    return "\n\n".join(parts)


def where(machine: Result, results: Sequence[Result]) -> str:
    """Return the machine, the versions and the date in a line."""
    name = " ".join(part for part in (machine["board"], machine["cpu"]) if part) or "an unnamed machine"
    many = "core" if machine["cores"] == 1 else "cores"
    ran = next((result for result in results if result["total_us"] is not None), None)
    facts = [f"{name}, {machine['cores']} {many}, {machine['architecture']}, {machine['system']}"]
    if ran is not None:
        facts += [f"{tool} {ran['versions'][tool]}" for tool in _TOOLS if tool in ran["versions"]]
        facts.append(ran["date"])
    return " · ".join(facts)


def name_of(result: Result, results: Sequence[Result]) -> str:
    """Return the bundle, and what is unusual or tells this result from the others."""
    parts = [str(result["bundle"])]
    for key, usual in _USUAL.items():
        if result[key] != usual or len({str(other[key]) for other in results}) > 1:
            form = {"delegate": "{}", "batch": "batch {}", "threads": "{} thread" + "s" * (result[key] != 1)}
            parts.append(form[key].format(result[key]))
    if len({other["path"] for other in results if other["bundle"] == result["bundle"]}) > 1:
        parts.append(str(result["path"]))
    return ", ".join(parts)


def time_of(us: float) -> str:
    """Return a time with its unit."""
    for limit, unit, per in ((1e3, "µs", 1.0), (1e6, "ms", 1e3)):
        if abs(us) < 0.9995 * limit:
            return f"{us / per:.3g} {unit}" if abs(us) >= 1 or us == 0 else f"{us:.1f} {unit}"
    return f"{us / 1e6:.3g} s"


def _whole(results: Sequence[Result], names: Mapping[int, str]) -> tuple[list[str], list[list[str]]]:
    header = ["bundle", "ran on", ">p50", ">p95", ">p99", ">per second", ">n", ""]
    rows = []
    for result in results:
        if result["total_us"] is None:
            rows.append([names[id(result)], "did not run", *["–"] * 5, ""])
            continue
        rows.append(
            [
                names[id(result)],
                "{backend} {delegate}".format(**result["runs"]),
                *(
                    "~" * (p in result["tail_noise"]) + time_of(result["total_us"][p])
                    for p in ("p50", "p95", "p99")
                ),
                f"{result['throughput_per_s']:,.0f}",
                f"{result['n']:,}",
                "noisy" if result["noisy"] else "",
            ]
        )
    return header, rows


def _stages(results: Sequence[Result], names: Mapping[int, str]) -> tuple[list[str], list[list[str]]]:
    there = [
        stage for stage in ("capture", *STAGES) if any(stage in result["stages_us"] for result in results)
    ]
    rows = []
    for result in results:
        stages = result["stages_us"]
        cells = [time_of(stages[stage]["p50"]) if stage in stages else "–" for stage in there]
        rows.append([names[id(result)], *cells, time_of(result["between_us"]["p50"])])
    return ["bundle", *(f">{stage}" for stage in (*there, BETWEEN))], rows


def _needs(results: Sequence[Result], names: Mapping[int, str]) -> tuple[list[str], list[list[str]]]:
    metered = any(result["energy"]["mj_per_call"] is not None for result in results)
    header = ["bundle", ">CPU", ">cold start", ">import", ">open", ">first call", ">memory", ">of budget"]
    rows = []
    for result in results:
        energy, stream = result["energy"]["mj_per_call"], result["hop"]
        keys = ("cpu", "cold_start", "import", "open", "first")
        row = [names[id(result)], *(time_of(result[f"{key}_us"]) for key in keys)]
        row += [f"{result['peak_memory_mb']:.0f} MiB", "–" if stream is None else f"{stream['share']:.2%}"]
        rows.append(row + (["–" if energy is None else f"{energy:.3g} mJ"] if metered else []))
    return header + ([">energy"] if metered else []), rows


def _conditions(results: Sequence[Result]) -> list[str]:
    """Return the temperature, clock, power and load before and after all, as far as they are known."""
    known = [result["condition"] for result in results if "condition" in result]
    if not known:
        return []
    before, after = known[0]["before"], known[-1]["after"]
    parts = [
        f"{name} {before[key]:{form}} → {after[key]:{form}}{unit}"
        for name, key, form, unit in _CONDITION
        if before[key] is not None and after[key] is not None
    ]
    parts += [f"governor {', '.join(after['governors'])}"] if after["governors"] else []
    parts += [f"{', '.join(after['throttled_before'])} since the start"] if after["throttled_before"] else []
    return [f"Before and after: {'; '.join(parts)}."] if parts else []


def _line(cells: Any) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
