"""Fixtures that several tests share."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgeemo import FaceRecognizer, Recognizer, TextRecognizer, VoiceRecognizer, backends, delegates
from edgeemo._core import __file__ as core_file
from edgeemo.bundle import shipped

ROOT = Path(__file__).parent.parent


if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # in a background job; children inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests and the cache of this machine apart, where probes of delegates leave records."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def data_dir() -> Callable[[str], Path]:
    """The folder of a data set by name (``data_dir("text")``); skips the test where it is absent."""
    base = Path(os.environ.get("EDGEEMO_DATA", ROOT.parent / "shared" / "data"))

    def find(name: str) -> Path:
        folder = base / name
        if not folder.is_dir():
            pytest.skip(f"data '{name}' is not at {base}; set EDGEEMO_DATA")
        return folder

    return find


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a few hundred sentences of our own, in the layout of the public sets."""
    from text_training_data import write_tiny_data

    pytest.importorskip("keras", reason="needs edgeemo[train]")
    return write_tiny_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def trained(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that ``edgeemo train`` writes from the tiny data, in a quarter of a minute."""
    from text_training_data import RECIPE

    from edgeemo.training.train import run

    out = tmp_path_factory.mktemp("trained")
    (out / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    run(out / "recipe.toml", data=tiny_data, out=out)
    return out


@pytest.fixture(scope="session")
def bundle_of_trained(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model as a verified bundle; so small a network is given a wider budget."""
    from edgeemo.converters.convert import convert
    from edgeemo.converters.verify import Budget

    out = tmp_path_factory.mktemp("bundle") / "tiny.tflite"
    loose = Budget(agreement=0.8, clear_agreement=0.8, drop=0.2)
    convert(trained / "model.keras", trained / "calibration.csv", out, budget=loose)
    return out


@pytest.fixture(scope="session")
def tiny_voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a few dozen clips of our own, in the layout of the public sets."""
    pytest.importorskip("keras", reason="needs edgeemo[train]")
    pytest.importorskip("soundfile", reason="needs edgeemo[train]")
    from voice_training_data import write_tiny_voices

    return write_tiny_voices(tmp_path_factory.mktemp("voices"))


@pytest.fixture(scope="session")
def trained_voice(tiny_voices: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that ``edgeemo train`` writes from the tiny voices."""
    from voice_training_data import RECIPE

    from edgeemo.training.train import run

    out = tmp_path_factory.mktemp("trained-voice")
    (out / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    run(out / "recipe.toml", data=tiny_voices, out=out)
    return out


@pytest.fixture(scope="session")
def bundle_of_trained_voice(trained_voice: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny voice model as a bundle, whatever int8 cost so small a network."""
    from edgeemo.converters.convert import convert
    from edgeemo.converters.verify import Budget

    out = tmp_path_factory.mktemp("voice-bundle") / "tiny.tflite"
    loose = Budget(agreement=0.5, clear_agreement=0.5, drop=0.5)
    convert(trained_voice / "model.keras", trained_voice / "calibration.csv", out, budget=loose)
    return out


@pytest.fixture(scope="session")
def tiny_faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a thousand drawn faces, in the layout of FER+."""
    pytest.importorskip("keras", reason="needs edgeemo[train]")
    pytest.importorskip("cv2", reason="needs edgeemo[train]")
    from face_training_data import write_tiny_faces

    return write_tiny_faces(tmp_path_factory.mktemp("faces"))


@pytest.fixture(scope="session")
def trained_face(tiny_faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that ``edgeemo train`` writes from the tiny faces."""
    from face_training_data import RECIPE

    from edgeemo.training.train import run

    out = tmp_path_factory.mktemp("trained-face")
    (out / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    run(out / "recipe.toml", data=tiny_faces, out=out)
    return out


@pytest.fixture(scope="session")
def bundle_of_trained_face(trained_face: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny face model as a bundle, whatever int8 cost so small a network."""
    from edgeemo.converters.convert import convert
    from edgeemo.converters.verify import Budget

    out = tmp_path_factory.mktemp("face-bundle") / "tiny.tflite"
    loose = Budget(agreement=0.5, clear_agreement=0.5, drop=0.5)
    convert(trained_face / "model.keras", trained_face / "calibration.csv", out, budget=loose)
    return out


@pytest.fixture(scope="session")
def tiny_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with drawn faces marked in pictures."""
    pytest.importorskip("keras", reason="needs edgeemo[train]")
    pytest.importorskip("cv2", reason="needs edgeemo[train]")
    from detector_training_data import write_tiny_pictures

    return write_tiny_pictures(tmp_path_factory.mktemp("street"))


@pytest.fixture(scope="session")
def trained_detector(tiny_pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that ``edgeemo train`` writes from the tiny set of pictures."""
    from detector_training_data import RECIPE

    from edgeemo.training.train import run

    out = tmp_path_factory.mktemp("trained-detector")
    (out / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    run(out / "recipe.toml", data=tiny_pictures, out=out)
    return out


@pytest.fixture(scope="session")
def bundle_of_trained_detector(trained_detector: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny detector as a bundle; so small a network is given a wider budget."""
    from edgeemo.converters.convert import convert
    from edgeemo.converters.verify_detector import DetectorBudget

    out = tmp_path_factory.mktemp("detector-bundle") / "tiny.tflite"
    loose = DetectorBudget(0.6, 0.6, 0.6, 0.3, 0.3)
    convert(trained_detector / "model.keras", trained_detector / "calibration.csv", out, budget=loose)
    return out


@pytest.fixture(scope="session")
def small_text_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small text bundle as a file."""
    import small_text

    return (
        small_text.bundle().write(tmp_path_factory.mktemp("small-text") / "small_text.tflite").path or Path()
    )


@pytest.fixture
def recognizer(small_text_path: Path) -> Iterator[TextRecognizer]:
    """The small text bundle, opened."""
    with TextRecognizer.open(small_text_path) as opened:
        yield opened


@pytest.fixture(scope="session")
def small_voice_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small voice bundle as a file."""
    import small_voice

    return small_voice.write(tmp_path_factory.mktemp("small-voice"))


@pytest.fixture
def voice(small_voice_path: Path) -> Iterator[VoiceRecognizer]:
    """The small voice bundle, opened."""
    opened = Recognizer.open(small_voice_path)
    assert isinstance(opened, VoiceRecognizer)
    with opened:
        yield opened


@pytest.fixture(scope="session")
def small_face_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small face bundle as a file."""
    import small_face

    return small_face.write(tmp_path_factory.mktemp("small-face"))


@pytest.fixture
def boxes_are_crops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Detected boxes are read as they are: the model of the small face bundle wants them so."""
    from edgeemo import recognizer

    monkeypatch.setattr(recognizer, "CROP_OVER_BOX", 1.0)
    monkeypatch.setattr(recognizer, "CROP_DOWN", 0.0)


@pytest.fixture
def small_face_recognizer(small_face_path: Path, boxes_are_crops: None) -> Iterator[FaceRecognizer]:
    """The small face bundle, opened, with the detector that finds the faces it knows."""
    import small_face

    opened = Recognizer.open(small_face_path, detector=small_face.SquareDetector())
    assert isinstance(opened, FaceRecognizer)
    with opened:
        yield opened


@pytest.fixture(scope="session")
def shipped_text() -> str:
    """The name of the shipped text bundle; skips the test in a checkout without it."""
    if "text" not in shipped():
        pytest.skip("edgeemo/zoo/text.tflite is not in this checkout")
    return "text"


# --- delegates ---


def compiled(command: list[str | Path], made: Path) -> Path:
    done = subprocess.run([*command, "-o", made], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LiteRT that computes nothing but has a GPU, which fails as its options tell it."""
    if not (Path(core_file).parent / "native" / "lib" / "edgeemo" / "edgeemo-probe").is_file():
        pytest.skip("built without edgeemo-probe")
    command: list[str | Path] = [
        os.environ.get("CXX", "g++"), "-std=c++17", "-shared", "-fPIC", "-O1", '-DEDGEEMO_STAND_IN="good"',
        f"-I{ROOT / 'cpp' / 'include'}", f"-I{ROOT / 'cpp' / 'src'}",
        ROOT / "tests" / "cpp" / "stand_in_litert.cpp", ROOT / "cpp" / "src" / "runtime" / "model.cpp",
    ]  # fmt: skip
    return compiled(command, tmp_path_factory.mktemp("stand-in") / "libLiteRt.so")


@pytest.fixture
def standing_in(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (backends, delegates):
        monkeypatch.setattr(module, "litert_library", lambda: str(stand_in))


@pytest.fixture(scope="module")
def external(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A delegate that takes no nodes, and on demand does worse."""
    made = tmp_path_factory.mktemp("delegate") / "libdelegate.so"
    source = ROOT / "tests" / "external_delegate.c"
    return str(compiled([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", source], made))
