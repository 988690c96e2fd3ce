"""Whether a bundle may be used commercially: its card's verdict, told or enforced as it is opened."""

from __future__ import annotations

import warnings

from .bundle import Bundle, shipped
from .card import Card
from .errors import LicenseError, LicenseWarning

_warned: set[str] = set()


def _cleared_for(modality: str) -> str:
    cards = (Bundle.open(path).card for path in shipped().values())
    names = [c.name for c in cards if c.modality == modality and c.commercial == "cleared"]
    if names:
        return f"Cleared: {', '.join(names)}."
    return f"None that reads {modality} is: train one on data you may use (`edgeemo train --help`)."


def check_licence(card: Card, require_commercial: bool) -> None:
    """Refuse, or warn of, a bundle that is not cleared for commercial use; called by what a caller calls.

    Raises:
        LicenseError: commercial use is required.
    """
    if card.commercial == "cleared":
        return
    verdict = f"is not cleared for commercial use (verdict: {card.commercial})"
    what = f"The bundle {card.name!r} ({card.licence}) {verdict}"
    if require_commercial:
        raise LicenseError(f"{what}. {_cleared_for(card.modality)}")
    if card.name not in _warned:
        warnings.warn(f"{what}; see `edgeemo inspect {card.name}`.", LicenseWarning, stacklevel=3)
        _warned.add(card.name)
