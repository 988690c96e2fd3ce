"""A model card as a page for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from ..card import Card, DetectorCard, ModelCard

VERDICTS = {
    "cleared": ("green", "cleared for commercial use"),
    "unclear": ("yellow", "commercial use unclear: not all of the data was cleared"),
    "no": ("red", "not for commercial use"),
}


def render(card: Card, sizes: Mapping[str, int], model: Mapping[str, Any]) -> Group:
    """Lay a card out as a page."""
    colour, verdict = VERDICTS[card.commercial]
    head = Text.assemble((f"{card.name} {card.version}", "bold"), f"  {card.title}")
    about = facts(
        ("weights", Text.assemble(f"{card.licence}, ", (verdict, colour))),
        ("reads", f"{card.modality}, frontend {card.spec_digest[:12]} (version {card.frontend_version})"),
        *_says(card),
        ("size", " · ".join(f"{name} {size_of(size)}" for name, size in sizes.items())),
        ("sha256", card.flatbuffer_sha256),
    )
    parts: list[Any] = [head, Text(card.description), about]
    parts += _section("Data and teachers", _data(card))
    if isinstance(card, ModelCard):
        parts += _section("Labels", _labels(card))
        for name, groups in card.groups.items():
            rows = table("group", ">threshold", "labels")
            for group, g in groups.items():
                rows.add_row(Text(group), _threshold(card, g.threshold), Text(", ".join(g.labels)))
            parts += _section(f"Groups: {name}", rows)
    parts += _section("Measured", _metrics(card.metrics))
    parts += _section("Model", _model(model))
    parts += _section("Made with", facts(*((name, version) for name, version in sorted(card.tools.items()))))
    return Group(*parts)


def table(*columns: str, title: str | None = None) -> Table:
    """Return a plain table that folds long words; ``>`` before a column's name aligns the column right."""
    made = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        side: JustifyMethod = "right" if column.startswith(">") else "left"
        made.add_column(column.removeprefix(">"), justify=side, overflow="fold")
    return made


def size_of(count: int) -> str:
    """Return a number of bytes as B, kB or MB."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1e3:.0f} kB" if count < 1_000_000 else f"{count / 1e6:.2f} MB"


def _section(title: str, content: RenderableType) -> list[RenderableType]:
    return ["", Text(title, "bold"), content]


def facts(*rows: tuple[str, str | Text], title: str | None = None) -> Table:
    """Return a table of names and values without a header."""
    made = Table(title=title, title_justify="left", box=None, show_header=False, padding=(0, 2, 0, 0))
    made.add_column(style="dim")
    made.add_column(overflow="fold")
    for name, value in rows:
        made.add_row(Text(name), value if isinstance(value, Text) else Text(value))
    return made


def _says(card: Card) -> list[tuple[str, str | Text]]:
    """Return what the model says, as rows of words."""
    if isinstance(card, DetectorCard):
        how = card.detector
        size = f"{how['width']} × {how['height']} pixels"
        return [
            ("finds", f"faces and their eyes, in the whole picture shrunk into {size}"),
            ("scores", f"the calibrated probability of a face, at least {how['least_score']:g}"),
        ]
    assert isinstance(card, ModelCard)
    many = "several may hold at once" if card.multi_label else "one holds"
    return [("says", f"{len(card.labels)} labels, {many}"), ("scores", _scores(card))]


def _scores(card: ModelCard) -> str:
    """Say in words how `EmotionResult.scores` come from the labels; see `ModelCard.emotions`."""
    probability = "that any of its labels holds" if card.multi_label else "the sum of its labels'"
    temperature = card.calibration.temperature
    shaped = "" if temperature == 1 else f" to the power of 1 / {temperature:g} (the temperature)"
    return f"each emotion's probability ({probability}){shaped}, divided by the sum over all"


def _data(card: Card) -> Table:
    made = table("name", "licence", "used for", "where")
    for source in card.data:
        made.add_row(*(Text(cell) for cell in (source.name, source.licence, source.use, source.url)))
    return made


def _labels(card: ModelCard) -> Table:
    emotion = {label: name for name, labels in card.emotions.items() for label in labels}
    made = table("label", ">threshold", "emotion")
    for label in card.labels:
        made.add_row(Text(label), _threshold(card, card.thresholds[label]), emotion.get(label, "–"))
    return made


def _threshold(card: ModelCard, value: float) -> str:
    """Return the score from which a label or group is active; of exclusive labels the likeliest is."""
    return f"{value:.3f}" if card.multi_label else "likeliest"


def _metrics(metrics: Mapping[str, Any]) -> Table:
    made = table("metric", ">value", "95 % interval")
    for name, value, interval in _measured(metrics):
        made.add_row(Text(name), value, interval)
    return made


def _measured(metrics: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield a card's metrics as rows: name, value, interval. Nested names are joined."""
    for name, value in metrics.items():
        if isinstance(value, Mapping) and "value" in value:
            interval = f"{value['low']:.3f} … {value['high']:.3f}" if {"low", "high"} <= set(value) else ""
            n = f"  n {value['n']:,}" if "n" in value else ""
            yield prefix + name, _shown(value["value"]), interval + n
        elif isinstance(value, Mapping):
            yield from _measured(value, f"{prefix}{name} · ")
        elif isinstance(value, int | float):
            yield prefix + name, _shown(value), ""
        else:
            yield prefix + name, "", str(value)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _model(model: Mapping[str, Any]) -> Table:
    operators = ", ".join(f"{name} {count}" for name, count in model["operators"].items())
    rows = [
        ("operators", operators or "the runtime does not say"),
        ("foreign", ", ".join(model["foreign"]) or "none"),
    ]
    for role in ("inputs", "outputs"):
        rows += [(role.removesuffix("s"), _tensor(tensor)) for tensor in model[role]]
    rows.append(("tensors", ", ".join(f"{dtype} {count}" for dtype, count in model["tensors"].items())))
    return facts(*rows)


def _tensor(tensor: Mapping[str, Any]) -> str:
    quantized = f", scale {tensor['scale']:.6g}, zero point {tensor['zero_point']}" if tensor["scale"] else ""
    return f"{tensor['name']} {tensor['dtype']} {list(tensor['shape'])}{quantized}"
