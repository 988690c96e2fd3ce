"""Sources of audio and frames for streams: iterators of ``(chunk, t_ms)`` that are context managers.

Examples:
    >>> from edgeemo.sources import AudioFile, Camera
    >>> with AudioFile("speech.flac") as source:  # doctest: +SKIP
    ...     stream = recognizer.stream(source.rate_hz, source.channels)
    ...     for chunk, t_ms in source:
    ...         results = stream.push(chunk, t_ms)
    ...     results += stream.flush()
    >>> with Camera(0) as source:  # doctest: +SKIP
    ...     stream = recognizer.stream()
    ...     for frame, t_ms in source:
    ...         results = stream.push(frame, t_ms, source.color)

`Microphone` and `AudioFile` need the extra ``voice``. `Camera`, `VideoFile`, `Photo` and `ImageSequence` need
the extra ``face``. `RawAudio` needs nothing.
"""

from ..data.lengths import HeaderWarning
from .base import AudioSource, Block, FrameSource, Source
from .camera import Camera
from .files import AudioFile, RawAudio, is_audio
from .microphone import Device, Microphone, microphones
from .photos import ImageSequence, Photo, is_photo
from .video import VideoFile

__all__ = [
    "AudioFile",
    "AudioSource",
    "Block",
    "Camera",
    "Device",
    "FrameSource",
    "HeaderWarning",
    "ImageSequence",
    "Microphone",
    "Photo",
    "RawAudio",
    "Source",
    "VideoFile",
    "is_audio",
    "is_photo",
    "microphones",
]
