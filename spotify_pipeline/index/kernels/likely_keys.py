"""Log-likelihood ratios to the keys that a recording's track is likely to have.

Any frames of a band may hold onsets in a row. How likely that is follows from the ratios: there is
an onset in each of them, and none between. So faint onsets, missed ones and ones that are not the
track's need no rules of their own. Onsets of a band are `DEAD_BINS` apart at the least: near an
onset, what else may hold one is the same onset at another frame, and says nothing against it.
(Counted as if it did, keys were 2.5 to 4 times as likely as stated; so, they are 1 to 1.6 times.)

Onsets are linked to those that may follow, chains of links grow by an onset at a time, and those
that can't become likely enough any more are dropped.

Belongs here: from ratios to keys and their probabilities. Does not belong here: the ratios
themselves (`fingerprint.onset_llr`), what a key is (`keys`), which are looked up (`search`).
"""

import math
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import repeat

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint import BANDS, LLR_BIN_FRAMES, Fingerprint
from spotify_pipeline.fingerprint.arrays import Bools, Float32s, Float64s, Int64s, UInt8s
from spotify_pipeline.fingerprint.onset_llr import PRIOR_LOG_ODDS
from spotify_pipeline.index.format.key_setting import (
    BAND_BITS,
    ECHOPRINT,
    ECHOPRINT_SHIFT,
    KINDS,
    NO_STEP,
    STEP_BITS,
    KeySetting,
)
from spotify_pipeline.index.kernels.keys import is_kept, keys_of

__all__ = ["LikelyKeys", "likely_echoprint_keys", "likely_rhythm_keys", "own_keys"]

LEAST_ONSET = 0.008
"""Frames less likely to hold an onset are left out."""

LEAST_BIN = 0.03
"""Bins of four frames less likely to hold one say nothing against an onset later."""

DEAD_BINS = 9
"""Bins between which no band has two onsets."""

MOST_PROBABLE, MOST_BIN = 0.9, 0.98
"""Of a key, and of an onset: the network may be wrong."""

OWN_PROBABILITY = 0.05
"""Of a key of a recording of which only onsets are known, which may be moved or not the track's."""

LEAST_BETWEEN = -5.0
"""Logarithm of the least probability that there is no onset between two."""

FIRST_LEAST, LAST_LEAST, STEP_OF_LEAST = 0.1, 1e-5, 2.5
"""Chains that are less likely are dropped: so much at first, then so many times less, until there
are as many keys as were asked for."""


@dataclass(frozen=True)
class LikelyKeys:
    """Ranges of keys that begin alike; arrays of shape (n,), in the order of keys.

    Attributes
    ----------
    keys
        int64, the first of each range.
    widths
        int64, keys in it: 1, or all that differ in the last step or two.
    bins
        int64, the time bin of the recording in which it begins, from 0.
    probabilities
        float64, that the recording's track has one of them there.
    """

    keys: Int64s
    widths: Int64s
    bins: Int64s
    probabilities: Float64s

    def __len__(self) -> int:
        return len(self.keys)

    def chosen(self, positions: Int64s) -> "LikelyKeys":
        """Give some of them."""
        return LikelyKeys(
            self.keys[positions],
            self.widths[positions],
            self.bins[positions],
            self.probabilities[positions],
        )

    @classmethod
    def none(cls) -> "LikelyKeys":
        """Give no keys."""
        nothing = np.empty(0, np.int64)
        return cls(nothing, nothing, nothing, np.empty(0))

    @classmethod
    def joined(cls, *parts: "LikelyKeys") -> "LikelyKeys":
        """Join keys of kinds that follow each other."""
        return cls(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("keys", "widths", "bins", "probabilities")
            )
        )

    def likelier(self, other: "LikelyKeys") -> "LikelyKeys":
        """Join with keys that may be among these: of the same key and bin, the likelier counts."""
        both = LikelyKeys.joined(self, other)
        order = np.lexsort((-both.probabilities, both.bins, both.keys))
        both = both.chosen(order)
        new = (np.diff(both.keys, prepend=-1) != 0) | (np.diff(both.bins, prepend=-1) != 0)
        return both.chosen(np.flatnonzero(new))

    @classmethod
    def of_chains(cls, chains: "_Chains", shift: int, frame_bits: int) -> "LikelyKeys":
        """Sum the probabilities of all chains of a key that begin in the same bin."""
        bins = chains.begins >> frame_bits
        order = np.argsort(chains.keys << 16 | bins, kind="stable")
        both = (chains.keys << 16 | bins)[order]
        firsts = np.flatnonzero(np.diff(both, prepend=-1))
        sums = np.add.reduceat(chains.probabilities[order], firsts) if len(order) else np.empty(0)
        keys = (both[firsts] >> 16) << shift
        widths = np.full(len(keys), 1 << shift, np.int64)
        return cls(keys, widths, both[firsts] & 0xFFFF, np.minimum(sums, MOST_PROBABLE))


