"""Hits of keys: every posting of a key, and sums as a plain loop has them."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotify_pipeline.fingerprint.arrays import UInt64s
from spotify_pipeline.index.format.segment import Segment
from spotify_pipeline.index.kernels.hits import (
    FEW,
    FEW_HITS,
    MOST_KEYS,
    best_offset_bins,
    counts_of,
    heavy_hits,
    hits_of,
    ranges_of,
)
from spotify_pipeline_tests.index.segments import segment_of_postings


def test_every_posting_of_a_range_is_a_hit_at_its_offset(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    keys = rng.integers(0, 300, 5_000)
    bins = rng.integers(0, 1_000, 5_000)
    segment = segment_of_postings(tmp_path / "segment", keys, bins, 1_000)
    asked = np.array([3, 3, 128, 250, 299]), np.array([1, 1, 64, 1, 1])
    shifts = np.array([4, 0, 2, 7, 1])
    bits = segment.info.bin_bits
    ranges = ranges_of(*asked, bits)
    found, counts = hits_of(*segment.pages, bits, *ranges, shifts, 7)
    expected = [
        (int(place) + shift) * MOST_KEYS + 7 + number
        for number, (key, width, shift) in enumerate(zip(*asked, shifts, strict=True))
        for place in bins[(key <= keys) & (keys < key + width)]
    ]
    assert sorted(found.tolist()) == sorted(expected)
    numbers = (found & np.uint64(MOST_KEYS - 1)).astype(np.int64)
    assert np.bincount(numbers, minlength=12)[7:].tolist() == counts.tolist()


def test_nothing_is_found_where_there_is_nothing(tmp_path: Path) -> None:
    nothing = np.empty(0, np.int64)
    segment: Segment = segment_of_postings(tmp_path / "segment", nothing, nothing, 10)
    bits = segment.info.bin_bits
    one = ranges_of(np.array([3]), np.array([1]), bits)
    hits, counts = hits_of(*segment.pages, bits, *one, one[0], 0)
    assert (len(hits), counts.tolist()) == (0, [0])
    assert counts_of(segment.pages[0], 0, *one).tolist() == [0]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8)), max_size=60))
@settings(deadline=None)
def test_neighbouring_offset_bins_count_together(pairs: list[tuple[int, int]]) -> None:
    hits = np.sort(np.array([b * MOST_KEYS + key for b, key in pairs], np.uint64))
    weights = np.arange(9) + 1.0
    sums: Counter[int] = Counter()
    for place, key in pairs:
        sums[place] += key + 1
    expected = []
    for place, own in sorted(sums.items()):
        together = FEW * sums.get(place + 1, 0) <= own and place + 1 in sums
        expected.append((place, own + together * sums.get(place + 1, 0), 1 + together))
    found = zip(*(array.tolist() for array in best_offset_bins(hits, weights)), strict=True)
    assert list(found) == expected


@pytest.mark.parametrize("count", [1_000, FEW_HITS + 1, 400_000])
@pytest.mark.parametrize("spread", [1 << 14, 1 << 22, 1 << 34])
def test_the_best_offset_bins_are_kept_when_light_ones_are_dropped(count: int, spread: int) -> None:
    rng = np.random.default_rng(count + spread)
    most = 40
    weights = rng.uniform(0, 9, 500)
    places = rng.integers(0, spread, count)
    places[: 30 * 12] = np.repeat(rng.integers(0, spread, 30), 12) + rng.integers(0, 2, 360)
    hits = (places << 16 | rng.integers(0, 500, count)).astype(np.uint64)
    kept = heavy_hits(hits, weights, most)

    def best(some: UInt64s) -> list[tuple[int, float]]:
        bins, sums, _ = best_offset_bins(np.sort(some), weights)
        order = np.argsort(-sums, kind="stable")[:most]
        return list(zip(bins[order].tolist(), sums[order].round(6).tolist(), strict=True))

    assert best(kept) == best(hits)
    assert len(kept) < len(hits) or count <= FEW_HITS
