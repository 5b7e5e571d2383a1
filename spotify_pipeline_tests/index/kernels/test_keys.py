"""Keys of onset trains."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotify_pipeline.fingerprint import BANDS, OnsetTrains
from spotify_pipeline.index.format.key_setting import (
    CROSSING,
    ECHOPRINT,
    ECHOPRINT_SHIFT,
    KEY_BITS,
    NO_STEP,
    KeySetting,
)
from spotify_pipeline.index.kernels.keys import keys_of
from spotify_pipeline_tests.documents import random_trains
from spotify_pipeline_tests.tracks import NO_ONSETS, shifted

ALL = KeySetting(kept=1)
HALF = KeySetting(kept=2)


def train(frames: Sequence[int], band: int = 0) -> OnsetTrains:
    """Give trains with onsets in one band."""
    return OnsetTrains.from_bands([frames if b == band else [] for b in range(BANDS)])


def key_list(trains: OnsetTrains, kind: str = "rhythm", setting: KeySetting = ALL) -> list[int]:
    made: list[int] = keys_of(trains, kind, setting)[0].tolist()
    return made


def reference(trains: OnsetTrains) -> Iterator[tuple[int, int]]:
    """Give all rhythm keys of a track and where they begin, as `key_setting` describes them."""
    steps, delays = ALL.gap_steps.tolist(), ALL.delay_steps.tolist()

    def packed(*parts: int) -> int:
        key = 0
        for part in parts:
            key = key << 7 | part
        return key

    def step(table: list[int], frames: int) -> int:
        return table[min(frames, len(table) - 1)]

    for band in range(BANDS):
        own = trains.band(band).tolist()
        gaps = [step(steps, b - a) for a, b in pairwise(own)]
        for k in range(len(gaps) - 3):
            if NO_STEP not in gaps[k : k + 4]:
                yield packed(band, *gaps[k : k + 4]), own[k]
        above = trains.band(band + 1).tolist() if band + 1 < BANDS else []
        for k in range(len(gaps) - 1):
            later = [onset for onset in above if onset >= own[k + 2]][:2]
            if len(later) < 2 or NO_STEP in gaps[k : k + 2]:
                continue
            delay, gap = step(delays, later[0] - own[k + 2]), step(steps, later[1] - later[0])
            if NO_STEP not in (delay, gap):
                yield CROSSING + packed(band, *gaps[k : k + 2], delay, gap), own[k]


@given(seed=st.integers(0, 2**32 - 1), gap=st.floats(50, 400))
@settings(deadline=None, max_examples=25)
def test_keys_are_as_the_format_describes_them(seed: int, gap: float) -> None:
    trains = random_trains(seed, 20, 41, gap)
    keys, frames = keys_of(trains, setting=ALL)
    made = sorted(zip(keys.tolist(), frames.tolist(), strict=True))
    assert made == sorted(reference(trains))


def test_a_key_begins_at_each_onset_that_enough_others_follow() -> None:
    keys, frames = keys_of(train([100, 145, 230, 390, 450, 540]), setting=ALL)
    assert frames.tolist() == [100, 145]
    assert len(set(keys.tolist())) == 2
    assert keys_of(train([100, 230, 390]), "echoprint")[1].tolist() == [100]


def test_no_onsets_give_no_keys() -> None:
    assert key_list(NO_ONSETS) == key_list(NO_ONSETS, "echoprint") == []


def test_gaps_of_the_same_steps_are_the_same_key_and_others_are_not() -> None:
    start = [0, 50, 110, 180]
    (key,) = key_list(train([*start, 280]))
    assert key_list(train([*start, 281])) == [key]
    assert key_list(train([*start, 282])) == [key + 1]
    assert key_list(train([0, 52, 112, 182, 282])) != [key]


def test_the_same_gaps_in_another_band_are_another_key() -> None:
    frames = [0, 50, 110, 180, 280]
    assert len({key for band in range(BANDS) for key in key_list(train(frames, band))}) == BANDS


def test_keys_do_not_depend_on_where_a_recording_begins() -> None:
    trains = random_trains(1, 20, 41, 120)
    for kind in ("rhythm", "echoprint"):
        keys, frames = keys_of(trains, kind)
        later, later_frames = keys_of(shifted(trains, 7), kind)
        np.testing.assert_array_equal(later, keys)
        np.testing.assert_array_equal(later_frames, frames + 7)


@pytest.mark.parametrize("too_long", [False, True])
def test_a_gap_that_is_too_long_is_in_no_key(too_long: bool) -> None:
    longest = len(ALL.gap_steps) - 2
    assert len(key_list(train([0, 50, 100, 150, 150 + longest + too_long]))) == 1 - too_long


def test_a_half_of_the_keys_is_kept_and_all_of_a_prefix_or_none() -> None:
    keys = [key for seed in range(20) for key in key_list(random_trains(seed, 60, 41, 120))]
    kept = {
        key
        for seed in range(20)
        for key in key_list(random_trains(seed, 60, 41, 120), setting=HALF)
    }
    assert 0.45 < np.mean([key in kept for key in keys]) < 0.55
    prefixes = {key >> 7 for key in kept}
    assert all((key >> 7 in prefixes) == (key in kept) for key in keys)


def test_keys_of_each_kind_have_numbers_of_their_own() -> None:
    trains = random_trains(1, 60, 41, 300)
    rhythm, echoprint = key_list(trains), key_list(trains, "echoprint")
    assert min(rhythm) >= 0
    assert max(rhythm) < ECHOPRINT <= min(echoprint)
    assert max(echoprint) < 1 << KEY_BITS
    assert not any(key & (1 << ECHOPRINT_SHIFT) - 1 for key in echoprint)
