"""From a query's features to the tracks that are worth aligning.

A clip shows many of its own track's features, all at one time offset; of another track it shows
few, at any offset. So hits are weighed by how likely they are in the query's track and how rare
elsewhere, and summed for each *cell*: the place of a posting less the place of the feature in the
query. The lists are read side by side, a window of cells at a time, so that the sums stay in the
cache. A true offset lies between two cells: neighbours count together.

Belongs here: ranking candidates. Does not belong here: verifying them (`alignment`).
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint import Fingerprint, OnsetTrains
from spotify_pipeline.fingerprint.arrays import (
    Bools,
    Float32s,
    Float64s,
    Int64s,
    UInt16s,
    UInt32s,
    UInt64s,
)
from spotify_pipeline.fingerprint.bits import bits_from, count_ones, prefetch, trailing_zeros
from spotify_pipeline.index.elias_fano import low_bits
from spotify_pipeline.index.features import KINDS
from spotify_pipeline.index.likely_features import likely_features, own_features
from spotify_pipeline.index.segment import PLACE_FRAMES, Segment

__all__ = ["Candidate", "Lookup", "search"]

WINDOW = 1 << 17
"""Cells whose sums are kept at a time, two bytes each."""

_BLOCK = 256
_AHEAD = 4
_PARTS = (0.5, 0.1, 0.9)
"""Shares of a query's features before the places that are looked at for tracks."""

_MOST_WEIGHT = 65_535
_UNITS = 4.0
"""In a bit."""


@dataclass(frozen=True)
class Lookup:
    """Features of a query; arrays of shape (n,).

    Attributes
    ----------
    features
        uint32.
    places
        int64, the place of the query in which each begins, from 0.
    chances
        float32, how many times the query's track is likely to have it there.
    """

    features: UInt32s
    places: Int64s
    chances: Float32s

    @classmethod
    def of(cls, llr: Mapping[str, Float32s], onsets: Fingerprint, most: int) -> "Lookup":
        """Make one of what is known of a recording.

        Parameters
        ----------
        llr
            The onset LLRs for each kind of trains.
        onsets
            The recording's own.
        most
            So many features at the most, the likeliest.
        """
        made = []
        for kind, setting in KINDS.items():
            own: OnsetTrains = getattr(onsets, kind)
            made.append(likely_features(llr[kind], setting, PLACE_FRAMES))
            made.append(own_features(llr[kind], own, setting, PLACE_FRAMES))
        features, places, chances = (np.concatenate(parts) for parts in zip(*made, strict=True))
        # some of its own are among the likely ones: the likelier counts
        likeliest = np.argsort(-chances, kind="stable")[: 2 * most]
        _, firsts = np.unique(
            features[likeliest].astype(np.int64) << 32 | places[likeliest], return_index=True
        )
        chosen = likeliest[np.sort(firsts)[:most]]
        return cls(features[chosen], places[chosen], chances[chosen])

    def __len__(self) -> int:
        return len(self.features)


@dataclass(frozen=True)
class Candidate:
    """A track that may be a query's.

    Attributes
    ----------
    track
        Its number among the tracks of all segments.
    offset
        The frame of the track where the query begins, give or take `PLACE_FRAMES`.
    score
        The weight of the hits; where every track was tried, the likelihood.
    """

    track: int
    offset: int
    score: float


def search(
    segments: Sequence[Segment],
    lookup: Lookup,
    limit: int,
    *,
    most_features: int,
    most_postings: int,
    coarseness: int,
    pool: Executor,
    workers: int,
) -> list[Candidate]:
    """Rank tracks by the weight of their features that agree on a time offset.

    Parameters
    ----------
    segments
        Where to search.
    lookup
        What to look up.
    limit
        Tracks to give at the most.
    most_features, most_postings
        To read at the most, the postings of all segments; what tells least is left out.
    coarseness
        A cell has ``2 ** coarseness`` places: the more, the less work, and the more chance hits.
    pool, workers
        Threads to share the work, and how many.

    Returns
    -------
    The best first, each track once.
    """
    located = [segment.lists(lookup.features) for segment in segments]
    totals = sum((counts for _, counts in located), np.zeros(len(lookup), np.int64))
    places = sum(segment.info.places for segment in segments)
    bits = _bits_told(lookup.chances, totals, places)
    kept = _most_telling(lookup.chances * bits, totals, most_features, most_postings)
    weights = _weights(bits, kept)
    tasks: list[tuple[int, _Lists, int, int]] = []
    first_track = 0
    for segment, (starts, counts) in zip(segments, located, strict=True):
        chosen = np.flatnonzero(kept & (counts > 0))
        if len(chosen):
            query = _Lists(
                segment,
                starts[chosen],
                counts[chosen],
                lookup.places[chosen],
                weights[chosen],
                coarseness,
            )
            tasks += [(first_track, query, *chunk) for chunk in query.chunks(workers)]
        first_track += len(segment)
    found = list(pool.map(lambda task: _best_cells(limit, *task), tasks))
    return _best_tracks(np.concatenate(found, axis=1), limit) if found else []


