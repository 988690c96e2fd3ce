"""Find out why a board is slow or answers wrongly.

A check is a function that takes a `Context` and yields findings. `checks.CHECKS` lists all checks.
"""

from __future__ import annotations

import warnings
from typing import Any

from .checks import CHECKS, Checked, examine
from .context import SEVERITIES, Context, Finding, Severity, Skipped

__all__ = ["CHECKS", "SEVERITIES", "Checked", "Context", "Finding", "Severity", "Skipped", "examine"]


def __getattr__(name: str) -> Any:
    if name == "Case":
        warnings.warn("edgeemo.doctor.Case is now called Context.", DeprecationWarning, stacklevel=2)
        return Context
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
