"""Specs of the voice frontend, good and bad."""

from __future__ import annotations

import json
import pickle
from itertools import product
from typing import Any

import pytest

from edgeemo import _core
from edgeemo.errors import SpecError
from edgeemo.frontends import VoiceFrontend, VoiceSpec, frontend_for


def test_a_spec_is_a_value() -> None:
    spec = VoiceSpec(mels=40, normalization="mean_std", low_hz=60)
    assert spec == VoiceSpec.from_dict(spec.to_dict())
    assert spec == VoiceSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert spec == pickle.loads(pickle.dumps(spec))
    assert spec != VoiceSpec()
    assert len({spec, VoiceSpec(mels=40, normalization="mean_std", low_hz=60.0), VoiceSpec()}) == 2
    assert list(spec.to_dict()) == sorted(spec.to_dict())
    assert repr(spec).startswith("VoiceSpec(compression='log', fft=512, ")
    assert spec.output == ((256, 40), "float32")
    with pytest.raises(AttributeError):
        spec.mels = 3  # type: ignore[misc]


def test_every_field_has_its_default_and_can_be_read() -> None:
    assert VoiceSpec().to_dict() == {
        "rate_hz": 16000,
        "sample_scale": 1.0,
        "remove_dc": True,
        "preemphasis": 0.97,
        "window": 400,
        "hop": 160,
        "fft": 512,
        "window_shape": "hann",
        "mels": 64,
        "mel_scale": "htk",
        "mel_norm": "none",
        "low_hz": 20.0,
        "high_hz": 8000.0,
        "compression": "log",
        "floor": 1e-10,
        "pcen_gain": 0.98,
        "pcen_bias": 2.0,
        "pcen_power": 0.5,
        "pcen_time_s": 0.4,
        "pcen_eps": 1e-6,
        "span_frames": 256,
        "hop_frames": 50,
        "range_db": 0.0,
        "normalization": "level",
        "gain": 1.0,
    }
    for name, value in VoiceSpec().to_dict().items():
        assert getattr(VoiceSpec(), name) == value


OTHER: dict[str, list[Any]] = {
    "rate_hz": [22050],
    "sample_scale": [32768.0, 1.0000000000000002],
    "remove_dc": [False],
    "preemphasis": [0.0],
    "window": [401],
    "hop": [161],
    "fft": [1024],
    "window_shape": ["povey", "hamming"],
    "mels": [65],
    "mel_scale": ["slaney", "kaldi"],
    "mel_norm": ["area"],
    "low_hz": [21.0],
    "high_hz": [7999.0],
    "compression": ["pcen"],
    "floor": [1e-9],
    "pcen_gain": [0.9],
    "pcen_bias": [1.0],
    "pcen_power": [0.4],
    "pcen_time_s": [0.3],
    "pcen_eps": [1e-5],
    "span_frames": [255],
    "hop_frames": [51],
    "range_db": [50.0],
    "normalization": ["none", "mean", "mean_std"],
    "gain": [0.5],
}


def test_digests_tell_all_specs_apart() -> None:
    assert set(OTHER) == set(VoiceSpec().to_dict())
    changed = [{name: value} for name, values in OTHER.items() for value in values]
    pairs = [a | b for a, b in product(changed, changed)]
    specs = {repr(VoiceSpec(**fields)): VoiceSpec(**fields).digest for fields in [*changed, *pairs, {}]}
    assert len(set(specs.values())) == len(specs) > len(changed)
    assert VoiceSpec(low_hz=-0.0).digest == VoiceSpec(low_hz=0.0).digest


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"rate_hz": 7999}, r"rate_hz must be in \[8000, 48000\], got 7999"),
        ({"rate_hz": 48001}, "got 48001"),
        ({"rate_hz": 16000.0}, "rate_hz must be an int, got float 16000.0"),
        ({"rate_hz": True}, "rate_hz must be an int, got bool"),
        ({"rate_hz": 10**30}, "rate_hz must be a smaller number"),
        ({"window": 31}, r"window must be in \[32, 4096\], got 31"),
        ({"hop": 0}, r"hop must be in \[1, 400\], got 0"),
        ({"hop": 401}, "hop must be in"),
        ({"fft": 500}, "fft must be a power of two, got 500"),
        ({"fft": 256}, r"fft must be in \[400, 4096\], got 256"),
        ({"fft": 8192}, "fft must be in"),
        ({"mels": 0}, "mels must be in"),
        ({"mels": 257}, "mels must be in"),
        ({"preemphasis": 1.0}, "preemphasis must be in"),
        ({"preemphasis": -0.1}, "preemphasis must be in"),
        ({"preemphasis": float("nan")}, "preemphasis must be in .* got nan"),
        ({"preemphasis": False}, "preemphasis must be a float, got bool"),
        ({"preemphasis": 10**400}, "preemphasis must be a smaller number"),
        ({"sample_scale": 0}, "sample_scale must be in"),
        ({"sample_scale": float("inf")}, "sample_scale must be in"),
        ({"low_hz": -1}, "low_hz must be in"),
        ({"low_hz": 8000}, "low_hz must be below high_hz, got 8000"),
        ({"high_hz": 8001}, r"high_hz must be in \[1, 8000\], got 8001"),
        ({"floor": 0}, "floor must be in"),
        ({"span_frames": 0}, "span_frames must be in"),
        ({"span_frames": 40}, r"hop_frames must be in \[1, 40\], got 50"),
        ({"remove_dc": 1}, "remove_dc must be a bool, got int"),
        ({"window_shape": "hanning"}, "window_shape must be 'hann', 'povey' or 'hamming', got 'hanning'"),
        ({"mel_scale": "bark"}, "mel_scale must be 'htk', 'slaney' or 'kaldi'"),
        ({"mel_norm": "slaney"}, "mel_norm must be 'none' or 'area'"),
        ({"compression": "db"}, "compression must be 'log' or 'pcen'"),
        ({"compression": None}, "compression must be a str, got NoneType"),
        ({"normalization": "z"}, "normalization must be 'none', 'level', 'mean' or 'mean_std'"),
        ({"normalization": "\ud800"}, "normalization must be"),
        ({"range_db": -1}, "range_db must be in"),
        ({"gain": 0}, "gain must be in"),
        ({"n_mels": 64}, "unknown key 'n_mels' in a VoiceSpec; the keys are compression, fft"),
    ],
)
def test_a_bad_spec_says_what_is_wrong(fields: dict[str, object], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        VoiceSpec(**fields)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=says):
        VoiceSpec.from_dict(fields)


def test_digests_stay_what_releases_have_written_into_cards() -> None:
    assert _core.VOICE_FRONTEND_VERSION == 1
    assert VoiceSpec().digest == "6c308920a8bc8772"
    assert VoiceSpec(mels=40, low_hz=60, compression="pcen", remove_dc=False).digest == "d18bba685c0fa181"


def test_a_spec_is_made_from_a_dict() -> None:
    with pytest.raises(SpecError, match="made from a dict, got list"):
        VoiceSpec.from_dict([])  # type: ignore[arg-type]


def test_a_card_makes_a_frontend() -> None:
    frontend = frontend_for("voice", VoiceSpec(mels=40).to_dict(), {})
    assert isinstance(frontend, VoiceFrontend)
    assert frontend.spec == VoiceSpec(mels=40)
    with pytest.raises(SpecError, match="unknown key"):
        frontend_for("voice", {"length": 48}, {})
