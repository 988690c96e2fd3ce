"""The input of a check, and its findings."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias

from ..bundle import Bundle, shipped
from ..errors import BundleError
from ..machine import Condition, Machine, condition, machine, throttle_events
from ..moved import renamed
from ..system_files import find, read

Severity: TypeAlias = Literal["info", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")


@dataclass(frozen=True)
class Finding:
    """One fault, or one fact worth knowing.

    Args:
        id: names the kind of finding for programs and stays the same from release to release.
        severity: ``"error"`` if something does not work or answers wrongly. ``"warning"`` if it is slow or
            less good than possible. ``"info"`` if it is worth knowing.
        what: the fault in one sentence.
        evidence: how the check saw the fault.
        remedy: a command or a step.
    """

    id: str
    severity: Severity
    what: str
    evidence: str
    remedy: str

    def to_dict(self) -> dict[str, str]:
        """Return plain values, ready for JSON."""
        return asdict(self)


def _of(severity: Severity) -> Callable[[str, str, str, str], Finding]:
    return lambda id, what, evidence, remedy: Finding(id, severity, what, evidence, remedy)


info, warning, error = map(_of, SEVERITIES)

Noted: TypeAlias = Generator[Finding, None, str]
"""The result of a check that ends with a note: facts that are not faults, ``""`` if there are none."""


class Skipped(Exception):  # noqa: N818
    """A check cannot be done, or does not concern this machine; the message says why."""


@dataclass(frozen=True)
class Context:
    """The machine, bundles and files to examine.

    Args:
        root: the folder above the system's files; tests make one of their own.
        bundles: names or paths, in addition to the shipped bundles.
        picture, recording: files of the caller's to look into.
        rate_hz: the sample rate that a product assumes.
        threads: the number of threads that a product wants to use.
    """

    root: Path = Path("/")
    bundles: tuple[str, ...] = ()
    picture: Path | None = None
    recording: Path | None = None
    rate_hz: int | None = None
    threads: int = 1

    @cached_property
    def machine(self) -> Machine:
        """The machine below the root."""
        return machine(self.root)

    @cached_property
    def condition(self) -> Condition:
        """The machine's present condition."""
        return condition(self.root)

    @cached_property
    def throttle_events(self) -> int | None:
        """How often the kernel had slowed cores down when this was first asked."""
        return throttle_events(self.root)

    @cached_property
    def opened(self) -> dict[str, Bundle | BundleError]:
        """Every shipped or given bundle, by name or path: the open bundle, or why it does not open."""
        found: dict[str, Bundle | BundleError] = {}
        for name in (*map(str, shipped().values()), *self.bundles):
            try:
                found[name] = Bundle.open(name)
            except BundleError as reason:
                found[name] = reason
        return found

    @property
    def intact(self) -> dict[str, Bundle]:
        """The bundles that open, by path, each once."""
        return {str(bundle.path): bundle for bundle in self.opened.values() if isinstance(bundle, Bundle)}

    def read(self, path: str) -> str:
        """Return a system file's text, ``""`` if there is none; ``path`` has no leading slash."""
        return read(self.root / path)

    def find(self, pattern: str) -> list[Path]:
        """Return the system files that match a pattern without a leading slash."""
        return find(self.root, pattern)


__getattr__ = renamed(__name__, {"Case": "Context"})
