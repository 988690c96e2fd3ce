"""Cost by the amount of text, sound, pixels, faces, streams and threads, with the shape of the curve.

All points of a curve are timed in turns, in processor time, which a busy machine does not stretch (threads:
by the clock). Lines are fitted to the shortest of many short batches, since noise only adds time. A line is
straight if no point is off by more than `OFF` of its own value. Over a factor of sixteen, a cost that grows
with n^1.3 is off by 0.20. With noise of 3 % at each point it is off by 0.17 at least. A straight line with
noise of 5 % is off by 0.10 at most. A fixed cost hides a bend. With a fixed cost five times the rest of the
first point, n^1.3 is off by 0.10 and passes. n^2 is off by 0.59 and fails. A curve without its shape is
measured again, up to `TRIES` times in all. Each point keeps its shortest batch of all tries, so a bent curve
stays bent. `bench_scaling.py` asserts the shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from edgeemo import FaceDetector, Recognizer
from edgeemo.frontends import FaceFrontend, FaceSpec
from edgeemo.machine import cores

from ..timing import Batch, Times, batches_of, race
from .row import Context, quiet

OFF, FLAT, TRIES = 0.12, 1.3, 3
BATCH_S, ROUNDS = 0.001, 150
RATE = 16_000
SENTENCE = "I can't believe how kind everybody was to me yesterday; it made my whole week. "


@dataclass(frozen=True)
class Curve:
    """Microseconds ``times`` at each of ``xs``; ``shape`` says what they should be.

    ``"line"``: a straight line. ``"flat"``: the same from ``flat_from`` on. ``"shown"``: nothing is expected.
    ``times`` are of the processor, or of the wall where threads share the work.
    """

    name: str
    unit: str
    xs: Sequence[float]
    times: Sequence[Times]
    shape: Literal["line", "flat", "shown"] = "line"
    flat_from: float = 0.0

    @property
    def us(self) -> list[float]:
        """The values that are fitted."""
        return [each.least for each in self.times]

    @property
    def fit(self) -> tuple[float, float, float, float]:
        """Slope, intercept, greatest relative deviation and R² of the line that fits best relatively."""
        x, y = np.array(self.xs), np.array(self.us)
        slope, intercept = np.polyfit(x, y, 1, w=1 / y)
        line = slope * x + intercept
        r2 = 1 - ((y - line) ** 2).sum() / ((y - y.mean()) ** 2).sum()
        return float(slope), float(intercept), float(np.abs(line / y - 1).max()), float(r2)

    @property
    def rise(self) -> float:
        """How many times as much the last point costs as the first that should be as dear."""
        first = next(i for i, x in enumerate(self.xs) if x >= self.flat_from)
        return self.us[-1] / self.us[first]

    @property
    def as_it_should(self) -> bool:
        """Whether it has its shape."""
        if self.shape == "shown":
            return True
        if self.shape == "flat":
            return self.rise <= FLAT
        slope, _, off, _ = self.fit
        return slope > 0 and off <= OFF

    @property
    def verdict(self) -> str:
        """Say it in a few words."""
        if self.shape == "shown":
            return f"{self.us[0]:,.0f} to {self.us[-1]:,.0f} µs"
        if self.shape == "flat":
            return f"flat from {self.flat_from:g} {self.unit}: ×{self.rise:.2f} at {self.xs[-1]:,g}"
        slope, intercept, off, r2 = self.fit
        fixed, more = (f"{x:,.0f}" if abs(x) >= 100 else f"{x:.3g}" for x in (intercept, slope))
        return f"{fixed} µs + {more} µs a {self.unit}, off by {off:.0%} at most, R² {r2:.4f}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        plain = asdict(self) | {"xs": [float(x) for x in self.xs]}
        return plain | {"as_it_should": self.as_it_should, "verdict": self.verdict}


def measure(context: Context) -> Iterator[Curve]:
    """Yield all curves."""
    with quiet():
        for part in CURVES.values():
            yield from part()


def _curve(name: str, unit: str, batches: Mapping[float, Batch], **shape: Any) -> Curve:
    times: dict[float, Times] = {}
    for _ in range(TRIES):
        found = race(
            {str(x): batch for x, batch in batches.items()},
            seconds=3.0,
            batch_s=BATCH_S,
            most_rounds=ROUNDS,
            by="wall" if shape.get("shape") == "shown" else "processor",
        ).times
        for x in batches:
            times[x] = min(times.get(x, found[str(x)]), found[str(x)], key=lambda each: each.least)
        curve = Curve(name, unit, list(batches), list(times.values()), **shape)
        if curve.as_it_should:
            break
    return curve


def _each(function: Callable[..., object], values: Mapping[Any, Any], *more: object) -> dict[float, Batch]:
    """Return the batches of a function on each value."""
    return {x: batches_of(partial(function, value, *more)) for x, value in values.items()}


def text_length() -> Iterator[Curve]:
    """Yield the frontend up to the cut and from it on, and a whole prediction."""
    with Recognizer.open("text") as opened:
        recognizer: Any = opened
        encode: Callable[[str], Any] = recognizer.frontend.encode
        cut = next(n for n in range(1, 2000) if encode((SENTENCE * 30)[:n]).truncated)
        texts = {
            n: (SENTENCE * (n // len(SENTENCE) + 1))[:n] for n in (cut * k // 16 for k in (1, 2, 4, 8, 16))
        }
        yield _curve(
            "text frontend, up to what is read",
            "character",
            _each(encode, texts),
        )
        longer = {n: (SENTENCE * (n // len(SENTENCE) + 1))[:n] for n in (cut, 500, 2_000, 10_000, 1_000_000)}
        yield _curve(
            "text frontend, beyond",
            "characters",
            _each(encode, longer),
            shape="flat",
            flat_from=cut,
        )
        every = {n: text for n, text in (texts | longer).items() if n <= 10_000}
        yield _curve(
            "text, whole prediction",
            "characters",
            _each(recognizer.predict, every),
            shape="flat",
        )


def sound(seconds: float) -> Any:
    """Return made-up voice, int16."""
    t = np.arange(round(seconds * RATE)) / RATE
    pulses = (np.sin(2 * np.pi * (120 * t + 3 * np.sin(5 * t))) > 0.9) * (1 + np.sin(6 * np.pi * t))
    return np.round(9000 * pulses + 90 * np.random.default_rng(0).standard_normal(t.size)).astype(np.int16)


def audio_length() -> Iterator[Curve]:
    """Yield the frontend by seconds, and a whole prediction by the spans that the model is asked about.

    The curve does not start at a single span. The same span again and again costs a third less than
    different spans, because the processor learns where its branches go.
    """
    clips = {s: sound(s) for s in (3, 6, 12, 24, 48, 96)}
    with Recognizer.open("voice") as opened:
        recognizer: Any = opened
        yield _curve(
            "voice frontend",
            "second",
            _each(recognizer.frontend.frames, {s: clips[s] for s in (3, 6, 12, 24, 48)}, RATE),
        )
        spans = {s: len(recognizer.frontend.compute(clips[s], RATE).features) for s in (6, 12, 24, 48, 96)}
        yield _curve(
            "voice, whole prediction of 6 to 96 s",
            "span",
            _each(recognizer.predict, {n: clips[s] for s, n in spans.items()}, RATE),
        )


def picture_size() -> Iterator[Curve]:
    """Yield a face's crop by its pixels, and finding faces by the frame's."""
    rng = np.random.default_rng(0)
    frontend = FaceFrontend(FaceSpec(width=64, height=64))
    squares = {s * s / 1e6: rng.integers(0, 255, (s, s, 3), np.uint8) for s in (256, 384, 512, 768, 1024)}
    yield _curve(
        "face frontend, n x n to 64 x 64",
        "megapixel",
        _each(frontend.compute, squares, "rgb"),
    )
    sizes = ((640, 360), (1280, 720), (1920, 1080), (2560, 1440))
    frames = {w * h / 1e6: rng.integers(0, 255, (h, w, 3), np.uint8) for w, h in sizes}
    with FaceDetector.open("face-detector") as detector:
        yield _curve(
            "letterbox of a frame",
            "megapixel",
            _each(detector.frontend.compute, frames, "rgb"),
        )
        yield _curve(
            "finding faces in a frame",
            "megapixel",
            _each(detector.detect, frames, "rgb"),
        )


def faces() -> Iterator[Curve]:
    """Yield what reading given faces costs."""
    frame = np.random.default_rng(0).integers(0, 255, (720, 1280, 3), np.uint8)
    boxes = [(x, y, x + 150, y + 150) for y in (10, 180, 350, 520) for x in (20, 300, 600, 900)]
    with Recognizer.open("face") as opened:
        recognizer: Any = opened
        yield _curve(
            "reading faces of a frame",
            "face",
            _each(
                lambda some: recognizer.predict_all(frame, "rgb", some),
                {n: boxes[:n] for n in (1, 2, 4, 8, 16)},
            ),
        )


def streams() -> Iterator[Curve]:
    """Yield what a second of sound costs, heard by several streams of one recognizer in turns."""
    chunks = np.split(sound(1.0), 20)
    with Recognizer.open("voice") as opened:
        recognizer: Any = opened

        def hear(n: int) -> Callable[[], None]:
            heard = [recognizer.stream(RATE) for _ in range(n)]
            clock = iter(range(0, 10**9, 50))

            def a_second() -> None:
                for chunk in chunks:
                    now = next(clock)
                    for stream in heard:
                        stream.push(chunk, now)

            return a_second

        yield _curve("streams, a second each", "stream", {n: batches_of(hear(n)) for n in (1, 2, 4, 8, 16)})


def threads() -> Iterator[Curve]:
    """Yield a hundred texts a thread, each with a recognizer of its own; and threads within a model."""
    most = cores()
    counts = sorted({1, 2, most, 2 * most})
    recognizers: list[Any] = [Recognizer.open("text") for _ in counts for _ in range(counts[-1])][
        : counts[-1]
    ]

    def work(recognizer: Any) -> None:
        for _ in range(100):
            recognizer.predict(SENTENCE)

    with ThreadPoolExecutor(counts[-1]) as pool:

        def run(some: Sequence[Any]) -> None:
            list(pool.map(work, some))

        yield _curve(
            "a hundred texts a thread",
            "threads",
            {n: batches_of(partial(run, recognizers[:n])) for n in counts},
            shape="shown",
        )
    for recognizer in recognizers:
        recognizer.close()
    frame = np.random.default_rng(0).integers(0, 255, (720, 1280, 3), np.uint8)
    opened = {n: FaceDetector.open("face-detector", threads=n) for n in sorted({1, 2, most})}
    yield _curve(
        "finding faces with threads in the model",
        "threads",
        {n: batches_of(partial(detector.detect, frame, "rgb")) for n, detector in opened.items()},
        shape="shown",
    )
    for detector in opened.values():
        detector.close()


CURVES: dict[str, Callable[[], Iterator[Curve]]] = {
    "text length": text_length,
    "audio length": audio_length,
    "picture size": picture_size,
    "number of faces": faces,
    "number of streams": streams,
    "threads": threads,
}
