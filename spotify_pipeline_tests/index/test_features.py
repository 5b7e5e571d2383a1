"""Features of onset trains."""

import numpy as np
import pytest

from spotify_pipeline.fingerprint import BANDS, OnsetTrains
from spotify_pipeline.index.features import (
    ECHOPRINT_FEATURES,
    FEATURES,
    RHYTHM_FEATURES,
    FeatureSetting,
    features,
)
from spotify_pipeline_tests.documents import random_trains
from spotify_pipeline_tests.tracks import NO_ONSETS, shifted

SETTINGS = (RHYTHM_FEATURES, ECHOPRINT_FEATURES)
TWO_GAPS = FeatureSetting(first=7, gaps=2, cell_bits=4, shortest=30, fine_cells=8, step=10)
"""Cells of 10 frames from 30 on, of 20 from 110 on; a gap of 270 has none."""


def train(frames: list[int], band: int = 0) -> OnsetTrains:
    """Give trains with onsets in one band."""
    return OnsetTrains.from_bands([frames if b == band else [] for b in range(BANDS)])


def feature_set(trains: OnsetTrains, setting: FeatureSetting = TWO_GAPS) -> set[int]:
    return set(features(trains, setting)[0].tolist())


def test_a_feature_begins_at_each_onset_that_enough_others_follow() -> None:
    made, frames = features(train([100, 145, 230, 390]), TWO_GAPS)
    assert frames.tolist() == [100, 145]
    assert len(set(made.tolist())) == 2


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("missing", [0, 1])
def test_a_band_needs_one_onset_more_than_a_feature_has_gaps(
    setting: FeatureSetting, missing: int
) -> None:
    frames = list(range(0, 50 * (setting.gaps + 1 - missing), 50))
    assert len(features(train(frames), setting)[0]) == 1 - missing


def test_no_onsets_give_no_features() -> None:
    assert [len(array) for array in features(NO_ONSETS, RHYTHM_FEATURES)] == [0, 0]


def test_gaps_of_the_same_cells_are_the_same_feature_and_others_are_not() -> None:
    feature = feature_set(train([0, 40, 90]))
    assert feature_set(train([0, 49, 99])) == feature
    assert feature_set(train([0, 50, 100])) != feature
    assert feature_set(train([0, 39, 89])) != feature
    assert feature_set(train([0, 50, 90])) != feature


def test_longer_gaps_have_wider_cells() -> None:
    assert feature_set(train([0, 110, 160])) == feature_set(train([0, 129, 179]))
    assert feature_set(train([0, 129, 179])) != feature_set(train([0, 130, 180]))


def test_features_are_numbers_of_their_setting() -> None:
    trains = random_trains(1, 60, 41, 300)
    made, _ = features(trains, TWO_GAPS)
    assert TWO_GAPS.first <= made.min()
    assert made.max() < TWO_GAPS.first + TWO_GAPS.count
    assert RHYTHM_FEATURES.first + RHYTHM_FEATURES.count == ECHOPRINT_FEATURES.first
    assert ECHOPRINT_FEATURES.first + ECHOPRINT_FEATURES.count == FEATURES


def test_the_same_gaps_in_another_band_are_another_feature() -> None:
    assert len({*feature_set(train([0, 40, 90], 2)), *feature_set(train([0, 40, 90], 3))}) == 2


def test_features_do_not_depend_on_where_a_recording_begins() -> None:
    trains = random_trains(1, 20, 41, 120)
    made, frames = features(trains, RHYTHM_FEATURES)
    later, later_frames = features(shifted(trains, 7), RHYTHM_FEATURES)
    np.testing.assert_array_equal(later, made)
    np.testing.assert_array_equal(later_frames, frames + 7)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_gap_that_is_too_long_has_no_feature(setting: FeatureSetting) -> None:
    longest = len(setting.cell_of_gap) - 2
    start = [50 * k for k in range(setting.gaps)]
    assert len(features(train([*start, start[-1] + longest]), setting)[0]) == 1
    assert len(features(train([*start, start[-1] + longest + 1]), setting)[0]) == 0