def likely_rhythm_keys(
    frames: Float32s, setting: KeySetting, steps: int, most: int, executor: Executor
) -> LikelyKeys:
    """Make the keys that the track of a recording is likely to have.

    Parameters
    ----------
    frames
        `fingerprint.frame_llr` of the recording, float32 of shape (frames, 8).
    setting
        As of the index.
    steps
        So many steps are reported, 2 to 4: with fewer than 4, a range is all keys that begin with
        them.
    most
        About so many chains are followed, the likeliest.
    executor
        Of threads that share the work.
    """
    links = _links_of_bands(frames, setting.gap_steps, executor)
    paths = []
    for band, own in enumerate(links):
        paths.append(_Path.of(band, [own] * steps))
        if band + 1 < BANDS:
            above = links[band + 1]
            crossing = [own, own, _links_across(own, above, setting.delay_steps), above]
            paths.append(_Path.of(1 << BAND_BITS | band, crossing[:steps]))
    shift = (4 - steps) * STEP_BITS
    chains = _likeliest(paths, most, executor)
    if steps == 2:  # which key is indexed depends on the third
        keys = LikelyKeys.of_chains(chains, shift, setting.frame_bits)
        return replace(keys, probabilities=keys.probabilities / setting.kept)
    kept = _are_kept(chains.keys << shift, setting.kept)
    return LikelyKeys.of_chains(chains.chosen(kept), shift, setting.frame_bits)


def own_keys(onsets: Fingerprint, setting: KeySetting, steps: int) -> LikelyKeys:
    """Make the keys of a recording's own onsets, as likely as each other (`OWN_PROBABILITY`).

    Parameters
    ----------
    onsets
        Frames from the first of the recording on.
    setting, steps
        As of `likely_rhythm_keys`.
    """
    shift = (4 - steps) * STEP_BITS
    made = []
    for kind, low in zip(KINDS, (shift, 0), strict=True):
        keys, frames = keys_of(getattr(onsets, kind), kind, setting)
        bins = frames.astype(np.int64) >> setting.frame_bits
        widths = np.full(len(keys), 1 << low, np.int64)
        probabilities = np.full(len(keys), OWN_PROBABILITY)
        made.append(LikelyKeys(keys >> low << low, widths, bins, probabilities))
    return LikelyKeys.joined(*made)


def likely_echoprint_keys(
    frames: Float32s, setting: KeySetting, most: int, executor: Executor
) -> LikelyKeys:
    """Do as much for Echoprint trains; see `likely_rhythm_keys`."""
    links = _links_of_bands(frames, setting.echoprint_steps, executor)
    paths = [_Path.of(band, [own] * 2) for band, own in enumerate(links)]
    made = LikelyKeys.of_chains(_likeliest(paths, most, executor), 0, setting.frame_bits)
    keys = ECHOPRINT + (made.keys << ECHOPRINT_SHIFT)
    return LikelyKeys(keys, made.widths, made.bins, made.probabilities)


