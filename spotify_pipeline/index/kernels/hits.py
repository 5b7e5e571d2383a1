"""Postings of likely keys to the offsets at which many of them agree.

A clip has many of its own track's keys, all at one time offset; of another track it has few, at
any offset. So each posting is a *hit* for the offset bin that it and the recording's bin say; hits
are sorted by offset bin, and their keys' weights summed. There are few hits, among very many offset
bins: sorting them takes less time than a sum for each bin would. Most lie where no others do, and
are dropped before: a table of sums that many offset bins share tells which can't matter. A true
offset lies between two offset bins: neighbours count together.

Belongs here: reading and summing. Does not belong here: which keys are read and what they weigh
(`search.searcher`), the tracks that offset bins lie in (`search.segment_searcher`).
"""

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint.arrays import Float64s, Int64s, UInt64s
from spotify_pipeline.index.format.postings import PAGE, count_between, page_of, read_page

__all__ = [
    "FEW",
    "FEW_HITS",
    "MOST_KEYS",
    "best_offset_bins",
    "counts_of",
    "heavy_hits",
    "hits_of",
    "ranges_of",
]

_KEY_BITS = 16

MOST_KEYS = 1 << _KEY_BITS
"""That can be asked for at once: a hit's lowest bits say which it is of."""

FEW_HITS = 1 << 16
"""So few are sorted as they are."""

_UNITS = 4
"""In which a weight is rounded up, where sums are of 8 bits."""

_MOST_SUM = 255

_BINS_TO_KEEP = 8
"""So many times the offset bins that are asked for are kept, for some sums are of several bins."""

FEW = 1 / 16
"""A bin with less than this fraction of what the next one has is not counted together with it."""


@njit(cache=True, nogil=True)
def counts_of(spans: UInt64s, postings: int, leasts: Int64s, bounds: Int64s) -> Float64s:
    """Estimate the postings of ranges (`ranges_of`), without reading them."""
    counts = np.empty(len(leasts))
    for k in range(len(leasts)):
        counts[k] = count_between(spans, postings, leasts[k], bounds[k])
    return counts


def ranges_of(keys: Int64s, widths: Int64s, bin_bits: int) -> tuple[Int64s, Int64s]:
    """Give the ranges of postings of ranges of keys: from some to before others, int64."""
    return keys << bin_bits, keys + widths << bin_bits


@njit(cache=True, nogil=True)
def hits_of(
    spans: UInt64s,
    pages: UInt64s,
    words: UInt64s,
    postings: int,
    bin_bits: int,
    leasts: Int64s,
    bounds: Int64s,
    shifts: Int64s,
    first: int,
) -> tuple[UInt64s, Int64s]:
    """Read ranges of keys, which ascend, and give a hit for each of their postings.

    Parameters
    ----------
    spans, pages, words, postings
        As of `Segment.pages`.
    bin_bits
        Of a posting.
    leasts, bounds
        As of `ranges_of`.
    shifts
        int64 of shape (n,): what is added to the time bins of each to be offset bins, 0 or more.
    first
        Number of the first of them among all that are asked for.

    Returns
    -------
    hits : uint64 of shape (hits,)
        An offset bin, above the number of the key.
    counts : int64 of shape (n,)
        The hits of each.
    """
    hits = np.empty(1 << 12, np.uint64)
    counts = np.zeros(len(leasts), np.int64)
    page_numbers = np.empty(PAGE, np.uint64)
    held, length, count = -1, 0, 0
    bits = np.int64(bin_bits)
    mask = (np.int64(1) << bits) - 1
    for k in range(len(leasts)):
        least, bound = leasts[k], bounds[k]
        for page in range(page_of(spans, pages, least), len(pages) - 1):
            if np.int64(pages[page, 0]) >= bound:
                break
            if page != held:
                held = page
                length = read_page(pages, words, postings, page, page_numbers)
            if count + PAGE > len(hits):
                hits = np.concatenate((hits, np.empty_like(hits)))
            before = count
            for i in range(np.searchsorted(page_numbers[:length], np.uint64(least)), length):
                number = np.int64(page_numbers[i])
                if number >= bound:
                    break
                offset_bin = (number & mask) + shifts[k]
                hits[count] = np.uint64(offset_bin << _KEY_BITS | first + k)
                count += 1
            counts[k] += count - before
    return hits[:count], counts


@njit(cache=True, nogil=True)
def heavy_hits(hits: UInt64s, weights: Float64s, most: int) -> UInt64s:
    """Leave out hits at offset bins that can't be among the best.

    Parameters
    ----------
    hits
        As of `hits_of`.
    weights
        float64 of shape (keys,), 0 or more.
    most
        So many best offset bins are asked for.

    Returns
    -------
    uint64 of shape (n,): all hits of each offset bin that is kept, and of its neighbours.
    """
    if len(hits) <= FEW_HITS:
        return hits
    units = np.minimum(np.ceil(weights * _UNITS), _MOST_SUM).astype(np.int64)
    size = 1
    while size < 2 * len(hits):
        size *= 2
    mask = size - 1
    sums = np.zeros(size + 1, np.uint8)
    for hit in hits:
        place = np.int64(hit >> np.uint64(_KEY_BITS)) & mask
        total = sums[place] + units[np.int64(hit & np.uint64(MOST_KEYS - 1))]
        sums[place] = min(total, _MOST_SUM)
    sums[size] = sums[0]
    places = np.zeros(2 * _MOST_SUM + 1, np.int64)
    for k in range(size):
        places[np.int64(sums[k]) + np.int64(sums[k + 1])] += 1
    least = 2 * _MOST_SUM
    kept = places[least]
    while least > 1 and kept + places[least - 1] <= _BINS_TO_KEEP * most:
        least -= 1
        kept += places[least]
    heavy = np.empty(len(hits), np.uint64)
    count = 0
    for hit in hits:
        place = np.int64(hit >> np.uint64(_KEY_BITS)) & mask
        own = np.int64(sums[place])
        if own + np.int64(sums[place + 1]) >= least or own + np.int64(sums[place - 1]) >= least:
            heavy[count] = hit
            count += 1
    return heavy[:count]


@njit(cache=True, nogil=True)
def best_offset_bins(hits: UInt64s, weights: Float64s) -> tuple[Int64s, Float64s, Int64s]:
    """Sum the hits of each offset bin and of the next one.

    Parameters
    ----------
    hits
        As of `hits_of`, sorted.
    weights
        float64 of shape (keys,).

    Returns
    -------
    bins, sums, lengths : int64, float64, int64 of shape (n,)
        Each bin with hits; weights in it and in the next one; 2 if the next one counts, else 1.
        It does not where it has nearly all: then it stands better alone.
    """
    bins = np.empty(len(hits), np.int64)
    sums = np.empty(len(hits), np.float64)
    count = 0
    for k in range(len(hits)):
        offset_bin = np.int64(hits[k] >> np.uint64(_KEY_BITS))
        if count == 0 or bins[count - 1] != offset_bin:
            bins[count], sums[count] = offset_bin, 0.0
            count += 1
        sums[count - 1] += weights[np.int64(hits[k] & np.uint64(MOST_KEYS - 1))]
    lengths = np.ones(count, np.int64)
    for k in range(count - 1):
        if bins[k + 1] == bins[k] + 1 and sums[k] >= FEW * sums[k + 1]:
            sums[k] += sums[k + 1]
            lengths[k] = 2
    return bins[:count], sums[:count], lengths
