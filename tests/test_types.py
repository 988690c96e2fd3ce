"""`EmotionResult` is a small frozen value, and says of itself what JSON needs."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from edgeemo import EMOTIONS, EmotionResult
from edgeemo.faces import Face


def frozen(values: list[float]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    array = np.array(values, np.float32)
    array.flags.writeable = False
    return array


def result(**changes: object) -> EmotionResult:
    fields: dict[str, object] = {
        "modality": "text",
        "scores": frozen([0.1, 0.5, 0.0, 0.3, 0.0, 0.1, 0.0, 0.0]),
        "labels": ("joy", "anger", "calm"),
        "probabilities": frozen([0.7, 0.4, 0.2]),
        "thresholds": frozen([0.5, 0.4, 0.3]),
        "valence": 0.25,
        "arousal": -0.5,
        "evidence": 0.75,
    }
    return EmotionResult(**{**fields, **changes})  # type: ignore[arg-type]


def test_the_emotions_are_eight_in_this_order() -> None:
    assert EMOTIONS == (
        "neutral", "happiness", "sadness", "anger", "fear", "disgust", "surprise", "contempt",
    )  # fmt: skip


def test_label_and_confidence_are_those_of_the_highest_score() -> None:
    assert result().label == "happiness"
    assert result().confidence == 0.5


def test_a_tie_goes_to_the_first_emotion() -> None:
    assert result(scores=frozen([0.125] * 8)).label == "neutral"


@pytest.mark.parametrize(
    ("k", "names"),
    [
        (0, []),
        (-3, []),
        (1, ["happiness"]),
        (3, ["happiness", "anger", "neutral"]),
        (4, ["happiness", "anger", "neutral", "disgust"]),
    ],
)
def test_top_gives_the_highest_first_and_ties_in_order(k: int, names: list[str]) -> None:
    assert [name for name, _ in result().top(k)] == names


def test_top_never_gives_more_than_there_are() -> None:
    assert [name for name, _ in result().top(99)][:2] == ["happiness", "anger"]
    assert len(result().top(99)) == 8


def test_a_label_is_active_at_its_threshold_and_above() -> None:
    assert result().active == ("joy", "anger")
    assert result(probabilities=frozen([0.0, 0.0, 0.0])).active == ()


@pytest.mark.parametrize(
    ("probabilities", "active"),
    [
        ([0.2, 0.7, 0.1], ("anger",)),
        ([0.45, 0.45, 0.1], ("joy",)),  # both above 1/3: the likeliest alone, the first on a tie
        ([0.1, 0.45, 0.45], ("anger",)),
        ([0.2, 0.2, 0.2], ("joy",)),  # none above its threshold
        ([0.0, 0.0, 0.0], ()),  # nothing was said, and no label means neutral
    ],
)
def test_of_labels_that_exclude_each_other_one_is_active(
    probabilities: list[float], active: tuple[str, ...]
) -> None:
    third = frozen([1 / 3] * 3)
    said = result(probabilities=frozen(probabilities), thresholds=third, exclusive=True)
    assert said.active == active
    assert said.to_dict()["active"] == list(active)


def test_fine_maps_the_models_own_labels_and_cannot_be_changed() -> None:
    fine = result().fine
    assert list(fine) == ["joy", "anger", "calm"]
    assert fine["joy"] == pytest.approx(0.7)
    with pytest.raises(TypeError):
        fine["joy"] = 1.0  # type: ignore[index]


def test_nothing_in_it_can_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        result().valence = 1.0  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        result().scores[0] = 1.0


def test_to_dict_is_plain_json_and_complete() -> None:
    values = result(truncated=True).to_dict()
    assert json.loads(json.dumps(values)) == values
    assert values["scores"]["anger"] == pytest.approx(0.3)
    assert list(values["scores"]) == list(EMOTIONS)
    assert values["active"] == ["joy", "anger"]
    assert values["truncated"] is True
    assert {"label", "confidence", "fine", "valence", "arousal", "evidence", "start_ms", "end_ms"} <= set(
        values
    )


def test_a_result_without_a_face_says_nothing_of_faces() -> None:
    assert not {"face", "track_id"} & set(result(modality="voice").to_dict())


def test_a_face_stands_in_what_is_told() -> None:
    face = Face((1.0, 2.0, 30.5, 40.0), ((9.0, 10.0), (20.0, 11.0)), 0.5)
    values = result(modality="face", face=face, track_id=3).to_dict()
    assert json.loads(json.dumps(values)) == values
    assert values["face"] == {
        "box": [1.0, 2.0, 30.5, 40.0],
        "eyes": [[9.0, 10.0], [20.0, 11.0]],
        "score": 0.5,
    }
    assert values["track_id"] == 3
    assert result(face=face).to_dict()["track_id"] is None
    assert result(face=face) != result()
    assert pickle.loads(pickle.dumps(result(face=face, track_id=3))) == result(face=face, track_id=3)


def test_equal_results_are_equal_and_hash_alike() -> None:
    assert result() == result()
    assert hash(result()) == hash(result())
    assert result() != result(valence=0.3)
    assert result() != "happiness"


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))])
def test_a_copy_is_equal_and_just_as_frozen(clone: object) -> None:
    original = result()
    assert original.fine  # a view that was asked for must not stand in the way
    copied = clone(original)  # type: ignore[operator]
    assert copied == original
    assert copied.fine == original.fine
    with pytest.raises(ValueError, match="read-only"):
        copied.scores[0] = 1.0


def test_it_shows_what_matters() -> None:
    assert repr(result()) == (
        "EmotionResult(text: happiness 0.50, valence +0.25, arousal -0.50, evidence 0.75)"
    )
