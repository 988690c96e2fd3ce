"""Tries an installed wheel outside the repository; needs no pytest.

    python tests/try_wheel.py ROOT [--without-litert]

With ``--without-litert``, where LiteRT cannot be loaded, models are not run but refused in words.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def main(root: Path, litert: bool = True) -> None:
    """Fail with an assertion if the wheel lacks something or does not answer."""
    import edgeemo

    installed = Path(edgeemo.__file__).parent
    assert root not in installed.parents or ".venv" in str(installed), f"{installed} is the source"
    for file in (
        "py.typed",
        "_core.pyi",
        "zoo/LICENSES.md",
        "zoo/text.tflite",
        "zoo/text.seen",
        "converters/__init__.py",
        "training/recipes/text.toml",
        "native/lib/libedgeemo.so",
        "native/lib/edgeemo/edgeemo-probe",
        "native/include/edgeemo/edgeemo.h",
    ):
        assert (installed / file).is_file(), f"the wheel lacks {file}"
    for package in ("tensorflow", "pytest"):
        assert importlib.util.find_spec(package) is None, f"{package} came with the wheel"

    if not litert:
        frontend = edgeemo.TextFrontend(edgeemo.TextSpec(length=4), ["[PAD]", "[UNK]", "so", "happy"])
        assert frontend.compute("so happy").tolist() == [2, 3, 0, 0]
        try:
            edgeemo.Recognizer.open("text")
        except edgeemo.errors.RuntimeUnavailableError as error:
            print(f"the wheel at {installed} has its frontends, and says: {error}")
            return
        raise AssertionError("LiteRT runs here: try the wheel with it")

    sys.path.insert(0, str(root / "tests"))
    import small_text

    with tempfile.TemporaryDirectory() as folder:
        bundle = str(small_text.bundle().write(Path(folder, "small_text.tflite")).path)
        with edgeemo.Recognizer.open(bundle) as recognizer:
            assert recognizer.runtime.info.backend == "native", recognizer.runtime.info
            assert recognizer.predict("so happy!").label == "happiness"
        command = Path(sys.executable).with_name("edgeemo")
        for name in (bundle, "text"):
            answered = subprocess.run(
                [command, "predict", "I am so happy!", "--bundle", name, "--json"],
                capture_output=True,
                check=True,
                text=True,
                env={**os.environ, "PYTHONPATH": ""},
            )
            assert json.loads(answered.stdout)["label"] == "happiness", answered.stdout
    if "voice" in edgeemo.bundle.shipped():
        import numpy as np

        with edgeemo.Recognizer.open("voice") as recognizer:
            nobody = recognizer.predict(np.zeros(48000, np.int16), rate_hz=16000)
        assert (nobody.label, nobody.evidence) == ("neutral", 0.0), nobody
    print(f"the wheel at {installed} answers")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), "--without-litert" not in sys.argv)