@dataclass(frozen=True)
class _Links:
    """From each frame that may hold an onset to those that may hold the next one.

    Attributes
    ----------
    frames, probabilities
        int64 and float64 of shape (n,): where a chain can begin, and how likely.
    none
        float64 of shape (bins + 1,): logarithm of the probability that there is no onset before.
    bounds
        int64 of shape (n + 1,): where those of each begin in the following, the likeliest first.
    nexts, steps, next_probabilities
        int64, uint8, float64 of shape (m,): positions among the frames of the next band, the step
        of a key that leads there, the probability that there is an onset and that it is the next.
    """

    frames: Int64s
    probabilities: Float64s
    none: Float64s
    bounds: Int64s
    nexts: Int64s
    steps: UInt8s
    next_probabilities: Float64s


@dataclass(frozen=True)
class _Chains:
    """Onsets in a row; arrays of shape (n,): int64 but for the probabilities.

    `ends` are positions among the frames that the last link leads to.
    """

    keys: Int64s
    begins: Int64s
    ends: Int64s
    probabilities: Float64s

    def chosen(self, positions: Bools) -> "_Chains":
        """Give some of them."""
        return _Chains(
            self.keys[positions],
            self.begins[positions],
            self.ends[positions],
            self.probabilities[positions],
        )


@dataclass(frozen=True)
class _Path:
    """The links that chains of one kind of key follow.

    Attributes
    ----------
    prefix
        What their keys begin with.
    reach
        A float64 array for each link and what follows the last: the most that the probability of a
        chain can be multiplied by, by where it ends.
    """

    prefix: int
    links: list[_Links]
    reach: list[Float64s]

    @classmethod
    def of(cls, prefix: int, links: list[_Links]) -> "_Path":
        reach = [np.ones(int(links[-1].nexts.max(initial=-1)) + 1)]
        for one in reversed(links):
            reach.insert(0, _reach(one.bounds, one.nexts, one.next_probabilities, reach[0]))
        return cls(prefix, links, reach)

    def chains(self, least: float) -> _Chains:
        """Follow all chains that are as likely as that."""
        first = self.links[0]
        begin = np.flatnonzero(first.probabilities * self.reach[0] >= least)
        keys = np.full(len(begin), self.prefix, np.int64)
        chains = _Chains(keys, first.frames[begin], begin, first.probabilities[begin])
        for one, after in zip(self.links, self.reach[1:], strict=True):
            chains = _Chains(
                *_extended(
                    chains.keys, chains.begins, chains.ends, chains.probabilities,
                    one.bounds, one.nexts, one.steps, one.next_probabilities, after, least,
                )
            )  # fmt: skip
        return chains


def _likeliest(paths: list[_Path], most: int, executor: Executor) -> _Chains:
    """Follow chains, less likely ones each time, until there are many."""
    least = FIRST_LEAST
    while True:
        found = list(executor.map(_Path.chains, paths, repeat(least)))
        count = sum(len(chains.keys) for chains in found)
        if 2 * count >= most or least <= LAST_LEAST:
            break
        least /= STEP_OF_LEAST
    return _Chains(
        *(
            np.concatenate([getattr(chains, name) for chains in found])
            for name in ("keys", "begins", "ends", "probabilities")
        )
    )


def _links_of_bands(frames: Float32s, steps: UInt8s, executor: Executor) -> list[_Links]:
    """Link each band's frames to those after them."""
    probabilities, none = _onset_probabilities(frames)

    def link(band: int) -> _Links:
        positions = np.flatnonzero(probabilities[band] >= LEAST_ONSET)
        own = probabilities[band][positions]
        linked = _linked(positions, positions, own, none[band], steps, True)
        return _Links(positions, own, none[band], *linked)

    return list(executor.map(link, range(BANDS)))


def _links_across(own: _Links, above: _Links, steps: UInt8s) -> _Links:
    """Link a band's frames to the next ones of another."""
    linked = _linked(own.frames, above.frames, above.probabilities, above.none, steps, False)
    return _Links(own.frames, own.probabilities, own.none, *linked)


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
def _are_kept(keys: Int64s, kept: int) -> Bools:
    found = np.empty(len(keys), np.bool_)
    for k in range(len(keys)):
        found[k] = is_kept(keys[k], kept)
    return found


