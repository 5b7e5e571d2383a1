"""Postings come back in order, from any number on, however they were written."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spotify_pipeline.index.format.key_setting import KEY_BITS
from spotify_pipeline.index.format.postings import PAGE, count_between, read_between
from spotify_pipeline_tests.index.segments import segment_of_postings


@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(0, 1_000),
    most=st.sampled_from([1, 5, 1_000, (1 << KEY_BITS) - 1]),
    bound=st.sampled_from([1, 2, 1_000, 1 << 28]),
    parts=st.integers(1, 9),
)
@settings(deadline=None, max_examples=60)
@example(seed=0, count=3, most=(1 << KEY_BITS) - 1, bound=1 << 28, parts=1)
def test_any_range_of_postings_comes_back(
    seed: int, count: int, most: int, bound: int, parts: int
) -> None:
    rng = np.random.default_rng(seed)
    keys, bins = rng.integers(0, most + 1, count), rng.integers(0, bound, count)
    with TemporaryDirectory() as folder:
        segment = segment_of_postings(Path(folder) / "segment", keys, bins, bound, parts)
        numbers = np.sort(keys << segment.info.bin_bits | bins)
        ends = [0, 1 << KEY_BITS + segment.info.bin_bits, *rng.choice(numbers, 3 * (count > 0))]
        out = np.empty(count + 2 * PAGE, np.uint64)
        for least in ends:
            for end in (*ends, least + 1):
                found = read_between(*segment.pages, least, end, out)
                expected = numbers[(numbers >= least) & (numbers < end)]
                np.testing.assert_array_equal(out[:found], expected)


def test_postings_are_counted_without_reading_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    keys, bins = rng.integers(0, 1_000, 100_000), rng.integers(0, 1_000, 100_000)
    segment = segment_of_postings(tmp_path / "segment", keys, bins, 1_000)
    spans, *_, postings = segment.pages
    bits = segment.info.bin_bits
    for first, last in ((0, 1), (3, 5), (0, 1_000), (400, 700), (999, 1_000)):
        estimate = count_between(spans, postings, first << bits, last << bits)
        assert abs(estimate - ((first <= keys) & (keys < last)).sum()) <= 300
    assert count_between(spans, postings, 0, 1 << KEY_BITS + bits) == 100_000


def test_pages_are_the_same_whatever_the_parts(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    keys, bins = rng.integers(0, 1 << KEY_BITS, 5_000), rng.integers(0, 1_000, 5_000)
    for parts in (1, 7):
        segment_of_postings(tmp_path / f"{parts}", keys, bins, 1_000, parts)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "7").read_bytes()


def test_a_posting_costs_three_bits_more_than_its_entropy_at_the_most(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    keys, bins = rng.integers(0, 1 << KEY_BITS, 100_000), rng.integers(0, 1 << 20, 100_000)
    segment = segment_of_postings(tmp_path / "segment", keys, bins, 1 << 20)
    bits = 8 * sum(segment.array(name).nbytes for name in ("postings", "pages", "spans"))
    space = 1 << KEY_BITS + segment.info.bin_bits
    assert bits / 100_000 <= np.log2(space / 100_000) + 1.44 + 3
