"""Augmentation does what it says, and the same every time."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs edgeemo[train]")
pytest.importorskip("soundfile", reason="needs edgeemo[train]")

from edgeemo.errors import SpecError
from edgeemo.training.voice import augment
from edgeemo.training.voice.augment import Augment
from edgeemo.types import FloatArray

RATE = 16_000


def tone(hz: float = 440.0, seconds: float = 1.0) -> FloatArray:
    t = np.arange(int(seconds * RATE)) / RATE
    return np.asarray(0.3 * np.sin(2 * np.pi * hz * t), np.float32)


def noise(n: int = RATE, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).normal(0, 0.1, n).astype(np.float32)


def loudness(x: FloatArray) -> float:
    return float(10 * np.log10(np.square(x, dtype=np.float64).mean() + 1e-12))


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 10.0, 30.0])
def test_noise_stands_where_it_was_asked_to(snr_db: float) -> None:
    x, n = tone(), noise()
    added = augment.with_noise(x, n, snr_db) - x
    assert loudness(x) - loudness(added) == pytest.approx(snr_db, abs=0.2)


def test_made_noise_falls_towards_high_frequencies_by_up_to_their_square() -> None:
    def slope(seed: int) -> float:
        power = np.abs(np.fft.rfft(augment.coloured(RATE, np.random.default_rng(seed)))) ** 2
        low, high = power[50:150].mean(), power[5000:6000].mean()
        return float(np.log(low / high) / np.log(5500 / 100))

    slopes = [slope(seed) for seed in range(40)]
    assert -0.15 < min(slopes) < 0.5
    assert 1.5 < max(slopes) < 2.15
    assert len(augment.coloured(1, np.random.default_rng(0))) == 1


def test_a_share_of_the_noise_is_made() -> None:
    x, recorded = tone(), augment.Surroundings([[np.zeros(RATE, np.float32)]])  # it adds nothing

    def changes(hiss: float) -> bool:
        plan = Augment(speed=(1, 1), room=0, noise=1, codec=0, gain_db=(0, 0), shift_s=0, hiss=hiss)
        return not np.allclose(
            augment.augmented(x, RATE, recorded, plan, np.random.default_rng(1)), x, atol=1e-3
        )

    assert changes(1.0)
    assert not changes(0.0)


def test_silence_before_and_after_a_voice_does_not_change_its_noise() -> None:
    x = np.concatenate([np.zeros(2 * RATE, np.float32), tone(), np.zeros(2 * RATE, np.float32)])
    added = augment.with_noise(x, noise(len(x)), 10.0) - x
    assert loudness(tone()) - loudness(added) == pytest.approx(10.0, abs=0.5)


@pytest.mark.parametrize("codec", augment.CODECS)
def test_a_codec_gives_back_what_it_was_given_or_nearly(codec: str) -> None:
    x = tone(1000.0)
    back = augment.through(x, RATE, codec)
    assert back.shape == x.shape
    assert back.dtype == np.float32
    assert np.abs(back - x).max() > 0
    middle = slice(RATE // 4, -RATE // 4)
    delays = [np.corrcoef(x[middle], np.roll(back, -d)[middle])[0, 1] for d in range(-20, 21)]
    assert max(delays) > 0.95


def test_a_telephone_has_neither_deep_nor_high_tones() -> None:
    for hz, kept in ((60.0, False), (1000.0, True), (6000.0, False)):
        lost = loudness(tone(hz)) - loudness(augment.through(tone(hz), RATE, "telephone"))
        assert (lost < 3) == kept, hz


def test_a_room_keeps_the_direct_sound_in_its_place_and_adds_a_tail() -> None:
    click = np.zeros(RATE, np.float32)
    click[1000] = 0.5
    heard = augment.in_room(click, RATE, 0.3, np.random.default_rng(0))
    assert int(np.abs(heard).argmax()) == 1000
    early, late = (float(np.square(heard[a:b]).sum()) for a, b in ((1032, 3000), (6000, 8000)))
    assert early > 10 * late
    assert not heard[:1000].any() or np.abs(heard[:1000]).max() < 1e-6


@pytest.mark.parametrize("n", [-100_000, -500, 0, 500])
def test_a_shift_puts_silence_before_or_cuts_half_at_most(n: int) -> None:
    x = tone()
    moved = augment.shifted(x, n)
    assert len(moved) == len(x) + n if n > -len(x) // 2 else len(moved) == len(x) // 2


def test_a_background_is_repeated_where_it_is_short() -> None:
    drawn = augment.stretch(np.arange(5, dtype=np.float32), 12, np.random.default_rng(0))
    assert len(drawn) == 12
    np.testing.assert_array_equal(np.diff(drawn) % 5, 1)


def test_the_same_seed_gives_the_same_copy_and_another_seed_another() -> None:
    plan, around = Augment(room=1.0, noise=1.0, codec=1.0), augment.Surroundings([[noise()]])
    first, again, other = (
        augment.augmented(tone(), RATE, around, plan, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or not np.array_equal(first, other)
    assert np.abs(first).max() <= 1
    assert first.dtype == np.float32


def test_a_warp_moves_a_line_by_at_most_its_share_and_leaves_silence_alone() -> None:
    spans = np.zeros((100, 3, 40), np.float32)
    spans[:, :2, 20] = 1  # the last frame is padding
    augment.warped(spans, Augment(warp=0.1), np.random.default_rng(0))
    bins = np.arange(40)
    place = spans[:, 0] @ bins / spans[:, 0].sum(1)
    assert np.abs(place - 20).max() <= 2.5
    assert place.std() > 0.5
    np.testing.assert_array_equal(spans[:, 0], spans[:, 1])
    assert not spans[:, 2].any()


def test_no_warp_changes_nothing() -> None:
    spans = np.random.default_rng(0).normal(size=(4, 5, 40)).astype(np.float32)
    before = spans.copy()
    augment.warped(spans, Augment(warp=0.0), np.random.default_rng(0))
    np.testing.assert_allclose(spans, before, atol=1e-6)


def test_masks_are_stretches_of_zeros_no_longer_than_asked() -> None:
    plan = Augment(masks=1, mask_frames=5, mask_mels=3)
    spans = np.ones((200, 40, 20), np.float32)
    augment.masked(spans, plan, np.random.default_rng(0))
    frames, mels = (spans == 0).all(2).sum(1), (spans == 0).all(1).sum(1)
    assert frames.max() == 5
    assert mels.max() == 3
    assert frames.min() == 0
    gone = (spans == 0).all(2)
    assert all(np.abs(np.diff(row.astype(int))).sum() <= 2 for row in gone)


def test_partners_are_of_the_same_kind_and_each_is_taken_once() -> None:
    kinds = np.array([0, 1, 0, 1, 1, 2])
    other = augment.partners(kinds, np.random.default_rng(0))
    np.testing.assert_array_equal(kinds[other], kinds)
    assert sorted(other) == list(range(6))


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ({"copys": 3}, "unknown key copys"),
        ({"codecs": ["tape"]}, "unknown codec tape"),
        ({"snr_db": [30, 5]}, "snr_db.*lowest, highest"),
    ],
)
def test_a_wrong_section_says_what_is_wrong(section: dict[str, object], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        Augment.of(section)