@njit(cache=True, nogil=True)
def _linked(
    frames: Int64s,
    nexts: Int64s,
    probabilities: Float64s,
    none: Float64s,
    steps: UInt8s,
    same_band: bool,
) -> tuple[Int64s, Int64s, UInt8s, Float64s]:
    """Link frames to those that may hold the next onset, of the same band or of another.

    Gives bounds, positions among `nexts`, steps, probabilities, as `_Links` has them.
    """
    longest = len(steps) - 1
    dead = DEAD_BINS if same_band else 0
    bounds = np.zeros(len(frames) + 1, np.int64)
    positions = np.empty(1 << 12, np.int64)
    found_steps = np.empty(1 << 12, np.uint8)
    found = np.empty(1 << 12, np.float64)
    count = 0
    begin = 0
    for k in range(len(frames)):
        earliest = frames[k] + dead * LLR_BIN_FRAMES
        while begin < len(nexts) and nexts[begin] < earliest:
            begin += 1
        if count + len(nexts) - begin > len(positions):
            positions = np.concatenate((positions, np.empty_like(positions)))
            found_steps = np.concatenate((found_steps, np.empty_like(found_steps)))
            found = np.concatenate((found, np.empty_like(found)))
        first = count
        # of the other band, this bin may hold the onset before
        before = (frames[k] + LLR_BIN_FRAMES - 1) // LLR_BIN_FRAMES + dead
        for position in range(begin, len(nexts)):
            step = steps[min(nexts[position] - frames[k], longest)]
            after = nexts[position] // LLR_BIN_FRAMES - DEAD_BINS + 1
            between = none[after] - none[before] if after > before else 0.0
            if step == NO_STEP or between < LEAST_BETWEEN:
                break
            probability = probabilities[position] * np.exp(between)
            if probability >= LEAST_ONSET:
                positions[count], found_steps[count], found[count] = position, step, probability
                count += 1
        order = np.argsort(-found[first:count])
        positions[first:count] = positions[first:count][order]
        found_steps[first:count] = found_steps[first:count][order]
        found[first:count] = found[first:count][order]
        bounds[k + 1] = count
    return bounds, positions[:count], found_steps[:count], found[:count]


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
    keys: Int64s,
    begins: Int64s,
    ends: Int64s,
    probabilities: Float64s,
    bounds: Int64s,
    nexts: Int64s,
    steps: UInt8s,
    next_probabilities: Float64s,
    after: Float64s,
    least: float,
) -> tuple[Int64s, Int64s, Int64s, Float64s]:
    """Follow all links from the ends of chains by which they can still become likely enough."""
    size = max(2 * len(keys), 1 << 10)
    out_keys, out_begins = np.empty(size, np.int64), np.empty(size, np.int64)
    out_ends, out_probabilities = np.empty(size, np.int64), np.empty(size, np.float64)
    count = 0
    for k in range(len(keys)):
        for link in range(bounds[ends[k]], bounds[ends[k] + 1]):
            probability = probabilities[k] * next_probabilities[link]
            if probability < least:
                break
            if probability * after[nexts[link]] < least:
                continue
            if count == size:
                size *= 2
                out_keys = np.concatenate((out_keys, np.empty_like(out_keys)))
                out_begins = np.concatenate((out_begins, np.empty_like(out_begins)))
                out_ends = np.concatenate((out_ends, np.empty_like(out_ends)))
                out_probabilities = np.concatenate(
                    (out_probabilities, np.empty_like(out_probabilities))
                )
            out_keys[count] = keys[k] << STEP_BITS | np.int64(steps[link])
            out_begins[count], out_ends[count] = begins[k], nexts[link]
            out_probabilities[count] = probability
            count += 1
    return out_keys[:count], out_begins[:count], out_ends[:count], out_probabilities[:count]
