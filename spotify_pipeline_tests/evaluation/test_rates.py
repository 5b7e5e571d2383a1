"""Rates and their intervals, against another implementation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from spotify_pipeline.evaluation.rates import Rate


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_are_those_of_wilson(counted: tuple[int, int]) -> None:
    rate = Rate(*counted)
    expected = binomtest(*counted).proportion_ci(method="wilson")
    assert rate.interval == pytest.approx((expected.low, expected.high), abs=1e-6)
    assert rate.value == counted[0] / counted[1]


def test_outcomes_are_counted() -> None:
    assert Rate.of([True, False, True]) == Rate(2, 3)
    assert str(Rate(5, 8)) == "62.5% (31-86)"


def test_of_nothing_nothing_is_known() -> None:
    nothing = Rate(0, 0)
    assert str(nothing.value) == "nan"
    assert nothing.interval == (0.0, 1.0)
    assert str(nothing) == ""
