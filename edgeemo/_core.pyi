# Written by cpp/tools/make_stubs.py from the bindings and cpp/bindings/overlay.pyi; do not edit.
"""Native engine of edgeemo. Use the names that edgeemo and its modules export."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from edgeemo.types import EmotionResult

Color: TypeAlias = Literal["rgb", "bgr", "rgba", "gray", "yuyv", "nv12"]
BoxLike: TypeAlias = Sequence[float] | NDArray[np.floating[Any]]
EyesLike: TypeAlias = Sequence[Sequence[float]] | NDArray[np.floating[Any]]

@final
class TextSpec:
    """How text becomes ids: a read-only value.

    Raises SpecError for an unknown key, a wrong type or a value out of range.
    """

    @staticmethod
    def from_dict(fields: dict[str, Any]) -> TextSpec:
        """The spec of a dict as to_dict makes it; absent keys have their defaults.
        Raises SpecError for an unknown key, a wrong type or a value out of range.
        """

    def __eq__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...
    def __init__(
        self,
        *,
        length: int = 48,
        lowercase: bool = True,
        normalization: Literal["nfkc", "bert"] = "nfkc",
        special_tokens: bool = False,
        strip_accents: bool = True,
        unknown: Literal["character", "word"] = "character",
    ) -> None: ...
    def __ne__(self, other: object) -> bool: ...
    def to_dict(self) -> dict[str, Any]:
        """All fields by name, sorted."""

    @property
    def digest(self) -> str:
        """16 hexadecimal digits; equal for equal specs."""

    @property
    def length(self) -> int:
        """Ids per text, 1 to 4096 (at least 3 with special_tokens)."""

    @property
    def lowercase(self) -> bool:
        """Fold case ('nfkc') or lower it ('bert')."""

    @property
    def normalization(self) -> Literal["nfkc", "bert"]:
        """'nfkc' or 'bert'."""

    @property
    def output(self) -> tuple[tuple[int], str]:
        """Shape and dtype of one result: ((length,), 'int32')."""

    @property
    def special_tokens(self) -> bool:
        """Put [CLS] before and [SEP] after the ids."""

    @property
    def strip_accents(self) -> bool:
        """Drop nonspacing marks after decomposition."""

    @property
    def unknown(self) -> Literal["character", "word"]:
        """The part of an unknown word that becomes [UNK]: one 'character' or the whole 'word'."""

@final
class VoiceSpec:
    """How PCM becomes features: a read-only value.

    A *sample* is one PCM number. A *window* is the samples under one FFT. A *frame* is one mel column: frame
    k is made of samples k * hop … k * hop + window - 1. A *span* is the frames that a model sees at once.

    Raises:
        SpecError: an unknown key, a wrong type or a value out of range.
    """

    @staticmethod
    def from_dict(fields: dict[str, Any]) -> VoiceSpec:
        """The spec of a dict as to_dict makes it; absent keys have their defaults.
        Raises SpecError for an unknown key, a wrong type or a value out of range.
        """

    def __eq__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...
    def __init__(
        self,
        *,
        compression: Literal["log", "pcen"] = "log",
        fft: int = 512,
        floor: float = 1e-10,
        gain: float = 1.0,
        high_hz: float = 8000.0,
        hop: int = 160,
        hop_frames: int = 50,
        low_hz: float = 20.0,
        mel_norm: Literal["none", "area"] = "none",
        mel_scale: Literal["htk", "slaney", "kaldi"] = "htk",
        mels: int = 64,
        normalization: Literal["none", "level", "mean", "mean_std"] = "level",
        pcen_bias: float = 2.0,
        pcen_eps: float = 1e-06,
        pcen_gain: float = 0.98,
        pcen_power: float = 0.5,
        pcen_time_s: float = 0.4,
        preemphasis: float = 0.97,
        range_db: float = 0.0,
        rate_hz: int = 16000,
        remove_dc: bool = True,
        sample_scale: float = 1.0,
        span_frames: int = 256,
        window: int = 400,
        window_shape: Literal["hann", "povey", "hamming"] = "hann",
    ) -> None: ...
    def __ne__(self, other: object) -> bool: ...
    def to_dict(self) -> dict[str, Any]:
        """All fields by name, sorted."""

    @property
    def compression(self) -> Literal["log", "pcen"]:
        """'log' (natural, of max(power, floor)) or 'pcen'."""

    @property
    def digest(self) -> str:
        """16 hexadecimal digits; equal for equal specs."""

    @property
    def fft(self) -> int:
        """Points of the FFT: a power of two, window to 4096."""

    @property
    def floor(self) -> float:
        """Least power under the logarithm, 1e-30 to 1."""

    @property
    def gain(self) -> float:
        """Multiplies what is normalised, 1e-6 to 1e6."""

    @property
    def high_hz(self) -> float:
        """Upper edge of the mel bands, at most rate_hz / 2."""

    @property
    def hop(self) -> int:
        """Samples from window to window, 1 to window."""

    @property
    def hop_frames(self) -> int:
        """Frames from span to span, 1 to span_frames."""

    @property
    def low_hz(self) -> float:
        """Lower edge of the mel bands, from 0."""

    @property
    def mel_norm(self) -> Literal["none", "area"]:
        """'none', or 'area': each triangle divided by half its width in Hz."""

    @property
    def mel_scale(self) -> Literal["htk", "slaney", "kaldi"]:
        """``kaldi`` is HTK's scale with triangles straight in mel; the others are straight in Hz."""

    @property
    def mels(self) -> int:
        """Mel bands, 1 to 256. One so narrow that no FFT bin lies inside has power 0."""

    @property
    def normalization(self) -> Literal["none", "level", "mean", "mean_std"]:
        """The mean that is subtracted, taken over the real frames of a span.

        ``level``: one mean. ``mean``: that of each bin. ``mean_std``: that of each bin, then divided by one
        standard deviation of the span (at least 1e-5).
        """

    @property
    def output(self) -> tuple[tuple[int, int], str]:
        """Shape and dtype of a span: ((span_frames, mels), 'float32')."""

    @property
    def pcen_bias(self) -> float:
        """PCEN's delta, 1e-6 to 1e6."""

    @property
    def pcen_eps(self) -> float:
        """PCEN's epsilon, 1e-30 to 1."""

    @property
    def pcen_gain(self) -> float:
        """PCEN's alpha, 0 to 1."""

    @property
    def pcen_power(self) -> float:
        """PCEN's r, 0.001 to 1."""

    @property
    def pcen_time_s(self) -> float:
        """PCEN's time constant in seconds, 0.001 to 60; its smoother starts at 1."""

    @property
    def preemphasis(self) -> float:
        """x[i] - a x[i - 1] inside each window, x[0] - a x[0] at its start: 0 (off) to 0.9999."""

    @property
    def range_db(self) -> float:
        """Decibels below the highest logarithm of a span: lower ones are raised to that level.

        This comes before normalisation. 0 (off) to 300; without meaning for PCEN.
        """

    @property
    def rate_hz(self) -> int:
        """Rate of the model, 8000 to 48000."""

    @property
    def remove_dc(self) -> bool:
        """Subtract the mean of each window."""

    @property
    def sample_scale(self) -> float:
        """Multiplies samples in ±1, 1e-6 to 1e6; kaldi's is 32768."""

    @property
    def span_frames(self) -> int:
        """Frames a model sees at once, 1 to 4096."""

    @property
    def window(self) -> int:
        """Samples under one FFT, 32 to 4096."""

    @property
    def window_shape(self) -> Literal["hann", "povey", "hamming"]:
        """``hann`` is periodic as librosa's; ``povey`` and ``hamming`` are symmetric as kaldi's."""

