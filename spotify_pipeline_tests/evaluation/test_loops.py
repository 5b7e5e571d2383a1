"""How much music repeats itself: loops all but wholly, other music hardly."""

import numpy as np

from spotify_pipeline.evaluation.loops import LOOP_SELF_SIMILARITY, is_loop, self_similarity
from spotify_pipeline.fingerprint import BANDS, FRAMES_PER_SECOND, OnsetTrains
from spotify_pipeline_tests.tracks import NO_ONSETS, make_track, shifted, together, worn

BAR_SECONDS = 4.0


def looped(times: int) -> OnsetTrains:
    bar = make_track(1, BAR_SECONDS).rhythm
    frames = round((BAR_SECONDS + 0.2) * FRAMES_PER_SECOND)
    return together(*(shifted(bar, frames * number) for number in range(times)))


def test_a_loop_is_heard_again() -> None:
    assert self_similarity(looped(12)) == 1
    played = worn(looped(12), 1, lost=0.2, moved=0)
    assert 0.7 < self_similarity(played) < 0.9
    assert is_loop(played)


def test_music_without_repetition_is_none() -> None:
    once = make_track(2, 120.0).rhythm
    assert self_similarity(once) < LOOP_SELF_SIMILARITY / 2
    assert not is_loop(once)


def test_a_window_is_not_compared_with_itself() -> None:
    steady = OnsetTrains.from_bands([np.arange(0, 20_000, 100)] * BANDS)
    assert self_similarity(steady) == 1
    once = OnsetTrains.from_bands([np.cumsum(np.arange(60, 200))] * BANDS)
    assert self_similarity(once) < 0.3


def test_of_silence_nothing_can_be_said() -> None:
    assert np.isnan(self_similarity(NO_ONSETS))
    assert not is_loop(NO_ONSETS)
