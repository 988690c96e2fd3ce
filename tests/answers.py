"""Computes what the bundles in `tests/bundles` answer, through Python and through the C ABI.

``python tests/answers.py`` writes ``tests/bundles/answers.npz`` again. Do that only if you want an answer to
change, and say why in the commit.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import answer_inputs as inputs
import c_abi as c
import numpy as np
import numpy.typing as npt

from edgeemo import FaceDetector, FaceRecognizer, LicenseWarning, TextRecognizer, VoiceRecognizer
from edgeemo.machine import machine

BUNDLES = Path(__file__).parent / "bundles"
STORED = BUNDLES / "answers.npz"
DATA = Path(os.environ.get("EDGEEMO_DATA", Path(__file__).parents[2] / "shared" / "data"))

Rows: TypeAlias = list[list[float]]
"""The results of one input, each as one row of numbers."""


class Group(NamedTuple):
    """Inputs of one kind, the bundle that reads them, and how Python and C read them."""

    bundle: str
    inputs: Callable[[Path], Iterator[tuple[str, Any]]]
    python: Callable[[Path, list[Any]], list[Rows]]
    native: Callable[[Path, list[Any]], list[Rows]]

    @property
    def path(self) -> Path:
        """The file of the bundle."""
        return BUNDLES / f"{self.bundle}.tflite"


# --- texts: one result each ---


def texts_in_python(path: Path, texts: list[str]) -> list[Rows]:
    """Read each text by `TextRecognizer.predict`."""
    with TextRecognizer.open(path) as recognizer:
        return [[c.numbers_of(recognizer.predict(text))] for text in texts]


def texts_in_c(path: Path, texts: list[str]) -> list[Rows]:
    """Read each text by `edgeemo_predict_text`."""
    with c.opened(path) as handle:
        return [[c.text(handle, text.encode()).numbers()] for text in texts]


# --- clips: the result of the whole, then the results span by span ---


def clips_in_python(path: Path, clips: list[inputs.Clip]) -> list[Rows]:
    """Read each clip by `VoiceRecognizer.predict` and `timeline`."""
    with VoiceRecognizer.open(path) as recognizer:
        return [
            [c.numbers_of(recognizer.predict(*clip)), *map(c.numbers_of, recognizer.timeline(*clip))]
            for clip in clips
        ]


def clips_in_c(path: Path, clips: list[inputs.Clip]) -> list[Rows]:
    """Read each clip by `edgeemo_predict_pcm`, and span by span as one chunk of a stream."""
    with c.opened(path) as handle:
        found = []
        for clip in clips:
            spans, summary = chunks_in_c(handle, clip, [clip.pcm])
            whole = c.clip(handle, *clip).numbers()
            assert whole == summary
            found.append([whole, *spans])
        return found


def chunks_in_python(recognizer: VoiceRecognizer, clip: inputs.Clip, chunks: list[inputs.Samples]) -> Rows:
    """Read the chunks of a clip by `Stream`: the summary, then the results span by span."""
    stream = recognizer.stream(clip.rate_hz, 1 if clip.pcm.ndim == 1 else clip.pcm.shape[1])
    results, read = [], 0
    for chunk in chunks:
        results += stream.push(chunk, 1000 * read // clip.rate_hz)
        read += len(chunk)
    results += stream.flush()
    return [c.numbers_of(result) for result in (stream.summary(), *results)]


def chunks_in_c(handle: Any, clip: inputs.Clip, chunks: list[inputs.Samples]) -> tuple[Rows, list[float]]:
    """Read the chunks of a clip by `edgeemo_stream_push`: the results span by span, and the summary."""
    stream = c.Stream(handle, clip.rate_hz, 1 if clip.pcm.ndim == 1 else clip.pcm.shape[1])
    rows, read = [], 0
    for chunk in chunks:
        rows += stream.push(chunk, 1000 * read // clip.rate_hz)
        read += len(chunk)
    rows += stream.flush()
    summary = stream.summary()
    stream.close()
    return rows, summary


def cut(clip: inputs.Clip, seed: int) -> list[inputs.Samples]:
    """Cut a clip into chunks of 1 to 8,000 samples, short and long ones alike."""
    choice, chunks, begin = random.Random(seed), [], 0
    while begin < len(clip.pcm):
        step = int(8_000 ** choice.random())
        chunks.append(clip.pcm[begin : begin + step])
        begin += step
    return chunks


# --- pictures: the face in front, then all faces ---


def pictures_in_python(path: Path, pictures: list[inputs.Picture]) -> list[Rows]:
    """Read each picture by `FaceRecognizer.predict` and `predict_all`, or the boxes by `predict_all`."""
    with _faces(path) as recognizer:
        found = []
        for picture in pictures:
            results = [recognizer.predict(*picture)] if picture.boxes is None else []
            found.append([of_face(result) for result in results + recognizer.predict_all(*picture)])
        return found


def pictures_in_c(path: Path, pictures: list[inputs.Picture]) -> list[Rows]:
    """Read each picture by `edgeemo_predict_front` and `…_faces`, or the boxes by `edgeemo_predict_image`."""
    with c.opened(path, detector=str(BUNDLES / "face-detector.tflite").encode()) as handle:
        found = []
        for pixels, color, boxes in pictures:
            pixels = np.ascontiguousarray(pixels)
            if boxes is None:
                results = [c.front(handle, pixels, color), *c.faces(handle, pixels, color)]
            else:
                results = [c.picture(handle, pixels, color, box) for box in boxes]
            found.append([of_face_in_c(result) for result in results])
        return found


# --- a video: the faces of each frame ---


def video_in_python(path: Path, frames: list[inputs.Frame]) -> list[Rows]:
    """Read all frames by one `FaceStream`."""
    with _faces(path) as recognizer:
        stream = recognizer.stream()
        return [[of_face(result) for result in stream.push(*frame)] for frame in frames]


def video_in_c(path: Path, frames: list[inputs.Frame]) -> list[Rows]:
    """Read all frames by `edgeemo_stream_push_image`."""
    with c.opened(path, detector=str(BUNDLES / "face-detector.tflite").encode()) as handle:
        stream = c.FaceStream(handle)
        found = [
            [of_face_in_c(result) for result in stream.push(np.ascontiguousarray(frame.pixels), frame.t_ms)]
            for frame in frames
        ]
        stream.close()
        return found


def _faces(path: Path) -> FaceRecognizer:
    recognizer = FaceRecognizer.open(path)
    recognizer.detector = FaceDetector.open(BUNDLES / "face-detector.tflite")
    return recognizer


def of_face(result: Any) -> list[float]:
    """All numbers of a Python result, where its face is included."""
    return [*c.numbers_of(result), *c.face_of(result)]


def of_face_in_c(result: c.Result) -> list[float]:
    """All numbers of a C result, where its face is included."""
    return [*result.numbers(), *result.face()]


def own(make: Callable[[], Iterator[tuple[str, Any]]]) -> Callable[[Path], Iterator[tuple[str, Any]]]:
    """Return a choice of inputs that needs no data."""
    return lambda data: make()


TEXTS, CLIPS = (texts_in_python, texts_in_c), (clips_in_python, clips_in_c)
PICTURES, VIDEO = (pictures_in_python, pictures_in_c), (video_in_python, video_in_c)

GROUPS = {
    "texts": Group("text", inputs.texts, *TEXTS),
    "clips": Group("voice", inputs.clips, *CLIPS),
    "clips, voice-emodb": Group("voice-emodb", inputs.few_clips, *CLIPS),
    "pictures": Group("face", inputs.pictures, *PICTURES),
    "video": Group("face", inputs.video, *VIDEO),
}
"""Groups whose inputs come from ``shared/data``."""

OWN_GROUPS = {
    "own texts": Group("text", own(inputs.own_texts), *TEXTS),
    "own clips": Group("voice", own(inputs.own_clips), *CLIPS),
    "own clips, voice-emodb": Group("voice-emodb", own(inputs.own_clips), *CLIPS),
    "own pictures": Group("face", own(inputs.own_pictures), *PICTURES),
    "own video": Group("face", own(inputs.own_video), *VIDEO),
}
"""Groups whose inputs are made by `answer_inputs`."""


# --- what is stored ---


class Answers(NamedTuple):
    """The answers of one group: ``rows[ends[i - 1]:ends[i]]`` (float64) are the results of input i."""

    rows: npt.NDArray[np.float64]
    ends: npt.NDArray[np.int64]

    @classmethod
    def of(cls, found: list[Rows]) -> Answers:
        """Put the results of all inputs into one table."""
        rows = np.array([row for rows in found for row in rows], np.float64)
        return cls(rows, np.cumsum([len(rows) for rows in found]))

    def split(self) -> list[npt.NDArray[np.float64]]:
        """Return one table for each input."""
        return np.split(self.rows, self.ends[:-1])

    def digest(self) -> str:
        """Return the SHA-256 of all rows and their places, in hexadecimal digits."""
        return hashlib.sha256(self.rows.tobytes() + self.ends.astype(np.int64).tobytes()).hexdigest()


def digest_of(given: list[Any]) -> str:
    """Return the SHA-256 of inputs, in hexadecimal digits."""
    sha = hashlib.sha256()
    for one in given:
        for part in one if isinstance(one, tuple) else (one,):
            sha.update(part.tobytes() if isinstance(part, np.ndarray) else repr(part).encode())
    return sha.hexdigest()


def here() -> dict[str, Any]:
    """Return what int8 answers depend on beside the bundle: the processor, and the release of LiteRT."""
    facts = machine()
    return {
        "architecture": facts.architecture,
        "features": list(facts.features),
        "litert": version("ai-edge-litert"),
    }


def stored() -> tuple[dict[str, Any], dict[str, Answers]]:
    """Return the facts in ``answers.json``, and the answers by group."""
    with np.load(STORED) as file:
        answers = {name: Answers(file[name], file[f"{name}: ends"]) for name in {**GROUPS, **OWN_GROUPS}}
    return json.loads(STORED.with_suffix(".json").read_text("utf-8")), answers


def main() -> None:
    """Write the answers of Python, after C has agreed with them."""
    warnings.simplefilter("ignore", LicenseWarning)
    arrays: dict[str, Any] = {}
    digests = {}
    for name, group in {**OWN_GROUPS, **GROUPS}.items():
        given = [one for _, one in group.inputs(DATA)]
        answers = Answers.of(group.python(group.path, given))
        native = Answers.of(group.native(group.path, given))
        assert np.array_equal(answers.rows.astype(np.float32), native.rows.astype(np.float32)), name
        arrays |= {name: answers.rows, f"{name}: ends": answers.ends}
        digests[name] = {"inputs": digest_of(given), "answers": answers.digest()}
        print(f"{name}: {len(given)} inputs, {len(answers.rows)} results")
    np.savez_compressed(STORED, **arrays)
    bundles = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in BUNDLES.glob("*.tflite")}
    facts = {"machine": here(), "bundles": dict(sorted(bundles.items())), "groups": digests}
    STORED.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