@final
class FaceSpec:
    """How a face in a picture becomes a tensor: a read-only value.

    The *crop* is what the model sees: a rectangle of its shape in the picture, possibly turned.

    Raises:
        SpecError: an unknown key, a wrong type or a value out of range.
    """

    @staticmethod
    def from_dict(fields: dict[str, Any]) -> FaceSpec:
        """The spec of a dict as to_dict makes it; absent keys have their defaults.
        Raises SpecError for an unknown key, a wrong type or a value out of range.
        """

    def __eq__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...
    def __init__(
        self,
        *,
        border: Literal["replicate", "black"] = "replicate",
        box_scale: float = 1.0,
        channels: Literal["gray", "rgb"] = "gray",
        eye_distance: float = 0.42,
        eye_y: float = 0.38,
        gain: float = 1.0,
        height: int = 64,
        normalization: Literal["none", "mean_std"] = "none",
        width: int = 64,
    ) -> None: ...
    def __ne__(self, other: object) -> bool: ...
    def to_dict(self) -> dict[str, Any]:
        """All fields by name, sorted."""

    @property
    def border(self) -> Literal["replicate", "black"]:
        """Beyond the picture: 'replicate' (its edge goes on) or 'black'."""

    @property
    def box_scale(self) -> float:
        """Side of the crop over that of the least one holding the box, 0.25 to 4."""

    @property
    def channels(self) -> Literal["gray", "rgb"]:
        """'gray' (BT.601 luma, not rounded) or 'rgb'."""

    @property
    def digest(self) -> str:
        """16 hexadecimal digits; equal for equal specs."""

    @property
    def eye_distance(self) -> float:
        """Distance of the eyes over the crop's width, 0.05 to 1; they lie level and centred."""

    @property
    def eye_y(self) -> float:
        """Height of the eyes from the top over the crop's height, 0 to 1."""

    @property
    def gain(self) -> float:
        """Multiplies what is normalised, 1e-6 to 1e6."""

    @property
    def height(self) -> int:
        """Pixels of the tensor, 8 to 512."""

    @property
    def normalization(self) -> Literal["none", "mean_std"]:
        """``none``: [0, 1]. ``mean_std``: (value - mean) / standard deviation of the crop.

        The deviation is at least 2 of 255. ``mean_std`` takes the strength of the light away.
        """

    @property
    def output(self) -> tuple[tuple[int, int, int], str]:
        """Shape and dtype of a tensor: ((height, width, 1 or 3), 'float32')."""

    @property
    def width(self) -> int:
        """Pixels of the tensor, 8 to 512."""

