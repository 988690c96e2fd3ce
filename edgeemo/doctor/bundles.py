"""The bundles: whole, of this release, and giving the answers their cards promise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..bundle import shipped
from ..card import Card
from ..errors import BundleCorruptError, BundleError, BundleNotFoundError, BundleVersionError
from .case import Case, Finding, Noted, Skipped, error, info, warning
from .probe import TOLERANCE, Outcome, probe

_KINDS: dict[type[BundleError], tuple[str, str]] = {  # the first that fits
    BundleNotFoundError: ("bundle-missing", "`edgeemo list` shows those that came with edgeemo."),
    BundleVersionError: ("bundle-newer", "`pip install --upgrade edgeemo`"),
    BundleCorruptError: (
        "bundle-damaged",
        "Fetch the file again, or, of a shipped one, `pip install --force-reinstall --no-deps edgeemo`.",
    ),
    BundleError: ("bundle-unreadable", "Check the path and its rights: `ls -l` on it."),
}


def integrity(case: Case) -> Iterator[Finding]:
    """Digest, structure and schema of every shipped bundle and of those given."""
    if not shipped():
        yield warning(
            "bundles-none-shipped",
            "No bundle came with this edgeemo.",
            "there is no .tflite in its folder zoo",
            "Install a wheel (`pip install --force-reinstall edgeemo`), or train one by `edgeemo train`.",
        )
    for name, found in case.opened.items():
        if isinstance(found, BundleError):
            id, remedy = next(kind for of, kind in _KINDS.items() if isinstance(found, of))
            yield error(id, f"The bundle {name} cannot be used.", " ".join(str(found).split()), remedy)


def licences(case: Case) -> Noted:
    """Which are not cleared for commercial use: a note, for nothing is wrong with them."""
    yield from ()
    cards = [bundle.card for bundle in case.whole.values()]
    if not cards:
        raise Skipped("there is no bundle that can be read")
    closed = [card for card in cards if card.commercial != "cleared"]
    if not closed:
        return ""
    names = ", ".join(f"{card.name} ({card.commercial})" for card in closed)
    return f"not cleared for commercial use: {names}; `edgeemo inspect NAME` shows their licences"


def goldens(case: Case) -> Iterator[Finding]:
    """Whether bundles give the answers that were written into their cards when they were verified."""
    if not case.whole:
        raise Skipped("there is no bundle that can be read")
    outcomes = tried(case)
    if not any(outcome.ran for outcome in outcomes) and {o.kind for o in outcomes} <= {
        "RuntimeUnavailableError",
        "Died",
    }:
        raise Skipped(f"no bundle runs here: {outcomes[0].error}")
    for outcome in outcomes:
        yield from _judged(outcome, case.whole[outcome.bundle].card)


def tried(case: Case) -> tuple[Outcome, ...]:
    """Return how the bundles fared that are whole: the shipped ones, then those given."""
    mine = [str(path) for path in shipped().values()]
    given = [path for path in case.whole if path not in mine]
    # two calls, for the first is known already
    found = probe(mine) + (probe(given) if given else ())
    return tuple(outcome for outcome in found if outcome.bundle in case.whole)


def _judged(outcome: Outcome, card: Card) -> Iterator[Finding]:
    name = Path(outcome.bundle).name
    if not outcome.ran:
        fits = outcome.kind in ("BundleMismatchError", "SpecError")
        yield error(
            "bundle-mismatch" if fits else "bundle-does-not-run",
            f"The bundle {name} is whole and does not run here.",
            f"{outcome.kind}: {outcome.error}",
            "Convert it again with this edgeemo: `edgeemo convert`; `edgeemo inspect` shows what is in it.",
        )
    elif outcome.differences:
        yield error(
            "golden-differs",
            f"The bundle {name} answers otherwise than when it was verified.",
            f"{len(outcome.differences)} of {outcome.n_golden} golden inputs, beyond {TOLERANCE}: "
            f"{outcome.differences[0]}",
            "Do not trust this runtime with it: `pip install --force-reinstall --no-deps "
            f"'ai-edge-litert=={card.tools.get('ai-edge-litert', '2.3.0')}'`, with which it was verified.",
        )
    elif not outcome.n_golden:
        yield info(
            "bundle-without-goldens",
            f"The bundle {name} has no golden inputs: whether it answers rightly here is not known.",
            "its card's field golden is empty",
            "Make it by `edgeemo convert`, which writes them.",
        )
