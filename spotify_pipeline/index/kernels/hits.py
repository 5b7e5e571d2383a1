"""Postings of likely keys to the offsets at which many of them agree.

A clip has many of its own track's keys, all at one time offset; of another track it has few, at
any offset. So each posting is a *hit* for the offset bin that it and the recording's bin say; hits
are sorted by offset bin, and their keys' weights summed. There are few hits, among very many offset
bins: sorting them takes less time than a sum for each bin would. A true offset lies between two
offset bins: neighbours count together.

Belongs here: reading and summing. Does not belong here: which keys are read and what they weigh
(`search.searcher`), the tracks that offset bins lie in (`search.segment_searcher`).
"""

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint.arrays import Float64s, Int64s, UInt64s
from spotify_pipeline.index.format.postings import PAGE, count_between, page_of, read_page

__all__ = [
    "FEW",
    "MOST_KEYS",
    "best_offset_bins",
    "counts_of",
    "hits_of",
    "keys_of_hits",
    "pages_of_ranges",
]

_KEY_BITS = 16

MOST_KEYS = 1 << _KEY_BITS
"""That can be asked for at once: a hit's lowest bits say which it is of."""

FEW = 1 / 16
"""A bin with less than this fraction of what the next one has is not counted together with it."""


@njit(cache=True, nogil=True)
def counts_of(
    firsts: UInt64s, postings: int, bin_bits: int, keys: Int64s, widths: Int64s
) -> Float64s:
    """Estimate the postings of ranges of keys, without reading them."""
    counts = np.empty(len(keys))
    bits = np.int64(bin_bits)
    for k in range(len(keys)):
        counts[k] = count_between(firsts, postings, keys[k] << bits, keys[k] + widths[k] << bits)
    return counts


@njit(cache=True, nogil=True)
def pages_of_ranges(firsts: UInt64s, bin_bits: int, keys: Int64s, widths: Int64s) -> Int64s:
    """Give the pages that ranges of keys lie in, int64 of shape (n,), each once for each range."""
    pages = np.empty(2 * len(keys) + 16, np.int64)
    count = 0
    bits = np.int64(bin_bits)
    for k in range(len(keys)):
        for page in range(page_of(firsts, keys[k] << bits), len(firsts) - 1):
            if np.int64(firsts[page]) >= keys[k] + widths[k] << bits:
                break
            if count == len(pages):
                pages = np.concatenate((pages, np.empty_like(pages)))
            pages[count] = page
            count += 1
    return pages[:count]


@njit(cache=True, nogil=True)
def hits_of(
    firsts: UInt64s,
    starts: UInt64s,
    words: UInt64s,
    postings: int,
    bin_bits: int,
    keys: Int64s,
    widths: Int64s,
    shifts: Int64s,
    first: int,
) -> UInt64s:
    """Read ranges of keys, which ascend, and give a hit for each of their postings.

    Parameters
    ----------
    firsts, starts, words, postings
        As of `Segment.pages`.
    bin_bits
        Of a posting.
    keys, widths
        int64 of shape (n,), see `LikelyKeys`.
    shifts
        int64 of shape (n,): what is added to the time bins of each to be offset bins, 0 or more.
    first
        Number of the first of them among all that are asked for.

    Returns
    -------
    uint64 of shape (hits,): an offset bin, above the number of the key.
    """
    hits = np.empty(1 << 12, np.uint64)
    page_numbers = np.empty(PAGE, np.uint64)
    held, length, count = -1, 0, 0
    bits = np.int64(bin_bits)
    mask = (np.int64(1) << bits) - 1
    for k in range(len(keys)):
        least, bound = keys[k] << bits, keys[k] + widths[k] << bits
        for page in range(page_of(firsts, least), len(firsts) - 1):
            if np.int64(firsts[page]) >= bound:
                break
            if page != held:
                held = page
                length = read_page(firsts, starts, words, postings, page, page_numbers)
            if count + PAGE > len(hits):
                hits = np.concatenate((hits, np.empty_like(hits)))
            for i in range(length):
                number = np.int64(page_numbers[i])
                if least <= number < bound:
                    offset_bin = (number & mask) + shifts[k]
                    hits[count] = np.uint64(offset_bin << _KEY_BITS | first + k)
                    count += 1
    return hits[:count]


def keys_of_hits(hits: UInt64s) -> Int64s:
    """Give the number of the key that each hit is of."""
    return (hits & np.uint64(MOST_KEYS - 1)).astype(np.int64)


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
