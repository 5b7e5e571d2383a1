"""What an agreement is worth: standing out more never lowers the odds."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotify_pipeline.identify.decision import (
    ECHOPRINT_WEIGHTS,
    RECORDING_WEIGHTS,
    RHYTHM_WEIGHTS,
    THRESHOLD,
    DecisionWeights,
    log_odds_lost,
    threshold_of,
)
from spotify_pipeline.index.likelihood import Agreement

ALL_WEIGHTS = [RECORDING_WEIGHTS, RHYTHM_WEIGHTS, ECHOPRINT_WEIGHTS]
LIKELIHOODS = st.floats(-1e6, 1e6)


@pytest.mark.parametrize("weights", ALL_WEIGHTS)
def test_what_stands_out_is_believed_and_what_does_not_is_not(weights: DecisionWeights) -> None:
    threshold = math.log(THRESHOLD / (1 - THRESHOLD))
    assert weights.log_odds(Agreement(0, 150.0, 30.0, 140.0)) >= threshold
    assert weights.log_odds(Agreement(0, 150.0, 148.0, 600.0)) < threshold
    assert weights.log_odds(Agreement(0, 30.0, 18.0, 60.0)) < threshold


@given(
    weights=st.sampled_from(ALL_WEIGHTS),
    likelihood=LIKELIHOODS,
    second=LIKELIHOODS,
    lower=LIKELIHOODS,
)
@settings(deadline=None, max_examples=100)
def test_odds_grow_with_the_gap(
    weights: DecisionWeights, likelihood: float, second: float, lower: float
) -> None:
    lower = min(lower, second)
    wider = weights.log_odds(Agreement(0, likelihood, lower, 100.0))
    assert wider >= weights.log_odds(Agreement(0, likelihood, second, 100.0))


@given(weights=st.sampled_from(ALL_WEIGHTS), expected=st.floats(0, 1e6), more=st.floats(0, 1e6))
@settings(deadline=None, max_examples=100)
def test_odds_fall_with_what_was_expected(
    weights: DecisionWeights, expected: float, more: float
) -> None:
    short = weights.log_odds(Agreement(0, 150.0, 30.0, expected + more))
    assert short <= weights.log_odds(Agreement(0, 150.0, 30.0, expected))


@given(weights=st.sampled_from(ALL_WEIGHTS), second=LIKELIHOODS)
@settings(deadline=None, max_examples=50)
def test_what_is_no_likelier_than_by_chance_is_worth_nothing(
    weights: DecisionWeights, second: float
) -> None:
    assert weights.log_odds(Agreement(0, 0.0, second, 100.0)) == -math.inf


@pytest.mark.parametrize("rate", [0.1, 0.01, 1e-6])
def test_the_odds_at_a_threshold_are_one_to_the_share_of_false_accepts(rate: float) -> None:
    confidence = threshold_of(rate)
    assert (1 - confidence) / confidence == pytest.approx(rate)


def test_ten_times_as_many_tracks_make_a_match_ten_times_less_likely() -> None:
    assert log_odds_lost(4 * 10**7, 1) - log_odds_lost(4 * 10**6, 1) == pytest.approx(math.log(10))


def test_a_small_index_makes_no_match_likelier() -> None:
    assert log_odds_lost(10, 1) == log_odds_lost(20_000, 1) == 0
    assert log_odds_lost(10, 9) == pytest.approx(math.log(9))
