"""Onset trains to keys: what the index looks up.

A key is a band and the next few gaps of its train, each gap in steps of two frames; or two gaps of
a band, the delay to the band above and a gap there (`format.key_setting`). Gaps do not depend on
where a recording begins. Four of them in a row are rare: among a million tracks, a key of rhythm
trains stands in one or two. The Echoprint trains serve tracks and queries that have nothing else.

Belongs here: keys of a track. Does not belong here: those that a recording's track is likely to
have (`likely_keys`), where they are stored (`format.postings`).
"""

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint import BANDS, OnsetTrains
from spotify_pipeline.fingerprint.arrays import Int32s, Int64s, UInt8s
from spotify_pipeline.index.format.key_setting import (
    CROSSING,
    ECHOPRINT,
    ECHOPRINT_SHIFT,
    KEYS,
    NO_STEP,
    STEP_BITS,
    KeySetting,
)

__all__ = ["is_kept", "keys_of", "write_echoprint_keys", "write_rhythm_keys"]

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_BAND_SHIFT = 4 * STEP_BITS
_GAPS_MASK = (1 << _BAND_SHIFT) - 1


def keys_of(
    trains: OnsetTrains, kind: str = "rhythm", setting: KeySetting = KEYS
) -> tuple[Int64s, Int32s]:
    """Make the keys of a track.

    Parameters
    ----------
    trains
        Of the track.
    kind
        Of `key_setting.KINDS`.
    setting
        How.

    Returns
    -------
    keys : int64 of shape (n,)
    frames : int32 of shape (n,)
        The frame at which each begins.
    """
    out = np.empty(2 * len(trains), np.int64), np.empty(2 * len(trains), np.int32)
    if kind == "rhythm":
        tables = setting.gap_steps, setting.delay_steps
        count = write_rhythm_keys(
            trains.frames, trains.bounds, *tables, setting.kept, 0, ECHOPRINT, *out
        )
    else:
        count = write_echoprint_keys(trains.frames, trains.bounds, setting.echoprint_steps, *out)
    return out[0][:count], out[1][:count]


@njit(cache=True, nogil=True, inline="always")
def is_kept(key: int, kept: int) -> bool:
    """Tell whether a rhythm key is indexed: as all are that begin with the same three steps."""
    hashed = np.uint64(key >> STEP_BITS) * _MULTIPLIER >> np.uint64(32)
    return kept == 1 or hashed & np.uint64(1) == 0


@njit(cache=True, nogil=True, inline="always")
def _step(steps: UInt8s, frames: int) -> int:
    return int(steps[min(frames, len(steps) - 1)])


@njit(cache=True, nogil=True)
def write_rhythm_keys(
    frames: Int32s,
    bounds: Int64s,
    gap_steps: UInt8s,
    delay_steps: UInt8s,
    kept: int,
    least: int,
    bound: int,
    out: Int64s,
    out_frames: Int32s,
) -> int:
    """Write the keys of all bands and count them, two an onset at the most; see `keys_of`.

    Of bands and kinds that have no key from `least` to before `bound`, none are made.

    A key that is not kept is written too, and then over: whether it is can't be foreseen, and a
    branch on it costs more.
    """
    count = 0
    for band in range(BANDS):
        known = 0  # gaps in a row that have a step
        packed = np.int64(0)
        above, above_end = bounds[band + 1], bounds[min(band + 2, BANDS)]
        first = np.int64(band) << _BAND_SHIFT
        end = first + (np.int64(1) << _BAND_SHIFT)
        along = first < bound and end > least
        across = CROSSING + first < bound and CROSSING + end > least
        if not along and not across:
            continue
        for onset in range(bounds[band] + 1, bounds[band + 1]):
            step = _step(gap_steps, frames[onset] - frames[onset - 1])
            known = 0 if step == NO_STEP else known + 1
            packed = (packed << STEP_BITS | step) & _GAPS_MASK
            key = np.int64(band) << _BAND_SHIFT | packed
            if known >= 4 and along:
                out[count], out_frames[count] = key, frames[onset - 4]
                count += is_kept(key, kept)
            if not across:
                continue
            while above < above_end and frames[above] < frames[onset]:
                above += 1
            if known < 2 or above + 1 >= above_end:
                continue
            delay = _step(delay_steps, frames[above] - frames[onset])
            gap = _step(gap_steps, frames[above + 1] - frames[above])
            both = packed & ((1 << 2 * STEP_BITS) - 1)
            key = (((np.int64(band) << 2 * STEP_BITS | both) << STEP_BITS) | delay) << STEP_BITS
            key = CROSSING + (key | gap)
            if NO_STEP not in (delay, gap):
                out[count], out_frames[count] = key, frames[onset - 2]
                count += is_kept(key, kept)
    return count


@njit(cache=True, nogil=True)
def write_echoprint_keys(
    frames: Int32s, bounds: Int64s, gap_steps: UInt8s, out: Int64s, out_frames: Int32s
) -> int:
    """Write the keys of Echoprint trains and count them, one an onset at the most."""
    count = 0
    for band in range(BANDS):
        for onset in range(bounds[band] + 2, bounds[band + 1]):
            first = _step(gap_steps, frames[onset - 1] - frames[onset - 2])
            second = _step(gap_steps, frames[onset] - frames[onset - 1])
            if NO_STEP in (first, second):
                continue
            key = (np.int64(band) << STEP_BITS | first) << STEP_BITS | second
            out[count] = ECHOPRINT + (key << ECHOPRINT_SHIFT)
            out_frames[count] = frames[onset - 2]
            count += 1
    return count
