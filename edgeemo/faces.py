"""Faces found and followed: from a detector's heads to `Face` values, from frame to frame to tracks."""

from __future__ import annotations

from ._core import DetectorSpec, Face, FaceDecoder, FaceTracker, Track, TrackerSpec, face_in_front

__all__ = ["DetectorSpec", "Face", "FaceDecoder", "FaceTracker", "Track", "TrackerSpec", "face_in_front"]
