"""Log-likelihood ratios to the onsets in a row that a recording's track is likely to have.

Any frames of a band may hold onsets in a row. How likely that is follows from the ratios: there is
an onset in each of them, and none between. So faint onsets, missed ones and ones that are not the
track's need no rules of their own. Onsets of a band are `DEAD_BINS` apart at the least: near an
onset, what else may hold one is the same onset at another frame, and says nothing against it.
(Counted as if it did, keys were 2.5 to 4 times as likely as stated; so, they are 1 to 1.6 times.)

Onsets are linked to those that may follow, chains of links grow by an onset at a time, and those
that can't become likely enough any more are dropped.

Belongs here: from ratios to chains and their probabilities, in frames of the recording. Does not
belong here: the ratios themselves (`fingerprint.onset_llr`), the keys of chains (`likely_keys`).
"""

import math
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import repeat
from typing import Self

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint import BANDS, LLR_BIN_FRAMES
from spotify_pipeline.fingerprint.arrays import Float32s, Float64s, Int64s
from spotify_pipeline.fingerprint.onset_llr import PRIOR_LOG_ODDS

__all__ = [
    "GAP_BITS",
    "Chains",
    "Links",
    "Path",
    "likeliest_chains",
    "linked_across",
    "linked_bands",
]

LEAST_ONSET = 0.008
"""Frames less likely to hold an onset are left out."""

LEAST_BIN = 0.03
"""Bins of four frames less likely to hold one say nothing against an onset later."""

DEAD_BINS = 9
"""Bins between which no band has two onsets."""

MOST_BIN = 0.98
"""Probability of an onset in a bin, at the most: the network may be wrong."""

LEAST_BETWEEN = -5.0
"""Logarithm of the least probability that there is no onset between two."""

FIRST_LEAST, LAST_LEAST, STEP_OF_LEAST = 0.1, 1e-5, 2.5
"""Chains that are less likely are dropped: so much at first, then so many times less, until there
are as many as were asked for."""

GAP_BITS = 12
"""Of a gap in frames, where gaps stand in one number."""

_UNITS = 1 << 30


@dataclass(frozen=True)
class Links:
    """From each frame that may hold an onset to those that may hold the next one.

    Attributes
    ----------
    frames, probabilities
        int64 and float64 of shape (n,): where a chain can begin, and how likely.
    none
        float64 of shape (bins + 1,): logarithm of the probability that there is no onset before.
    bounds
        int64 of shape (n + 1,): where those of each begin in the following, the likeliest first.
    nexts, gaps, next_probabilities
        int64, int64, float64 of shape (m,): positions among the frames of the next band, the frames
        between, the probability that there is an onset and that it is the next.
    """

    frames: Int64s
    probabilities: Float64s
    none: Float64s
    bounds: Int64s
    nexts: Int64s
    gaps: Int64s
    next_probabilities: Float64s


@dataclass(frozen=True)
class Chains:
    """Onsets in a row; arrays of shape (n,), int64 but for the probabilities.

    Attributes
    ----------
    gaps
        What the `Path` begins with, above the frames from onset to onset, each of `GAP_BITS` bits,
        the first highest.
    begins
        Frame of the first onset.
    ends
        Position of the last one among the frames that the last link leads to.
    probabilities
        float64, that the track has them.
    """

    gaps: Int64s
    begins: Int64s
    ends: Int64s
    probabilities: Float64s

    @classmethod
    def joined(cls, parts: "list[Chains]") -> Self:
        """Join chains, those of each part after those of the one before."""
        return cls(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("gaps", "begins", "ends", "probabilities")
            )
        )


