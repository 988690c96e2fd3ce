"""Check the bundles: whether they are intact, of this release, and give the answers of their cards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..bundle import shipped
from ..card import Card
from ..errors import BundleCorruptError, BundleError, BundleNotFoundError, BundleVersionError
from .context import Context, Finding, Noted, Skipped, error, info, warning
from .model_runs import TOLERANCE, ModelRun, run_bundles

_KINDS: dict[type[BundleError], tuple[str, str]] = {  # the first that fits
    BundleNotFoundError: ("bundle-missing", "`edgeemo list` shows the shipped bundles."),
    BundleVersionError: ("bundle-newer", "`pip install --upgrade edgeemo`"),
    BundleCorruptError: (
        "bundle-damaged",
        "Fetch the file again; for a shipped one `pip install --force-reinstall --no-deps edgeemo`.",
    ),
    BundleError: ("bundle-unreadable", "Check the path and its rights: `ls -l` shows them."),
}


def integrity(context: Context) -> Iterator[Finding]:
    """Digest, structure and schema of every shipped and every given bundle."""
    if not shipped():
        yield warning(
            "bundles-none-shipped",
            "This edgeemo has no shipped bundle.",
            "its folder zoo holds no .tflite",
            "Install a wheel (`pip install --force-reinstall edgeemo`), or train one by `edgeemo train`.",
        )
    for name, found in context.opened.items():
        if isinstance(found, BundleError):
            id, remedy = next(kind for of, kind in _KINDS.items() if isinstance(found, of))
            yield error(id, f"The bundle {name} cannot be used.", " ".join(str(found).split()), remedy)


def licences(context: Context) -> Noted:
    """Bundles that are not cleared for commercial use: a note, since this is not a fault."""
    yield from ()
    cards = [bundle.card for bundle in context.intact.values()]
    if not cards:
        raise Skipped("there is no intact bundle")
    closed = [f"{card.name} ({card.commercial})" for card in cards if card.commercial != "cleared"]
    if not closed:
        return ""
    names = ", ".join(closed)
    return f"not cleared for commercial use: {names}; `edgeemo inspect NAME` shows their licences"


def goldens(context: Context) -> Iterator[Finding]:
    """Whether bundles give the answers that verification wrote into their cards."""
    intact = context.intact
    if not intact:
        raise Skipped("there is no intact bundle")
    mine = [str(path) for path in shipped().values()]
    given = [path for path in intact if path not in mine]
    runs = [run for run in (*run_bundles(mine), *run_bundles(given)) if run.bundle in intact]
    if all(run.kind in ("RuntimeUnavailableError", "Died") for run in runs):
        raise Skipped(f"no bundle runs here: {runs[0].error}")
    for run in runs:
        yield from _judged(run, intact[run.bundle].card)


def _judged(run: ModelRun, card: Card) -> Iterator[Finding]:
    name = Path(run.bundle).name
    if not run.ok:
        mismatch = run.kind in ("BundleMismatchError", "SpecError")
        yield error(
            "bundle-mismatch" if mismatch else "bundle-does-not-run",
            f"The bundle {name} is intact, but does not run here.",
            f"{run.kind}: {run.error}",
            "Convert it again with this edgeemo: `edgeemo convert`; `edgeemo inspect` shows what is in it.",
        )
    elif run.differences:
        tested = card.tools.get("ai-edge-litert", "2.3.0")
        yield error(
            "golden-differs",
            f"The bundle {name} answers otherwise than when it was verified.",
            f"{len(run.differences)} of {run.n_golden} golden inputs differ by more than {TOLERANCE}: "
            f"{run.differences[0]}",
            "Do not trust this runtime with it. Install the runtime of its verification: `pip install "
            f"--force-reinstall --no-deps 'ai-edge-litert=={tested}'`.",
        )
    elif not run.n_golden:
        yield info(
            "bundle-without-goldens",
            f"The bundle {name} has no golden inputs, so nobody knows whether it answers rightly here.",
            "its card's field golden is empty",
            "Make it by `edgeemo convert`, which writes them.",
        )
