"""The peer of the speech branch: Silero VAD, on everyday sounds and studio prompts, alone and mixed.

A clip's answer is its share of speech. For Silero this is the share of 32 ms blocks with probability 0.5 or
more. For a bundle this is the evidence of the whole clip. The report gives the area under the ROC curve of
speech against noise. With one half as threshold, the report gives the share of noise clips taken for speech
and of speech clips missed. The report also gives the answers to speech in noise of 20 to 0 dB.

Silero's weights are MIT-licensed; they are only measured here, in an environment of their own (`make peers`,
which leaves PyTorch out and runs them with onnxruntime):

    .venv-peers/bin/python benchmarks/peer_silero.py --data data/voice
    .venv-peers/bin/python benchmarks/peer_silero.py --manifest unheard.csv --bundle voice.tflite

A bundle trained on these sounds knows them: give it a ``--manifest`` (path, labels ``speech`` or ``noise``)
of what its training did not have.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from edgeemo.data.clips import read_audio
from edgeemo.data.manifest import read_manifest
from edgeemo.errors import DataError
from edgeemo.evaluation import sounds
from edgeemo.evaluation.bootstrap import Array, interval
from edgeemo.evaluation.metrics import area_under_roc

Samples: TypeAlias = npt.NDArray[np.float32]
Listener: TypeAlias = Callable[[Samples], float]

RATE, BLOCK, CONTEXT = 16_000, 512, 64
TONES = ("beep", "beeperr", "ascending-2tone", "descending-2tone")  # prompts without a voice


def silero() -> Listener:
    """Return Silero VAD (its 16 kHz model), without importing its package, which wants PyTorch."""
    import onnxruntime  # type: ignore[import-not-found,import-untyped,unused-ignore]

    found = importlib.util.find_spec("silero_vad")
    if found is None or not found.submodule_search_locations:
        sys.exit("silero-vad is not installed: make peers")
    model = Path(found.submodule_search_locations[0]) / "data" / "silero_vad_16k_op15.onnx"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    rate = np.array(RATE, np.int64)

    def listen(pcm: Samples) -> float:
        padded = np.pad(pcm, (CONTEXT, -len(pcm) % BLOCK))
        state = np.zeros((2, 1, 128), np.float32)
        speech = []
        for start in range(0, len(padded) - CONTEXT, BLOCK):
            block = padded[None, start : start + CONTEXT + BLOCK]
            probability, state = session.run(None, {"input": block, "state": state, "sr": rate})
            speech.append(float(probability[0, 0]) >= 0.5)
        return float(np.mean(speech)) if speech else 0.0

    return listen


def bundle(name: str) -> Listener:
    """Return the evidence of a voice bundle."""
    from edgeemo import Recognizer

    reader: Any = Recognizer.open(name)
    return lambda pcm: float(reader.predict(pcm, rate_hz=RATE).evidence)


def read(paths: Iterable[Path]) -> list[Samples]:
    """Return clips at 16 kHz; print and leave out files that cannot be read."""
    clips = []
    for path in paths:
        try:
            pcm, rate_hz = read_audio(path)
        except DataError as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        clips.append(sounds.resample(sounds.mono(pcm), rate_hz, RATE))
    return clips


def score(speech: Array, noise: Array, seed: int = 0) -> dict[str, Any]:
    """Return each number with its 95 % interval, from a thousand draws of the clips."""
    rng = np.random.default_rng(seed)

    def numbers(a: Array, b: Array) -> dict[str, float]:
        return {
            "auc": area_under_roc(a, b),
            "missed": float((a < 0.5).mean()),
            "false": float((b >= 0.5).mean()),
        }

    drawn = [numbers(rng.choice(speech, len(speech)), rng.choice(noise, len(noise))) for _ in range(1000)]
    return {
        name: interval(value, np.array([each[name] for each in drawn])).to_dict()
        for name, value in numbers(speech, noise).items()
    }


def measure(listen: Listener, speech: Sequence[Samples], noise: Sequence[Samples]) -> dict[str, Any]:
    """Score one listener on clean speech and on speech in noise; the noise alone is the same throughout."""
    alone = np.array([listen(pcm) for pcm in noise])
    found = {"clean": score(np.array([listen(pcm) for pcm in speech]), alone)}
    rng = np.random.default_rng(0)
    pieces = [np.resize(noise[int(rng.integers(len(noise)))], len(pcm)) for pcm in speech]
    for snr_db in (20, 10, 5, 0):
        mixed = [sounds.mix(pcm, piece, RATE, snr_db) for pcm, piece in zip(speech, pieces, strict=True)]
        found[f"{snr_db} dB"] = score(np.array([listen(pcm) for pcm in mixed]), alone)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="the folder with the voice sets")
    parser.add_argument("--manifest", type=Path, help="instead: clips labelled speech or noise")
    parser.add_argument("--bundle", help="also measure this voice bundle")
    parser.add_argument("--json", type=Path, help="also write the numbers there")
    options = parser.parse_args(arguments)
    if options.manifest:
        rows = read_manifest(options.manifest)
        speech, noise = (
            read(e.path for e in rows if e.path and label in e.labels) for label in ("speech", "noise")
        )
    elif options.data:
        folder = options.data / "background"
        prompts = sorted((folder / "asterisk_speech").rglob("*.opus"))
        speech = read(path for path in prompts if path.stem not in TONES)
        noise = read(sorted((folder / "esc10").rglob("*.opus")))
    else:
        parser.error("give --data or --manifest")
    noise = [pcm for pcm in noise if pcm.any()]
    print(f"{len(speech)} clips of speech, {len(noise)} of noise")
    listeners = {"Silero VAD": silero()} | (
        {options.bundle: bundle(options.bundle)} if options.bundle else {}
    )
    results = {}
    for name, listen in listeners.items():
        results[name] = measure(listen, speech, noise)
        for condition, numbers in results[name].items():
            shown = "  ".join(
                f"{k} {x['value']:.3f} ({x['low']:.3f} … {x['high']:.3f})" for k, x in numbers.items()
            )
            print(f"{name:<12} {condition:<6} {shown}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