@dataclass(frozen=True)
class Path:
    """The links that chains of one kind follow.

    Attributes
    ----------
    prefix
        What tells these chains from others.
    reach
        A float64 array for each link and what follows the last: the most that the probability of a
        chain can be multiplied by, by where it ends.
    """

    prefix: int
    links: list[Links]
    reach: list[Float64s]

    @classmethod
    def of(cls, prefix: int, links: list[Links]) -> "Path":
        """Make one."""
        reach = [np.ones(int(links[-1].nexts.max(initial=-1)) + 1)]
        for one in reversed(links):
            reach.insert(0, _reach(one.bounds, one.nexts, one.next_probabilities, reach[0]))
        return cls(prefix, links, reach)

    def chains(self, least: float) -> Chains:
        """Follow all chains that are as likely as that."""
        first = self.links[0]
        begin = np.flatnonzero(first.probabilities * self.reach[0] >= least)
        gaps = np.full(len(begin), self.prefix, np.int64)
        chains = Chains(gaps, first.frames[begin], begin, first.probabilities[begin])
        for one, after in zip(self.links, self.reach[1:], strict=True):
            chains = Chains(
                *_extended(
                    chains.gaps, chains.begins, chains.ends, chains.probabilities,
                    one.bounds, one.nexts, one.gaps, one.next_probabilities, after, least,
                )
            )  # fmt: skip
        return chains


def likeliest_chains(paths: list[Path], most: int, executor: Executor) -> Chains:
    """Follow chains, less likely ones each time, until there are about so many."""
    least = FIRST_LEAST
    while True:
        found = list(executor.map(Path.chains, paths, repeat(least)))
        count = sum(len(chains.gaps) for chains in found)
        if 2 * count >= most or least <= LAST_LEAST:
            return Chains.joined(found)
        least /= STEP_OF_LEAST


def linked_bands(frames: Float32s, longest: int, executor: Executor) -> list[Links]:
    """Link each band's frames to those after them.

    Parameters
    ----------
    frames
        `fingerprint.frame_llr` of the recording, float32 of shape (frames, 8).
    longest
        Frames of the longest gap, less than ``2 ** GAP_BITS``.
    executor
        Of threads that share the work.
    """
    probabilities, none = _onset_probabilities(frames)

    def link(band: int) -> Links:
        positions = np.flatnonzero(probabilities[band] >= LEAST_ONSET)
        own = probabilities[band][positions]
        linked = _linked(positions, positions, own, none[band], longest, DEAD_BINS)
        return Links(positions, own, none[band], *linked)

    return list(executor.map(link, range(BANDS)))


def linked_across(bands: list[Links], longest: int, executor: Executor) -> list[Links]:
    """Link each band's frames, but for the last's, to the next ones of the band above."""

    def link(own: Links, above: Links) -> Links:
        linked = _linked(own.frames, above.frames, above.probabilities, above.none, longest, 0)
        return Links(own.frames, own.probabilities, own.none, *linked)

    return list(executor.map(link, bands[:-1], bands[1:]))


def _onset_probabilities(frames: Float32s) -> tuple[Float64s, Float64s]:
    """Give the probability of an onset in each frame, and that of none before each bin, as a log.

    float64 of shapes (8, frames) and (8, bins + 1).
    """
    bins = len(frames) // LLR_BIN_FRAMES
    llr = frames[: bins * LLR_BIN_FRAMES].astype(np.float64)
    llr = llr.reshape(bins, LLR_BIN_FRAMES, BANDS) + PRIOR_LOG_ODDS - math.log(LLR_BIN_FRAMES)
    most = np.maximum(llr.max(axis=1, keepdims=True, initial=0), 0)
    weights = np.exp(llr - most)
    probabilities = weights / (weights.sum(axis=1, keepdims=True) + np.exp(-most))
    of_bins = probabilities.sum(axis=1)
    counted = np.minimum(np.where(of_bins >= LEAST_BIN, of_bins, 0), MOST_BIN)
    none = np.zeros((BANDS, bins + 1))
    none[:, 1:] = np.cumsum(np.log1p(-counted), axis=0).T
    return np.ascontiguousarray(probabilities.reshape(-1, BANDS).T), none


