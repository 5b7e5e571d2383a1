"""Features of onset trains, and which of them a query with other onsets still finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotify_pipeline.fingerprint import BANDS, OnsetTrains
from spotify_pipeline.index.features import (
    ECHOPRINT_FEATURES,
    FEATURES,
    RHYTHM_FEATURES,
    FeatureSetting,
    features,
    probes,
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


def probe_set(trains: OnsetTrains, setting: FeatureSetting = TWO_GAPS) -> set[int]:
    return set(probes(trains, setting)[0].tolist())


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


def test_no_onsets_give_no_features_and_no_probes() -> None:
    for made in (features(NO_ONSETS, RHYTHM_FEATURES), probes(NO_ONSETS, RHYTHM_FEATURES)):
        assert [len(array) for array in made] == [0, 0]


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


@given(seed=st.integers(0, 2**32 - 1), setting=st.sampled_from(SETTINGS))
@settings(deadline=None, max_examples=25)
def test_probes_hold_every_feature_at_its_frame_and_nothing_twice(
    seed: int, setting: FeatureSetting
) -> None:
    trains = random_trains(seed, 5, 41, 120)
    probed = list(zip(*(array.tolist() for array in probes(trains, setting)), strict=True))
    made = zip(*(array.tolist() for array in features(trains, setting)), strict=True)
    assert len(set(probed)) == len(probed)
    assert set(probed) >= set(made)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("extra", range(1, 7))
def test_an_onset_that_the_track_lacks_costs_no_feature(
    setting: FeatureSetting, extra: int
) -> None:
    query = [0, 61, 230, 377, 560, 715, 902, 1_044]
    track = query[:extra] + query[extra + 1 :]
    assert feature_set(train(track), setting) <= probe_set(train(query), setting)
    assert not feature_set(train(track), setting) <= feature_set(train(query), setting)


@pytest.mark.parametrize("setting", SETTINGS)
def test_an_onset_that_the_query_lacks_costs_only_the_features_around_it(
    setting: FeatureSetting,
) -> None:
    track = [0, 161, 330, 477, 660, 815, 1_002, 1_144, 1_320, 1_500]
    shared = feature_set(train(track), setting) & probe_set(train(track[:4] + track[5:]), setting)
    kept = train(track[:4]), train(track[5:])
    assert shared >= feature_set(kept[0], setting) | feature_set(kept[1], setting)
    assert shared


@pytest.mark.parametrize("change", [-1, 1])
@pytest.mark.parametrize("cell_border", [40, 39])
def test_an_onset_moved_over_the_border_of_a_cell_is_still_found(
    cell_border: int, change: int
) -> None:
    track = feature_set(train([100, 100 + cell_border, 200 + cell_border + 5]))
    assert track <= probe_set(train([100 + change, 100 + cell_border, 200 + cell_border + 5]))
    assert track <= probe_set(train([100, 100 + cell_border, 200 + cell_border + 5 + change]))
    assert track <= probe_set(train([100, 100 + cell_border + change, 200 + cell_border + 5]))
