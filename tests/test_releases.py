"""The native engine on other releases of LiteRT than the installed one: `make releases` fetches them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edgeemo.bundle import shipped

ROOT = Path(__file__).parent.parent
RELEASES = ROOT / "build" / "releases"
MOST_STEPS = 1.01
"""Largest difference of two answers in int8 steps: from 2.1.4 on a kernel of ``voice`` rounds otherwise."""

COMPARE = """
import json, sys, warnings
import numpy as np
from edgeemo import Bundle, Recognizer, Runtime
from edgeemo.backends import NativeBackend
from edgeemo.delegates import golden_inputs

warnings.simplefilter("ignore")
measured = {}
for name in sys.argv[2:]:
    bundle = Bundle.open(name)
    runtimes = [
        Runtime(bundle.flatbuffer, backend=NativeBackend(bundle.flatbuffer, delegate="cpu", library=library))
        for library in (None, sys.argv[1])
    ]
    shape = next(iter(runtimes[0].inputs.values())).shape
    scales = {output: info.scale or 1.0 for output, info in runtimes[0].outputs.items()}
    inputs = [golden.reshape(shape) for golden in golden_inputs(bundle)]
    if inputs[0].dtype == np.float32:
        noise = np.random.default_rng(0)
        inputs += [noise.normal(0, 1, shape).astype(np.float32) for _ in range(50)]
    steps = [
        abs(ours - theirs).max() / scales[output]
        for tensor in inputs
        for (output, ours), theirs in zip(runtimes[0].run(tensor).items(), runtimes[1].run(tensor).values())
    ]
    measured[name] = [len(steps), float(np.max(steps))]
with Recognizer.open("text", delegate="cpu") as recognizer:
    texts = ["I am so happy!", "I miss her.", "How dare you?"]
    other = type(recognizer)(recognizer.bundle, Runtime(
        recognizer.bundle.flatbuffer,
        backend=NativeBackend(recognizer.bundle.flatbuffer, delegate="cpu", library=sys.argv[1]),
    ))
    measured["same labels"] = [other.predict(text).label == recognizer.predict(text).label for text in texts]
print(json.dumps(measured))
"""


@pytest.mark.parametrize("release", ["1.4.0", "2.0.3", "2.1.0", "2.1.4", "2.1.6", "2.2.0"])
def test_a_release_answers_as_the_installed_one_does(release: str) -> None:
    libraries = list((RELEASES / release).glob("libLiteRt*.so"))
    if not libraries:
        pytest.skip(f"LiteRT {release} is not here: `make releases` fetches it")
    command = [sys.executable, "-c", COMPARE, str(libraries[0]), *sorted(shipped())]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    measured = json.loads(done.stdout.splitlines()[-1])
    assert measured.pop("same labels") == [True] * 3
    assert set(measured) == set(shipped())
    assert all(n >= 16 for n, _ in measured.values()), measured
    assert all(steps <= MOST_STEPS for _, steps in measured.values()), measured
