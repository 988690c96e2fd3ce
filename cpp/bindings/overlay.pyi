"""Types and docstrings that the bindings cannot express in C++: see cpp/tools/make_stubs.py."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeemo.types import EmotionResult

Color: TypeAlias = Literal["rgb", "bgr", "rgba", "gray", "yuyv", "nv12"]
BoxLike: TypeAlias = Sequence[float] | NDArray[np.floating[Any]]
EyesLike: TypeAlias = Sequence[Sequence[float]] | NDArray[np.floating[Any]]
TEXT_FRONTEND_VERSION: int
"Goes up when the same TextSpec gives other ids."
VOICE_FRONTEND_VERSION: int
"Goes up when the same VoiceSpec gives other numbers."
FACE_FRONTEND_VERSION: int
"Goes up when the same FaceSpec gives other numbers."
CARD_SCHEMA: int
"""The newest schema of a card that this release reads, and the one that it writes."""
RESULT_SCHEMA: int
"""The form of a result; it grows when a field changes its meaning."""
__version__: str
"""The version in pyproject.toml when the module was built."""
UNICODE_VERSION: str
'The Unicode version of the "nfkc" tables.'

class TextSpec:
    @property
    def output(self) -> tuple[tuple[int], str]: ...
    @property
    def normalization(self) -> Literal["nfkc", "bert"]: ...
    @property
    def unknown(self) -> Literal["character", "word"]: ...
    @property
    def length(self) -> int:
        """Ids per text, 1 to 4096 (at least 3 with special_tokens)."""

class Encoding:
    @property
    def n_understood(self) -> int:
        """Words, among n_words, that are cut entirely into known pieces.

        A longer word cut entirely into single characters is not understood. A word that crosses the cut is
        judged by the pieces before it.
        """

class TextFrontend:
    def __init__(self, spec: TextSpec, vocab: Sequence[str]) -> None:
        """Prepare a vocabulary.

        Args:
            spec: how text becomes ids.
            vocab: pieces in the order of their ids; ``##`` marks continuation. Needs [PAD] and [UNK], with
                special_tokens also [CLS] and [SEP]. At most 1,000,000 pieces of 1,024 bytes.

        Raises:
            SpecError: the vocabulary is unusable; the message says which piece.
            InputTypeError: it is not a sequence of str.
        """

    @property
    def spec(self) -> TextSpec:
        """The spec it was built from."""

    def compute(self, text: str | bytes) -> NDArray[np.int32]: ...
    def compute_batch(self, texts: Sequence[str | bytes]) -> NDArray[np.int32]: ...
    def encode(self, text: str | bytes) -> Encoding: ...
    def encode_batch(self, texts: Sequence[str | bytes]) -> list[Encoding]: ...
    def normalize(self, text: str | bytes) -> str: ...
    def words(self, text: str | bytes) -> list[str]: ...

class VoiceSpec:
    """How PCM becomes features: a read-only value.

    A *sample* is one PCM number. A *window* is the samples under one FFT. A *frame* is one mel column: frame
    k is made of samples k * hop … k * hop + window - 1. A *span* is the frames that a model sees at once.

    Raises:
        SpecError: an unknown key, a wrong type or a value out of range.
    """

    @property
    def sample_scale(self) -> float:
        """Multiplies samples in ±1, 1e-6 to 1e6; kaldi's is 32768."""

    @property
    def preemphasis(self) -> float:
        """x[i] - a x[i - 1] inside each window, x[0] - a x[0] at its start: 0 (off) to 0.9999."""

    @property
    def window_shape(self) -> Literal["hann", "povey", "hamming"]:
        """``hann`` is periodic as librosa's; ``povey`` and ``hamming`` are symmetric as kaldi's."""

    @property
    def mels(self) -> int:
        """Mel bands, 1 to 256. One so narrow that no FFT bin lies inside has power 0."""

    @property
    def mel_scale(self) -> Literal["htk", "slaney", "kaldi"]:
        """``kaldi`` is HTK's scale with triangles straight in mel; the others are straight in Hz."""

    @property
    def mel_norm(self) -> Literal["none", "area"]: ...
    @property
    def compression(self) -> Literal["log", "pcen"]: ...
    @property
    def pcen_time_s(self) -> float:
        """PCEN's time constant in seconds, 0.001 to 60; its smoother starts at 1."""

    @property
    def range_db(self) -> float:
        """Decibels below the highest logarithm of a span: lower ones are raised to that level.

        This comes before normalisation. 0 (off) to 300; without meaning for PCEN.
        """

    @property
    def normalization(self) -> Literal["none", "level", "mean", "mean_std"]:
        """The mean that is subtracted, taken over the real frames of a span.

        ``level``: one mean. ``mean``: that of each bin. ``mean_std``: that of each bin, then divided by one
        standard deviation of the span (at least 1e-5).
        """

    @property
    def output(self) -> tuple[tuple[int, int], str]: ...

