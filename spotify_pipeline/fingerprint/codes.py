"""Onset trains to Echoprint codes.

An onset and the four that follow it in its band give up to six codes, each the hash of the band and
of two of the gaps between them. Codes stand band by band, in the order of time.

Belongs here: making codes. Does not belong here: undoing it (`recovery`), the string (`strings`).
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint.arrays import Int32s, Int64s, UInt32s
from spotify_pipeline.fingerprint.hashing import code_of_gaps, quantised_gap, quantised_time
from spotify_pipeline.fingerprint.trains import BANDS, OnsetTrains

__all__ = ["GAP_PAIRS", "STOP_CODES", "EchoprintCodes", "codes_of_trains", "write_codes"]

GAP_PAIRS = np.array(
    [
        [[0, 1], [1, 2]],
        [[0, 1], [1, 3]],
        [[0, 2], [2, 3]],
        [[0, 1], [1, 4]],
        [[0, 2], [2, 4]],
        [[0, 3], [3, 4]],
    ],
    np.int64,
)
"""The six codes of an onset, int64 of shape (6, 2, 2): code, gap, (from, to) as onsets ahead."""

STOP_CODES = np.array([732748, 66747, 907455, 1026159, 707586, 755198, 412470, 809256], np.uint32)
"""What the open reference writes, band by band, where there are too few onsets for a code: the
codes of two gaps of 0."""


@dataclass(frozen=True, eq=False)
class EchoprintCodes:
    """The content of an ``echoprintstring``.

    Attributes
    ----------
    times
        uint32 of shape (codes,); when the code's first onset is, in units of 23 ms.
    codes
        uint32 of shape (codes,); 20 bits each.
    """

    times: UInt32s
    codes: UInt32s

    def __len__(self) -> int:
        return len(self.codes)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, EchoprintCodes)
            and np.array_equal(self.times, other.times)
            and np.array_equal(self.codes, other.codes)
        )

    __hash__ = None  # type: ignore[assignment]


def codes_of_trains(trains: OnsetTrains, *, padded: bool = False) -> EchoprintCodes:
    """Make the Echoprint codes of onset trains.

    The last two onsets of a band have no codes of their own; the third and fourth from the end have
    one and three. A band with less than three onsets has none.

    Parameters
    ----------
    trains
        Onsets in the setting `detector.ECHOPRINT`.
    padded
        Fill up to six codes an onset with stop codes, as the open reference does. The documents in
        the dump don't.
    """
    return EchoprintCodes(*write_codes(trains.frames, trains.bounds, padded))


@njit(cache=True, nogil=True)
def write_codes(frames: Int32s, bounds: Int64s, padded: bool) -> tuple[UInt32s, UInt32s]:
    """Make times and codes as of `codes_of_trains`, in a kernel."""
    capacity = 6 * len(frames)
    times, codes = np.empty(capacity, np.uint32), np.empty(capacity, np.uint32)
    count = 0
    for band in range(BANDS):
        onsets = frames[bounds[band] : bounds[band + 1]]
        gaps = _quantised_gaps(onsets)
        for onset in range(len(onsets) - 2):
            time = quantised_time(onsets[onset])
            for pair in range(6):
                middle, last = GAP_PAIRS[pair, 0, 1], GAP_PAIRS[pair, 1, 1]
                gap = next_gap = np.int64(0)
                if onset + last < len(onsets):
                    gap, next_gap = gaps[middle, onset], gaps[last - middle, onset + middle]
                elif not padded:
                    break
                times[count] = time
                codes[count] = code_of_gaps(gap, next_gap, band)
                count += 1
    return times[:count].copy(), codes[:count].copy()


@njit(cache=True, nogil=True)
def _quantised_gaps(onsets: Int32s) -> Int64s:
    """Give int64 of shape (4, onsets): ``[n, k]`` is the gap from onset k to onset k + n."""
    gaps = np.zeros((4, len(onsets)), np.int64)
    for ahead in range(1, 4):
        for onset in range(len(onsets) - ahead):
            gaps[ahead, onset] = quantised_gap(onsets[onset + ahead] - onsets[onset])
    return gaps
