"""Lists of ascending numbers come back, wherever they begin and whatever lies around them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotify_pipeline.index.format.elias_fano import list_bits, read_list, write_list

BASE = 2**60 + 5


def written(lists: list[list[int]], bound: int, start: int) -> np.ndarray:
    """Write lists one after the other from a bit on."""
    words = np.zeros(sum(list_bits(len(numbers), bound) for numbers in lists) // 64 + 3, np.uint64)
    bit = start
    for numbers in lists:
        write_list(words, bit, bound, BASE, np.array(numbers, np.uint64) + np.uint64(BASE))
        bit += list_bits(len(numbers), bound)
    return words


def read(words: np.ndarray, bit: int, bound: int, count: int) -> list[int]:
    out = np.zeros(count, np.uint64)
    assert read_list(words, bit, bound, BASE, count, out) == count
    numbers: list[int] = (out - np.uint64(BASE)).tolist()
    return numbers


@given(
    st.integers(1, 2**50).flatmap(
        lambda bound: st.tuples(
            st.just(bound),
            st.lists(st.lists(st.integers(0, bound - 1), max_size=60).map(sorted), max_size=5),
        )
    ),
    st.integers(0, 63),
)
@settings(deadline=None, max_examples=100)
def test_lists_come_back_from_any_bit(case: tuple[int, list[list[int]]], start: int) -> None:
    bound, lists = case
    words = written(lists, bound, start)
    bit = start
    for numbers in lists:
        assert read(words, bit, bound, len(numbers)) == numbers
        bit += list_bits(len(numbers), bound)


def test_a_number_costs_two_bits_more_than_its_entropy_at_the_most() -> None:
    bound = 10**7
    for count in (1, 100, 5_000, 10**6):
        assert list_bits(count, bound) / count <= np.log2(bound / count) + 2 + 1 / count


@pytest.mark.parametrize("bound", [1, 2, 1000])
def test_every_number_below_the_bound_may_be_there(bound: int) -> None:
    numbers = list(range(bound))
    assert read(written([numbers], bound, 5), 5, bound, bound) == numbers


def test_a_list_that_is_cut_off_is_short_and_not_a_crash() -> None:
    numbers = list(range(0, 10_000, 10))
    words = written([numbers], 10_000, 0)
    out = np.zeros(1_000, np.uint64)
    assert read_list(np.zeros_like(words), 0, 10_000, BASE, 1_000, out) == 0
    assert read_list(words[: len(words) // 2].copy(), 0, 10_000, BASE, 1_000, out) < 1_000