@final
class DetectorSpec:
    """The grids of a detector and how its heads become faces: a read-only value.

    Over the input (a crop of width x height pixels) lie grids of cells, with strides from least_stride,
    doubled, to most_stride. Heads speak of all cells: grid after grid, row after row.

    Raises:
        SpecError: an unknown key, a wrong type or a value out of range.
    """

    @staticmethod
    def from_dict(fields: dict[str, Any]) -> DetectorSpec:
        """The spec of a dict as to_dict makes it; absent keys have their defaults.
        Raises SpecError for an unknown key, a wrong type or a value out of range.
        """

    def __eq__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...
    def __init__(
        self,
        *,
        height: int = 128,
        least_score: float = 0.5,
        least_stride: int = 8,
        merge: Literal["best", "mean"] = "mean",
        most_faces: int = 64,
        most_stride: int = 16,
        overlap: float = 0.3,
        score_bias: float = 0.0,
        score_scale: float = 1.0,
        width: int = 128,
    ) -> None: ...
    def __ne__(self, other: object) -> bool: ...
    def to_dict(self) -> dict[str, Any]:
        """All fields by name, sorted."""

    @property
    def cells(self) -> int:
        """Cells of all grids: the heads speak of them."""

    @property
    def digest(self) -> str:
        """16 hexadecimal digits; equal for equal specs."""

    @property
    def height(self) -> int:
        """Pixels of the input, 32 to 512, a multiple of most_stride."""

    @property
    def least_score(self) -> float:
        """Below it nothing is a face, 0.001 to 0.999."""

    @property
    def least_stride(self) -> int:
        """Stride of the finest grid, a power of two, 4 to most_stride."""

    @property
    def merge(self) -> Literal["best", "mean"]:
        """One face is its 'best' box or the 'mean' of all, weighed by their scores."""

    @property
    def most_faces(self) -> int:
        """1 to 256; the best are kept."""

    @property
    def most_stride(self) -> int:
        """Stride of the coarsest grid, a power of two, to 64."""

    @property
    def overlap(self) -> float:
        """Intersection over union from which two boxes are one face, 0.05 to 0.95."""

    @property
    def score_bias(self) -> float:
        """A score is sigmoid(score_scale * logit + score_bias); -100 to 100."""

    @property
    def score_scale(self) -> float:
        """A score is sigmoid(score_scale * logit + score_bias); 1e-3 to 1e3."""

    @property
    def width(self) -> int:
        """Pixels of the input, 32 to 512, a multiple of most_stride."""

@final
class VoiceStreamSpec:
    """Where utterances begin and end: a read-only value.

    Raises SpecError for an unknown key, a wrong type or a value out of range.
    """

    @staticmethod
    def from_dict(fields: dict[str, Any]) -> VoiceStreamSpec:
        """The spec of a dict as to_dict makes it; absent keys have their defaults.
        Raises SpecError for an unknown key, a wrong type or a value out of range.
        """

    def __eq__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...
    def __init__(
        self,
        *,
        end: float = 0.4,
        hang_over_ms: int = 128,
        least_ms: int = 150,
        most_ms: int = 12000,
        onset: float = 0.0,
    ) -> None: ...
    def __ne__(self, other: object) -> bool: ...
    def to_dict(self) -> dict[str, Any]:
        """All fields by name, sorted."""

    @property
    def digest(self) -> str:
        """16 hexadecimal digits; equal for equal specs."""

    @property
    def end(self) -> float:
        """Probability below which a pause begins, 0.01 to 0.99; never above the onset."""

    @property
    def hang_over_ms(self) -> int:
        """The pause that ends an utterance, 64 to 2000 ms."""

    @property
    def least_ms(self) -> int:
        """Speech in an utterance, 0 to 2000 ms; the stream drops what is shorter."""

    @property
    def most_ms(self) -> int:
        """1000 to 60000 ms. Beyond half of it the shortest pause ends an utterance."""

    @property
    def onset(self) -> float:
        """Probability of speech that begins an utterance, 0.05 to 0.99; 0 is the card's threshold."""

