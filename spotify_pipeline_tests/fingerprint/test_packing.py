"""Packed fingerprints: whatever goes in comes back, and damaged bytes are reported."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spotify_pipeline.fingerprint import (
    BANDS,
    EchoprintCodes,
    EchoprintForm,
    OnsetTrains,
    PackingError,
    codes_of_trains,
    decode_echoprint,
    decode_rhythm,
    pack_echoprint,
    pack_trains,
    unpack_codes,
    unpack_echoprint,
    unpack_trains,
)
from spotify_pipeline_tests.documents import echoprint_trains
from spotify_pipeline_tests.onset_trains import onset_trains
from spotify_pipeline_tests.real_strings import real_echoprint_strings, real_rhythm_strings

numbers = st.integers(0, 2**32 - 1)
ascending = st.lists(st.integers(0, 2**31 - 1), unique=True, max_size=40).map(sorted)


def bands(*trains: list[int]) -> OnsetTrains:
    return OnsetTrains.from_bands([*trains, *[[]] * (BANDS - len(trains))])


@settings(deadline=None)
@given(onset_trains(shortest_gap=1))
def test_trains_come_back(trains: OnsetTrains) -> None:
    assert unpack_trains(pack_trains(trains)) == trains


@settings(deadline=None)
@given(st.lists(ascending, min_size=BANDS, max_size=BANDS).map(OnsetTrains.from_bands))
@example(bands([0]))
@example(bands([2**31 - 1]))
@example(bands([0, 2**31 - 1], [], list(range(300))))
@example(bands(*[[7]] * BANDS))
def test_any_ascending_frames_come_back(trains: OnsetTrains) -> None:
    assert unpack_trains(pack_trains(trains)) == trains


def test_no_onsets_are_no_bytes() -> None:
    assert pack_trains(bands()) == b""
    assert unpack_trains(b"") == bands()


@pytest.mark.parametrize("train", [[3, 3], [5, 4], [-1, 4]])
def test_frames_that_do_not_ascend_from_zero_are_refused(train: list[int]) -> None:
    with pytest.raises(PackingError, match="ascend"):
        pack_trains(bands([], train))


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(numbers, numbers)))
def test_arbitrary_codes_come_back(pairs: list[tuple[int, int]]) -> None:
    codes = EchoprintCodes(*np.array(pairs, np.uint32).reshape(-1, 2).T)
    assert unpack_codes(*pack_echoprint(codes)) == codes


@pytest.mark.parametrize("padded", [False, True])
def test_codes_of_trains_are_packed_as_trains(padded: bool) -> None:
    codes = codes_of_trains(echoprint_trains("a track", duration=60), padded=padded)
    form, packed = pack_echoprint(codes)
    assert form == (EchoprintForm.PADDED if padded else EchoprintForm.TRAINS)
    assert unpack_codes(form, packed) == codes
    trains = unpack_echoprint(form, packed)
    assert trains is not None
    assert codes_of_trains(trains, padded=padded) == codes


def test_codes_that_no_trains_give_have_none() -> None:
    codes = EchoprintCodes(np.full(4, 5, np.uint32), np.arange(4, dtype=np.uint32))
    form, packed = pack_echoprint(codes)
    assert form == EchoprintForm.CODES
    assert unpack_echoprint(form, packed) is None


def test_real_strings_come_back_in_a_fraction_of_their_bytes() -> None:
    sizes = []
    for name, string in real_echoprint_strings().items():
        codes = decode_echoprint(string)
        form, packed = pack_echoprint(codes)
        assert form != EchoprintForm.CODES, name
        assert unpack_codes(form, packed) == codes, name
        sizes.append(len(packed))
    assert np.mean(sizes) < 1400
    for name, string in real_rhythm_strings().items():
        trains = decode_rhythm(string)
        packed = pack_trains(trains)
        assert unpack_trains(packed) == trains, name
        assert len(packed) < len(trains)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_read_or_refused(packed: bytes) -> None:
    try:
        trains = unpack_trains(packed)
    except PackingError:
        return
    for band in range(BANDS):
        assert (np.diff(trains.band(band)) > 0).all()
    assert unpack_trains(pack_trains(trains)) == trains


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_flipped_bit_is_read_as_ascending_frames_or_refused(data: st.DataObject) -> None:
    packed = bytearray(pack_trains(echoprint_trains("a track", duration=30)))
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        trains = unpack_trains(bytes(packed))
    except PackingError:
        return
    assert all((np.diff(trains.band(band)) > 0).all() for band in range(BANDS))


@settings(deadline=None)
@given(st.integers(1, 100))
def test_bytes_cut_off_are_refused(missing: int) -> None:
    packed = pack_trains(echoprint_trains("a track", duration=30))
    with pytest.raises(PackingError, match="no packed trains"):
        unpack_trains(packed[:-missing])


def test_damaged_codes_are_refused() -> None:
    with pytest.raises(PackingError, match="damaged"):
        unpack_codes(EchoprintForm.CODES, b"damaged")
