"""The command line around models: evaluate, inspect, list, convert, verify, train, manifest."""

import json
import subprocess
import sys
from pathlib import Path

import float_text
import pytest

from edgeemo.cli import console, main
from edgeemo.data.leaks import write_seen
from edgeemo.errors import BudgetError, ConversionError

DEV = "text,labels,valence,arousal\nso happy,joy,0.9,0.4\nsad,sadness,-0.6,-0.3\nangry sad,anger,-0.5,0.6\n"


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    return str(float_text.write(tmp_path))


@pytest.fixture
def dev(tmp_path: Path) -> str:
    (tmp_path / "dev.csv").write_text(DEV)
    return str(tmp_path / "dev.csv")


def run(*arguments: str, text: bytes = b"", **options: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "edgeemo.cli", *arguments]
    return subprocess.run(command, input=text, capture_output=True, timeout=120, **options)  # type: ignore[call-overload,no-any-return]


def test_evaluate_prints_the_promised_json(bundle: str, dev: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", bundle, dev, "--json", "--bootstrap", "50"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["n"] == 3
    assert {"n", "metrics", "per_label", "leaks", "confusion", "bundle"} <= set(found)
    assert found["metrics"]["accuracy"].keys() == {"value", "low", "high"}
    assert found["confusion"]["labels"] == list(float_text.LABELS)


def test_evaluate_draws_tables_and_pictures(
    bundle: str, dev: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    assert main(["evaluate", bundle, dev, "--labels", "emotions", "--pictures", str(tmp_path / "p")]) == 0
    printed = capsys.readouterr()
    assert "macro_f1" in printed.out
    assert sorted(p.name for p in (tmp_path / "p").iterdir()) == [
        "emotions-confusion.png", "emotions-f1.png", "emotions-reliability.png",
    ]  # fmt: skip
    assert printed.err.count("wrote") == 3


def test_evaluate_compares_with_a_peer(
    bundle: str, dev: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn")
    (tmp_path / "train.csv").write_text(DEV)
    arguments = ["--train", str(tmp_path / "train.csv"), "--leaks", "keep", "--peer", "tfidf", "--json"]
    assert main(["evaluate", bundle, dev, *arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["leaks"]["kept"] == 3
    assert "macro_f1" in found["peer"]["difference"]


@pytest.mark.parametrize(("policy", "code"), [("refuse", 3), ("drop", 0), ("keep", 0)])
def test_leaks_are_refused_with_exit_code_three(
    bundle: str, dev: str, policy: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    write_seen(Path(bundle).with_suffix(".seen"), ["SAD"])
    assert main(["evaluate", bundle, dev, "--leaks", policy, "--json"]) == code
    assert ("1 of 3 test texts also stand" in capsys.readouterr().err) == (policy == "refuse")


def test_inspect_gives_the_card_as_json(bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", bundle, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["card"]["name"] == "tiny"
    assert found["model"]["operators"] == {"GATHER": 1, "REDUCE_MAX": 1}
    assert found["sizes"]["file"] == Path(bundle).stat().st_size


def test_list_shows_the_shipped_bundles_and_their_verdicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("edgeemo.bundle.ZOO", tmp_path)
    assert main(["list"]) == 0
    assert "No bundle" in capsys.readouterr().out
    float_text.write(tmp_path, commercial="unclear")
    assert main(["list", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["name"], found["commercial"], found["licence"]) == ("tiny", "unclear", "Apache-2.0")
    assert main(["list"]) == 0
    assert "unclear" in capsys.readouterr().out


class Verified:
    """A stand-in for the result of a converter."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems

    def to_dict(self) -> dict[str, object]:
        return {"agreement": 0.97, "per_class": {"joy": {"float_f1": 0.5}}, "problems": list(self.problems)}


class Converters:
    """Stands in for a module of `edgeemo.converters`: keeps what it was called with."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.calls: list[tuple[tuple[object, ...], dict[str, object]]] = []

    def convert(self, *arguments: object, **named: object) -> object:
        self.calls.append((arguments, named))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    verify = convert


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Verified(), 0),
        (Verified("agreement 0.90 < 0.97"), 3),
        (BudgetError("Layer x is worst.\nUse more."), 3),
        (ConversionError("Layer x is worst.\nUse more."), 1),
    ],
    ids=["good", "missed", "missed, not written", "failed"],
)
@pytest.mark.parametrize("command", ["convert", "verify"])
def test_a_missed_budget_is_three_and_any_other_failure_one(
    command: str, answer: object, code: int, bundle: str, dev: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    converters = Converters(answer)
    monkeypatch.setattr(console, "need", lambda *_: converters)
    (tmp_path / "m.keras").touch()
    model = str(tmp_path / "m.keras")
    rest = [bundle, dev] if command == "verify" else ["--calibration", dev, "--out", "new.tflite"]
    assert main([command, model, *rest, "--json"]) == code
    printed = capsys.readouterr()
    assert len(converters.calls) == 1
    assert "progress" in converters.calls[0][1]
    assert ("wrote new.tflite" in printed.err) == (command == "convert" and code == 0)
    if isinstance(answer, Verified):
        assert json.loads(printed.out) == answer.to_dict()
    else:
        assert "error: Layer x is worst. Use more.\n" in printed.err


@pytest.mark.parametrize("command", ["convert", "verify", "evaluate"])
def test_a_missing_manifest_is_wrong_usage_everywhere(command: str, bundle: str, tmp_path: Path) -> None:
    (tmp_path / "m.keras").touch()
    model, none = str(tmp_path / "m.keras"), str(tmp_path / "none.csv")
    assert main({
        "convert": ["convert", model, "--calibration", none, "--out", str(tmp_path / "new.tflite")],
        "verify": ["verify", model, bundle, none],
        "evaluate": ["evaluate", bundle, none],
    }[command]) == 2  # fmt: skip


@pytest.mark.parametrize("manifest", ["", "mood\n1\n", "\xff\xfe", 'text\n"open\n'])
@pytest.mark.parametrize("command", ["convert", "verify", "evaluate"])
def test_a_manifest_that_cannot_be_read_is_an_error_and_no_failed_check(
    command: str, manifest: str, bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if command != "evaluate":
        pytest.importorskip("tensorflow", reason="needs edgeemo[train]")
    (tmp_path / "m.keras").touch()
    (tmp_path / "bad.csv").write_text(manifest, encoding="latin-1")
    (tmp_path / "card.json").write_text(float_text.card().to_json())
    (tmp_path / "vocab.txt").write_text("\n".join(float_text.PIECES) + "\n")
    model, bad = str(tmp_path / "m.keras"), str(tmp_path / "bad.csv")
    assert main({
        "convert": ["convert", model, "--calibration", bad, "--out", str(tmp_path / "new.tflite")],
        "verify": ["verify", model, bundle, bad],
        "evaluate": ["evaluate", bundle, bad],
    }[command]) == 1  # fmt: skip
    assert "error: bad.csv" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["convert", "verify"])
def test_a_file_that_is_no_keras_model_is_an_error_and_no_failed_check(
    command: str, bundle: str, dev: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tensorflow", reason="needs edgeemo[train]")
    (tmp_path / "m.keras").write_text("not a model")
    (tmp_path / "card.json").write_text(float_text.card().to_json())
    (tmp_path / "vocab.txt").write_text("\n".join(float_text.PIECES) + "\n")
    model = str(tmp_path / "m.keras")
    rest = (
        [bundle, dev]
        if command == "verify"
        else ["--calibration", dev, "--out", str(tmp_path / "new.tflite")]
    )
    assert main([command, model, *rest]) == 1
    said = capsys.readouterr().err
    assert "m.keras is not a Keras model" in said
    assert "Traceback" not in said
    assert not (tmp_path / "new.tflite").exists()


def test_a_verification_is_shown_as_tables(
    bundle: str, dev: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "need", lambda *_: Converters(Verified("agreement 0.90 < 0.97")))
    (tmp_path / "m.keras").touch()
    assert main(["verify", str(tmp_path / "m.keras"), bundle, dev]) == 3
    printed = capsys.readouterr()
    for part in ("agreement", "0.9700", "per_class", "joy", "0.5000"):
        assert part in printed.out
    assert printed.err == "edgeemo: failed: agreement 0.90 < 0.97\n"


def test_train_and_manifest_pass_on_what_was_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from edgeemo.data.manifest import Example, read_manifest

    class Training:
        calls: list[tuple[object, ...]] = []  # noqa: RUF012

        def run(self, recipe: str, **named: object) -> Path:
            print("a progress bar")
            self.calls.append((recipe, named))
            return Path("runs/text/model.keras")

        def load(self, dataset: str, data: Path, split: str) -> list[Example]:
            self.calls.append((dataset, data, split))
            return [Example(text="x", labels=("joy",))]

    training = Training()
    monkeypatch.setattr(console, "need", lambda *_: training)
    assert main(["train", "text", "--data", str(tmp_path), "--step", "a", "--step", "b", "--fresh"]) == 0
    out = str(tmp_path / "dev.jsonl")
    assert main(["manifest", "goemotions", "--data", str(tmp_path), "--split", "dev", "--out", out]) == 0
    assert training.calls == [
        (
            "text",
            {
                "data": tmp_path,
                "out": Path("runs/text"),
                "steps": ("a", "b"),
                "fresh": True,
                "crossval": None,
            },
        ),
        ("goemotions", tmp_path, "dev"),
    ]
    capsys.readouterr()
    assert main(["train", "text", "--data", str(tmp_path), "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["model"] == "runs/text/model.keras"
    assert "a progress bar" in printed.err
    wanted = ["manifest", "goemotions", "--data", str(tmp_path), "--split", "dev", "--out", out, "--json"]
    assert main(wanted) == 0
    assert json.loads(capsys.readouterr().out) == {
        "dataset": "goemotions", "split": "dev", "out": out, "n": 1,
    }  # fmt: skip
    assert read_manifest(out) == [Example(text="x", labels=("joy",))]


def test_train_ends_with_the_commands_that_make_and_measure_a_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Training:
        def run(self, recipe: str, *, out: Path, **named: object) -> Path:
            out.mkdir()
            (out / "test.csv").touch()
            return out / "model.keras"

    monkeypatch.setattr(console, "need", lambda *_: Training())
    out = tmp_path / "own"
    assert main(["train", "text", "--data", str(tmp_path), "--out", str(out)]) == 0
    said = capsys.readouterr().err
    assert f"edgeemo convert {out}/model.keras --calibration {out}/calibration.csv --out own.tflite" in said
    assert f"edgeemo evaluate own.tflite {out}/test.csv --leaks drop" in said


def test_a_missing_extra_is_an_error_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "edgeemo.training.train", None)
    assert main(["train", "text", "--data", str(tmp_path)]) == 1
    assert "pip install 'edgeemo[train]'" in capsys.readouterr().err
