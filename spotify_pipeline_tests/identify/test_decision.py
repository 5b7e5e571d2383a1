"""What an alignment is worth: more onsets in line never lower the odds."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotify_pipeline.identify.decision import (
    ECHOPRINT_EVIDENCE,
    RHYTHM_EVIDENCE,
    THRESHOLD,
    EvidenceWeights,
    evidence,
    log_odds_lost,
    threshold_of,
)
from spotify_pipeline.index.alignment import Alignment

WEIGHTS = st.sampled_from([RHYTHM_EVIDENCE, ECHOPRINT_EVIDENCE])
COUNTS = st.integers(0, 10**6)


@st.composite
def alignments(draw: st.DrawFn) -> Alignment:
    onsets = draw(st.integers(2, 10**5))
    aligned = draw(st.integers(1, onsets))
    second = draw(st.integers(0, aligned))
    return Alignment(0, aligned, second, onsets, draw(st.floats(0, second)))


def test_evidence_of_an_alignment_by_hand() -> None:
    alignment = Alignment(offset=5, aligned=100, second=40, onsets=200, expected=20.0)
    assert evidence(alignment) == pytest.approx((6.0, math.log(80 / math.sqrt(21))))


@pytest.mark.parametrize("weights", [RHYTHM_EVIDENCE, ECHOPRINT_EVIDENCE])
def test_a_clear_alignment_is_believed_and_a_chance_one_is_not(weights: EvidenceWeights) -> None:
    threshold = math.log(THRESHOLD / (1 - THRESHOLD))
    assert weights.log_odds(Alignment(0, 90, 20, 100, 8.0)) >= threshold
    assert weights.log_odds(Alignment(0, 22, 20, 100, 8.0)) < threshold


@given(weights=WEIGHTS, alignment=alignments())
@settings(deadline=None, max_examples=100)
def test_odds_grow_with_the_gap(weights: EvidenceWeights, alignment: Alignment) -> None:
    wider = replace(alignment, second=alignment.second // 2, expected=alignment.expected)
    assert evidence(wider)[0] >= evidence(alignment)[0]
    assert weights.log_odds(wider) >= weights.log_odds(alignment)


@given(weights=WEIGHTS, alignment=alignments())
@settings(deadline=None, max_examples=100)
def test_odds_grow_with_the_prominence(weights: EvidenceWeights, alignment: Alignment) -> None:
    less_by_chance = replace(alignment, expected=alignment.expected / 2)
    assert evidence(less_by_chance)[1] >= evidence(alignment)[1]
    assert weights.log_odds(less_by_chance) >= weights.log_odds(alignment)


@given(weights=WEIGHTS, second=COUNTS, onsets=COUNTS, expected=st.floats(0, 1e6))
@settings(deadline=None, max_examples=50)
def test_nothing_aligned_is_worth_nothing(
    weights: EvidenceWeights, second: int, onsets: int, expected: float
) -> None:
    assert weights.log_odds(Alignment(0, 0, second, onsets, expected)) == -math.inf


@pytest.mark.parametrize("size", [1, 10**3, 10**9, 10**15])
@pytest.mark.parametrize("weights", [RHYTHM_EVIDENCE, ECHOPRINT_EVIDENCE])
def test_extreme_counts_give_finite_odds(weights: EvidenceWeights, size: int) -> None:
    for alignment in (
        Alignment(0, size, 0, 1, 0.0),
        Alignment(0, 1, size, size, float(size)),
        Alignment(0, 1, 0, 0, float(size)),
        Alignment(-size, size, size, size, 0.0),
    ):
        assert math.isfinite(weights.log_odds(alignment))


@pytest.mark.parametrize("rate", [0.1, 0.01, 1e-6])
def test_the_odds_at_a_threshold_are_one_to_the_share_of_false_accepts(rate: float) -> None:
    confidence = threshold_of(rate)
    assert (1 - confidence) / confidence == pytest.approx(rate)


def test_ten_times_as_many_tracks_make_a_match_ten_times_less_likely() -> None:
    assert log_odds_lost(4 * 10**7, 1) - log_odds_lost(4 * 10**6, 1) == pytest.approx(math.log(10))


def test_a_small_index_makes_no_match_likelier() -> None:
    assert log_odds_lost(10, 1) == log_odds_lost(10_000, 1) == 0
    assert log_odds_lost(10, 9) == pytest.approx(math.log(9))