@final
class TrackerSpec:
    """When a face is one seen before: a read-only value.

    Raises SpecError for an unknown key, a wrong type or a value out of range.
    """

    @staticmethod
    def from_dict(fields: dict[str, Any]) -> TrackerSpec:
        """The spec of a dict as to_dict makes it; absent keys have their defaults.
        Raises SpecError for an unknown key, a wrong type or a value out of range.
        """

    def __eq__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...
    def __init__(
        self,
        *,
        agility: float = 0.5,
        least_hits: int = 2,
        least_overlap: float = 0.2,
        most_distance: float = 0.6,
        most_gap_ms: int = 600,
        most_growth: float = 2.0,
    ) -> None: ...
    def __ne__(self, other: object) -> bool: ...
    def to_dict(self) -> dict[str, Any]:
        """All fields by name, sorted."""

    @property
    def agility(self) -> float:
        """Share of the newest motion in the velocity, 0 (none is kept) to 1."""

    @property
    def digest(self) -> str:
        """16 hexadecimal digits; equal for equal specs."""

    @property
    def least_hits(self) -> int:
        """Times a face is seen until it is confirmed, 1 to 100."""

    @property
    def least_overlap(self) -> float:
        """Intersection over union with the expected box from which a face may be the same, 0 to 1; or"""

    @property
    def most_distance(self) -> float:
        """Distance of the middles over the mean side up to which it may, 0 to 10."""

    @property
    def most_gap_ms(self) -> int:
        """A track that frames have missed for longer ends, 0 to 60000. Between two frames 5000 may pass."""

    @property
    def most_growth(self) -> float:
        """Ratio of the sides that is still the same face, 1 to 10."""

@final
class Encoding:
    """The ids of one text and what was seen of it up to the cut."""

    @property
    def ids(self) -> NDArray[np.int32]:
        """int32 (length,), padded."""

    @property
    def n_ids(self) -> int:
        """Ids without padding, 0 to length."""

    @property
    def n_understood(self) -> int:
        """Words, among n_words, that are cut entirely into known pieces.

        A longer word cut entirely into single characters is not understood. A word that crosses the cut is
        judged by the pieces before it.
        """

    @property
    def n_words(self) -> int:
        """Words with a piece before the cut; those made only of punctuation do not count."""

    @property
    def truncated(self) -> bool:
        """There was more text than length ids can hold."""

@final
class TextFrontend:
    """From text to ids: immutable, thread-safe, without the GIL while it works.

    vocab: pieces in the order of their ids; '##' marks continuation. It needs [PAD]
    and [UNK], with special_tokens [CLS] and [SEP]. At most 1,000,000 pieces of 1,024
    bytes. Raises SpecError when it is unusable.
    Texts are str or UTF-8 bytes; the frontend drops ill-formed bytes and lone surrogates.
    Anything else raises InputTypeError.
    """

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

    def compute(self, text: str | bytes) -> NDArray[np.int32]:
        """The ids of a text: int32 (length,), cut or padded with [PAD]."""

    def compute_batch(self, texts: Sequence[str | bytes]) -> NDArray[np.int32]:
        """The ids of a sequence of texts: int32 (n, length)."""

    def encode(self, text: str | bytes) -> Encoding:
        """The ids of a text and the counts of its words."""

    def encode_batch(self, texts: Sequence[str | bytes]) -> list[Encoding]:
        """encode() of each text of a sequence."""

    def normalize(self, text: str | bytes) -> str:
        """The whole text after normalisation: with 'bert' what BertNormalizer gives, with 'nfkc' the
        words with one blank between them. normalize(normalize(x)) == normalize(x) with 'nfkc'.
        """

    def words(self, text: str | bytes) -> list[str]:
        """The words of the whole text, as WordPiece gets them."""

    @property
    def spec(self) -> TextSpec:
        """The spec it was built from."""

    @property
    def vocab_size(self) -> int:
        """Number of pieces."""

@final
class Spans:
    """The frames that a model sees, span after span; ``len`` counts the spans."""

    def __len__(self) -> int: ...
    @property
    def features(self) -> NDArray[np.float32]:
        """float32 (n, span_frames, mels); frames beyond n_frames are 0."""

    @property
    def n_frames(self) -> NDArray[np.int32]:
        """int32 (n,): real frames in each, 1 to span_frames."""

    @property
    def start_frames(self) -> NDArray[np.int64]:
        """int64 (n,): first frame of each, from the start of the clip or stream."""

