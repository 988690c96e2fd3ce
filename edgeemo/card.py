"""The model card: everything that edgeemo must know of a model, so that no other file is needed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from . import _core
from .errors import BundleCorruptError
from .types import Modality

if TYPE_CHECKING:
    from typing_extensions import Self

AGAIN = "Fetch or convert the bundle again."

SCHEMA: int = _core.CARD_SCHEMA
"""The card schema this release writes, and the newest one it reads."""

Commercial: TypeAlias = Literal["cleared", "unclear", "no"]


@dataclass(frozen=True)
class Group:
    """Several labels that count as one, with a threshold of their own.

    If the model is multi-label, the probability of a group is that any of its labels holds,
    ``1 - prod(1 - p)``. If labels exclude each other, the probability is their sum, and the likeliest group
    holds, whatever its threshold.
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
    """The way from logits to probabilities, fitted on development data.

    Multi-label: ``p = sigmoid(scale * logit + bias)`` per label (Platt 1999).
    Exclusive labels: ``p = softmax(scale * logit + bias)`` (Guo et al. 2017).
    Scores: ``scores ∝ (probability of the emotion) ** (1 / temperature)``.
    """

    scale: tuple[float, ...]
    bias: tuple[float, ...]
    temperature: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Card:
    """The fields of every card. `ModelCard` is for recognizers, `DetectorCard` for face detectors.

    Attributes:
        name, version, title, description: which model this is.
        modality: the kind of input.
        outputs: role → output name in the model's signature.
        spec, spec_digest, frontend_version: the frontend that training used.
        quantization: dtype, scale and zero_point by the tensor's name.
        golden: inputs, and the model's answers on the device runtime when the bundle was verified.
        metrics: the results of the commands that they name; scores carry n and a 95 % interval.
        data: names and licences of all data (and teachers) behind the weights.
        licence: of the weights. commercial: the verdict on commercial use.
        tools: versions that made the file. flatbuffer_sha256: digest of the bytes before the ZIP.
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
        try:
            text = json.dumps(self._plain(), ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise BundleCorruptError(f"The model card is not valid: {error}. {AGAIN}") from error
        _core.check_card(_encoded(text))

    def _plain(self) -> dict[str, Any]:
        return asdict(self)

    def to_json(self) -> str:
        """Return the card as JSON with sorted keys; equal cards give equal text."""
        text = json.dumps(self._plain(), ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
        return _encoded(text).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a card of this class; `Card` reads both kinds.

        Raises:
            BundleVersionError: the schema is newer than this release.
            BundleCorruptError: the text is not JSON, or a field is missing, unknown or of the wrong kind.
        """
        _core.check_card(text if isinstance(text, bytes) else _encoded(text))
        raw = json.loads(text)
        kind: type[Card] = cls
        if cls is Card:
            kind = DetectorCard if "detector" in raw else ModelCard
        try:
            return cast("Self", kind(**{**raw, **kind._typed(raw)}))
        except (TypeError, KeyError) as error:
            raise BundleCorruptError(
                f"The model card is of another kind than a {kind.__name__}: {error}. {AGAIN}"
            ) from error

    @classmethod
    def _typed(cls, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Turn the nested JSON values into the card's own types."""
        return {
            "data": tuple(DataSource(**d) for d in raw["data"]),
            "golden": tuple(raw.get("golden", ())),
        }


@dataclass(frozen=True, kw_only=True)
class DetectorCard(Card):
    """The file ``edgeemo.json`` inside the bundle of a face detector.

    Attributes:
        outputs: the roles ``"logits"``, ``"boxes"`` and ``"eyes"``; see `edgeemo.faces.DetectorSpec`.
        spec: the `edgeemo.FaceSpec` of the letterbox.
        detector: the rules from heads to faces, as `edgeemo.faces.DetectorSpec.to_dict` returns them.
    """

    detector: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ModelCard(Card):
    """The file ``edgeemo.json`` inside the bundle of a model that recognizes emotions.

    Attributes:
        labels: the model's own labels, in the order of its ``labels`` output.
        multi_label: whether several labels can hold at once.
        emotions: the labels of each of `EMOTIONS`; no label belongs to two emotions. ``scores`` are the
            probabilities of these groups (see `Group`), shaped by ``calibration.temperature`` and divided
            by their sum. An emotion without labels scores 0.
        groups: other groupings by name, for instance ``groups["ekman"]["joy"]``.
        thresholds: the least probability of each active label. If labels exclude each other, only the
            likeliest is active, whatever its threshold.
        affect: ``None`` if the model has an ``affect`` output (valence, arousal); else valence and
            arousal of each label, weighted by the probabilities.
        outputs: the roles ``"labels"``, ``"affect"``, ``"speech"``, ``"bursts"`` and ``"embedding"``, a
            vector ``(1, n)`` that edgeemo only checks and keeps.
        evidence: how to read the ``speech`` output; empty without that output. A block of a span is speech
            from probability ``threshold`` on. A result is neutral if the share of speech blocks is at most
            ``least``. From ``enough`` on it is the model's own answer, and in between a mixture of both.
        bursts: how to read the ``bursts`` output of a voice, whose labels are sounds without words; empty
            without that output. ``labels`` are in the order of the output, and exactly one holds:
            ``softmax(scale * logit)``. ``emotions`` maps every label to one of `EMOTIONS`, ``affect`` to
            valence and arousal. The label ``"none"`` stands for speech and noise; it has neither.
    """

    labels: tuple[str, ...]
    multi_label: bool
    emotions: Mapping[str, tuple[str, ...]]
    calibration: Calibration
    thresholds: Mapping[str, float]
    groups: Mapping[str, Mapping[str, Group]] = field(default_factory=dict)
    affect: Mapping[str, tuple[float, float]] | None = None
    evidence: Mapping[str, float] = field(default_factory=dict)
    bursts: Mapping[str, Any] = field(default_factory=dict)

    def _plain(self) -> dict[str, Any]:
        raw = super()._plain()
        for name in ("evidence", "bursts"):  # older releases read only cards without these fields
            if not raw[name]:
                del raw[name]
        return raw

    @classmethod
    def _typed(cls, raw: Mapping[str, Any]) -> dict[str, Any]:
        affect, c = raw.get("affect"), raw["calibration"]
        return super()._typed(raw) | {
            "labels": tuple(raw["labels"]),
            "emotions": {k: tuple(v) for k, v in raw["emotions"].items()},
            "calibration": Calibration(tuple(c["scale"]), tuple(c["bias"]), c["temperature"]),
            "groups": {
                name: {k: Group(tuple(g["labels"]), g["threshold"]) for k, g in groups.items()}
                for name, groups in raw.get("groups", {}).items()
            },
            "affect": None if affect is None else {k: (v[0], v[1]) for k, v in affect.items()},
        }


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")  # a lone surrogate stays a JSON escape
