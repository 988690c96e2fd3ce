"""The model card: all that a model file must say of itself to be used without any other file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from .errors import BundleCorruptError, BundleVersionError
from .types import EMOTIONS, MODALITIES, Modality

if TYPE_CHECKING:
    from typing_extensions import Self

_AGAIN = "Fetch or convert the bundle again."

SCHEMA = 1
"""The card schema this release writes, and the newest one it reads."""

Commercial: TypeAlias = Literal["cleared", "unclear", "no"]


@dataclass(frozen=True)
class Group:
    """Labels read as one, with a threshold of its own.

    The probability of a group is that any of its labels holds, ``1 - prod(1 - p)``, where the model is
    multi-label, and the sum over its labels where they exclude each other; then the likeliest group holds,
    whatever its threshold.
    """

    labels: tuple[str, ...]
    threshold: float


@dataclass(frozen=True)
class DataSource:
    """A data set (or teacher) behind the weights."""

    name: str
    licence: str
    use: str
    url: str = ""


@dataclass(frozen=True)
class Calibration:
    """From logits to probabilities, fitted on development data.

    Multi-label: ``p = sigmoid(scale * logit + bias)`` per label (Platt 1999).
    Exclusive labels: ``p = softmax(scale * logit + bias)`` (Guo et al. 2017).
    ``temperature`` shapes the normalised view:
    ``scores ∝ (probability of the emotion) ** (1 / temperature)``.
    """

    scale: tuple[float, ...]
    bias: tuple[float, ...]
    temperature: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Card:
    """What every card says, of a model that recognises (`ModelCard`) or one that finds (`DetectorCard`).

    Attributes:
        name, version, title, description: who this is.
        modality: what goes in.
        outputs: role → output name in the model's signature.
        spec, spec_digest, frontend_version: the frontend the weights were trained with.
        quantization: per tensor name: dtype, scale, zero_point.
        golden: inputs and what the model said of them when the bundle was verified, on the device runtime.
        metrics: as measured by the commands they name; scores carry n and a 95 % interval.
        data: names and licences of all data (and teachers) behind the weights.
        licence: of the weights. commercial: the verdict on commercial use.
        tools: versions that made the file. flatbuffer_sha256: of the bytes before the ZIP.
        assets: file name → SHA-256.
    """

    name: str
    version: str
    modality: Modality
    outputs: Mapping[str, str]
    spec: Mapping[str, Any]
    spec_digest: str
    licence: str
    commercial: Commercial
    data: tuple[DataSource, ...]
    title: str = ""
    description: str = ""
    frontend_version: int = 1
    quantization: Mapping[str, Any] = field(default_factory=dict)
    golden: tuple[Mapping[str, Any], ...] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    tools: Mapping[str, str] = field(default_factory=dict)
    flatbuffer_sha256: str = ""
    assets: Mapping[str, str] = field(default_factory=dict)
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        problem = _wrong_kind(self) or self._problem()
        if problem:
            name = repr(self.name)[:60]
            raise BundleCorruptError(f"The model card of {name} is not valid: {problem}. {_AGAIN}")

    def _problem(self) -> str | None:
        """Say what is wrong with the card, or None."""
        if self.modality not in MODALITIES:
            return f"modality {self.modality!r} is none of {', '.join(MODALITIES)}"
        if self.commercial not in ("cleared", "unclear", "no"):
            return f"commercial is {self.commercial!r}; expected cleared, unclear or no"
        return None

    def _plain(self) -> dict[str, Any]:
        return asdict(self)

    def to_json(self) -> str:
        """Return the card as JSON with sorted keys; equal cards give equal text."""
        text = json.dumps(self._plain(), ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
        return text.encode("utf-8", "backslashreplace").decode()  # a lone surrogate stays a JSON escape

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a card: of this class, or, called on `Card`, of the one it is.

        Raises:
            BundleVersionError: its schema is newer than this release.
            BundleCorruptError: it is not JSON, or a field is missing, unknown or of the wrong kind.
        """
        try:
            raw = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BundleCorruptError(f"The model card is not JSON: {error}. {_AGAIN}") from error
        if not isinstance(raw, dict) or type(raw.get("schema")) is not int or raw["schema"] < 1:
            raise BundleCorruptError(f"The model card has no schema number. {_AGAIN}")
        if raw["schema"] > SCHEMA:
            raise BundleVersionError(
                f"The model card has schema {raw['schema']}, this edgeemo reads up to {SCHEMA}: "
                "made by a newer edgeemo; upgrade with `pip install --upgrade edgeemo`."
            )
        kind: type[Card] = cls
        if cls is Card:
            kind = DetectorCard if "detector" in raw else ModelCard
        unknown = sorted(set(raw) - {f.name for f in fields(kind)})
        if unknown:
            raise BundleCorruptError(f"The model card has unknown fields: {', '.join(unknown)}. {_AGAIN}")
        try:
            return cast("Self", kind(**{**raw, **kind._typed(raw)}))
        except (TypeError, KeyError, IndexError, ValueError, AttributeError, OverflowError) as error:
            raise BundleCorruptError(f"The model card is not valid: {error}. {_AGAIN}") from error

    @classmethod
    def _typed(cls, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Turn the nested JSON values into the card's own types."""
        return {
            "data": tuple(DataSource(**d) for d in raw["data"]),
            "golden": tuple(raw.get("golden", ())),
        }


@dataclass(frozen=True, kw_only=True)
class DetectorCard(Card):
    """What stands in ``edgeemo.json`` inside the bundle of a model that finds faces.

    Attributes:
        outputs: the roles ``"logits"``, ``"boxes"`` and ``"eyes"``; see `edgeemo.faces.DetectorSpec`.
        spec: of the letterbox, an `edgeemo.FaceSpec`.
        detector: how the heads become faces, as `edgeemo.faces.DetectorSpec.to_dict` gives it.
    """

    detector: Mapping[str, Any]

    def _problem(self) -> str | None:
        if not isinstance(self.detector, Mapping) or not self.detector:
            return "detector must say how the outputs become faces"
        if set(self.outputs) != {"logits", "boxes", "eyes"}:
            return "outputs must name logits, boxes and eyes"
        if self.modality != "face":
            return f"modality is {self.modality!r}; a detector's is face"
        return super()._problem()


@dataclass(frozen=True, kw_only=True)
class ModelCard(Card):
    """What stands in ``edgeemo.json`` inside the bundle of a model that recognises emotions.

    Attributes:
        labels: the model's own labels, in the order of its ``labels`` output.
        multi_label: whether several labels can hold at once.
        emotions: for each of `EMOTIONS`, the labels that express it (a label stands at most once).
            ``scores`` are the probabilities of these groups (see `Group`), sharpened or softened by
            ``calibration.temperature`` and divided by their sum; an emotion without labels scores 0.
        groups: other groupings by name, for instance ``groups["ekman"]["joy"]``.
        thresholds: per label, the probability from which it is active; unless ``multi_label`` the likeliest
            is, whatever its threshold.
        affect: ``None`` if the model has an ``affect`` output (valence, arousal); else valence and
            arousal of each label, weighted by the probabilities.
        outputs: the roles ``"labels"``, ``"affect"`` and ``"speech"``.
        evidence: what the ``speech`` output is worth; empty where there is none. A block of a span is speech
            from probability ``threshold`` on; a result is neutral up to a share ``least`` of speech blocks,
            the model's own from ``enough`` on, and in between a mixture of both.
    """

    labels: tuple[str, ...]
    multi_label: bool
    emotions: Mapping[str, tuple[str, ...]]
    calibration: Calibration
    thresholds: Mapping[str, float]
    groups: Mapping[str, Mapping[str, Group]] = field(default_factory=dict)
    affect: Mapping[str, tuple[float, float]] | None = None
    evidence: Mapping[str, float] = field(default_factory=dict)

    def _problem(self) -> str | None:
        return super()._problem() or _problem_of_labels(self)

    def _plain(self) -> dict[str, Any]:
        raw = super()._plain()
        if not self.evidence:  # a card without reads and looks as it did before there was evidence
            del raw["evidence"]
        return raw

    @classmethod
    def _typed(cls, raw: Mapping[str, Any]) -> dict[str, Any]:
        affect = raw.get("affect")
        return super()._typed(raw) | {
            "labels": tuple(raw["labels"]),
            "emotions": {k: tuple(v) for k, v in raw["emotions"].items()},
            "calibration": Calibration(
                tuple(raw["calibration"]["scale"]),
                tuple(raw["calibration"]["bias"]),
                raw["calibration"]["temperature"],
            ),
            "groups": {
                name: {k: Group(tuple(g["labels"]), g["threshold"]) for k, g in groups.items()}
                for name, groups in raw.get("groups", {}).items()
            },
            "affect": None if affect is None else {k: (v[0], v[1]) for k, v in affect.items()},
        }


_LARGEST = 3.4e38  # of float32, in which the native engine keeps them

_KINDS: Mapping[type, tuple[str, ...]] = {
    str: ("name", "version", "title", "description", "licence", "spec_digest", "flatbuffer_sha256"),
    bool: ("multi_label",),
    int: ("frontend_version", "schema"),
    Mapping: (
        "emotions", "thresholds", "outputs", "spec", "groups", "evidence", "quantization", "metrics", "tools",
        "assets",
    ),
}  # fmt: skip


def _wrong_kind(card: Card) -> str | None:
    """Name the first field that is not of its kind, or None."""
    for kind, names in _KINDS.items():
        for name in names:
            if hasattr(card, name) and not isinstance(getattr(card, name), kind):
                return f"{name} must be of type {kind.__name__.lower()}"
    for name in ("outputs", "tools", "assets"):
        if not all(isinstance(text, str) for pair in getattr(card, name).items() for text in pair):
            return f"{name} must map text to text"
    if not all(isinstance(text, str) for source in card.data for text in asdict(source).values()):
        return "data must be described by text"
    if not all(isinstance(example, Mapping) for example in card.golden):
        return "golden must be a list of examples"
    return None


def _problem_of_labels(card: ModelCard) -> str | None:
    """Say what is wrong with a recogniser's labels and what belongs to them, or None."""
    labels = card.labels
    if not labels or len(set(labels)) != len(labels) or not all(isinstance(label, str) for label in labels):
        return "labels must be distinct names, at least one"
    if "labels" not in card.outputs or (card.affect is None and "affect" not in card.outputs):
        return "outputs must name labels, and affect unless the card gives each label's valence and arousal"
    mapped = [label for emotion in card.emotions.values() for label in emotion]
    if not set(card.emotions) <= set(EMOTIONS):
        return f"emotions has keys outside {', '.join(EMOTIONS)}"
    if not mapped or len(set(mapped)) != len(mapped) or not set(mapped) <= set(labels):
        return "emotions must map known labels, each at most once"
    members = {
        label for groups in card.groups.values() for group in groups.values() for label in group.labels
    }
    if not members <= set(labels):
        return f"groups name unknown labels: {', '.join(sorted(members - set(labels)))}"
    if set(card.thresholds) != set(labels):
        return "thresholds must give one number per label"
    if card.affect is not None and set(card.affect) != set(labels):
        return "affect must give valence and arousal of every label"
    calibration = card.calibration
    if len(calibration.scale) != len(labels) or len(calibration.bias) != len(labels):
        return "calibration must have one scale and one bias per label"
    groups = [group.threshold for named in card.groups.values() for group in named.values()]
    numbers = [*calibration.scale, *calibration.bias, *card.thresholds.values(), *groups]
    numbers += [x for pair in (card.affect or {}).values() for x in pair]
    if not all(isinstance(x, int | float) and abs(x) <= _LARGEST for x in numbers):  # NaN fails, too
        return "calibration, thresholds and affect must be finite numbers"
    if not (isinstance(calibration.temperature, int | float) and 0.05 <= calibration.temperature <= 20):
        return "calibration.temperature must lie between 0.05 and 20"
    return _problem_of_evidence(card)


def _problem_of_evidence(card: ModelCard) -> str | None:
    if bool(card.evidence) != ("speech" in card.outputs):
        return "evidence must be given if outputs name speech, and only then"
    if not card.evidence:
        return None
    if set(card.evidence) != {"threshold", "least", "enough"}:
        return "evidence must give threshold, least and enough"
    if not all(isinstance(x, int | float) and not isinstance(x, bool) for x in card.evidence.values()):
        return "evidence must give numbers"
    if not 0 < card.evidence["threshold"] < 1:
        return "evidence.threshold must lie between 0 and 1"
    if not 0 <= card.evidence["least"] < card.evidence["enough"] <= 1:
        return "evidence must have 0 <= least < enough <= 1"
    return None
