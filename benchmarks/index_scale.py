"""What a search costs, and how often keys agree by chance, at sizes that nobody has measured.

Both look at the keys that a thorough search reads where single keys are read (`FOUR_STEPS`).

**Chance.** Each posting that is read is a *hit* at an offset bin. In tracks that are not the
excerpt's, hits should fall on offset bins independently: how many bins, each with the next one,
have k hits is Poisson's then. Music repeats itself, so there are more. Hits and offset bins both
grow with the index; so with the same keys, bins of k hits grow as the tracks do. Beside them stands
how many hits the right track has at its own offset, of excerpts whose piece is in the index.

**Time.** Making keys takes as long at any size. Reading is measured by page, sorting by hit,
verifying by candidate, and multiplied by how many of them there are at `FULL_SCALE`. Random reads
are those of an index of which nothing but the upper levels of its directories is in memory.

Belongs here: arithmetic on one search. Does not belong here: what is found (`benchmarks.index`).
"""

import time
from collections.abc import Sequence

import numpy as np

from spotify_pipeline.evaluation.queries import Query
from spotify_pipeline.evaluation.tables import Table, percentage
from spotify_pipeline.fingerprint.arrays import Int64s
from spotify_pipeline.identify.passes import PASSES
from spotify_pipeline.identify.query_llr import QueryLlr
from spotify_pipeline.index.format.postings import PAGE
from spotify_pipeline.index.format.segment import Segment
from spotify_pipeline.index.kernels.likely_keys import LikelyKeys
from spotify_pipeline.index.search.searcher import FeatureIndex
from spotify_pipeline.index.search.segment_searcher import SegmentSearcher

__all__ = ["print_chance", "print_extrapolation"]

FULL_SCALE = 40_000_000
SEGMENTS = 12
"""Of an index of so many tracks, at rest: ten of 4 million, and a few smaller ones."""

HITS = (2, 3, 4, 6, 8, 12)

READS_A_PAGE = 3
"""Blocks of 4 kB that are read to look into a page: the end of the search in the directory, the
word where the page begins, the page."""

READS_A_SECOND = 500_000
"""Of an NVMe disk with many reads under way; assumed, not measured."""

THOROUGH = PASSES[1]


def print_chance(
    index: FeatureIndex, segments: Sequence[Segment], tracks: Sequence[tuple[Query, int | None]]
) -> None:
    """Print how often keys agree by chance.

    Parameters
    ----------
    index, segments
        Of which single keys are read; its segments, that of the pieces first.
    tracks
        Excerpts, each with the number of its piece's track; None if that is not in the index.
    """
    size = sum(map(len, segments))
    by_chance, expected, own = [], [], []
    for query, track in tracks:
        keys = keys_of(index, query)
        if not len(keys):
            continue
        latest = int(keys.bins.max())
        bins = [offset_bins(segment, keys) for segment in segments]
        if track is not None:
            first, last = segments[0].array("starts")[track : track + 2].tolist()
            inside = (bins[0] >= first) & (bins[0] < last + latest)
            own.append(np.max(windows(bins[0][inside]), initial=0))
            continue
        counts = np.concatenate([windows(found) for found in bins])
        by_chance.append([(counts >= k).sum() for k in HITS])
        there = sum(segment.info.bins + latest for segment in segments)
        expected.append([there * poisson_tail(2 * sum(map(len, bins)) / there, k) for k in HITS])
    measured, independent = np.mean(by_chance, axis=0), np.mean(expected, axis=0)
    rows = [
        (
            str(k),
            f"{found:,.3g}",
            f"{other:,.3g}",
            f"{found / other:,.3g}",
            f"{found * FULL_SCALE / size:,.3g}",
            percentage(float(np.mean(np.array(own) >= k))),
        )
        for k, found, other in zip(HITS, measured.tolist(), independent.tolist(), strict=True)
    ]
    columns = (
        "hits", "bins that have them", "if independent", "ratio", f"of {FULL_SCALE:,} tracks",
        "right track has them",
    )  # fmt: skip
    print(f"\nagreement by chance, mean of {len(by_chance)} excerpts of unknown pieces:")
    print(Table(columns, rows).text(), flush=True)


def keys_of(index: FeatureIndex, query: Query) -> LikelyKeys:
    """Choose what a thorough search reads."""
    llr = QueryLlr.of(query.fingerprint, query.samples)
    return index.keys_to_read(llr.frames_at_speed(1), THOROUGH.effort)


