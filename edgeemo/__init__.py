"""edgeemo: expressed emotion from text, voice and face, on the device.

>>> import edgeemo
>>> recognizer = edgeemo.Recognizer.open("text")
>>> recognizer.predict("I am so sorry for your loss.").label
'sadness'
"""

from .errors import EdgeemoError, LicenseWarning, RuntimeUnavailableError

try:
    from . import _core as _core
except ImportError as error:
    from importlib.util import find_spec as _find_spec

    if _find_spec("edgeemo._core") is not None:  # it is there, and cannot be loaded
        raise
    raise RuntimeUnavailableError(
        f"edgeemo is not built in {__path__[0]}: this is its source. Run Python from another folder, where "
        "the installed one is found, or install this one in place: `pip install -e .`."
    ) from error

from . import moved as moved
from .bundle import Bundle
from .card import ModelCard
from .face_detector import FaceDetector
from .face_recognizer import FaceRecognizer
from .frontends import FaceFrontend, FaceSpec, TextFrontend, TextSpec, VoiceFrontend, VoiceSpec
from .recognizer import Recognizer
from .runtime import Runtime, RuntimeInfo
from .stream import Stream
from .text_recognizer import TextRecognizer
from .types import EMOTIONS, EmotionResult
from .voice_recognizer import VoiceRecognizer

__version__ = "0.1.0"

__all__ = [
    "EMOTIONS",
    "Bundle",
    "EdgeemoError",
    "EmotionResult",
    "FaceDetector",
    "FaceFrontend",
    "FaceRecognizer",
    "FaceSpec",
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
