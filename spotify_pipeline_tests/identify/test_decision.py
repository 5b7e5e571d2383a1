"""What evidence is worth: better evidence never lowers the odds, a larger index does."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotify_pipeline.identify.decision import (
    FIGURES,
    HARMONY_WEIGHT,
    RISING,
    SOURCES,
    THRESHOLD,
    BoostedTrees,
    TrackEvidence,
    beside_twins,
    fractions,
    handicap,
    mean_excess,
    shipped_decisions,
    threshold_of,
)

HIGH_EVIDENCE = TrackEvidence(300.0, 320.0, 20.0, 60.0, 8.0, 0.3, 0.95, 0.9, 0.9, 180, 1.0, 1.0)
"""Ten seconds of a clean recording."""

CODES = TrackEvidence(98.0, 1.9, 12.9, 11.0, 0.0, 0.02, 0.0, 0.0, 1.0, 42, 1.0, 1.0)
"""The same of Echoprint onsets alone, of which hardly anything is expected."""

SAME_BEAT = TrackEvidence(150.0, 320.0, 20.0, 140.0, 20.0, 0.6, 0.45, 0.2, 0.3, 230, 1.0, 1.0)
"""An impostor of the same beat, hardly ahead of the next one."""

HARMONIOUS = dict.fromkeys(SOURCES, 0.0) | {"recording with harmony": 9.0}
"""Nats that harmony tells of a clear recording."""

NATS = st.floats(0, 2_000)
EVIDENCE = st.builds(
    TrackEvidence,
    likelihood=st.floats(1, 2_000),
    expected=NATS,
    deviation=st.floats(0, 60),
    rival=NATS,
    excess=st.floats(0, 100),
    repetition=st.floats(0, 1),
    bands=st.floats(-0.5, 1),
    weakest_band=st.floats(-0.5, 1),
    weakest_part=st.floats(-0.5, 1),
    onsets=st.integers(0, 600),
    covered=st.floats(0, 1),
    speed=st.sampled_from([1.0, 0.97, 1.04]),
    harmony=st.floats(-4, 25),
    harmony_ahead=st.floats(-25, 25),
)


def confidence(source: str, evidence: TrackEvidence) -> float:
    return 1 / (1 + math.exp(-shipped_decisions()[source].log_odds(evidence)))


@pytest.mark.parametrize("source", SOURCES)
def test_a_clear_recording_is_accepted_and_an_impostor_of_its_beat_is_not(source: str) -> None:
    clear = replace(HIGH_EVIDENCE, harmony=HARMONIOUS[source], harmony_ahead=HARMONIOUS[source])
    assert confidence(source, CODES if source == "echoprint" else clear) >= THRESHOLD
    assert confidence(source, SAME_BEAT) < 0.5


def test_a_loop_is_no_reason_for_unknown() -> None:
    assert confidence("recording", replace(HIGH_EVIDENCE, repetition=0.98)) >= THRESHOLD


@pytest.mark.parametrize("log_odds", [3.0, 6.0, 20.0])
def test_a_twin_of_other_harmony_is_refused_whatever_the_odds_by_onsets(log_odds: float) -> None:
    least = math.log(THRESHOLD / (1 - THRESHOLD))
    assert beside_twins(log_odds, -2.0) < least
    assert beside_twins(log_odds, 2.0) > least


@given(log_odds=st.floats(-50, 50), harmony=st.floats(-5, 30), more=st.floats(0, 10))
def test_twins_lower_odds_and_more_harmony_lowers_them_less(
    log_odds: float, harmony: float, more: float
) -> None:
    odds = beside_twins(log_odds, harmony)
    assert odds <= log_odds
    assert beside_twins(log_odds, harmony + more) >= odds
    assert beside_twins(log_odds + more, harmony) >= odds


@given(source=st.sampled_from(SOURCES), evidence=EVIDENCE, more=st.floats(0, 500))
@settings(deadline=None, max_examples=150)
def test_better_evidence_never_lowers_the_odds(
    source: str, evidence: TrackEvidence, more: float
) -> None:
    decision = shipped_decisions()[source]
    odds = decision.log_odds(evidence)
    assert decision.log_odds(replace(evidence, likelihood=evidence.likelihood + more)) >= odds
    assert decision.log_odds(replace(evidence, rival=evidence.rival + more)) <= odds
    ahead = evidence.likelihood - evidence.rival + HARMONY_WEIGHT * evidence.harmony_ahead
    if ahead > 0:
        assert decision.log_odds(replace(evidence, excess=evidence.excess + more)) <= odds
    assert decision.log_odds(replace(evidence, bands=1.0, weakest_band=1.0)) >= odds
    assert decision.log_odds(replace(evidence, handicap=more)) <= odds
    assert decision.log_odds(replace(evidence, prior=more / 50)) >= odds
    assert decision.log_odds(replace(evidence, harmony=evidence.harmony + more / 20)) >= odds


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_no_likelier_than_any_music_is_worth_nothing(source: str) -> None:
    assert shipped_decisions()[source].log_odds(replace(HIGH_EVIDENCE, likelihood=0.0)) == -math.inf


@given(evidence=EVIDENCE, nats=st.floats(0, 3_000))
@settings(deadline=None, max_examples=100)
def test_figures_are_finite_and_ahead_in_the_direction_that_they_are_fitted_in(
    evidence: TrackEvidence, nats: float
) -> None:
    plain, behind = evidence.figures, replace(evidence, handicap=nats).figures
    assert plain.shape == (len(FIGURES),)
    assert np.isfinite(plain).all()
    for name, rising, before, after in zip(FIGURES, RISING, plain, behind, strict=True):
        assert rising * (before - after) >= -1e-9, name


def test_trees_add_up_the_leaves_that_their_figures_lead_to() -> None:
    fraction, shortfall = FIGURES.index("fraction"), FIGURES.index("shortfall")
    trees = BoostedTrees(
        base=0.5,
        figure=np.array([fraction, -1, shortfall, -1, -1, -1]),
        threshold=np.array([0.7, 0, 3.0, 0, 0, 0]),
        left=np.array([1, 0, 3, 0, 0, 0]),
        right=np.array([2, 0, 4, 0, 0, 0]),
        value=np.array([0, -2.0, 0, 4.0, 1.0, 0.25]),
        roots=np.array([0, 5]),
    )
    assert trees.log_odds(replace(HIGH_EVIDENCE, likelihood=200.0)) == 0.5 - 2 + 0.25
    assert trees.log_odds(HIGH_EVIDENCE) == 0.5 + 4 + 0.25
    assert trees.log_odds(replace(HIGH_EVIDENCE, deviation=1.0)) == 0.5 + 1 + 0.25
    again = BoostedTrees.of(trees.arrays())
    assert again.log_odds(HIGH_EVIDENCE) == trees.log_odds(HIGH_EVIDENCE)


@given(
    scale=st.floats(1, 50),
    least=st.floats(10, 200),
    seed=st.integers(0, 1_000),
)
@settings(deadline=None, max_examples=50)
def test_the_mean_excess_of_rivals_is_the_scale_of_their_tail(
    scale: float, least: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    excesses = []
    for _ in range(200):
        tail = np.sort(least + scale * rng.exponential(size=500))[::-1]
        excesses.append(mean_excess(tail.tolist()))
    assert np.mean(excesses) == pytest.approx(scale, rel=0.12)


def test_two_rivals_tell_no_tail() -> None:
    assert mean_excess([]) == mean_excess([30.0, 20.0]) == mean_excess([-5.0, -6.0, -7.0]) == 0


def test_fractions_of_bands_leave_out_what_was_not_expected_to_tell() -> None:
    expected = np.array([20.0, 10, 10, 10, 0.5, 0, 1, 0])
    likelihoods = np.array([20.0, 5, 12, 0, 99, 1, -9, 0])
    mean, weakest = fractions(likelihoods, expected)
    assert mean == pytest.approx((1 + 0.5 + 1 + 0) / 4)
    assert weakest == 0.5
    assert fractions(likelihoods, expected, weakest=0)[1] == 0
    assert fractions(np.ones(8), np.zeros(8)) == (0.0, 0.0)


@pytest.mark.parametrize("rate", [0.1, 0.01, 1e-6])
def test_the_odds_at_a_threshold_are_one_to_the_fraction_of_false_accepts(rate: float) -> None:
    chosen = threshold_of(rate)
    assert (1 - chosen) / chosen == pytest.approx(rate)


def test_the_handicap_grows_with_the_logarithm_of_tracks_and_speeds() -> None:
    for expected in (0.0, 40.0, 600.0):
        decade = handicap(expected, 2 * 10**6, 1) - handicap(expected, 2 * 10**5, 1)
        assert decade >= math.log(10)
        more = handicap(expected, 2 * 10**7, 1) - handicap(expected, 2 * 10**6, 1)
        assert more == pytest.approx(decade)
        assert handicap(expected, 20_000, 10) == pytest.approx(decade)
        assert handicap(expected, 10, 1) == handicap(expected, 20_000, 1) == 0
