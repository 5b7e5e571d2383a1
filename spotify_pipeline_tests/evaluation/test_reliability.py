"""Bins of confidence: every answer is in one, and right ones elsewhere are counted apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotify_pipeline.evaluation.rates import Rate
from spotify_pipeline.evaluation.reliability import (
    Outcome,
    answers,
    bins_of,
    reliability_plot,
    reliability_table,
    right_above,
)
from spotify_pipeline_tests.evaluation.results import make_result

ANSWERS = st.lists(st.tuples(st.floats(0, 1), st.sampled_from(Outcome)))


@given(ANSWERS)
def test_bins_add_up(found: list[tuple[float, Outcome]]) -> None:
    bins = bins_of(found)
    outcomes = [outcome for _, outcome in found]
    assert sum(b.answers for b in bins) == len(found)
    assert sum(b.right for b in bins) == outcomes.count(Outcome.RIGHT)
    assert sum(b.elsewhere for b in bins) == outcomes.count(Outcome.ELSEWHERE)
    assert sum(b.stated * b.answers for b in bins) == pytest.approx(sum(c for c, _ in found))
    for b in bins:
        assert b.low <= b.stated <= b.high + 1e-12
        assert 0 <= b.right / b.answers <= b.named.value <= 1


def test_certainty_belongs_to_the_last_bin() -> None:
    (only,) = bins_of([(1.0, Outcome.RIGHT), (0.9995, Outcome.WRONG)])
    assert (only.low, only.answers, only.named.value) == (0.999, 2, 0.5)


def test_every_answer_has_its_outcome() -> None:
    results = [
        make_result(1, 9.0),
        make_result(1, 9.0, error=1.5, unknown=-3.0),
        make_result(3, 9.0, wrong=10.0),
        make_result(3, None),
    ]
    found = list(answers(results))
    assert [outcome for _, outcome in found] == [
        Outcome.RIGHT,
        Outcome.ELSEWHERE,
        Outcome.WRONG,
        Outcome.WRONG,
    ]
    assert [match.log_odds for match, _ in found] == [9.0, 9.0, -3.0, 10.0]


def test_answers_above_a_confidence_are_counted_over_all_bins() -> None:
    bins = bins_of([(0.95, Outcome.RIGHT), (0.9995, Outcome.WRONG), (0.2, Outcome.WRONG)])
    assert right_above(bins, 0.9) == Rate(1, 2)


def test_the_diagram_is_a_png_even_of_nothing() -> None:
    bins = bins_of([(0.95, Outcome.RIGHT), (0.93, Outcome.ELSEWHERE), (0.2, Outcome.WRONG)])
    for drawn in (bins, []):
        assert reliability_plot(drawn).startswith(b"\x89PNG")
    assert reliability_table(bins).rows[1] == (
        "0.900 - 0.990", "2", "94.0%", "100.0% (34-100)", "50.0%", "50.0%",
    )  # fmt: skip
