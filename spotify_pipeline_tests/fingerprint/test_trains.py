"""Trains played at another speed."""

import numpy as np
import pytest

from spotify_pipeline.fingerprint import BANDS, OnsetTrains
from spotify_pipeline_tests.documents import random_trains

TRAINS = random_trains(seed=1, duration=20, shortest_gap=40, mean_gap=100)


@pytest.mark.parametrize("speed", [0.96, 1.0, 1.04])
def test_frames_are_multiplied_by_a_speed_and_bands_keep_their_onsets(speed: float) -> None:
    played = TRAINS.at_speed(speed)
    assert np.abs(played.frames - speed * TRAINS.frames).max() <= 0.5
    assert np.array_equal(played.bounds, TRAINS.bounds)


def test_an_onset_at_the_end_of_all_time_stays_there() -> None:
    last = OnsetTrains.from_bands([[2**31 - 1]] * BANDS)
    assert last.at_speed(1.04) == last
