"""The inputs whose answers `tests/bundles` keeps: texts, clips, pictures and a video.

The first functions read the folder ``shared/data``. The functions after them make their inputs with integers
alone, so that every machine makes the same. Which files are read follows from their sorted names.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Samples = npt.NDArray[Any]

BRIGHTER = ("afr", "amh", "deu", "eng", "esp", "hin", "ptbr", "rus", "swa", "yor")
MOST_SAMPLES = 64_000  # 4 s at 16 kHz
WIDTH, HEIGHT = 240, 240  # of the video


class Clip(NamedTuple):
    """Samples of shape (samples,) or (samples, channels), and their rate in Hz."""

    pcm: Samples
    rate_hz: int


class Picture(NamedTuple):
    """A picture, the order of its colours, and the boxes to read (None: the detector finds them)."""

    pixels: Pixels
    color: str
    boxes: tuple[tuple[float, float, float, float], ...] | None = None


class Frame(NamedTuple):
    """A frame of a video, and when it was taken, in milliseconds."""

    pixels: Pixels
    t_ms: int


def spread(found: list[Any], n: int) -> list[Any]:
    """Return ``n`` items at equal distances, from the first on."""
    return [found[i * len(found) // n] for i in range(n)]


# --- inputs from shared/data ---


def texts(data: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of 2,100 texts: short and long ones, in many languages and scripts."""
    wanted = {"goemotions/dev.tsv.gz": (0, 900), "xed/neu_en.txt.gz": (1, 250), "xed/neu_fi.txt.gz": (1, 100)}
    wanted |= {"clue_emotion_zh/valid.tsv.gz": (1, 100), "goemotions_ko/dev.tsv.gz": (0, 100)}
    for name, (column, n) in wanted.items():
        for i, line in enumerate(spread(_lines(data / "text" / name), n)):
            yield f"{name} {i}", line.split("\t")[column]
    for language in BRIGHTER:
        name = f"brighter/track_a/dev/{language}.csv.gz"
        for i, line in enumerate(spread(_lines(data / "text" / name)[1:], 45)):
            yield f"{name} {i}", line.split(",", 1)[1]
    for i, line in enumerate(spread(_lines(data / "text/imdb/test_even.jsonl.gz"), 200)):
        yield f"imdb {i}", json.loads(line)["text"]


