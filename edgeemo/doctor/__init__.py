"""Why a board is slow or wrong: checks that name what they see, how they saw it, and what to do.

`checks.CHECKS` is the table of contents. A check is a function that takes a `Case` and yields findings.
"""

from .case import SEVERITIES, Case, Finding, Severity, Skipped
from .checks import CHECKS, Checked, examine

__all__ = ["CHECKS", "SEVERITIES", "Case", "Checked", "Finding", "Severity", "Skipped", "examine"]
