"""edgeemo: expressed emotion from text, voice and face, on the device.

>>> import edgeemo
>>> recognizer = edgeemo.Recognizer.open("text")
>>> recognizer.predict("I am so sorry for your loss.").label
'sadness'
"""

from .bundle import Bundle
from .card import ModelCard
from .errors import EdgeemoError, LicenseWarning
from .frontends import TextFrontend, TextSpec
from .recognizer import Recognizer
from .runtime import Runtime, RuntimeInfo
from .types import EMOTIONS, EmotionResult

__version__ = "0.1.0"

__all__ = [
    "EMOTIONS",
    "Bundle",
    "EdgeemoError",
    "EmotionResult",
    "LicenseWarning",
    "ModelCard",
    "Recognizer",
    "Runtime",
    "RuntimeInfo",
    "TextFrontend",
    "TextSpec",
    "__version__",
]