def _lines(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode("utf-8").rstrip("\n").split("\n")


def clips(data: Path) -> Iterator[tuple[str, Clip]]:
    """Yield the name and the samples of 200 clips: speech, bursts and noise, at most 4 s of each."""
    import soundfile

    wanted = {"ravdess": 45, "nemo": 45, "emodb": 30, "emodb_original": 20, "emogator": 25, "korean": 15}
    wanted |= {"speechocean": 10, "ambience": 10}
    for folder, n in wanted.items():
        base = data / "voice" / folder
        files = [path for path in base.rglob("*") if path.suffix in (".ogg", ".opus")]
        for path in spread(sorted(files), n):
            pcm, rate_hz = soundfile.read(path, frames=MOST_SAMPLES, dtype="int16")
            yield path.relative_to(data).as_posix(), Clip(pcm, rate_hz)


def few_clips(data: Path) -> Iterator[tuple[str, Clip]]:
    """Yield every fourth of `clips`."""
    yield from list(clips(data))[::4]


def pictures(data: Path) -> Iterator[tuple[str, Picture]]:
    """Yield the name and the pixels of 210 pictures: portraits, streets, scenes without faces, and crops."""
    for folder, n in {"photos": 60, "masks": 90, "no_face": 12}.items():
        for i, path in enumerate(spread(sorted((data / "face" / folder).iterdir()), n)):
            pixels = _decoded(path)
            color = ("rgb", "bgr")[i % 2]
            yield f"{folder}/{path.name}", Picture(pixels if color == "rgb" else pixels[..., ::-1], color)
    for path in spread(sorted((data / "face/ferplus").glob("*.webp")), 6):
        sheet = _decoded(path)
        for i in range(0, 1024, 128):
            x, y = i % 32 * 48, i // 32 * 48
            yield f"{path.name} {i}", Picture(sheet, "rgb", ((x, y, x + 48, y + 48),))


def video(data: Path) -> Iterator[tuple[str, Frame]]:
    """Yield the name, the pixels and the time of 90 frames: a window moves over photographs.

    Frames come at uneven times. Twice the camera is covered: once briefly, so that tracks go on, and once for
    longer, so that they end.
    """
    crowd = _decoded(data / "face/masks/maksssksksss524.jpg")
    portraits = [_decoded(path)[::2, ::2] for path in spread(sorted((data / "face/photos").iterdir()), 3)]
    t_ms = 1_000
    for i in range(90):
        still = [crowd, *portraits][i // 22 % 4]
        down, right = still.shape[0] - HEIGHT, still.shape[1] - WIDTH
        y, x = min(2 * (i % 22), down), min(7 * (i % 22), right)
        frame = still[y : y + HEIGHT, x : x + WIDTH]
        covered = i in (8, 9, *range(50, 62))
        yield f"frame {i}", Frame(np.zeros_like(frame) if covered else frame, t_ms)
        t_ms += (33, 40, 67, 90)[i % 4]


def _decoded(path: Path) -> Pixels:
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


# --- inputs made of integers ---


def own_texts() -> Iterator[tuple[str, str]]:
    """Yield sentences of many kinds, and what is hardly a sentence."""
    sentences = [
        "What a wonderful surprise, thank you so much!",
        "I miss her every single day.",
        "How dare you talk to me like that?",
        "Please don't leave me alone in the dark.",
        "The meeting is on Tuesday at ten.",
        "Wait, you can do that? I had no idea!",
        "I am so proud of you, and a little afraid.",
        "That smell makes me sick.",
        "SOOOO HAPPY!!! 😀😀",
        "Qué alegría verte, ¡por fin!",
        "Das ist doch nicht dein Ernst.",
        "なんて素敵な日だろう",
        "Ça m’est égal",
        "cafe\u0301 ﬁne Ⅷ ½",
        "x",
        "😀",
        "",
        " \t\n",
        "qwrtzpsdfg hjklxcvbnm",
        "I was happy, then I was sad. " * 30,
    ]
    yield from ((f"sentence {i}", sentence) for i, sentence in enumerate(sentences))


def own_clips() -> Iterator[tuple[str, Clip]]:
    """Yield hums, noise, silence and clicks at several rates, as int16 and float32, mono and stereo."""
    for i, rate_hz in enumerate((8_000, 11_025, 16_000, 22_050, 44_100, 48_000)):
        n = 2 * rate_hz + 137 * i
        hum, noise = _hum(n, rate_hz, 110 + 30 * i), _noise(n)
        yield f"hum at {rate_hz}", Clip(hum, rate_hz)
        yield f"noise at {rate_hz}", Clip(noise // 8, rate_hz)
        both = np.stack([hum, noise // 16], axis=1)
        yield f"both at {rate_hz}", Clip(both, rate_hz)
        yield f"both at {rate_hz}, float32", Clip(both.astype(np.float32) / np.float32(32768), rate_hz)
    yield "silence", Clip(np.zeros(16_000, np.int16), 16_000)
    for n in (0, 1, 399, 400, 401, 41_039, 41_040, 41_041):
        yield f"{n} samples", Clip(_hum(n, 16_000, 200), 16_000)
    long = _hum(31 * 16_000, 16_000, 180)  # longer than the 30 s that are read at once
    long[10 * 16_000 : 25 * 16_000] = 0
    yield "31 s with a pause", Clip(long, 16_000)


def _noise(n: int, seed: int = 1) -> Samples:
    """Return n int16 of a linear congruential generator (constants of Numerical Recipes)."""
    state, found = seed, np.empty(n, np.int16)
    for i in range(n):
        state = (1_664_525 * state + 1_013_904_223) & 0xFFFFFFFF
        found[i] = (state >> 16) - 32_768
    return found


def _hum(n: int, rate_hz: int, pitch_hz: int) -> Samples:
    """Return a triangle wave that swells and fades five times a second, like syllables."""
    at = np.arange(n, dtype=np.int64)
    phase = at * pitch_hz * 4_000 // rate_hz % 4_000
    swell = at * 5 * 2_000 // rate_hz % 2_000
    return ((np.abs(phase - 2_000) - 1_000) * np.abs(swell - 1_000) // 80).astype(np.int16)


def own_pictures() -> Iterator[tuple[str, Picture]]:
    """Yield drawn faces in every order of colours, read where the detector finds them and by boxes."""
    for mood in range(4):
        two = drawn((90, 110, 60, mood), (230, 120, 45, 3 - mood))
        gray = two[..., 1].copy()
        yield f"two faces {mood}, rgb", Picture(two, "rgb")
        yield f"two faces {mood}, bgr", Picture(two[..., ::-1], "bgr")
        yield f"two faces {mood}, gray", Picture(gray, "gray")
        alpha = np.dstack([two, np.full_like(gray, 7)])
        yield f"two faces {mood}, rgba", Picture(alpha, "rgba")
        chroma = np.full_like(gray, 128)
        yield f"two faces {mood}, yuyv", Picture(np.dstack([gray, chroma]), "yuyv")
        yield f"two faces {mood}, nv12", Picture(np.vstack([gray, chroma[: len(gray) // 2]]), "nv12")
        boxes = ((35.25, 50.0, 145.5, 170.75), (180.0, 70.5, 280.0, 175.0), (-9.0, 40.0, 90.0, 260.0))
        yield f"two faces {mood}, boxes", Picture(two, "rgb", boxes)
    yield "one pixel", Picture(np.full((1, 1, 3), 77, np.uint8), "rgb")
    yield "blank", Picture(np.full((90, 120, 3), 128, np.uint8), "rgb")


def own_video() -> Iterator[tuple[str, Frame]]:
    """Yield 40 frames of two drawn faces that move; each is hidden for a while."""
    t_ms = 0
    for i in range(40):
        faces = ((70 + 2 * i, 110, 55, i // 10), (260 - i, 130 - i // 2, 42, 3 - i // 10))
        seen = [face for k, face in enumerate(faces) if i // (9 - 4 * k) % 4 != k + 1]
        yield f"frame {i}", Frame(drawn(*seen), t_ms)
        t_ms += (33, 0, 67, 180)[i % 4]


def drawn(*faces: tuple[int, int, int, int], width: int = 320, height: int = 240) -> Pixels:
    """Draw faces given as (x, y, radius, mood from 0 to 3) on a gray slope, as RGB of shape (h, w, 3)."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    canvas: Pixels = (60 + (x + y) // 8).astype(np.uint8)[..., None].repeat(3, axis=2)
    for middle_x, middle_y, radius, mood in faces:
        u, v = (x - middle_x) * 100 // radius, (y - middle_y) * 100 // radius
        head = u * u * 16 + v * v * 9 <= 90_000
        canvas[head] = np.stack([200 - np.abs(u) // 2, 160 - np.abs(u) // 2, 130 - np.abs(u) // 2], 2)[head]
        canvas[head & (v < -62)] = (50, 35, 25)
        for side in (-30, 30):
            canvas[(u - side) ** 2 + 3 * (v + 20) ** 2 <= 130] = (235, 235, 235)
            canvas[(u - side) ** 2 + (v + 20) ** 2 <= 40] = (30, 25, 25)
            canvas[(np.abs(u - side) <= 15) & (np.abs(v + 36 - (mood - 1) * 4) <= 3)] = (45, 30, 25)
        canvas[(np.abs(u) <= 6) & (v > -10) & (v <= 14)] = (165, 125, 100)
        bend = (u * u * (mood - 1)) // 160
        canvas[(np.abs(u) <= 30) & (np.abs(v - 48 + bend) <= 5 + 4 * (mood == 3))] = (140, 50, 50)
    return canvas
