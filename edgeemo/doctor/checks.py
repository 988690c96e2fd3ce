"""List every check by subject, and run them."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from . import bundles, devices, glibc, gpu, heat, installation, litert, picture, processor, recording, system
from .context import Context, Finding, Skipped, warning

Check = Callable[[Context], Iterator[Finding]]

CHECKS: dict[str, dict[str, Check]] = {  # subject: {name: check}
    "installation": {
        "python": installation.python,
        "edgeemo": installation.package,
        "numpy": installation.numpy,
        "glibc": glibc.glibc,
        "litert": litert.litert,
        "engine": litert.engine,
        "legacy": litert.legacy,
    },
    "bundles": {"integrity": bundles.integrity, "goldens": bundles.goldens, "licences": bundles.licences},
    "speed": {
        "processor": processor.processor,
        "governor": processor.governor,
        "throttling": heat.throttling,
        "heat": heat.heat,
        "power": heat.power,
        "cores": processor.cores,
        "load": system.load,
        "memory": system.memory,
    },
    "system": {"clock": system.clock, "disk": system.disk},
    "devices": {
        "microphone": devices.microphone,
        "camera": devices.camera,
        "gpu": gpu.gpu,
        "delegates": gpu.delegates,
    },
    "input": {"picture": picture.picture, "recording": recording.recording},
}


@dataclass(frozen=True)
class Checked:
    """The result of one check.

    Args:
        subject, name: as in `CHECKS`.
        state: ``"done"``, ``"skipped"`` (``reason`` says why; earlier findings stay) or ``"failed"``.
        ms: how long the check took.
        findings: in the order of the check.
        note: facts that are not faults, ``""`` if there are none.
    """

    subject: str
    name: str
    state: Literal["done", "skipped", "failed"]
    reason: str
    ms: float
    findings: tuple[Finding, ...]
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON; findings are their ids."""
        return {
            "name": self.name,
            "subject": self.subject,
            "state": self.state,
            "reason": self.reason,
            "note": self.note,
            "ms": round(self.ms, 1),
            "findings": [finding.id for finding in self.findings],
        }


def examine(context: Context, only: Collection[str] = ()) -> list[Checked]:
    """Run every check, or ``only`` those of these names; a check that raises becomes a finding."""
    with suppress(Exception):  # the check "throttling" reads the counter again, and reports the failure
        _ = context.throttle_events  # the count before models run
    return [
        _run(context, subject, name)
        for subject, checks in CHECKS.items()
        for name in checks
        if not only or name in only
    ]


def _run(context: Context, subject: str, name: str) -> Checked:
    began = time.perf_counter()
    findings: list[Finding] = []
    state: Literal["done", "skipped", "failed"] = "done"
    reason = note = ""
    try:
        found = CHECKS[subject][name](context)
        while True:
            findings.append(next(found))
    except StopIteration as end:
        note = end.value or ""
    except Skipped as skipped:
        state, reason = "skipped", str(skipped)
    except Exception as fault:  # a fault of the check itself: report it and go on
        state, reason = "failed", " ".join(f"{type(fault).__name__}: {fault}".split())
        place = traceback.extract_tb(fault.__traceback__)[-1]
        findings.append(
            warning(
                f"check-failed-{name}",
                f"The check {name!r} did not finish, because of a fault in the doctor or in its input.",
                f"{reason} ({place.filename.rsplit('/', 1)[-1]}, line {place.lineno})",
                "Report it with the output of `edgeemo doctor --json`.",
            )
        )
    return Checked(subject, name, state, reason, 1000 * (time.perf_counter() - began), tuple(findings), note)
