"""What a query leads to expect: as much as its LLRs say, and of a loop that it repeats itself."""

import numpy as np
import pytest

from spotify_pipeline.fingerprint import (
    BANDS,
    FRAMES_PER_SECOND,
    LLR_BIN_FRAMES,
    OnsetTrains,
    bin_llr,
    frame_llr_of_onsets,
)
from spotify_pipeline.fingerprint.onset_llr import moments
from spotify_pipeline.identify.expectation import Expectation
from spotify_pipeline_tests.tracks import NO_ONSETS, fingerprint_of, make_track, shifted, together


def expectation_of(trains: OnsetTrains) -> Expectation:
    frames = frame_llr_of_onsets(trains)
    return Expectation.of(frames, bin_llr(frames), trains)


def test_stretches_add_up_to_the_whole() -> None:
    trains = fingerprint_of(make_track(1), seconds=12).rhythm
    found = expectation_of(trains)
    mean, variance = moments(frame_llr_of_onsets(trains))
    end = len(mean) * LLR_BIN_FRAMES
    means, variances = found.between(np.array([0, end // 3, end // 2, end + 900]))
    assert means.shape == variances.shape == (3, BANDS)
    np.testing.assert_allclose(means.sum(axis=0), mean.sum(axis=0))
    np.testing.assert_allclose(variances.sum(axis=0), variance.sum(axis=0))


def test_music_without_repetition_has_little_and_a_loop_nearly_all() -> None:
    part = fingerprint_of(make_track(2), seconds=3).rhythm
    loop = together(*(shifted(part, round(3 * n * FRAMES_PER_SECOND)) for n in range(3)))
    once = fingerprint_of(make_track(2), seconds=9).rhythm
    assert expectation_of(once).repetition < 0.35
    assert expectation_of(loop).repetition > 0.8


@pytest.mark.parametrize("seconds", [0.0, 0.1])
def test_next_to_nothing_repeats_nothing(seconds: float) -> None:
    trains = fingerprint_of(make_track(2), seconds=seconds).rhythm if seconds else NO_ONSETS
    assert expectation_of(trains).repetition == 0
