"""Trains cut out, and played at another speed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotify_pipeline.fingerprint import BANDS, OnsetTrains
from spotify_pipeline_tests.documents import random_trains
from spotify_pipeline_tests.onset_trains import onset_trains

TRAINS = random_trains(seed=1, duration=20, shortest_gap=40, mean_gap=100)


@pytest.mark.parametrize("speed", [0.96, 1.0, 1.04])
def test_frames_are_multiplied_by_a_speed_and_bands_keep_their_onsets(speed: float) -> None:
    played = TRAINS.at_speed(speed)
    assert np.abs(played.frames - speed * TRAINS.frames).max() <= 0.5
    assert np.array_equal(played.bounds, TRAINS.bounds)


@given(onset_trains(longest_gap=20), st.integers(0, 60), st.none() | st.integers(0, 60))
def test_an_excerpt_has_the_onsets_from_its_first_frame_on_which_becomes_0(
    trains: OnsetTrains, first: int, frames: int | None
) -> None:
    end = np.inf if frames is None else first + frames
    expected = [
        [frame - first for frame in trains.band(band) if first <= frame < end]
        for band in range(BANDS)
    ]
    assert trains.excerpt(first, frames) == OnsetTrains.from_bands(expected)


def test_an_onset_at_the_end_of_all_time_stays_there() -> None:
    last = OnsetTrains.from_bands([[2**31 - 1]] * BANDS)
    assert last.at_speed(1.04) == last