class Spans:
    """The frames that a model sees, span after span; ``len`` counts the spans."""

class VoiceStream:
    def push(self, chunk: NDArray[np.int16] | NDArray[np.float32]) -> Spans:
        """The spans that became whole with this chunk; an empty chunk gives none.

        Args:
            chunk: as the pcm of `VoiceFrontend.compute`, with the channels of this stream.

        Raises:
            InputTypeError, InputError: as `VoiceFrontend.compute` does; also for another number of channels
                and after flush. Then the stream has not changed.
        """

class VoiceFrontend:
    @property
    def spec(self) -> VoiceSpec:
        """The spec it was built from."""

    def frames(self, pcm: NDArray[np.int16] | NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
        """The frames of a clip before normalisation: float32 (n, mels); n is 0 for less than a window.

        Args and errors are those of compute.
        """

    def compute(self, pcm: NDArray[np.int16] | NDArray[np.float32], rate_hz: int) -> Spans:
        """The spans of a clip.

        Whole spans start at 0, hop_frames, 2 hop_frames and so on. When these leave frames out, one more span
        follows: the last min(n, span_frames) frames. A clip without a frame has no span.

        Args:
            pcm: contiguous, (samples,) or (samples, channels), at most 32 channels.
            rate_hz: of the samples, 8000 to 192000.

        Raises:
            InputTypeError: another type or dtype, or an array with gaps.
            InputError: NaN, infinities, values beyond ±8, another shape, rate or number of channels.
        """

    def stream(self, rate_hz: int, channels: int = 1) -> VoiceStream:
        """A fresh stream.

        Raises:
            InputError: a rate or a number of channels out of range.
        """

class FaceSpec:
    """How a face in a picture becomes a tensor: a read-only value.

    The *crop* is what the model sees: a rectangle of its shape in the picture, possibly turned.

    Raises:
        SpecError: an unknown key, a wrong type or a value out of range.
    """

    @property
    def channels(self) -> Literal["gray", "rgb"]: ...
    @property
    def border(self) -> Literal["replicate", "black"]: ...
    @property
    def eye_distance(self) -> float:
        """Distance of the eyes over the crop's width, 0.05 to 1; they lie level and centred."""

    @property
    def normalization(self) -> Literal["none", "mean_std"]:
        """``none``: [0, 1]. ``mean_std``: (value - mean) / standard deviation of the crop.

        The deviation is at least 2 of 255. ``mean_std`` takes the strength of the light away.
        """

    @property
    def output(self) -> tuple[tuple[int, int, int], str]: ...

class Alignment:
    def to_picture(self, x: float, y: float) -> tuple[float, float]: ...
    def to_crop(self, x: float, y: float) -> tuple[float, float]: ...

class FaceFrontend:
    @property
    def spec(self) -> FaceSpec:
        """The spec it was built from."""

    def align(self, box: BoxLike | None = None, eyes: EyesLike | None = None) -> Alignment:
        """The crop for a box, for eyes, or for both.

        The crop of a box is the smallest that holds the box, scaled by box_scale. The crop of eyes puts them
        where the spec wants them. The crop of both is the crop of the box, turned as the eyes are.

        Args:
            box: (x0, y0, x1, y1) in pixels, at least one wide and high.
            eyes: ((x, y), (x, y)) in pixels, the one farther left first, at least one apart.

        Raises:
            InputError: neither is given, or one has NaN, is inverted, too small or a million pixels away.
            InputTypeError: not numbers, or not as many.
        """

    def compute(
        self,
        image: NDArray[np.uint8],
        color: Color,
        box: BoxLike | None = None,
        eyes: EyesLike | None = None,
        *,
        crop: Alignment | None = None,
    ) -> NDArray[np.float32]:
        """The tensor of a place in a picture: of a box, eyes, both or a crop, else of the whole picture.

        Args:
            image: ``rgb`` or ``bgr`` (h, w, 3), ``rgba`` (h, w, 4; the alpha is ignored), or ``gray`` (h, w)
                or (h, w, 1). Or ``yuyv`` (h, w, 2; even width), or ``nv12`` (3 h / 2, w; even sides). Sides
                are 1 to 32768. YUV is BT.601 of limited range.
            color: the order of the bytes. A wrong one cannot be seen from outside.
            box, eyes: as of align.
            crop: in their stead, an Alignment of the caller's own.

        Returns:
            float32 (height, width, 1 or 3).

        Raises:
            InputTypeError: another dtype (floats, too) or no array.
            InputError: another shape or color, an empty picture, a crop wholly outside it, and as align does.
        """

    def compute_int8(
        self,
        image: NDArray[np.uint8],
        color: Color,
        scale: float,
        zero_point: int,
        box: BoxLike | None = None,
        eyes: EyesLike | None = None,
        *,
        crop: Alignment | None = None,
    ) -> NDArray[np.int8]:
        """``quantize(compute(...), scale, zero_point)`` in one pass: int8 (height, width, 1 or 3).

        Raises:
            As compute and quantize do.
        """

    def given(self, box: BoxLike) -> Face: ...

class Face:
    def __init__(self, box: BoxLike, eyes: EyesLike, score: float = 1.0) -> None: ...
    @property
    def box(self) -> tuple[float, float, float, float]: ...
    @property
    def eyes(self) -> tuple[tuple[float, float], tuple[float, float]]: ...

def face_in_front(faces: Sequence[Face]) -> Face | None:
    """The face that a picture is of: the largest area times score, the first of equals; None of none.

    Raises:
        InputTypeError: not a sequence of Face.
    """

class DetectorSpec:
    """The grids of a detector and how its heads become faces: a read-only value.

    Over the input (a crop of width x height pixels) lie grids of cells, with strides from least_stride,
    doubled, to most_stride. Heads speak of all cells: grid after grid, row after row.

    Raises:
        SpecError: an unknown key, a wrong type or a value out of range.
    """

    @property
    def merge(self) -> Literal["best", "mean"]: ...

class FaceDecoder:
    @property
    def spec(self) -> DetectorSpec:
        """The spec it was built from."""

    def decode(
        self,
        logits: NDArray[np.float32],
        boxes: NDArray[np.float32],
        eyes: NDArray[np.float32],
        crop: Alignment,
    ) -> list[Face]:
        """Faces by falling score, at most most_faces, moved from the crop into the picture.

        The decoder takes the 512 best cells. The best cell and all cells whose boxes overlap with its box
        make one face; the decoder repeats this with the cells that remain.

        Args:
            logits: (cells,): a face has its middle in this cell.
            boxes: (cells, 4) dx, dy, w, h. The middle is (column + 0.5 + dx, row + 0.5 + dy) strides from the
                corner. The box is e^w strides wide and e^h high (w and h within -4 to 8).
            eyes: (cells, 4) x, y of the left, x, y of the right eye, from the middle, in sides of the box.
            crop: where the detector's input lies in the picture.

        Raises:
            InputTypeError: not float32, or no Alignment.
            InputError: another shape, or NaN.
        """

class TrackerSpec:
    @property
    def least_overlap(self) -> float:
        """Intersection over union with the expected box from which a face may be the same, 0 to 1; or"""

    @property
    def most_distance(self) -> float:
        """Distance of the middles over the mean side up to which it may, 0 to 10."""

    @property
    def most_gap_ms(self) -> int:
        """A track that frames have missed for longer ends, 0 to 60000. Between two frames 5000 may pass."""

def quantize(x: NDArray[np.float32], scale: float, zero_point: int) -> NDArray[np.int8]: ...
def dequantize(q: NDArray[np.int8], scale: float, zero_point: int) -> NDArray[np.float32]:
    """(q - zero_point) * scale in float32.

    Args:
        q: contiguous, any shape.
        scale: finite and > 0 as float32.
        zero_point: -128 to 127.

    Returns:
        float32 of the same shape.

    Raises:
        InputError: a bad scale or zero point.
        InputTypeError: another dtype, or not contiguous.
    """

class FaceFollower:
    """The faces of one camera or video over time: a `Track` and smoothed numbers for each.

    Threads that share one by mistake wait for each other.
    """

    def __init__(self, size: int, smooth_ms: float, tracker: TrackerSpec) -> None:
        """Rows of ``size`` numbers; ``smooth_ms`` 0 to 60000.

        Raises:
            SpecError: out of range.
        """

    @property
    def size(self) -> int:
        """Numbers a row."""

    def update(
        self, faces: Sequence[Face], rows: NDArray[np.float32], t_ms: int
    ) -> list[tuple[Track, NDArray[np.float32], float]]:
        """Take the faces of a frame; return (track, mean row, mean evidence) of each confirmed track, by id.

        A face weighs its score, 0 to 1. One that is hidden keeps its mean, its evidence falls, and its
        ``track.face`` is where it is expected, with score 0.

        Args:
            faces: of one frame, in any order.
            rows: ``(len(faces), size)``, contiguous.
            t_ms: its time on the caller's clock.

        Raises:
            InputTypeError: not a sequence of Face, no float32 array, or no int.
            InputError: another shape, numbers that are not finite, a time before the last one, or a box with
                NaN or without area. The follower has not changed then.
        """

    def __len__(self) -> int:
        """Tracks there are, confirmed or not."""

def probe_gpu(
    flatbuffer: bytes,
    *,
    library: str | bytes = "",
    threads: int = 1,
    delegate_options: str = "",
    goldens: Callable[[], Sequence[bytes]] | None = None,
) -> tuple[bool, float, str]: ...
def read_delegate_options(lines: str) -> tuple[str, int, float, str]:
    """Read lines ``key = value``: probe_records, probe_timeout_ms, probe_most_ratio, all other lines.

    Raises:
        InputError: a line is none, or one of ours is unknown or out of range.
    """

def record_key(folder: str | bytes, model_sha256: str, threads: int, options: str) -> str: ...
def drivers_at(place: str | bytes) -> bytes: ...
def recall(folder: str, key: str) -> tuple[tuple[bool, float, str] | None, bool]: ...
def try_in_child(
    command: Sequence[str | bytes], request: bytes, timeout_ms: int, begins: str
) -> tuple[tuple[bool, float, str], bool]:
    """Run a program on a request as ``edgeemo-probe`` is run.

    Returns:
        The verdict (usable, ratio, reason), and whether it is a word on the delegate, which comes into play
        when the program says ``"at " + begins``.
    """

class Opening:
    """While entered, a delegate is being loaded into this process; if that dies, `recall` says so."""

    def __exit__(self, *args: object) -> None: ...

def difference(cpu: LoadedModel, other: LoadedModel, goldens: Sequence[bytes]) -> str: ...
def golden_signal(name: str) -> NDArray[np.int16]: ...
def golden_drawing(name: str) -> NDArray[np.uint8]: ...

class LoadedModel:
    def __init__(
        self,
        flatbuffer: bytes,
        *,
        library: str | bytes = "",
        threads: int = 1,
        delegate: str = "cpu",
        delegate_options: str = "",
        goldens: Callable[[], Sequence[bytes]] | None = None,
    ) -> None: ...
    @staticmethod
    def of_backend(backend: object) -> LoadedModel: ...
    def invoke(self, *arrays: NDArray[Any]) -> list[NDArray[Any]]: ...
    def run(self, *arrays: NDArray[Any]) -> dict[str, NDArray[np.float32]]: ...
    @property
    def inputs(self) -> list[tuple[str, tuple[int, ...], np.dtype[Any], float, int]]: ...
    @property
    def outputs(self) -> list[tuple[str, tuple[int, ...], np.dtype[Any], float, int]]:
        """The outputs, as `inputs` describes the inputs."""

class FaceDetector:
    def __init__(self, card: str | bytes, model: LoadedModel) -> None: ...
    def detect(self, image: NDArray[np.uint8], color: Color = "rgb") -> list[Face]: ...
    def stage_times(self) -> dict[str, int]: ...

class VoiceListener:
    def push(self, chunk: NDArray[np.int16] | NDArray[np.float32], t_ms: int) -> list[EmotionResult]: ...
    def flush(self) -> list[EmotionResult]: ...
    def mute(self, start_ms: int, end_ms: int) -> None: ...
    def summary(self) -> EmotionResult: ...

class FaceWatcher:
    def push(self, frame: NDArray[np.uint8], t_ms: int, color: Color = "rgb") -> list[EmotionResult]: ...

class Recognizer:
    def __init__(
        self,
        card: str | bytes,
        assets: dict[str, bytes],
        model: LoadedModel,
        result: type[EmotionResult],
        constants: dict[str, Any],
    ) -> None: ...
    def predict_text(self, text: str | bytes) -> EmotionResult:
        """Read one text.

        Raises:
            InputTypeError: the text is neither str nor bytes.
            InferenceError: the model failed, or its numbers are not finite.
        """

    def predict_pcm(self, pcm: NDArray[np.int16] | NDArray[np.float32], rate_hz: int) -> EmotionResult:
        """Read a clip: the mean over its spans, each weighted by its evidence and its length.

        Raises:
            InputTypeError, InputError: as `VoiceFrontend.compute`.
            InferenceError: the model failed, or its numbers are not finite.
        """

    def timeline(self, pcm: NDArray[np.int16] | NDArray[np.float32], rate_hz: int) -> list[EmotionResult]: ...
    def utterances(
        self, pcm: NDArray[np.int16] | NDArray[np.float32], rate_hz: int, spec: VoiceStreamSpec
    ) -> list[EmotionResult]: ...
    def predict_front(self, image: NDArray[np.uint8], color: Color) -> EmotionResult:
        """Find the face in front and read the face; `nobody` where there is none."""

    def predict_faces(
        self, image: NDArray[np.uint8], color: Color, given: Sequence[Face] | None = None
    ) -> list[EmotionResult]:
        """Read each face that the finder finds, or each of `given`."""

    def given_face(self, box: BoxLike) -> Face: ...
    def nobody(self) -> EmotionResult: ...
    def listen(
        self, rate_hz: int, channels: int, results: Iterable[str], source: str | None, spec: VoiceStreamSpec
    ) -> VoiceListener:
        """A new stream of one voice; `source` is its name or None.

        Raises:
            InputError: the rate is not 8000 to 192000 Hz, or there are no channels or more than 32. Or
                `results` has an unknown name.
        """

    def watch(self, smooth_ms: float, tracker: TrackerSpec, source: str | None) -> FaceWatcher:
        """A new stream of one camera; `source` is its name or None.

        Raises:
            SpecError: `smooth_ms` is not 0 to 60000.
        """

    def set_finder(self, detector: object) -> None: ...
    def stage_times(self) -> dict[str, int]: ...

def vocabulary(assets: dict[str, bytes]) -> list[str]: ...
def golden_inputs(card: str | bytes, assets: dict[str, bytes]) -> list[bytes]: ...
def read_bundle(data: bytes, name: str | bytes) -> tuple[int, bytes, dict[str, bytes]]: ...
def check_card(card: str | bytes) -> None: ...
