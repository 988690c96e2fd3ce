"""What a check is given, and what it finds."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias

from ..bundle import Bundle, shipped
from ..errors import BundleError
from ..machine import Condition, Machine, condition, machine, throttle_events
from ..told import read

Severity: TypeAlias = Literal["info", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Args:
        id: names the kind of finding, for programs; it does not change from release to release.
        severity: ``"error"`` something does not work or answers wrongly, ``"warning"`` it is slow or less
            good than it could be, ``"info"`` worth knowing.
        what: the matter, in a sentence.
        evidence: how it was seen.
        remedy: what to do: a command, or a step.
    """

    id: str
    severity: Severity
    what: str
    evidence: str
    remedy: str

    def to_dict(self) -> dict[str, str]:
        """Return plain values, ready for JSON."""
        return asdict(self)


def info(id: str, what: str, evidence: str, remedy: str) -> Finding:
    """Return a `Finding` worth knowing."""
    return Finding(id, "info", what, evidence, remedy)


def warning(id: str, what: str, evidence: str, remedy: str) -> Finding:
    """Return a `Finding` of something slow, or less good than it could be."""
    return Finding(id, "warning", what, evidence, remedy)


def error(id: str, what: str, evidence: str, remedy: str) -> Finding:
    """Return a `Finding` of something that does not work."""
    return Finding(id, "error", what, evidence, remedy)


Noted: TypeAlias = Generator[Finding, None, str]
"""Of a check that ends with a note: what it saw that is nothing wrong, "" of nothing."""


class Skipped(Exception):  # noqa: N818
    """A check cannot be done, or does not concern this machine; the message says why."""


@dataclass(frozen=True)
class Case:
    """What is examined.

    Args:
        root: below which the system's files are read; a drawn one in tests.
        bundles: names or paths beside the shipped ones.
        picture, recording: of the caller's, to be looked into.
        rate_hz: the sample rate a product assumes.
        threads: it wants to use.
    """

    root: Path = Path("/")
    bundles: tuple[str, ...] = ()
    picture: Path | None = None
    recording: Path | None = None
    rate_hz: int | None = None
    threads: int = 1

    @cached_property
    def machine(self) -> Machine:
        """What the machine is."""
        return machine(self.root)

    @cached_property
    def condition(self) -> Condition:
        """How it is now."""
        return condition(self.root)

    @cached_property
    def throttle_events(self) -> int | None:
        """How often cores had been slowed down when it was first asked."""
        return throttle_events(self.root)

    @cached_property
    def opened(self) -> dict[str, Bundle | BundleError]:
        """Every bundle, shipped or given, by name or path: opened, or why it cannot be."""
        found: dict[str, Bundle | BundleError] = {}
        for name in (*map(str, shipped().values()), *self.bundles):
            try:
                found[name] = Bundle.open(name)
            except BundleError as reason:
                found[name] = reason
        return found

    @property
    def whole(self) -> dict[str, Bundle]:
        """The bundles that could be opened, by path, each once."""
        return {str(bundle.path): bundle for bundle in self.opened.values() if isinstance(bundle, Bundle)}

    def read(self, path: str) -> str:
        """Return a system file's text, "" where there is none; ``path`` is without the leading slash."""
        return read(self.root / path)