def _bits_told(chances: Float32s, totals: Int64s, places: int) -> Float64s:
    """Give what a hit of each feature tells, in bits.

    That is how much likelier it is in the query's track than anywhere.
    """
    return np.asarray(np.log2(1 + chances * places / np.maximum(totals, 1.0)), np.float64)


def _most_telling(told: Float64s, totals: Int64s, most_features: int, most_postings: int) -> Bools:
    """Choose features that are expected to tell most, up to so many postings in all."""
    order = np.argsort(-told, kind="stable")
    order = order[totals[order] > 0][:most_features]
    kept = np.zeros(len(totals), np.bool_)
    kept[order[np.cumsum(totals[order]) <= most_postings]] = True
    return kept


def _weights(bits: Float64s, kept: Bools) -> Int64s:
    """Give whole numbers, of which those kept are together below what a sum can hold."""
    scale = min(_UNITS, _MOST_WEIGHT / 2 / max(bits[kept].sum(), 1.0))
    return np.asarray(np.maximum(np.rint(bits * scale), 1), np.int64)


@dataclass(frozen=True)
class _Lists:
    """The lists of one segment that a query reads."""

    segment: Segment
    bits: Int64s
    counts: Int64s
    places: Int64s
    weights: Int64s
    coarseness: int

    def chunks(self, workers: int) -> list[tuple[int, int]]:
        """Cut the cells into one range a worker."""
        cells = (self.segment.info.places + int(self.places.max()) >> self.coarseness) + 1
        bounds = np.linspace(0, cells, workers + 1).astype(int).tolist()
        return list(pairwise(bounds))


def _best_cells(limit: int, first_track: int, query: _Lists, first: int, last: int) -> Int64s:
    """Give track, offset and score of the best cells, int64 of shape (3, n)."""
    latest = int(query.places.max())
    middle = int(np.median(query.places))
    starts = query.segment.array("starts")
    cells, scores = _sum_cells(
        query.segment.array("postings"),
        query.segment.info.places,
        query.bits,
        query.counts,
        query.places,
        query.weights,
        latest,
        query.coarseness,
        first,
        last,
        starts,
        middle - latest,
        limit,
        WINDOW,
    )
    # A query may reach beyond a track on either side: all that its better part lies in are meant.
    parts = np.quantile(query.places, _PARTS).astype(np.int64)
    # a cell is given with its next one: their middle
    places = (cells + 1 << query.coarseness) - latest
    tracks = _tracks_of(np.concatenate([places + part for part in parts]), starts)
    places, scores = np.tile(places, len(parts)), np.tile(scores, len(parts))
    offsets = (places - starts[tracks].astype(np.int64)) * PLACE_FRAMES
    return np.stack((first_track + tracks, offsets, scores))


def _best_tracks(found: Int64s, limit: int) -> list[Candidate]:
    """Keep the best cell of each track, and the best tracks."""
    found = found[:, np.argsort(-found[2], kind="stable")]
    _, firsts = np.unique(found[0], return_index=True)
    best = found[:, np.sort(firsts)[:limit]].T.tolist()
    return [Candidate(*row) for row in best]


@njit(cache=True, nogil=True)
def _sum_cells(
    words: UInt64s,
    bound: int,
    bits: Int64s,
    counts: Int64s,
    places: Int64s,
    weights: Int64s,
    latest: int,
    coarseness: int,
    first: int,
    last: int,
    starts: UInt32s,
    middle: int,
    limit: int,
    window: int,
) -> tuple[Int64s, Int64s]:
    """Sum weights by cell, from the first to before the last one; give the best and their sums.

    Cell c holds the postings at place p of features at place q of the query with
    c = (p - q + latest) >> coarseness; the track in question is the one at the first of its places
    plus `middle`. Gives the best cells
    of at least `limit` tracks, if there are so many.
    """
    lists = len(bits)
    widths = np.empty(lists, np.int64)
    read = np.zeros(lists, np.int64)
    positions = np.empty(lists, np.int64)
    for k in range(lists):
        widths[k] = low_bits(counts[k], bound)
        positions[k] = bits[k] + counts[k] * widths[k]
        place = (first << coarseness) + places[k] - latest
        _skip(words, bits[k], counts[k], widths[k], place, read, positions, k)
    sums = np.zeros(1 + window + _BLOCK, np.uint16)  # the first is the last of the window before
    best = np.zeros((2, 2 * limit), np.int64)  # cells and their sums, one of each track
    found = 0
    threshold = 1
    track_end = -1  # the places of the latest track end here
    for start in range(first, last, window):
        end = min(start + window, last)
        for k in range(lists):
            ahead = min(k + _AHEAD, lists - 1)
            prefetch(words, positions[ahead] >> 6)
            prefetch(words, bits[ahead] + read[ahead] * widths[ahead] >> 6)
            _add_list(
                words,
                bits[k],
                counts[k],
                widths[k],
                end - start,
                latest - places[k] - (start << coarseness),
                coarseness,
                np.uint16(weights[k]),
                read,
                positions,
                k,
                sums[1:],
            )
        for block in range(0, end - start, _BLOCK):
            if _most(sums[block : block + _BLOCK + 1]) < threshold:
                continue
            for cell in range(block, min(block + _BLOCK, end - start)):
                both = int(sums[cell]) + int(sums[cell + 1])
                if both < threshold:
                    continue
                place = (start + cell << coarseness) + middle
                if place >= track_end:
                    if found == 2 * limit:
                        best[:, :limit] = best[:, np.argsort(-best[1])[:limit]]
                        found = limit
                        threshold = best[1, limit - 1] + 1
                    track_end = _end_of_track(place, starts)
                    best[0, found], best[1, found] = start + cell - 1, both
                    found += 1
                elif both > best[1, found - 1]:
                    best[0, found - 1], best[1, found - 1] = start + cell - 1, both
        carried = sums[end - start]
        sums[:] = 0
        sums[0] = carried
    return best[0, :found], best[1, :found]


