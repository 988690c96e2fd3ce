"""Where audio comes from: iterators of ``(chunk, t_ms)`` that are context managers, for `edgeemo.Stream`.

>>> from edgeemo.sources import AudioFile
>>> with AudioFile("speech.flac") as source:  # doctest: +SKIP
...     stream = recognizer.stream(source.rate_hz, source.channels)
...     for chunk, t_ms in source:
...         results = stream.push(chunk, t_ms)
...     results += stream.flush()

`Microphone` and `AudioFile` want the extra ``voice``; `RawAudio` wants nothing.
"""

from .base import Block, Source
from .files import AudioFile, RawAudio, is_audio
from .microphone import Device, Microphone, microphones

__all__ = [
    "AudioFile",
    "Block",
    "Device",
    "Microphone",
    "RawAudio",
    "Source",
    "is_audio",
    "microphones",
]