def offset_bins(segment: Segment, keys: LikelyKeys) -> Int64s:
    """Read keys; gives the offset bin of each hit, ascending."""
    hits = SegmentSearcher(segment).hits(keys, int(keys.bins.max()), 0, len(keys))
    return np.sort((hits >> np.uint64(16)).astype(np.int64))


def windows(bins: Int64s) -> Int64s:
    """Count the hits in each bin that has any, and in the next one."""
    there, counts = np.unique(bins, return_counts=True)
    follows = np.diff(there) == 1
    together = counts.copy()
    together[:-1][follows] += counts[1:][follows]
    return together


def poisson_tail(mean: float, least: int) -> float:
    """Give the probability of so many or more, where the mean is small."""
    terms = np.cumprod(mean / np.arange(1, least + 40))
    return float(np.exp(-mean) * terms[least - 1 :].sum())


def print_extrapolation(
    index: FeatureIndex, segments: Sequence[Segment], queries: Sequence[Query]
) -> None:
    """Print what a thorough search takes at `FULL_SCALE`, with the arithmetic.

    Parameters
    ----------
    index, segments
        As of `print_chance`.
    queries
        Of which medians are taken.
    """
    size = sum(map(len, segments))
    counted = np.median([costs(index, segments, query) for query in queries], axis=0)
    keys, hits, keys_s, read_s, sort_s, candidates, verify_s = counted.tolist()
    most_hits = min(hits * FULL_SCALE / size, THOROUGH.effort.postings)
    pages = keys * SEGMENTS + most_hits / PAGE
    pages_here = keys * len(segments) + hits / PAGE
    page_s, hit_s = read_s / pages_here, sort_s / max(hits, 1)
    candidate_s = verify_s / max(candidates, 1)
    reads = pages * READS_A_PAGE
    seconds = keys_s + pages * page_s + most_hits * hit_s + THOROUGH.candidates * candidate_s
    print(
        f"\na thorough search of {FULL_SCALE:,} tracks in {SEGMENTS} segments, extrapolated from"
        f" {size:,} in {len(segments)}, medians of {len(queries)} excerpts:"
        f"\n  {keys:,.0f} keys, made in {keys_s:.2f} s"
        f"\n  {hits:,.0f} hits x {FULL_SCALE:,} / {size:,}, {THOROUGH.effort.postings:,} at the"
        f" most = {most_hits:,.0f} hits"
        f"\n  {keys:,.0f} keys x {SEGMENTS} segments + {most_hits:,.0f} hits / {PAGE} ="
        f" {pages:,.0f} pages x {1e6 * page_s:.2f} us = {pages * page_s:.2f} s"
        f"\n  {most_hits:,.0f} hits sorted x {1e9 * hit_s:.0f} ns = {most_hits * hit_s:.2f} s"
        f"\n  {THOROUGH.candidates:,} candidates x {1e6 * candidate_s:.0f} us ="
        f" {THOROUGH.candidates * candidate_s:.2f} s"
        f"\n  together {seconds:.2f} s in memory, of one thread but for reading and verifying"
        f"\n  of a disk: {pages:,.0f} pages x {READS_A_PAGE} = {reads:,.0f} random reads,"
        f" {reads * 4096 / 1e9:.1f} GB of blocks; at {READS_A_SECOND:,} a second (assumed)"
        f" {reads / READS_A_SECOND:.1f} s more",
        flush=True,
    )


def costs(index: FeatureIndex, segments: Sequence[Segment], query: Query) -> tuple[float, ...]:
    """Search; gives keys, hits, seconds to make, read and sort them, candidates, seconds."""
    llr = QueryLlr.of(query.fingerprint, query.samples)
    frames = llr.frames_at_speed(1)
    started = time.perf_counter()
    keys = index.keys_to_read(frames, THOROUGH.effort)
    made = time.perf_counter()
    latest = int(keys.bins.max(initial=0))
    hits = [SegmentSearcher(one).hits(keys, latest, 0, len(keys)) for one in segments]
    read = time.perf_counter()
    for found in hits:
        found.sort()
    ordered = time.perf_counter()
    candidates = index.candidates(frames, THOROUGH.candidates, THOROUGH.effort)
    verifying = time.perf_counter()
    index.likelihoods_near([llr.rhythm], "rhythm", candidates, index.reach)
    verified = time.perf_counter() - verifying
    return (
        len(keys), sum(map(len, hits)), made - started, read - made, ordered - read,
        len(candidates), verified,
    )  # fmt: skip