@final
class VoiceStream:
    """The state of one input; made by VoiceFrontend.stream.

    Any chunks, then flush, give the spans of the whole, bit for bit.
    """

    def flush(self) -> Spans:
        """The spans that the whole clip has beyond those so far. After flush, only reset is allowed."""

    def push(self, chunk: NDArray[np.int16] | NDArray[np.float32]) -> Spans:
        """The spans that became whole with this chunk; an empty chunk gives none.

        Args:
            chunk: as the pcm of `VoiceFrontend.compute`, with the channels of this stream.

        Raises:
            InputTypeError, InputError: as `VoiceFrontend.compute` does; also for another number of channels
                and after flush. Then the stream has not changed.
        """

    def reset(self) -> None:
        """Equals a fresh stream."""

    @property
    def channels(self) -> int:
        """Channels of the chunks."""

    @property
    def n_frames(self) -> int:
        """Frames so far."""

    @property
    def rate_hz(self) -> int:
        """Rate of the chunks."""

@final
class VoiceFrontend:
    """From PCM to log-mel spans: immutable, thread-safe, without the GIL while it works.

    pcm: contiguous int16 (divided by 32768) or float32 in ±1 (up to ±8 passes). The shape is
    (samples,) or (samples, channels); at most 32 channels are averaged.
    rate_hz: 8000 to 192000. Raises InputTypeError for another dtype, InputError for NaN,
    infinities, values beyond ±8, and other shapes, rates or channels.
    """

    def __init__(self, spec: VoiceSpec) -> None: ...
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

    def frames(self, pcm: NDArray[np.int16] | NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
        """The frames of a clip before normalisation: float32 (n, mels); n is 0 for less than a window.

        Args and errors are those of compute.
        """

    def stream(self, rate_hz: int, channels: int = 1) -> VoiceStream:
        """A fresh stream.

        Raises:
            InputError: a rate or a number of channels out of range.
        """

    @property
    def spec(self) -> VoiceSpec:
        """The spec it was built from."""

@final
class Alignment:
    """Where a crop lies in a picture: shift, turn and scale; a read-only value.

    Crop point (u, v) lies at `(x + a u - b v, y + b u + a v)` of the picture. Both are in pixels
    from their top left corners; the middle of a pixel is at half numbers.
    """

    def __eq__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...
    def __init__(self, *, a: float, b: float, x: float, y: float) -> None: ...
    def to_crop(self, x: float, y: float) -> tuple[float, float]:
        """The point of the crop at a point of the picture."""

    def to_picture(self, x: float, y: float) -> tuple[float, float]:
        """The point of the picture at a point of the crop."""

    @property
    def a(self) -> float:
        """Scale times cosine of the turn."""

    @property
    def b(self) -> float:
        """Scale times sine of the turn."""

    @property
    def scale(self) -> float:
        """Picture pixels a crop pixel."""

    @property
    def x(self) -> float:
        """Where the crop's top left corner lies."""

    @property
    def y(self) -> float:
        """Where the crop's top left corner lies."""

@final
class FaceFrontend:
    """From a picture and a place in it to a tensor: immutable, thread-safe, without the GIL.

    image: uint8 with strides of any size and sign, sides 1 to 32768. Its color is 'rgb' or 'bgr'
    (h, w, 3), 'rgba' (h, w, 4), or 'gray' (h, w) or (h, w, 1). YUV is 'yuyv' (h, w, 2) or 'nv12'
    (3 h / 2, w). The place is a box (x0, y0, x1, y1), eyes ((x, y), (x, y)), left and right in the
    picture, or both. Without a place the frontend takes the whole picture.
    """

    def __init__(self, spec: FaceSpec) -> None: ...
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

    def fitted(self, face: Face, over_box: float, down: float) -> Alignment:
        """The crop of a found face: its box, turned as the eyes are if they say how, then fitted.
        Raises InputError for a box that cannot be cut.
        """

    def given(self, box: BoxLike) -> Face:
        """The face of a box, certain; its eyes are where an upright face in this box would have them.
        Raises InputError for a box that cannot be cut.
        """

    @property
    def spec(self) -> FaceSpec:
        """The spec it was built from."""

@final
class Face:
    """A face that a detector found, in pixels of the picture; a read-only value."""

    def __eq__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...
    def __init__(self, box: BoxLike, eyes: EyesLike, score: float = 1.0) -> None: ...
    @property
    def box(self) -> tuple[float, float, float, float]:
        """(x0, y0, x1, y1)."""

    @property
    def eyes(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """((x, y), (x, y)), left and right in the picture."""

    @property
    def score(self) -> float:
        """Calibrated probability of a face, 0 to 1."""

@final
class FaceDecoder:
    """From the heads of a face detector to faces: immutable, thread-safe, without the GIL.

    The heads hold a logit, a box (dx, dy, w, h) and eyes (x, y, x, y) for each cell. The cells
    follow grid after grid, from least_stride on, and row after row. The middle of a box lies
    (column + 0.5 + dx, row + 0.5 + dy) strides from the corner. The box is e^w strides wide
    and e^h high. Eyes are measured from the middle, in sides of the box.
    """

    def __init__(self, spec: DetectorSpec) -> None: ...
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

    @property
    def spec(self) -> DetectorSpec:
        """The spec it was built from."""

@final
class Track:
    """One face over time, after a frame; a read-only value."""

    @property
    def confirmed(self) -> bool:
        """Found least_hits times."""

    @property
    def face(self) -> Face:
        """Where the face was last found, or is expected while hidden."""

    @property
    def first_ms(self) -> int:
        """When the face was first found."""

    @property
    def hits(self) -> int:
        """Frames that showed the face."""

    @property
    def id(self) -> int:
        """From 1, never given twice."""

    @property
    def seen_ms(self) -> int:
        """When the face was last found."""

@final
class FaceFollower:
    """The faces of one camera or video over time: a `Track` and smoothed numbers for each.

    Threads that share one by mistake wait for each other.
    """

    def __init__(self, size: int, smooth_ms: float, tracker: TrackerSpec) -> None:
        """Rows of ``size`` numbers; ``smooth_ms`` 0 to 60000.

        Raises:
            SpecError: out of range.
        """

    def __len__(self) -> int:
        """Tracks there are, confirmed or not."""

    def reset(self) -> None:
        """Make the follower equal a new one."""

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

    @property
    def size(self) -> int:
        """Numbers a row."""

@final
class LoadedModel:
    """A model that several users share; one of them runs it at a time, without the GIL.

    flatbuffer: a whole .tflite; its structure is checked first. library: path of libLiteRt.so,
    or '' for the usual places. threads: 1 to 64. delegate: 'auto', 'cpu' or 'gpu'.
    delegate_options: lines 'key = value'. goldens: a function that makes inputs, as bytes, to try a
    delegate with.
    Raises InputError (threads, delegate_options), BundleCorruptError (the model is not whole) or
    RuntimeUnavailableError (LiteRT is not usable). Raises InferenceError when LiteRT refuses the
    model, and DelegateError when the delegate is unknown or cannot be used.
    """

    @staticmethod
    def of_backend(backend: object) -> LoadedModel:
        """A model that a Backend of Python runs. Raises InferenceError for a tensor whose dtype is
        neither float32, int32 nor int8.
        """

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
    def check_usable(self) -> None:
        """Raises InferenceError after close(), and in a child that fork() made."""

    def close(self) -> None:
        """Release the model; further runs raise InferenceError."""

    def invoke(self, *arrays: NDArray[Any]) -> list[NDArray[Any]]:
        """Run once: an array for each input, of its shape and dtype; new arrays, one for each output.
        Raises InferenceError.
        """

    def run(self, *arrays: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        """Run once and return arrays by the names of the outputs. A float32 array for an int8 input is
        quantized by the one rule, and int8 outputs are dequantized to float32.
        Raises InputError (NaN that was to be quantized) and InferenceError.
        """

    @property
    def closed(self) -> bool:
        """Whether close() was called."""

    @property
    def delegate(self) -> str:
        """'cpu' or 'gpu'."""

    @property
    def inputs(self) -> list[tuple[str, tuple[int, ...], np.dtype[Any], float, int]]:
        """(name, shape, dtype, scale, zero_point) of each, sorted by name; scale 0: not quantized."""

    @property
    def library(self) -> str:
        """Path of the LiteRT in use."""

    @property
    def outputs(self) -> list[tuple[str, tuple[int, ...], np.dtype[Any], float, int]]:
        """The outputs, as `inputs` describes the inputs."""

    @property
    def reason(self) -> str:
        """Why that delegate runs."""

@final
class Opening:
    """While entered, a delegate is being loaded into this process; if that dies, `recall` says so."""

    def __enter__(self) -> str:
        """Leave a mark; why there is none, or ''."""

    def __exit__(self, *args: object) -> None: ...
    def __init__(self, folder: str, key: str) -> None: ...

@final
class FaceDetector:
    """A model that finds faces, joined with its card. Thread-safe."""

    def __init__(self, card: str | bytes, model: LoadedModel) -> None:
        """A card's JSON and a LoadedModel. Raises BundleMismatchError where they disagree."""

    def detect(self, image: NDArray[np.uint8], color: Color = "rgb") -> list[Face]:
        """The faces of a picture, the best first."""

    def stage_times(self) -> dict[str, int]:
        """Nanoseconds by stage, and how many calls they are of."""

    def time_stages(self, on: bool) -> None:
        """Measure the stages of every call from now on, from zero, or no longer."""

@final
class VoiceListener:
    """All state of one voice; made by Recognizer.listen."""

    def flush(self) -> list[EmotionResult]:
        """The results of the samples after the last span."""

    def mute(self, start_ms: int, end_ms: int) -> None:
        """Take silence in the place of these samples."""

    def push(self, chunk: NDArray[np.int16] | NDArray[np.float32], t_ms: int) -> list[EmotionResult]:
        """The results that became known."""

    def reset(self) -> None:
        """Equals a new stream."""

    def summary(self) -> EmotionResult:
        """One result for all that was heard."""

@final
class FaceWatcher:
    """All state of one camera; made by Recognizer.watch."""

    def push(self, frame: NDArray[np.uint8], t_ms: int, color: Color = "rgb") -> list[EmotionResult]:
        """One result for each face that is followed."""

    def reset(self) -> None:
        """Equals a new stream."""

@final
class Recognizer:
    """A model that recognizes, joined with its card: from raw input to results. Thread-safe.

    card: JSON. assets: the bundle's files by name. model: a LoadedModel. result: the class of the
    results. constants: the fields that all of them share. Raises BundleMismatchError where card and
    model disagree, SpecError for a vocabulary that cannot work.
    """

    def __init__(
        self,
        card: str | bytes,
        assets: dict[str, bytes],
        model: LoadedModel,
        result: type[EmotionResult],
        constants: dict[str, Any],
    ) -> None: ...
    def given_face(self, box: BoxLike) -> Face:
        """The face of a box that a caller gives."""

    def listen(
        self, rate_hz: int, channels: int, results: Iterable[str], source: str | None, spec: VoiceStreamSpec
    ) -> VoiceListener:
        """A new stream of one voice; `source` is its name or None.

        Raises:
            InputError: the rate is not 8000 to 192000 Hz, or there are no channels or more than 32. Or
                `results` has an unknown name.
        """

    def nobody(self) -> EmotionResult:
        """The result for a picture without a face."""

    def predict_faces(
        self, image: NDArray[np.uint8], color: Color, given: Sequence[Face] | None = None
    ) -> list[EmotionResult]:
        """Read each face that the finder finds, or each of `given`."""

    def predict_front(self, image: NDArray[np.uint8], color: Color) -> EmotionResult:
        """Find the face in front and read the face; `nobody` where there is none."""

    def predict_pcm(self, pcm: NDArray[np.int16] | NDArray[np.float32], rate_hz: int) -> EmotionResult:
        """Read a clip: the mean over its spans, each weighted by its evidence and its length.

        Raises:
            InputTypeError, InputError: as `VoiceFrontend.compute`.
            InferenceError: the model failed, or its numbers are not finite.
        """

    def predict_text(self, text: str | bytes) -> EmotionResult:
        """Read one text.

        Raises:
            InputTypeError: the text is neither str nor bytes.
            InferenceError: the model failed, or its numbers are not finite.
        """

    def set_finder(self, detector: object) -> None:
        """Set the finder of faces: a FaceDetector, or an object with detect(image, color)."""

    def set_fit(self, over_box: float, down: float) -> None:
        """How a box that was found becomes a crop."""

    def stage_times(self) -> dict[str, int]:
        """Nanoseconds by stage, and how many calls they are of."""

    def time_stages(self, on: bool) -> None:
        """Measure the stages of every call from now on, from zero, or no longer."""

    def timeline(self, pcm: NDArray[np.int16] | NDArray[np.float32], rate_hz: int) -> list[EmotionResult]:
        """A result for each span."""

    def utterances(
        self, pcm: NDArray[np.int16] | NDArray[np.float32], rate_hz: int, spec: VoiceStreamSpec
    ) -> list[EmotionResult]:
        """A result for each utterance of a clip."""

    def watch(self, smooth_ms: float, tracker: TrackerSpec, source: str | None) -> FaceWatcher:
        """A new stream of one camera; `source` is its name or None.

        Raises:
            SpecError: `smooth_ms` is not 0 to 60000.
        """

def check_card(card: str | bytes) -> None:
    """Raise BundleCorruptError unless this JSON is a card that can be written, and
    BundleVersionError for a newer schema.
    """

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

def difference(cpu: LoadedModel, other: LoadedModel, goldens: Sequence[bytes]) -> str:
    """How the answers of two LoadedModels to goldens (bytes), zeros and noise differ: a sentence, or ''."""

def drivers_at(place: str | bytes) -> bytes:
    """The drivers that a manifest of Vulkan, or a folder of them, names: lines with sizes and times."""

def face_in_front(faces: Sequence[Face]) -> Face | None:
    """The face that a picture is of: the largest area times score, the first of equals; None of none.

    Raises:
        InputTypeError: not a sequence of Face.
    """

def golden_drawing(name: str) -> NDArray[np.uint8]:
    """A drawn face, uint8 (96, 96): 'level', 'smile', 'frown' or 'open'; empty for another name."""

def golden_inputs(card: str | bytes, assets: dict[str, bytes]) -> list[bytes]:
    """The inputs whose answers a card keeps: bytes of the tensors that its frontend makes."""

def golden_signal(name: str) -> NDArray[np.int16]:
    """Three seconds of int16 at 16 kHz: 'silence', 'hiss', 'low hum' or 'high hum'; empty for another name."""

def probe_gpu(
    flatbuffer: bytes,
    *,
    library: str | bytes = "",
    threads: int = 1,
    delegate_options: str = "",
    goldens: Callable[[], Sequence[bytes]] | None = None,
) -> tuple[bool, float, str]:
    """Try the GPU in a child process: (usable, time over the CPU's or 0, why not or ''). Arguments as of Engine.
    Raises InputError for options, RuntimeUnavailableError (no LiteRT).
    """

def put_on_record(folder: str, key: str, usable: bool, ratio: float, reason: str) -> str:
    """Write a verdict whole or not at all; what went wrong, or ''."""

def quantize(x: NDArray[np.float32], scale: float, zero_point: int) -> NDArray[np.int8]:
    """The one int8 rule: saturate(round_half_even(x / scale) + zero_point).

    x: contiguous float32 array of any shape; scale: finite, > 0; zero_point: -128 to 127.
    Quotient in float32; infinities saturate. Returns int8 of the same shape.
    Raises InputError for NaN or a bad scale or zero point, InputTypeError for another dtype.
    """

def read_bundle(data: bytes, name: str | bytes) -> tuple[int, bytes, dict[str, bytes]]:
    """Check a bundle whole: (bytes of the flatbuffer, JSON of the card, assets by name).
    Raises BundleError and its subclasses, and SpecError; messages begin with `name`.
    """

def read_delegate_options(lines: str) -> tuple[str, int, float, str]:
    """Read lines ``key = value``: probe_records, probe_timeout_ms, probe_most_ratio, all other lines.

    Raises:
        InputError: a line is none, or one of ours is unknown or out of range.
    """

def recall(folder: str, key: str) -> tuple[tuple[bool, float, str] | None, bool]:
    """((usable, ratio, reason) or None, whether a process that opened it here did not come back)."""

def record_key(folder: str | bytes, model_sha256: str, threads: int, options: str) -> str:
    """The key of a verdict: machine, LiteRT in the folder, model, threads and options."""

def too_slow(ratio: float, most_ratio: float) -> str:
    """Why a delegate that takes so long is not used, or ''."""

def try_in_child(
    command: Sequence[str | bytes], request: bytes, timeout_ms: int, begins: str
) -> tuple[tuple[bool, float, str], bool]:
    """Run a program on a request as ``edgeemo-probe`` is run.

    Returns:
        The verdict (usable, ratio, reason), and whether it is a word on the delegate, which comes into play
        when the program says ``"at " + begins``.
    """

def usable(face: Face, width: int, height: int) -> bool:
    """Whether a found face can be read: with a score, a pixel in size, its middle in the picture."""

def vocabulary(assets: dict[str, bytes]) -> list[str]:
    """The lines of vocab.txt. Raises BundleError and SpecError."""

CARD_SCHEMA: int
"The newest schema of a card that this release reads, and the one that it writes."
CROP_DOWN: float
CROP_OVER_BOX: float
FACE_FRONTEND_VERSION: int
"Goes up when the same FaceSpec gives other numbers."
RESULT_SCHEMA: int
"The form of a result; it grows when a field changes its meaning."
SMOOTH_MS: float
TEXT_FRONTEND_VERSION: int
"Goes up when the same TextSpec gives other ids."
UNICODE_VERSION: str
'The Unicode version of the "nfkc" tables.'
VOICE_FRONTEND_VERSION: int
"Goes up when the same VoiceSpec gives other numbers."
__version__: str
"The version in pyproject.toml when the module was built."
