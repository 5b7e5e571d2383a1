"""Trains from codes: whatever trains gave the codes, the ones recovered give them too.

Codes that no trains give must be told from others at once, since any string may hold them.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from spotify_pipeline.fingerprint import (
    BANDS,
    STOP_CODES,
    CodesError,
    EchoprintCodes,
    OnsetTrains,
    codes_of_trains,
    decode_echoprint,
    is_padded,
    trains_of_codes,
)
from spotify_pipeline_tests.documents import echoprint_trains
from spotify_pipeline_tests.onset_trains import onset_trains
from spotify_pipeline_tests.real_strings import real_echoprint_strings

SECONDS_ALLOWED = 2.0


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """Compile the kernels before anything is timed."""
    for padded in (False, True):
        trains_of_codes(codes_of_trains(echoprint_trains("compiled"), padded=padded))
    trains_of_codes(codes_of_trains(bands(ONSETS[:3])))


@contextmanager
def soon() -> Iterator[None]:
    started = time.perf_counter()
    yield
    assert time.perf_counter() - started < SECONDS_ALLOWED


def bands(*trains: list[int]) -> OnsetTrains:
    """Give the first bands these onsets and the others none."""
    return OnsetTrains.from_bands([*trains, *[[]] * (BANDS - len(trains))])


def track_codes(*, padded: bool = False) -> EchoprintCodes:
    return codes_of_trains(echoprint_trains("a track", duration=60), padded=padded)


ONSETS = [20, 150, 450, 861, 1864, 2021]


@settings(deadline=None, max_examples=150)
@given(trains=onset_trains(shortest_gap=128), padded=st.booleans())
@example(trains=bands([], [], ONSETS[:3]), padded=True)
@example(trains=bands([], ONSETS[:4], [], ONSETS[:3]), padded=False)
@example(trains=bands(ONSETS[:3], ONSETS), padded=False)  # both begin at the same time
@example(trains=bands(ONSETS[:3], ONSETS[:3], ONSETS[:5]), padded=True)
@example(trains=bands(*[ONSETS[:3]] * 8), padded=True)
def test_recovered_trains_give_the_same_codes(trains: OnsetTrains, padded: bool) -> None:
    # without padding, three lone codes of one time can't be told from a band's group of three
    assume(padded or (trains.counts == 3).sum() < 3)
    codes = codes_of_trains(trains, padded=padded)
    recovered = trains_of_codes(codes)
    assert codes_of_trains(recovered, padded=padded) == codes
    assert sorted(recovered.counts[recovered.counts > 0]) == sorted(
        trains.counts[trains.counts > 2]
    )


@settings(deadline=None, max_examples=50)
@given(onset_trains(shortest_gap=128))
def test_padding_tells_the_bands_and_those_of_two_onsets_come_back_empty(
    trains: OnsetTrains,
) -> None:
    codes = codes_of_trains(trains, padded=True)
    assert is_padded(codes) == (len(codes) > 0)
    recovered = trains_of_codes(codes)
    assert recovered.counts.tolist() == [n if n > 2 else 0 for n in trains.counts.tolist()]


@pytest.mark.parametrize("padded", [False, True])
def test_onsets_are_recovered_within_a_time_unit(padded: bool) -> None:
    trains = echoprint_trains("a track", duration=120)
    recovered = trains_of_codes(codes_of_trains(trains, padded=padded))
    for band in range(BANDS):
        assert np.abs(recovered.band(band)[:-2] - trains.band(band)[:-2]).max() <= 8


def test_no_codes_give_empty_trains() -> None:
    nothing = np.empty(0, np.uint32)
    recovered = trains_of_codes(EchoprintCodes(nothing, nothing))
    assert len(recovered) == 0
    assert recovered.counts.tolist() == [0] * BANDS


def test_every_real_string_is_recovered() -> None:
    for name, string in real_echoprint_strings().items():
        codes = decode_echoprint(string)
        recovered = trains_of_codes(codes)
        assert codes_of_trains(recovered, padded=is_padded(codes)) == codes, name
        assert (recovered.counts > 0).all(), name


def test_real_strings_are_not_taken_for_padded_ones() -> None:
    document_strings = [s for n, s in real_echoprint_strings().items() if n.endswith(".json")]
    assert not any(is_padded(decode_echoprint(string)) for string in document_strings)


def one_code_changed(codes: EchoprintCodes) -> EchoprintCodes:
    values = codes.codes.copy()
    values[len(values) // 2] ^= 1
    return EchoprintCodes(codes.times, values)


def one_time_changed(codes: EchoprintCodes) -> EchoprintCodes:
    times = codes.times.copy()
    times[len(times) // 2] += 1
    return EchoprintCodes(times, codes.codes)


def codes_shuffled(codes: EchoprintCodes) -> EchoprintCodes:
    return EchoprintCodes(codes.times, np.random.default_rng(0).permutation(codes.codes))


def all_shuffled(codes: EchoprintCodes) -> EchoprintCodes:
    order = np.random.default_rng(0).permutation(len(codes))
    return EchoprintCodes(codes.times[order], codes.codes[order])


def times_descending(codes: EchoprintCodes) -> EchoprintCodes:
    return EchoprintCodes(codes.times[::-1].copy(), codes.codes)


def times_equal(codes: EchoprintCodes) -> EchoprintCodes:
    return EchoprintCodes(np.zeros_like(codes.times), codes.codes)


def times_huge(codes: EchoprintCodes) -> EchoprintCodes:
    return EchoprintCodes(codes.times + np.uint32(2**31), codes.codes)


def codes_too_wide(codes: EchoprintCodes) -> EchoprintCodes:
    return EchoprintCodes(codes.times, codes.codes + np.uint32(2**20))


def end_cut_off(codes: EchoprintCodes) -> EchoprintCodes:
    return EchoprintCodes(codes.times[:-3], codes.codes[:-3])


def start_cut_off(codes: EchoprintCodes) -> EchoprintCodes:
    return EchoprintCodes(codes.times[2:], codes.codes[2:])


def said_twice(codes: EchoprintCodes) -> EchoprintCodes:
    return EchoprintCodes(np.tile(codes.times, 2), np.tile(codes.codes, 2))


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize(
    "corrupt",
    [
        one_code_changed,
        one_time_changed,
        codes_shuffled,
        all_shuffled,
        times_descending,
        times_equal,
        times_huge,
        codes_too_wide,
        end_cut_off,
        start_cut_off,
        said_twice,
    ],
)
def test_codes_that_no_trains_give_are_an_error_at_once(
    corrupt: Callable[[EchoprintCodes], EchoprintCodes], padded: bool
) -> None:
    codes = corrupt(track_codes(padded=padded))
    with soon(), pytest.raises(CodesError):
        trains_of_codes(codes)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 9, 16, 1000, 600_004])
@pytest.mark.parametrize("value", [0, 5, 2**20, 2**32 - 1])
@pytest.mark.parametrize("step", [0, 1])
def test_codes_of_the_same_value_end_soon(count: int, value: int, step: int) -> None:
    times = (step * np.arange(count) // 6).astype(np.uint32)
    codes = EchoprintCodes(times, np.full(count, value, np.uint32))
    with soon():
        assert_recovered_or_refused(codes)


@pytest.mark.parametrize("count", [6, 12, 48, 60, 60_000])
def test_stop_codes_alone_end_soon(count: int) -> None:
    codes = EchoprintCodes(np.arange(count, dtype=np.uint32) // 6, np.full(count, STOP_CODES[3]))
    with soon():
        assert_recovered_or_refused(codes)


@settings(deadline=None, max_examples=150)
@given(
    codes=st.lists(
        st.tuples(
            st.one_of(st.integers(0, 3), st.integers(0, 2**32 - 1)),
            st.one_of(st.sampled_from(STOP_CODES.tolist()), st.integers(0, 2**20 - 1)),
        ),
        max_size=24,
    )
)
def test_arbitrary_codes_are_recovered_exactly_or_refused(codes: list[tuple[int, int]]) -> None:
    times, values = np.array(codes, np.uint32).reshape(-1, 2).T
    with soon():
        assert_recovered_or_refused(EchoprintCodes(times, values))


@settings(deadline=None, max_examples=100)
@given(position=st.integers(0, 10_000), value=st.integers(0, 2**20 - 1), padded=st.booleans())
def test_a_changed_code_is_never_overlooked(position: int, value: int, padded: bool) -> None:
    codes = track_codes(padded=padded)
    values = codes.codes.copy()
    values[position % len(values)] = value
    with soon():
        assert_recovered_or_refused(EchoprintCodes(codes.times, values))


def assert_recovered_or_refused(codes: EchoprintCodes) -> None:
    try:
        recovered = trains_of_codes(codes)
    except CodesError:
        return
    assert codes_of_trains(recovered, padded=is_padded(codes)) == codes
