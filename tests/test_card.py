"""The model card: read strictly, written reproducibly."""

from __future__ import annotations

import json
from typing import Any

import pytest
import small_text

from edgeemo import ModelCard
from edgeemo.card import SCHEMA, Calibration, Group
from edgeemo.errors import BundleCorruptError, BundleVersionError


def as_json(**changes: Any) -> str:
    """The small text card's JSON with fields replaced; ``...`` leaves a field out."""
    raw = json.loads(small_text.card().to_json())
    raw.update(changes)
    return json.dumps({name: value for name, value in raw.items() if value is not ...})


def test_what_is_written_is_read_back() -> None:
    card = small_text.card(
        affect=dict.fromkeys(small_text.LABELS, (0.5, -0.5)), golden=({"text": "so happy"},)
    )
    assert ModelCard.from_json(card.to_json()) == card


def test_equal_cards_give_equal_text_with_sorted_keys() -> None:
    text = small_text.card().to_json()
    assert text == small_text.card().to_json()
    assert list(json.loads(text)) == sorted(json.loads(text))


def test_non_ascii_stays_readable() -> None:
    assert "größer" in small_text.card(description="größer").to_json()


def test_groups_have_labels_and_a_threshold_of_their_own() -> None:
    card = ModelCard.from_json(small_text.card().to_json())
    assert card.groups["mood"]["bad"] == Group(("sadness", "anger"), 0.6)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '"x"', "{}", "\x00", b"\xff\xfe", "[" * 40_000, "9" * 5_000]
)
def test_what_is_no_card_is_refused_with_a_remedy(text: str | bytes) -> None:
    with pytest.raises(BundleCorruptError, match="again"):
        ModelCard.from_json(text)


@pytest.mark.parametrize("schema", [SCHEMA + 1, 10**30])
def test_a_newer_schema_asks_to_upgrade(schema: int) -> None:
    with pytest.raises(BundleVersionError, match="made by a newer edgeemo; upgrade"):
        ModelCard.from_json(json.dumps({"schema": schema, "anything": "else"}))


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "1"},
        {"schema": True},
        {"schema": 0},
        {"colour": "red"},
        {"name": ...},
        {"name": 5},
        {"name": []},
        {"version": None},
        {"licence": ["MIT"]},
        {"modality": "smell"},
        {"modality": {}},
        {"labels": []},
        {"labels": ["joy"] * 5},
        {"labels": "abcde"},
        {"labels": 5},
        {"labels": [[1], [2]]},
        {"multi_label": "yes"},
        {"emotions": {}},
        {"emotions": []},
        {"emotions": {"joy": ["joy"]}},
        {"emotions": {"happiness": ["nothing"]}},
        {"emotions": {"happiness": ["joy"], "anger": ["joy"]}},
        {"calibration": {}},
        {"calibration": None},
        {"calibration": {"scale": [1] * 4, "bias": [0] * 5, "temperature": 1}},
        {"calibration": {"scale": ["1"] * 5, "bias": [0] * 5, "temperature": 1}},
        {"calibration": {"scale": [float("nan")] * 5, "bias": [0] * 5, "temperature": 1}},
        {"calibration": {"scale": [10**400] * 5, "bias": [0] * 5, "temperature": 1}},
        {"calibration": {"scale": [1e39] * 5, "bias": [0] * 5, "temperature": 1}},
        {"calibration": {"scale": [1] * 5, "bias": [0] * 5, "temperature": 0}},
        {"calibration": {"scale": [1] * 5, "bias": [0] * 5, "temperature": "1"}},
        {"thresholds": {}},
        {"thresholds": [0.5] * 5},
        {"thresholds": dict.fromkeys(small_text.LABELS, "half")},
        {"thresholds": dict.fromkeys(small_text.LABELS, float("inf"))},
        {"groups": {"mood": {"good": Group(("nothing",), 0.5).__dict__}}},
        {"groups": {"mood": {"good": {"labels": ["joy"]}}}},
        {"groups": {"mood": []}},
        {"groups": 3},
        {"affect": {}},
        {"affect": {label: [0.1] for label in small_text.LABELS}},
        {"affect": {label: ["x", "y"] for label in small_text.LABELS}},
        {"outputs": {"affect": "affect"}},
        {"outputs": {"labels": "labels"}},
        {"outputs": "labels affect"},
        {"outputs": {"labels": 0, "affect": 1}},
        {"spec": "short"},
        {"spec": None},
        {"data": [{"name": "x"}]},
        {"data": [{"name": "x", "licence": "y", "use": 3}]},
        {"data": {"name": "x"}},
        {"commercial": "maybe"},
        {"commercial": None},
        {"golden": [3]},
        {"metrics": []},
        {"quantization": "int8"},
        {"assets": {"vocab.txt": 3}},
        {"assets": []},
        {"flatbuffer_sha256": 0},
        {"frontend_version": "1"},
    ],
    ids=lambda changes: json.dumps(changes, default=str)[:60],
)
def test_a_field_of_the_wrong_kind_is_refused_with_a_remedy(changes: dict[str, Any]) -> None:
    with pytest.raises(BundleCorruptError, match=r"again\."):
        ModelCard.from_json(as_json(**changes))


SPEECH = {"outputs": {"labels": "labels", "affect": "affect", "speech": "speech"}}
EVIDENCE = {"threshold": 0.5, "least": 0.05, "enough": 0.25}


def test_evidence_stands_beside_a_speech_output() -> None:
    assert dict(small_text.card().evidence) == {}
    card = small_text.card(**SPEECH, evidence=EVIDENCE)
    assert ModelCard.from_json(card.to_json()) == card
    assert dict(card.evidence) == EVIDENCE


def test_a_card_from_before_there_was_evidence_is_read() -> None:
    text = small_text.card().to_json()
    assert "evidence" not in json.loads(text)
    assert dict(ModelCard.from_json(text).evidence) == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"evidence": EVIDENCE},
        SPEECH,
        {**SPEECH, "evidence": {}},
        {**SPEECH, "evidence": []},
        {**SPEECH, "evidence": {"threshold": 0.5, "least": 0.1}},
        {**SPEECH, "evidence": {**EVIDENCE, "most": 1}},
        *({**SPEECH, "evidence": {**EVIDENCE, "threshold": x}} for x in (0, 1, -1, float("nan"), "x", True)),
        *({**SPEECH, "evidence": {**EVIDENCE, "least": x}} for x in (0.25, 0.3, -0.1, float("nan"))),
        *({**SPEECH, "evidence": {**EVIDENCE, "enough": x}} for x in (1.1, float("inf"), None)),
    ],
    ids=lambda changes: json.dumps(changes.get("evidence", "none")),
)
def test_evidence_that_cannot_work_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BundleCorruptError, match=r"evidence|not JSON"):  # JSON has no NaN
        ModelCard.from_json(as_json(**changes))


def test_a_card_made_in_python_is_checked_too() -> None:
    with pytest.raises(BundleCorruptError, match="one scale and one bias per label"):
        small_text.card(calibration=Calibration((1.0,), (0.0,)))


def test_not_a_number_is_never_written() -> None:
    with pytest.raises(BundleCorruptError, match="JSON"):
        small_text.card(metrics={"macro_f1": float("nan")}).to_json()
