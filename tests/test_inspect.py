"""Inspection: the operators, inputs and outputs of a model, and the page of a card."""

from dataclasses import replace
from pathlib import Path

import float_text
import pytest

from edgeemo.card import DataSource
from edgeemo.errors import InferenceError

inspect = pytest.importorskip("edgeemo.converters.inspect")


def test_a_model_is_taken_apart() -> None:
    data = float_text.FLATBUFFER.read_bytes()
    found = inspect.dissect(data)
    assert found.size == len(data)
    assert found.operators == {"GATHER": 1, "REDUCE_MAX": 1}
    assert found.foreign == ()
    (ids,), (labels,) = found.inputs, found.outputs
    assert (ids.name, ids.shape, ids.dtype) == ("ids", (1, float_text.LENGTH), "int32")
    assert (labels.name, labels.shape, labels.dtype, labels.scale) == ("labels", (1, 5), "float32", 0.0)


def test_a_runtime_that_does_not_tell_its_operators_is_no_error() -> None:
    class Silent:
        pass

    assert inspect._operators(Silent()) == {}


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(InferenceError, match="Convert it again"):
        inspect.dissect(b"\x1c\0\0\0TFL3" + bytes(40))


def test_foreign_operators_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspect, "_operators", lambda _: {"ADD": 2, "FlexErf": 1, "CUSTOM": 1})
    assert inspect.dissect(float_text.FLATBUFFER.read_bytes()).foreign == ("FlexErf", "CUSTOM")


@pytest.mark.parametrize(("multi_label", "shown"), [(True, 0), (False, 9)])
def test_of_exclusive_labels_and_groups_the_page_says_that_the_likeliest_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], multi_label: bool, shown: int
) -> None:
    from edgeemo.cli import main

    assert main(["inspect", str(float_text.write(tmp_path, multi_label=multi_label))]) == 0
    page = capsys.readouterr().out
    assert page.count("likeliest") == shown
    assert page.count("0.500") == 9 - shown


@pytest.mark.parametrize(
    ("multi_label", "temperature", "says"),
    [
        (True, 1.0, "each emotion's probability (that any of its labels holds), divided by the sum"),
        (False, 1.0, "each emotion's probability (the sum of its labels'), divided by the sum"),
        (True, 0.5, "probability (that any of its labels holds) to the power of 1 / 0.5 (the temperature), "),
    ],
)
def test_the_page_says_how_scores_are_formed(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    multi_label: bool,
    temperature: float,
    says: str,
) -> None:
    from edgeemo.cli import main

    monkeypatch.setenv("COLUMNS", "200")
    calibration = replace(float_text.card().calibration, temperature=temperature)
    path = float_text.write(tmp_path, multi_label=multi_label, calibration=calibration)
    assert main(["inspect", str(path)]) == 0
    (row,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("scores "))
    assert says in row


def test_on_a_narrow_terminal_nothing_is_cut_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgeemo.cli import main

    monkeypatch.setenv("COLUMNS", "80")
    url = "https://github.com/google-research/google-research/tree/master/goemotions"
    source = DataSource("GoEmotions (Demszky et al. 2020)", "CC BY 4.0", "28 labels", url)
    assert main(["inspect", str(float_text.write(tmp_path, data=(source,)))]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(line for line in lines if " … " not in line)
    begin = next(line.index("https:") for line in lines if "https:" in line)
    assert url in "".join(line[begin:].strip() for line in lines if len(line) > begin)


@pytest.mark.parametrize(
    ("commercial", "verdict"),
    [
        ("cleared", "cleared for commercial use"),
        ("unclear", "commercial use unclear"),
        ("no", "not for commercial use"),
    ],
)
def test_the_page_says_plainly_what_is_allowed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], commercial: str, verdict: str
) -> None:
    from edgeemo.cli import main

    assert main(["inspect", str(float_text.write(tmp_path, commercial=commercial))]) == 0
    shown = capsys.readouterr().out
    assert f"Apache-2.0, {verdict}" in shown
    for part in (
        "A tiny reader",
        "made-up words",
        "GATHER 1",
        "happy_ones",
        "0.900",
        "0.800 … 0.950  n 1,234",
    ):
        assert part in shown
