"""Evaluation end to end: a recognizer with known answers, label sets, affect, peers, pictures."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import float_text
import numpy as np
import pytest

from edgeemo import Recognizer
from edgeemo.card import Group
from edgeemo.data.leaks import write_seen
from edgeemo.data.manifest import Example
from edgeemo.errors import DataError, LeakError, RuntimeUnavailableError
from edgeemo.evaluation import LeakCheck, Report, evaluate, pictures, tables
from edgeemo.evaluation.label_sets import choose, label_sets_of
from edgeemo.evaluation.peers import best_thresholds, compare


def example(
    text: str, labels: str = "", valence: float | None = None, arousal: float | None = None
) -> Example:
    return Example(text=text, labels=tuple(filter(None, labels.split("|"))), valence=valence, arousal=arousal)


SIX = [
    example("so happy!", "joy", 0.9, 0.4),
    example("proud", "joy|pride", 0.6, 0.2),
    example("sad", "sadness", -0.5, -0.4),
    example("angry sad", "anger", -0.4, 0.6),
    example("plain", "neutral", 0.0, 0.0),
    example("happy", "anger"),
]


@pytest.fixture
def recognizer(tmp_path: Path) -> Iterator[Recognizer]:
    with Recognizer.open(float_text.write(tmp_path)) as opened:
        yield opened


def values(report: Report) -> dict[str, float]:
    return {name: x.value for name, x in report.metrics.items()}


def test_own_labels_are_compared_with_the_active_ones(recognizer: Recognizer) -> None:
    report = evaluate(recognizer, SIX)
    found = values(report)
    assert report.n == report.n_labelled == 6
    assert report.levels[0].name == "fine"
    # "angry sad" ties and sadness comes first; "happy" was labelled anger
    assert found["accuracy"] == pytest.approx(4 / 6)
    assert found["exact_match"] == pytest.approx(3 / 6)
    assert report.levels[0].per_label["pride"] == {"precision": 1, "recall": 1, "f1": 1, "support": 1}
    assert report.levels[0].per_label["anger"] == {
        "precision": 1, "recall": 0.5, "f1": pytest.approx(2 / 3), "support": 2,
    }  # fmt: skip


def test_groups_and_emotions_are_measured_beside_the_own_labels(recognizer: Recognizer) -> None:
    report = evaluate(recognizer, SIX)
    found = values(report)
    assert [level.name for level in report.levels] == ["fine", "ekman", "emotions"]
    # joy said, pride meant, or both: one group
    assert report.levels[1].per_label["happy_ones"]["recall"] == 1
    assert found["ekman_accuracy"] == pytest.approx(5 / 6)  # here anger comes before sadness
    assert {"ekman_macro_f1", "ekman_ece", "emotion_accuracy", "emotion_ece"} <= set(found)
    assert "emotion_macro_f1" not in found


def test_affect_counts_where_it_is_known_and_labels_where_there_are_some(recognizer: Recognizer) -> None:
    rows = [*SIX, example("sad plain", "", -0.3, -0.1)]
    report = evaluate(recognizer, rows)
    assert (report.n, report.n_labelled, report.n_affect) == (7, 6, 6)
    assert values(report)["accuracy"] == values(evaluate(recognizer, SIX))["accuracy"]
    said = [recognizer.predict(str(e.text)).valence for e in rows if e.valence is not None]
    gold = [e.valence for e in rows if e.valence is not None]
    assert values(report)["valence_r"] == pytest.approx(np.corrcoef(gold, said)[0, 1])


def test_a_manifest_may_have_only_affect(recognizer: Recognizer) -> None:
    report = evaluate(
        recognizer, [example("sad", "", -1, 0), example("happy", "", 1, 0), example("angry", "", 0, 1)]
    )
    assert set(report.metrics) == {"valence_r", "arousal_r"}
    assert report.to_dict()["confusion"] == {"labels": [], "matrix": []}


def test_exclusive_labels_are_judged_by_the_likeliest(tmp_path: Path) -> None:
    with Recognizer.open(float_text.write(tmp_path, multi_label=False)) as recognizer:
        report = evaluate(recognizer, [e for e in SIX if len(e.labels) == 1])
    found = values(report)
    assert found["accuracy"] == found["micro_f1"] == pytest.approx(3 / 5)
    assert found["uar"] == pytest.approx(np.mean([1, 1, 0, 1]))
    assert "exact_match" not in found


def test_a_group_sums_exclusive_labels_and_is_any_of_independent_ones() -> None:
    probabilities, scores = np.array([[0.2, 0.3, 0.4, 0.05, 0.05]]), np.zeros((1, 8))
    several, one = (label_sets_of(float_text.card(multi_label=m))["ekman"] for m in (True, False))
    assert several.probability(probabilities, scores)[0, 0] == pytest.approx(1 - 0.8 * 0.7)
    assert one.probability(probabilities, scores)[0, 0] == 0.5
    assert one.active(one.probability(probabilities, scores)).tolist() == [[True, False, False, False]]


def test_names_of_groups_stand_in_the_order_of_their_members() -> None:
    members = {"z": ("joy",), "a": ("anger", "sadness"), "m": ("pride",)}
    groups = {name: Group(labels, 0.5) for name, labels in members.items()}
    card = float_text.card(groups={"three": groups})
    space = label_sets_of(card)["three"]
    assert space.labels == ("z", "a", "m")
    for label, places in zip(space.labels, space.members, strict=True):
        assert tuple(card.labels[i] for i in places) == members[label]
    for own, label in (("joy", "z"), ("sadness", "a"), ("anger", "a"), ("pride", "m")):
        sure = (np.array([card.labels]) == own).astype(float)
        assert space.labels[space.probability(sure, np.zeros((1, 8))).argmax()] == label
        assert space.labels[space.truth([Example(labels=(own,))]).argmax()] == label


def test_a_label_is_active_from_its_threshold_on() -> None:
    space = label_sets_of(float_text.card(thresholds=dict.fromkeys(float_text.LABELS, 0.5)))["fine"]
    just_below = np.nextafter(0.5, 0)
    assert space.active(np.array([[0.5, just_below, 0.6, 0.0, 0.5]])).tolist() == [
        [True, False, True, False, True]
    ]


@pytest.mark.parametrize(
    ("labels", "wanted", "spaces"),
    [
        (["joy", "pride"], None, ["fine", "ekman", "emotions"]),
        (["happy_ones", "anger"], None, ["ekman"]),
        (["happiness", "fear"], None, ["emotions"]),
        (["joy", "pride"], "ekman", ["ekman"]),
        (["joy", "happy_ones"], "ekman", ["ekman"]),
        (["joy", "happiness", "fear"], "emotions", ["emotions"]),
    ],
)
def test_the_finest_space_that_knows_all_labels_is_taken(
    labels: list[str], wanted: str | None, spaces: list[str]
) -> None:
    found = choose(float_text.card(), [example("x", label) for label in labels], wanted)
    assert [space.name for space in found] == spaces


@pytest.mark.parametrize(
    ("labels", "wanted", "said"),
    [
        (["joy", "rage", "zeal"], None, "2 of the manifest's labels: rage, zeal"),
        (["happy_ones"], "fine", "1 of the manifest's labels: happy_ones"),
        (["joy"], "plutchik", "'plutchik': expected one of fine, ekman, emotions"),
    ],
)
def test_unknown_labels_are_named(labels: list[str], wanted: str | None, said: str) -> None:
    with pytest.raises(DataError, match=said):
        choose(float_text.card(), [example("x", label) for label in labels], wanted)


def test_nothing_to_compare_with_is_an_error(recognizer: Recognizer) -> None:
    with pytest.raises(DataError, match="labels, valence or arousal"):
        evaluate(recognizer, [example("happy")])


def test_nothing_left_after_leaks_were_dropped_is_told_as_that(recognizer: Recognizer) -> None:
    assert recognizer.bundle.path is not None
    write_seen(recognizer.bundle.path.with_suffix(".seen"), [e.text or "" for e in SIX])
    with pytest.raises(DataError, match="All 6 test texts also stand in the training data"):
        evaluate(recognizer, SIX, leaks="drop")


def test_the_list_beside_the_bundle_finds_leaks(recognizer: Recognizer) -> None:
    path = recognizer.bundle.path
    assert path is not None
    write_seen(path.with_suffix(".seen"), ["SO happy!"])
    with pytest.raises(LeakError):
        evaluate(recognizer, SIX)
    report = evaluate(recognizer, SIX, leaks="drop")
    assert report.n == 5
    assert report.to_dict()["leaks"] == {
        "checked": True,
        "by": "tiny.seen",
        "n": 1,
        "repeated": 0,
        "dropped": 1,
    }


def test_a_report_is_plain_json_and_a_table(recognizer: Recognizer) -> None:
    report = evaluate(recognizer, SIX)
    plain = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert plain["metrics"]["macro_f1"].keys() == {"value", "low", "high"}
    assert plain["bundle"]["name"] == "tiny"
    assert plain["bundle"]["version"] == "1.2.3"
    assert np.sum(plain["confusion"]["matrix"]) == 6
    assert np.trace(plain["confusion"]["matrix"]) == 4
    assert plain["leaks"]["checked"] is False
    from rich.console import Console

    console = Console(width=100, file=io.StringIO())
    console.print(tables.render(report))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "not checked" in shown
    assert "macro_f1" in shown


def test_intervals_from_too_few_speakers_are_noted(recognizer: Recognizer) -> None:
    rows = [replace(e, speaker="ab"[i % 2]) for i, e in enumerate(SIX)]
    report = evaluate(recognizer, rows)
    assert report.bootstrap["by"] == "example"
    assert report.notes == ("Only 2 speakers: too few to draw from, so single examples are drawn.",)


def test_thresholds_of_the_highest_f1_are_found() -> None:
    truth = np.array([[1], [1], [0], [1], [0], [0]], bool)
    probability = np.array([[0.9], [0.8], [0.7], [0.6], [0.2], [0.1]])
    assert best_thresholds(truth, probability) == pytest.approx([0.4])
    tied = np.array([[0.5]] * 6)
    assert best_thresholds(truth, tied) == pytest.approx([0.5])  # all or none: the scores are equal
    partly = np.array([[0.5], [0.5], [0.5], [0.3], [0.1]])  # alone, the first would be best
    assert best_thresholds(np.array([[1], [0], [0], [1], [0]], bool), partly) == pytest.approx([0.2])
    assert best_thresholds(np.zeros((6, 1), bool), probability) == [2.0]


@pytest.fixture
def training() -> list[Example]:
    rng = np.random.default_rng(0)
    words = {"joy": "happy", "pride": "proud", "sadness": "sad", "anger": "angry", "neutral": "plain"}
    labels = rng.choice(list(words), 200)
    return [
        example(f"{words[label]} {rng.integers(1000)} so", label, *float_text.AFFECT[label])
        for label in labels
    ]


def test_a_peer_is_trained_and_compared_in_pairs(recognizer: Recognizer, training: list[Example]) -> None:
    pytest.importorskip("sklearn")
    test = [*SIX[:3], SIX[4]] * 6
    report = evaluate(recognizer, test, resamples=100, peer=lambda *rest: compare(training, *rest))
    peer = report.to_dict()["peer"]
    assert {"accuracy", "macro_f1", "ekman_macro_f1", "valence_r"} <= set(peer["difference"])
    assert peer["bundle"]["macro_f1"] > 0.7
    assert peer["peer"]["macro_f1"] > 0.7
    for name, gap in peer["difference"].items():
        assert gap["value"] == pytest.approx(peer["bundle"][name] - peer["peer"][name])
        assert gap["low"] <= gap["value"] <= gap["high"]


def test_a_peer_needs_the_same_labels(recognizer: Recognizer) -> None:
    pytest.importorskip("sklearn")
    strangers = [example("one text", "rage"), example("another text", "zeal")]
    with pytest.raises(DataError, match="--train"):
        evaluate(recognizer, SIX, peer=lambda *rest: compare(strangers, *rest))


def test_pictures_are_drawn_for_every_space(recognizer: Recognizer, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    report = evaluate(recognizer, SIX, resamples=0)
    written = pictures.write(report, tmp_path / "new" / "pictures")
    kinds = ("confusion", "reliability", "f1")
    assert [p.name for p in written] == [f"{s}-{k}.png" for s in ("fine", "ekman", "emotions") for k in kinds]
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in written)


def test_a_missing_extra_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(RuntimeUnavailableError, match=r"pip install 'edgeemo\[eval\]'"):
        pictures.matplotlib_figure()


@pytest.mark.parametrize(
    ("check", "says"),
    [
        (LeakCheck(False, "nothing", 0, 0), "leaks: not checked (nothing)"),
        (
            LeakCheck(True, "t.seen", 2, 1, "dropped"),
            "leaks: 2, dropped (by t.seen); repeated in the test: 1",
        ),
        (LeakCheck(True, "v.seen", 3, 0, "kept", ("a",), 2), "3, kept: 1 speakers known, 2 clips copied"),
    ],
    ids=["unchecked", "texts", "voices"],
)
def test_the_table_says_what_became_of_leaks(check: LeakCheck, says: str, tmp_path: Path) -> None:
    from rich.console import Console

    with Recognizer.open(float_text.write(tmp_path)) as recognizer:
        report = replace(evaluate(recognizer, SIX, resamples=5), leaks=check)
    console = Console(width=140, file=io.StringIO())
    console.print(tables.render(report))
    assert says in console.file.getvalue()  # type: ignore[attr-defined]
