"""Numbers in JSON are read as Python reads them, or told to be none."""

import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spotify_pipeline.dump.numbers import read_fraction, read_number

digits = st.text("0123456789", min_size=1, max_size=25)
exponents = st.builds(
    "{}{}{}".format, st.sampled_from("eE"), st.sampled_from(["", "+", "-"]), st.integers(0, 400)
)
literals = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "-"]),
    digits.map(lambda text: text.lstrip("0") or "0") | st.just("0"),
    st.just("") | digits.map(".{}".format),
    st.just("") | exponents,
)
floats = st.floats(allow_nan=False, allow_infinity=False).map(repr)


@settings(deadline=None, max_examples=1000)
@given(literals | floats | st.floats(0, 1).map("{:.5f}".format), st.sampled_from(", ]}\n"))
@example("9007199254740993", ",")
@example("0.99999", ",")
@example("0.999999", ",")
@example("1e400", ",")
@example("0.5e3", ",")
@example("0.12345E-1", ",")
def test_numbers_are_those_that_python_reads(literal: str, behind: str) -> None:
    for read in (read_number, read_fraction):
        value, end = read(np.frombuffer(b"[" + literal.encode() + behind.encode(), np.uint8), 1)
        assert (value, end) == (float(json.loads(literal)), 1 + len(literal))


@pytest.mark.parametrize(
    "text", "NaN Infinity -Infinity .5 1. 0. 01 00.5 -01 - -. +1 1e 1e+ 1.e5 0.e5 e5 x null".split()
)
def test_what_json_does_not_have_is_no_number(text: str) -> None:
    for read in (read_number, read_fraction):
        for behind in (",", ",          "):
            assert read(np.frombuffer((text + behind).encode(), np.uint8), 0)[1] == 0
