"""The table of contents: every check, by subject, and what runs them."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from . import (
    bundles,
    devices,
    forms,
    glibc,
    gpu,
    heat,
    installation,
    litert,
    picture,
    recording,
    speed,
    system,
)
from .case import Case, Finding, Skipped, warning

Look = Callable[[Case], Iterator[Finding]]

CHECKS: dict[str, dict[str, Look]] = {  # subject: {name: check}
    "installation": {
        "python": installation.python,
        "edgeemo": installation.package,
        "wheels": installation.wheels,
        "numpy": installation.numpy,
        "glibc": glibc.glibc,
        "litert": litert.litert,
        "engine": litert.engine,
        "legacy": litert.legacy,
    },
    "bundles": {
        "integrity": bundles.integrity,
        "goldens": bundles.goldens,
        "licences": bundles.licences,
    },
    "speed": {
        "processor": speed.processor,
        "governor": speed.governor,
        "throttling": heat.throttling,
        "heat": heat.heat,
        "power": heat.power,
        "cores": speed.cores,
        "load": system.load,
        "memory": system.memory,
    },
    "system": {
        "clock": system.clock,
        "disk": system.disk,
        "files": forms.forms,
    },
    "devices": {
        "microphone": devices.microphone,
        "camera": devices.camera,
        "gpu": gpu.gpu,
        "delegates": gpu.delegates,
    },
    "input": {
        "picture": picture.picture,
        "recording": recording.recording,
    },
}


@dataclass(frozen=True)
class Checked:
    """How one check went.

    Args:
        subject, name: as in `CHECKS`.
        state: ``"done"``, ``"skipped"`` (``reason`` says why; what it found before stands) or ``"failed"``.
        ms: how long it took.
        findings: what it found, in its order.
        note: what it saw that is nothing wrong, "" of nothing.
    """

    subject: str
    name: str
    state: Literal["done", "skipped", "failed"]
    reason: str
    ms: float
    findings: tuple[Finding, ...]
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON; findings by their ids."""
        return {
            "name": self.name,
            "subject": self.subject,
            "state": self.state,
            "reason": self.reason,
            "note": self.note,
            "ms": round(self.ms, 1),
            "findings": [finding.id for finding in self.findings],
        }


def examine(case: Case, only: Collection[str] = ()) -> list[Checked]:
    """Do every check, or ``only`` those of these names; one that raises becomes a finding of its own."""
    with suppress(Exception):  # the check "throttling" asks again, and tells
        _ = case.throttle_events  # as it is before models run
    return [
        _checked(case, subject, name)
        for subject, checks in CHECKS.items()
        for name in checks
        if not only or name in only
    ]


def _checked(case: Case, subject: str, name: str) -> Checked:
    began = time.perf_counter()
    findings: list[Finding] = []
    state: Literal["done", "skipped", "failed"] = "done"
    reason = note = ""
    try:
        found = CHECKS[subject][name](case)
        while True:
            findings.append(next(found))
    except StopIteration as end:
        note = end.value or ""
    except Skipped as told:
        state, reason = "skipped", str(told)
    except Exception as fault:  # the doctor's own: it is told, and the next check begins
        state, reason = "failed", " ".join(f"{type(fault).__name__}: {fault}".split())
        findings.append(_own_fault(name, fault, reason))
    ms = 1000 * (time.perf_counter() - began)
    return Checked(subject, name, state, reason, ms, tuple(findings), note)


def _own_fault(name: str, fault: Exception, reason: str) -> Finding:
    place = traceback.extract_tb(fault.__traceback__)[-1]
    return warning(
        f"check-failed-{name}",
        f"The check {name!r} could not be finished: a fault of the doctor, or of what it looked at.",
        f"{reason} ({place.filename.rsplit('/', 1)[-1]}, line {place.lineno})",
        "Report it with the output of `edgeemo doctor --json`.",
    )
