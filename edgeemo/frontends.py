"""The frontends turn raw input into the input of a model, the same in training and on the device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, overload

from . import _core
from ._core import (
    Alignment,
    Encoding,
    FaceFrontend,
    FaceSpec,
    Spans,
    TextFrontend,
    TextSpec,
    VoiceFrontend,
    VoiceSpec,
    VoiceStream,
)
from .errors import BundleMismatchError

__all__ = [
    "Alignment",
    "Encoding",
    "FaceFrontend",
    "FaceSpec",
    "Spans",
    "TextFrontend",
    "TextSpec",
    "VoiceFrontend",
    "VoiceSpec",
    "VoiceStream",
    "frontend_for",
]


@overload
def frontend_for(
    modality: Literal["text"], spec: Mapping[str, Any], assets: Mapping[str, bytes]
) -> TextFrontend: ...
@overload
def frontend_for(
    modality: Literal["voice"], spec: Mapping[str, Any], assets: Mapping[str, bytes]
) -> VoiceFrontend: ...
@overload
def frontend_for(
    modality: Literal["face"], spec: Mapping[str, Any], assets: Mapping[str, bytes]
) -> FaceFrontend: ...
@overload
def frontend_for(modality: str, spec: Mapping[str, Any], assets: Mapping[str, bytes]) -> Any: ...
def frontend_for(
    modality: str, spec: Mapping[str, Any], assets: Mapping[str, bytes]
) -> TextFrontend | VoiceFrontend | FaceFrontend:
    """Build the frontend that a model card describes.

    Args:
        modality: ``"text"``, ``"voice"`` or ``"face"``.
        spec: the card's spec, made by the ``to_dict`` of `TextSpec`, `VoiceSpec` or `FaceSpec`.
        assets: the bundle's files by name; text needs ``vocab.txt`` (UTF-8, one piece a line, LF).

    Raises:
        BundleMismatchError: the modality is unknown.
        BundleError: ``vocab.txt`` is missing. BundleCorruptError: ``vocab.txt`` is not UTF-8.
        SpecError: the spec or the vocabulary cannot work.
    """
    if modality == "voice":
        return VoiceFrontend(VoiceSpec.from_dict(dict(spec)))
    if modality == "face":
        return FaceFrontend(FaceSpec.from_dict(dict(spec)))
    if modality != "text":
        raise BundleMismatchError(
            f"Expected modality 'text', 'voice' or 'face', got {modality!r}; upgrade edgeemo."
        )
    return TextFrontend(TextSpec.from_dict(dict(spec)), _core.vocabulary(dict(assets)))
