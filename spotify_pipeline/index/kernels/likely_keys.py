"""The keys that a recording's track is likely to have, at any speed.

The onsets that may be there are linked once, and followed as far as a search asks for
(`onset_chains`): what a chain's key is at another speed follows from the same gaps.

Belongs here: from chains to keys and their probabilities. Does not belong here: chains
(`onset_chains`), what a key is (`keys`), which are looked up (`search`).
"""

import math
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint import BANDS, Fingerprint
from spotify_pipeline.fingerprint.arrays import Float32s, Float64s, Int64s, UInt8s
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
from spotify_pipeline.index.kernels.onset_chains import (
    GAP_BITS,
    Chains,
    Links,
    Path,
    likeliest_chains,
    linked_across,
    linked_bands,
)

__all__ = ["LikelyKeys", "LinkedOnsets", "own_keys"]

MOST_PROBABLE = 0.9
"""Probability of a key, at the most: the network may be wrong."""

OWN_PROBABILITY = 0.05
"""Of a key of a recording of which only onsets are known, which may be moved or not the track's."""

SLOWEST = 0.95
"""A recording that is slower has gaps that are not linked."""

_BIN_BITS = 16


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


class LinkedOnsets:
    """The onsets that a recording may hold, and the keys that follow from them.

    Parameters
    ----------
    frames
        `fingerprint.frame_llr` of the recording for each kind of trains, float32 of shape
        (frames, 8).
    setting
        As of the index.
    executor
        Of threads that share the work.
    """

    def __init__(
        self, frames: Mapping[str, Float32s], setting: KeySetting, executor: Executor
    ) -> None:
        self._frames, self._setting, self._executor = frames, setting, executor
        self._chains: dict[tuple[str, int, int], Chains] = {}

    def likely_keys(self, steps: int, most: int, speed: float = 1.0) -> LikelyKeys:
        """Make the keys that the track of the recording is likely to have.

        Parameters
        ----------
        steps
            So many steps of rhythm keys are reported, 2 to 4: with fewer than 4, a range is all
            keys that begin with them.
        most
            About so many chains of each kind are followed, the likeliest.
        speed
            At which the recording was played, from `SLOWEST` up.
        """
        setting = self._setting
        # which key is indexed depends on the third step
        kept = setting.kept if steps > 2 else 1
        chains = self._followed("rhythm", steps, most)
        rhythm = _keys_of_chains(chains, steps, setting.gap_steps, kept, setting, speed)
        if steps == 2:
            rhythm = replace(rhythm, probabilities=rhythm.probabilities / setting.kept)
        chains = self._followed("echoprint", 2, most)
        echoprint = _keys_of_chains(chains, 2, setting.echoprint_steps, 1, setting, speed)
        return LikelyKeys.joined(_of_rhythm(rhythm, steps), _of_echoprint(echoprint))

    def _followed(self, kind: str, steps: int, most: int) -> Chains:
        """Follow chains of so many gaps; once, for a search at each speed asks for the same."""
        asked = kind, steps, most
        if asked not in self._chains:
            paths = self._rhythm_paths(steps) if kind == "rhythm" else self._echoprint_paths
            self._chains[asked] = likeliest_chains(paths, most, self._executor)
        return self._chains[asked]

    def _rhythm_paths(self, steps: int) -> list[Path]:
        bands, across = self._rhythm
        paths = []
        for band, own in enumerate(bands):
            paths.append(Path.of(band, [own] * steps))
            if band + 1 < BANDS:
                crossing = [own, own, across[band], bands[band + 1]]
                paths.append(Path.of(1 << BAND_BITS | band, crossing[:steps]))
        return paths

    @cached_property
    def _rhythm(self) -> tuple[list[Links], list[Links]]:
        """Links within bands, and from each to the one above."""
        bands = linked_bands(
            self._frames["rhythm"], _longest(self._setting.gap_steps), self._executor
        )
        longest = _longest(self._setting.delay_steps)
        return bands, linked_across(bands, longest, self._executor)

    @cached_property
    def _echoprint_paths(self) -> list[Path]:
        longest = _longest(self._setting.echoprint_steps)
        bands = linked_bands(self._frames["echoprint"], longest, self._executor)
        return [Path.of(band, [own] * 2) for band, own in enumerate(bands)]


def own_keys(onsets: Fingerprint, setting: KeySetting, steps: int) -> LikelyKeys:
    """Make the keys of a recording's own onsets, as likely as each other (`OWN_PROBABILITY`).

    Parameters
    ----------
    onsets
        Frames from the first of the recording on.
    setting, steps
        As of `LinkedOnsets` and its `likely_keys`.
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


def _longest(steps: UInt8s) -> int:
    """Give the frames of the longest gap of a slow recording that has a step."""
    return math.ceil((len(steps) - 2) / SLOWEST)


def _of_rhythm(made: LikelyKeys, steps: int) -> LikelyKeys:
    """Make keys of so many steps ranges of all that begin with them."""
    shift = (4 - steps) * STEP_BITS
    return replace(made, keys=made.keys << shift, widths=made.widths << shift)


def _of_echoprint(made: LikelyKeys) -> LikelyKeys:
    """Move keys of a band and two steps to where Echoprint keys stand."""
    return replace(made, keys=ECHOPRINT + (made.keys << ECHOPRINT_SHIFT))


def _keys_of_chains(
    chains: Chains,
    steps: int,
    gap_steps: UInt8s,
    kept: int,
    setting: KeySetting,
    speed: float,
) -> LikelyKeys:
    """Sum the probabilities of all chains that have the same steps and begin in the same bin."""
    places = np.empty(len(chains.gaps), np.int64)
    tables = gap_steps, setting.delay_steps, kept, setting.frame_bits
    _write_places(chains.gaps, chains.begins, steps, *tables, speed, places)
    order = np.argsort(places, kind="stable")
    order = order[np.searchsorted(places, 0, sorter=order) :]
    places = places[order]
    firsts = np.flatnonzero(np.diff(places, prepend=-1))
    sums = np.add.reduceat(chains.probabilities[order], firsts) if len(order) else np.empty(0)
    keys, widths = places[firsts] >> _BIN_BITS, np.ones(len(firsts), np.int64)
    bins = places[firsts] & (1 << _BIN_BITS) - 1
    return LikelyKeys(keys, widths, bins, np.minimum(sums, MOST_PROBABLE))


@njit(cache=True, nogil=True)
def _write_places(
    gaps: Int64s,
    begins: Int64s,
    steps: int,
    gap_steps: UInt8s,
    delay_steps: UInt8s,
    kept: int,
    frame_bits: int,
    speed: float,
    out: Int64s,
) -> None:
    """Write each chain's key, without the steps that it lacks, above its time bin; -1 of none."""
    for k in range(len(gaps)):
        key = gaps[k] >> GAP_BITS * steps
        crosses = key >> BAND_BITS > 0
        complete = True
        for i in range(steps):
            gap = gaps[k] >> GAP_BITS * (steps - 1 - i) & (1 << GAP_BITS) - 1
            table = delay_steps if crosses and i == 2 else gap_steps
            step = table[min(int(np.rint(gap * speed)), len(table) - 1)]
            complete &= step != NO_STEP
            key = key << STEP_BITS | np.int64(step)
        if complete and (kept == 1 or is_kept(key << STEP_BITS * (4 - steps), kept)):
            out[k] = key << _BIN_BITS | int(begins[k] * speed) >> frame_bits
        else:
            out[k] = -1