@njit(cache=True, nogil=True)
def _linked(
    frames: Int64s,
    nexts: Int64s,
    probabilities: Float64s,
    none: Float64s,
    longest: int,
    dead: int,
) -> tuple[Int64s, Int64s, Int64s, Float64s]:
    """Link frames to those that may hold the next onset, so many bins later at the least.

    Gives bounds, positions among `nexts`, gaps, probabilities, as `Links` has them.
    """
    bounds = np.zeros(len(frames) + 1, np.int64)
    # of each link its probability above its position, so that they are sorted as one number
    links = np.empty(1 << 14, np.int64)
    count = begin = 0
    for k in range(len(frames)):
        earliest = frames[k] + dead * LLR_BIN_FRAMES
        while begin < len(nexts) and nexts[begin] < earliest:
            begin += 1
        # a next onset may lie at any gap from 0 to the longest
        if count + longest + 1 > len(links):
            links = np.concatenate((links, np.empty_like(links)))
        first = count
        # of the other band, this bin may hold the onset before
        before = (frames[k] + LLR_BIN_FRAMES - 1) // LLR_BIN_FRAMES + dead
        held, none_between = -1, 1.0
        for position in range(begin, len(nexts)):
            if nexts[position] - frames[k] > longest:
                break
            after = nexts[position] // LLR_BIN_FRAMES - DEAD_BINS + 1
            if after != held:
                between = none[after] - none[before] if after > before else 0.0
                if between < LEAST_BETWEEN:
                    break
                held, none_between = after, np.exp(between)
            probability = probabilities[position] * none_between
            if probability >= LEAST_ONSET:
                links[count] = np.int64(_UNITS * probability) << 32 | position
                count += 1
        links[first:count].sort()
        bounds[k + 1] = count
    positions, gaps = np.empty(count, np.int64), np.empty(count, np.int64)
    found = np.empty(count, np.float64)
    for k in range(len(frames)):
        for i in range(bounds[k], bounds[k + 1]):
            link = links[bounds[k] + bounds[k + 1] - 1 - i]
            positions[i] = link & 0xFFFFFFFF
            gaps[i] = nexts[positions[i]] - frames[k]
            found[i] = (link >> 32) / _UNITS
    return bounds, positions, gaps, found


@njit(cache=True, nogil=True)
def _reach(bounds: Int64s, nexts: Int64s, probabilities: Float64s, after: Float64s) -> Float64s:
    """Give the most that any link from each frame, and what follows it, multiplies by."""
    reach = np.zeros(len(bounds) - 1)
    for k in range(len(reach)):
        for link in range(bounds[k], bounds[k + 1]):
            reach[k] = max(reach[k], probabilities[link] * after[nexts[link]])
    return reach


@njit(cache=True, nogil=True)
def _extended(
    gaps: Int64s,
    begins: Int64s,
    ends: Int64s,
    probabilities: Float64s,
    bounds: Int64s,
    nexts: Int64s,
    next_gaps: Int64s,
    next_probabilities: Float64s,
    after: Float64s,
    least: float,
) -> tuple[Int64s, Int64s, Int64s, Float64s]:
    """Follow all links from the ends of chains by which they can still become likely enough."""
    size = max(2 * len(gaps), 1 << 10)
    out_gaps, out_begins = np.empty(size, np.int64), np.empty(size, np.int64)
    out_ends, out_probabilities = np.empty(size, np.int64), np.empty(size, np.float64)
    count = 0
    for k in range(len(gaps)):
        for link in range(bounds[ends[k]], bounds[ends[k] + 1]):
            probability = probabilities[k] * next_probabilities[link]
            if probability < least:
                break
            if probability * after[nexts[link]] < least:
                continue
            if count == size:
                size *= 2
                out_gaps = np.concatenate((out_gaps, np.empty_like(out_gaps)))
                out_begins = np.concatenate((out_begins, np.empty_like(out_begins)))
                out_ends = np.concatenate((out_ends, np.empty_like(out_ends)))
                out_probabilities = np.concatenate(
                    (out_probabilities, np.empty_like(out_probabilities))
                )
            out_gaps[count] = gaps[k] << GAP_BITS | next_gaps[link]
            out_begins[count], out_ends[count] = begins[k], nexts[link]
            out_probabilities[count] = probability
            count += 1
    return out_gaps[:count], out_begins[:count], out_ends[:count], out_probabilities[:count]
