"""Codes of small trains, checked by hand against the definition of code, unit and stop code."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings

from spotify_pipeline.fingerprint import (
    BANDS,
    STOP_CODES,
    EchoprintCodes,
    OnsetTrains,
    codes_of_trains,
)
from spotify_pipeline_tests.onset_trains import onset_trains

GAPS = (130, 300, 411, 1003, 157)
"""Frames; none is near the edge of a unit."""

ONSETS = [20, 150, 450, 861, 1864, 2021]
"""A first onset and one after each gap."""


def units(frames: int) -> int:
    """Count the whole stretches of 23 ms in a number of frames."""
    return math.floor(frames * 32 / 11.025 / 23)


def murmur_hash_2(key: bytes, seed: int) -> int:
    """Austin Appleby's MurmurHash2, as published."""
    multiplier, mask = 0x5BD1E995, 0xFFFFFFFF
    digest = seed ^ len(key)
    while len(key) >= 4:
        word = int.from_bytes(key[:4], "little") * multiplier & mask
        word = (word ^ word >> 24) * multiplier & mask
        digest = digest * multiplier & mask ^ word
        key = key[4:]
    if key:
        digest = (digest ^ int.from_bytes(key, "little")) * multiplier & mask
    digest = (digest ^ digest >> 13) * multiplier & mask
    return digest ^ digest >> 15


def code(gap: int, next_gap: int, band: int) -> int:
    """Hash two gaps in frames as the paper and the reference say."""
    key = struct.pack("<hhB", units(gap), units(next_gap), band)
    return murmur_hash_2(key, 0x9EA5FA36) & 0xFFFFF


def train(band: int, onsets: list[int]) -> OnsetTrains:
    return OnsetTrains.from_bands([onsets if b == band else [] for b in range(BANDS)])


@pytest.mark.parametrize(("onsets", "codes"), [*enumerate([0, 0, 0, 1, 4, 10, 16])])
def test_the_last_onsets_of_a_band_have_fewer_codes(onsets: int, codes: int) -> None:
    made = codes_of_trains(train(5, ONSETS[:onsets]))
    assert len(made) == codes
    assert made.times.dtype == made.codes.dtype == np.uint32


@pytest.mark.parametrize("onsets", range(7))
def test_padded_onsets_have_six_codes_each(onsets: int) -> None:
    assert len(codes_of_trains(train(5, ONSETS[:onsets]), padded=True)) == 6 * max(onsets - 2, 0)


@pytest.mark.parametrize("band", range(BANDS))
def test_three_onsets_have_the_code_of_their_two_gaps(band: int) -> None:
    made = codes_of_trains(train(band, ONSETS[:3]))
    assert made.codes.tolist() == [code(130, 300, band)]
    assert made.times.tolist() == [units(20)]


def test_five_onsets_have_the_codes_of_all_pairs_of_gaps_in_order() -> None:
    a, b, c, d, _ = GAPS
    made = codes_of_trains(train(2, ONSETS[:5]))
    pairs = [(a, b), (a, b + c), (a + b, c), (a, b + c + d), (a + b, c + d), (a + b + c, d)]
    pairs += [(b, c), (b, c + d), (b + c, d)]
    pairs += [(c, d)]
    assert made.codes.tolist() == [code(gap, next_gap, 2) for gap, next_gap in pairs]
    times = [units(frame) for frame in ONSETS[:3]]
    assert made.times.tolist() == [times[0]] * 6 + [times[1]] * 3 + [times[2]]


def test_padding_fills_each_onset_up_with_the_stop_code_of_its_band() -> None:
    plain = codes_of_trains(train(6, ONSETS[:5])).codes.tolist()
    stop = code(0, 0, 6)
    expected = plain[:6] + plain[6:9] + 3 * [stop] + plain[9:] + 5 * [stop]
    assert codes_of_trains(train(6, ONSETS[:5]), padded=True).codes.tolist() == expected


def test_stop_codes_are_the_known_ones_each_of_its_band() -> None:
    known = {66747, 412470, 707586, 732748, 755198, 809256, 907455, 1026159}
    assert set(STOP_CODES.tolist()) == known
    assert STOP_CODES.tolist() == [code(0, 0, band) for band in range(BANDS)]


def test_time_is_written_in_units_of_23_milliseconds() -> None:
    hour = round(3600 * 11025 / 32)
    made = codes_of_trains(train(0, [hour, hour + 200, hour + 400]))
    assert made.times[0] * 0.023 == pytest.approx(3600, abs=0.03)


def test_bands_stand_one_after_the_other() -> None:
    lower, upper = codes_of_trains(train(1, ONSETS)), codes_of_trains(train(4, ONSETS[1:]))
    bands = [ONSETS if b == 1 else ONSETS[1:] if b == 4 else [] for b in range(BANDS)]
    both = codes_of_trains(OnsetTrains.from_bands(bands))
    assert both.codes.tolist() == lower.codes.tolist() + upper.codes.tolist()
    assert both.times.tolist() == lower.times.tolist() + upper.times.tolist()


def test_codes_are_equal_by_content_and_not_equal_to_anything_else() -> None:
    made = codes_of_trains(train(1, ONSETS))
    assert made == EchoprintCodes(made.times.copy(), made.codes.copy())
    assert made != EchoprintCodes(made.times + np.uint32(1), made.codes)
    assert made != EchoprintCodes(made.times, made.codes + np.uint32(1))
    assert made != EchoprintCodes(made.times[:-1], made.codes[:-1])
    assert made != "codes"


def test_trains_of_other_than_eight_bands_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 8 bands, got 7"):
        OnsetTrains.from_bands([[1]] * 7)


@settings(deadline=None, max_examples=100)
@given(onset_trains(longest_gap=40_000))
def test_the_count_of_codes_follows_from_the_counts_of_onsets(trains: OnsetTrains) -> None:
    expected = sum(max(6 * n - 20, (0, 0, 0, 1, 4)[min(n, 4)]) for n in trains.counts.tolist())
    made = codes_of_trains(trains)
    assert len(made) == expected
    assert (made.codes < 2**20).all()