@njit(cache=True, nogil=True)
def _most(sums: UInt16s) -> int:
    """Give the most that two neighbours of a block have together."""
    most = np.uint16(0)
    # of fixed length and without max(): so it becomes vector instructions, thirty times as fast
    for k in range(_BLOCK):
        both = np.uint16(sums[k] + sums[k + 1])
        most = both if both > most else most
    return int(most)


@njit(cache=True, nogil=True)
def _end_of_track(place: int, starts: UInt32s) -> int:
    """Give where the places of the track at a place end."""
    track = int(np.searchsorted(starts, place, side="right"))
    if track >= len(starts) - 1:
        return int(np.iinfo(np.int64).max)
    return int(starts[track if track > 1 else 1])


@njit(cache=True, nogil=True)
def _tracks_of(places: Int64s, starts: UInt32s) -> Int64s:
    """Give the track of each place, the nearest of places that are beyond all."""
    tracks = np.searchsorted(starts, places, side="right") - 1
    return np.minimum(np.maximum(tracks, 0), len(starts) - 2)


@njit(cache=True, nogil=True)
def _skip(
    words: UInt64s,
    start: int,
    count: int,
    width: int,
    place: int,
    read: Int64s,
    positions: Int64s,
    k: int,
) -> None:
    """Move a list on to about the first number that is not below a place, and never beyond it."""
    upper = place >> width if place > 0 else 0
    high = start + count * width
    # whole words of the second plane, as long as even their last number lies below
    i = 0
    position = high
    while i < count:
        word_start = position >> 6 << 6
        word = words[position >> 6] >> np.uint64(position - word_start)
        ones = int(count_ones(word))
        after = word_start + 64
        # the upper part of any number in this word is at most its bit less the numbers before it
        if after - high - i - 1 >= upper:
            break
        i += ones
        position = after
    read[k] = min(i, count)
    positions[k] = position


@njit(cache=True, nogil=True)
def _add_list(
    words: UInt64s,
    start: int,
    count: int,
    width: int,
    cells: int,
    shift: int,
    coarseness: int,
    weight: int,
    read: Int64s,
    positions: Int64s,
    k: int,
    sums: UInt16s,
) -> None:
    """Add a list's weight in the cells of its numbers, moved by a shift, up to so many cells.

    Numbers that fall before the first cell are passed over.
    """
    left = count - read[k]
    if left <= 0:
        return
    # unsigned throughout: signed indices would be checked for their sign at each step
    mask = np.uint64((1 << width) - 1)
    low_width = np.uint64(width)
    place = np.uint64(positions[k]) >> np.uint64(6)
    offset = np.uint64(positions[k]) & np.uint64(63)
    last_word = np.uint64(len(words) - 1)
    word = words[place] >> offset << offset
    low = np.uint64(start + read[k] * width)
    upper = np.int64(place << np.uint64(6)) - (start + count * width) - read[k]
    while left > 0:
        while word == 0:
            if place >= last_word:
                read[k] = count
                return
            place += np.uint64(1)
            upper += 64
            word = words[place]
        bit = trailing_zeros(word)
        number = np.uint64(upper + np.int64(bit)) << low_width | bits_from(words, low) & mask
        cell = np.int64(number) + shift >> coarseness
        if cell >= cells:
            read[k] = count - left
            positions[k] = np.int64(place << np.uint64(6) | bit)
            return
        if cell >= 0:
            sums[np.uint64(cell)] += np.uint16(weight)
        word &= word - np.uint64(1)
        low += low_width
        upper -= 1
        left -= 1
    read[k] = count
