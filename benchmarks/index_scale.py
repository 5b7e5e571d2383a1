"""What a search costs, and how often keys agree by chance, at sizes that nobody has measured.

Both look at the keys that a thorough search reads where single keys are read (`FOUR_STEPS`).

**Chance.** Each posting that is read is a *hit* at an offset bin. In tracks that are not the
excerpt's, hits should fall on offset bins independently: how many bins, each with the next one,
have k hits is Poisson's then. Music repeats itself, so there are more. Hits and offset bins both
grow with the index; so with the same keys, bins of k hits grow as the tracks do. Beside them stands
how many hits the right track has at its own offset, of excerpts whose piece is in the index.

**Time.** Making keys takes as long at any size. Which of them a search would read of so many times
the tracks is chosen as a search does it, given so many times the postings. Reading is measured by
page, sorting by hit, verifying by candidate, and multiplied by how many of them there are at
`FULL_SCALE`. Random reads are blocks of 4 kB of an index of which nothing but the spans
(`index.format.postings`) is in memory.

Belongs here: arithmetic on one search. Does not belong here: what is found (`benchmarks.index`).
"""

import os
import time
from collections.abc import Sequence

import numpy as np

from spotify_pipeline.evaluation.queries import Query
from spotify_pipeline.evaluation.tables import Table, percentage
from spotify_pipeline.fingerprint.arrays import Int64s
from spotify_pipeline.identify.identifier import Identifier
from spotify_pipeline.identify.passes import PASSES
from spotify_pipeline.identify.query_llr import QueryLlr
from spotify_pipeline.index.format.postings import PAGE
from spotify_pipeline.index.format.segment import Segment
from spotify_pipeline.index.kernels.likely_keys import LikelyKeys
from spotify_pipeline.index.search.searcher import TRIED_REACH, Searcher
from spotify_pipeline.index.search.segment_searcher import SegmentSearcher

__all__ = ["print_chance", "print_extrapolation"]

FULL_SCALE = 40_000_000
SEGMENTS = 12
"""Of an index of so many tracks, at rest: ten of 4 million, and a few smaller ones."""

HITS = (2, 3, 4, 6, 8, 12)

BLOCK = 4096
"""Bytes that a disk reads at once."""

READS_A_CANDIDATE = 5
"""Where its trains begin, two blocks of trains, where its harmony begins, a block of harmony."""

READS_A_SECOND = 500_000
"""Of an NVMe disk with many reads under way; assumed, not measured."""

THOROUGH = PASSES[2]


def print_chance(
    index: Searcher, segments: Sequence[Segment], tracks: Sequence[tuple[Query, int | None]]
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


def keys_of(index: Searcher, query: Query) -> LikelyKeys:
    """Choose what a thorough search reads."""
    llr = QueryLlr.of(query.fingerprint, query.samples)
    return index.keys_to_read(llr.linked(index), THOROUGH.effort)


def offset_bins(segment: Segment, keys: LikelyKeys) -> Int64s:
    """Read keys; gives the offset bin of each hit, ascending."""
    hits, _ = SegmentSearcher(segment).hits(keys, int(keys.bins.max()), 0, len(keys))
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
    index: Searcher, segments: Sequence[Segment], queries: Sequence[Query]
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
    likely = [query for query in queries if len(keys_of(index, query))]
    counted = np.median([costs(index, segments, query) for query in likely], axis=0)
    keys, hits, page_bytes, keys_s, page_s, hit_s, candidate_s = counted.tolist()
    pages = keys * SEGMENTS + hits / PAGE
    candidates = THOROUGH.candidates
    seconds = keys_s + pages * page_s + hits * hit_s + candidates * candidate_s
    blocks = keys * SEGMENTS * (2 + (hits / (keys * SEGMENTS) + PAGE) / PAGE * page_bytes / BLOCK)
    reads = blocks + candidates * READS_A_CANDIDATE
    print(
        f"\na thorough search of {FULL_SCALE:,} tracks in {SEGMENTS} segments, extrapolated from"
        f" {size:,} in {len(segments)}, medians of {len(likely)} excerpts, two threads:"
        f"\n  {keys:,.0f} keys are read, made and chosen in {keys_s:.2f} s"
        f"\n  {hits:,.0f} hits; {keys:,.0f} keys x {SEGMENTS} segments + {hits:,.0f} / {PAGE} ="
        f" {pages:,.0f} pages x {1e6 * page_s:.2f} us = {pages * page_s:.2f} s"
        f"\n  {hits:,.0f} hits sorted and summed x {1e9 * hit_s:.0f} ns = {hits * hit_s:.2f} s"
        f"\n  {candidates:,} candidates x {1e6 * candidate_s:.0f} us ="
        f" {candidates * candidate_s:.2f} s"
        f"\n  together {seconds:.2f} s in memory"
        f"\n  of a disk: {keys:,.0f} keys x {SEGMENTS} segments x (2 + pages of {page_bytes:,.0f}"
        f" bytes / {BLOCK}) + {candidates:,} candidates x {READS_A_CANDIDATE} = {reads:,.0f} random"
        f" reads of {BLOCK} bytes, {reads * BLOCK / 1e9:.2f} GB; at {READS_A_SECOND:,} a second"
        f" (assumed) {reads / READS_A_SECOND:.2f} s more",
        flush=True,
    )


def costs(index: Searcher, segments: Sequence[Segment], query: Query) -> tuple[float, ...]:
    """Search.

    Returns
    -------
    Keys and hits of a search at `FULL_SCALE`, bytes of a page; seconds to make and choose keys, and
    seconds a page, a hit and a candidate, as measured here.
    """
    llr = QueryLlr.of(query.fingerprint, query.samples)
    times = FULL_SCALE / sum(map(len, segments))
    searchers = [SegmentSearcher(one) for one in segments]
    started = time.perf_counter()
    full = index.keys_to_read(llr.linked(index), THOROUGH.effort, times=times, segments=SEGMENTS)
    made = time.perf_counter() - started
    expected = times * sum(one.counts(full).sum() for one in searchers)
    keys = index.keys_to_read(llr.linked(index), THOROUGH.effort)
    latest = int(keys.bins.max(initial=0))
    started = time.perf_counter()
    hits = [one.hits(keys, latest, 0, len(keys))[0] for one in searchers]
    read = time.perf_counter() - started
    count = sum(map(len, hits))
    weights = np.ones(len(keys))
    started = time.perf_counter()
    for one, found in zip(searchers, hits, strict=True):
        one.best_offsets(found, weights, keys.bins, THOROUGH.candidates)
    ordered = time.perf_counter() - started
    candidates = index.candidates(llr.linked(index), THOROUGH.candidates, THOROUGH.effort)
    started = time.perf_counter()
    likeliest = Identifier(index).at_likeliest_offsets(llr, candidates)
    index.likelihoods_near([llr.rhythm], "rhythm", likeliest, TRIED_REACH)
    verified = time.perf_counter() - started
    pages = len(keys) * len(segments) + count / PAGE
    page_bytes = sum(one.array("postings").nbytes for one in segments) / sum(
        one.info.postings / PAGE for one in segments
    )
    threads = os.cpu_count() or 1
    return (
        len(full), expected, page_bytes, made, read / pages / threads,
        ordered / max(count, 1) / threads, verified / max(len(candidates), 1),
    )  # fmt: skip
