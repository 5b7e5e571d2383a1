"""Features that are likely by a query's LLRs: its track's, though onsets are lost or moved."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotify_pipeline.fingerprint import BANDS, LLR_BINS_PER_SECOND, OnsetTrains, llr_of_onsets
from spotify_pipeline.fingerprint.onset_llr import probabilities
from spotify_pipeline.index.features import (
    ECHOPRINT_FEATURES,
    RHYTHM_FEATURES,
    FeatureSetting,
    features,
)
from spotify_pipeline.index.likely_features import EXACT, likely_features, own_features
from spotify_pipeline_tests.documents import random_trains
from spotify_pipeline_tests.tracks import NO_ONSETS

SETTINGS = (RHYTHM_FEATURES, ECHOPRINT_FEATURES)
STRETCH = 128


def train(frames: list[int]) -> OnsetTrains:
    """Give trains with onsets in one band."""
    return OnsetTrains.from_bands([frames, *[[]] * (BANDS - 1)])


def feature_set(trains: OnsetTrains, setting: FeatureSetting) -> set[int]:
    return set(features(trains, setting)[0].tolist())


def likely(trains: OnsetTrains, setting: FeatureSetting) -> dict[tuple[int, int], float]:
    """Give the chance of each feature and stretch, where only the onsets are known."""
    made = likely_features(llr_of_onsets(trains), setting, STRETCH)
    return {
        (feature, stretch): chance
        for feature, stretch, chance in zip(*(array.tolist() for array in made), strict=True)
    }


def likely_set(trains: OnsetTrains, setting: FeatureSetting) -> set[int]:
    return {feature for feature, _ in likely(trains, setting)}


def test_no_onsets_make_no_feature_likely() -> None:
    assert likely(NO_ONSETS, RHYTHM_FEATURES) == {}


@given(seed=st.integers(0, 2**32 - 1), setting=st.sampled_from(SETTINGS))
@settings(deadline=None, max_examples=25)
def test_the_features_of_a_query_are_likely_where_they_begin(
    seed: int, setting: FeatureSetting
) -> None:
    trains = random_trains(seed, 5, 41, 120)
    chances = likely(trains, setting)
    for feature, frame in zip(
        *(array.tolist() for array in features(trains, setting)), strict=True
    ):
        assert chances.get((feature, frame // STRETCH), 0.0) > 0


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=25)
def test_as_many_features_are_likely_as_there_can_be(seed: int) -> None:
    llr = np.random.default_rng(seed).normal(0, 3, (200, BANDS)).astype(np.float32)
    made, stretches, chances = likely_features(llr, RHYTHM_FEATURES, STRETCH)
    assert len(set(zip(made.tolist(), stretches.tolist(), strict=True))) == len(made)
    assert made.max(initial=0) < RHYTHM_FEATURES.count
    assert chances.min(initial=1) > 0
    # a feature begins at an onset
    likely_onsets = probabilities(llr).sum(axis=0)
    bands = made // (RHYTHM_FEATURES.count // BANDS)
    assert (np.bincount(bands, chances, BANDS) <= likely_onsets).all()


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("extra", range(1, 7))
def test_an_onset_that_the_track_lacks_costs_no_feature(
    setting: FeatureSetting, extra: int
) -> None:
    query = [0, 61, 230, 377, 560, 715, 902, 1_044]
    track = query[:extra] + query[extra + 1 :]
    assert feature_set(train(track), setting) <= likely_set(train(query), setting)
    assert not feature_set(train(track), setting) <= feature_set(train(query), setting)


@pytest.mark.parametrize("setting", SETTINGS)
def test_an_onset_that_the_query_lacks_costs_only_the_features_around_it(
    setting: FeatureSetting,
) -> None:
    track = [0, 161, 330, 477, 660, 815, 1_002, 1_144, 1_320, 1_500]
    query = likely_set(train(track[:4] + track[5:]), setting)
    kept = train(track[:4]), train(track[5:])
    shared = feature_set(train(track), setting) & query
    assert shared >= feature_set(kept[0], setting) | feature_set(kept[1], setting)
    assert shared


@pytest.mark.parametrize("change", [-1, 1])
@pytest.mark.parametrize("cell_border", [52, 51])
def test_an_onset_moved_over_the_border_of_a_cell_is_still_found(
    cell_border: int, change: int
) -> None:
    last = 200 + cell_border + 5
    track = feature_set(train([100, 100 + cell_border, last]), RHYTHM_FEATURES)
    assert track <= likely_set(train([100 + change, 100 + cell_border, last]), RHYTHM_FEATURES)
    assert track <= likely_set(train([100, 100 + cell_border, last + change]), RHYTHM_FEATURES)
    assert track <= likely_set(train([100, 100 + cell_border + change, last]), RHYTHM_FEATURES)


def test_sure_onsets_make_likelier_features_than_faint_ones() -> None:
    llr = np.full((200, BANDS), -4, np.float32)
    llr[[10, 50, 90], 0] = 7
    llr[[10, 50, 90], 1] = 3
    made, _, chances = likely_features(llr, RHYTHM_FEATURES, STRETCH)
    bands = made // (RHYTHM_FEATURES.count // BANDS)
    sure, faint = (chances[bands == band] for band in (0, 1))
    assert sure.sum() > 0.8
    assert 0 < faint.sum() < 0.2


@given(seed=st.integers(0, 1000), duration=st.floats(0, 60), gap=st.floats(60, 300))
@settings(deadline=None, max_examples=30)
def test_own_features_are_those_of_a_track_and_as_likely_as_their_onsets(
    seed: int, duration: float, gap: float
) -> None:
    trains = random_trains(seed, duration, 41, gap)
    cells = round(duration * LLR_BINS_PER_SECOND) + 2
    llr = np.full((cells, BANDS), 20, np.float32)
    made, stretches, chances = own_features(llr, trains, RHYTHM_FEATURES, STRETCH)
    expected, starts = features(trains, RHYTHM_FEATURES)
    assert made.tolist() == expected.tolist()
    assert stretches.tolist() == (starts // STRETCH).tolist()
    assert chances.tolist() == pytest.approx([EXACT] * len(made), rel=1e-3)
    doubted, _, _ = own_features(llr - 50, trains, RHYTHM_FEATURES, STRETCH)
    assert len(doubted) == 0
