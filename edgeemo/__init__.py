"""edgeemo: expressed emotion from text, voice and face, on the device.

Examples:
    >>> import edgeemo
    >>> recognizer = edgeemo.Recognizer.open("text")
    >>> recognizer.predict("I am so sorry for your loss.").label
    'sadness'
"""

import logging as _logging

from .errors import EdgeemoError, LicenseWarning, RuntimeUnavailableError

try:
    from . import _core as _core
except ImportError as error:
    from importlib.util import find_spec as _find_spec

    if _find_spec("edgeemo._core") is not None:  # it is there, and cannot be loaded
        raise
    raise RuntimeUnavailableError(
        f"edgeemo is not built in {__path__[0]}: this is its source. Run Python from another folder to "
        "use an installed edgeemo, or install the source in place: `pip install -e .`."
    ) from error

from . import moved as moved
from .bundle import Bundle
from .card import ModelCard
from .face_detector import FaceDetector
from .frontends import FaceFrontend, FaceSpec, TextFrontend, TextSpec, VoiceFrontend, VoiceSpec
from .recognizer import FaceRecognizer, Recognizer, TextRecognizer, VoiceRecognizer
from .runtime import Runtime, RuntimeInfo
from .stream import FaceStream, Stream
from .types import EMOTIONS, EmotionResult

_logging.getLogger("edgeemo").addHandler(_logging.NullHandler())  # quiet until the program says otherwise

__version__ = _core.__version__

__all__ = [
    "EMOTIONS",
    "Bundle",
    "EdgeemoError",
    "EmotionResult",
    "FaceDetector",
    "FaceFrontend",
    "FaceRecognizer",
    "FaceSpec",
    "FaceStream",
    "LicenseWarning",
    "ModelCard",
    "Recognizer",
    "Runtime",
    "RuntimeInfo",
    "Stream",
    "TextFrontend",
    "TextRecognizer",
    "TextSpec",
    "VoiceFrontend",
    "VoiceRecognizer",
    "VoiceSpec",
    "__version__",
]
