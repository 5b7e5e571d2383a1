"""Words a letter apart: just those, none left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotify_pipeline.catalog.typos import one_letter_off

WORDS = st.text(alphabet="abc", max_size=5)


def is_one_letter_off(one: str, other: str) -> bool:
    """Tell it by what is left when equal ends are taken off."""
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    swapped = len(one) == len(other) == 2 and one == other[::-1]
    return swapped or max(len(one), len(other)) == 1


@given(WORDS.filter(bool), WORDS.filter(bool))
def test_a_word_is_given_just_if_it_is_one_letter_off(word: str, other: str) -> None:
    assert (other in one_letter_off(word)) == is_one_letter_off(word, other)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("beautful", "beautiful"), ("yesterdya", "yesterday"), ("выхда", "выхода"), ("אהבב", "אהבה")],
)
def test_letters_are_those_of_the_script(typed: str, meant: str) -> None:
    assert meant in one_letter_off(typed)
