"""Echoprint codes back to onset trains.

A string keeps times in units of about eight frames and gaps only as hashes, yet it determines the
trains almost: every code narrows two gaps to one unit each, and all gaps of a band together narrow
each onset to a few frames. Three steps a band:

1. *Gaps*: the gap between two onsets is, from their times, one of a few values; a value stays if
   every code that the gap takes part in can be made with it. The last two onsets have no time, so
   their gaps are searched for.
2. *Frames*: gaps and times are difference constraints (x_b - x_a in an interval). The earliest and
   the latest solution follow by propagation, and the middle of both, which is a solution too.
3. *Proof*: the trains are accepted if they give exactly the times and codes of the string.

Belongs here: the inverse of `codes`. Does not belong here: strings.
"""

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint.arrays import Bools, Int32s, Int64s, UInt32s
from spotify_pipeline.fingerprint.codes import (
    GAP_PAIRS,
    STOP_CODES,
    EchoprintCodes,
    codes_of_trains,
)
from spotify_pipeline.fingerprint.errors import CodesError
from spotify_pipeline.fingerprint.hashing import code_of_gaps, quantised_gap, quantised_time
from spotify_pipeline.fingerprint.trains import BANDS, OnsetTrains

__all__ = ["is_padded", "trains_of_codes"]

SLACK = 2
"""A gap in units differs from the difference of its ends' times by this much at the most."""

_CANDIDATES = 2 * SLACK + 1
_LARGEST_GAP = 2**15 - 1
_LARGEST_TIME = 16**5
_LARGEST_PAIR = 2**13

_Run = tuple[slice, int | None]
"""The codes of one band, and the band where it is known."""


def trains_of_codes(codes: EchoprintCodes) -> OnsetTrains:
    """Recover onset trains that give exactly these times and codes.

    Stop codes, if the codes are padded, are recognised. A band without codes (less than three
    onsets) comes back empty.

    Raises
    ------
    CodesError
        No trains were found that give the codes.
    """
    padded = is_padded(codes)
    plain, runs = _without_stop_codes(codes) if padded else (codes, _band_runs(codes.times))
    bands: list[Int32s] = [np.empty(0, np.int32)] * BANDS
    next_band = 0
    for run, known_band in runs:
        times, values = plain.times[run].astype(np.int64), plain.codes[run].astype(np.int64)
        for band in range(next_band, BANDS) if known_band is None else [known_band]:
            bands[band] = _recover_band(times, values, band)
            if len(bands[band]):
                next_band = band + 1
                break
        else:
            raise CodesError(f"no onsets give the codes {run.start} to {run.stop}")
    trains = OnsetTrains.from_bands(bands)
    if codes_of_trains(trains, padded=padded) != codes:
        raise CodesError("the recovered onsets do not give the same times and codes")
    return trains


def is_padded(codes: EchoprintCodes) -> bool:
    """Tell whether codes are filled up with stop codes, as the open reference does."""
    return (
        len(codes) > 0
        and len(codes) % 6 == 0
        and bool((codes.codes[-5:] == codes.codes[-1]).all())
        and bool((codes.codes[-1] == STOP_CODES).any())
    )


def _without_stop_codes(codes: EchoprintCodes) -> tuple[EchoprintCodes, list[_Run]]:
    """Drop the padding: five, then three codes at the end of each band's last two groups of six.

    It also tells where a band ends and, since bands have stop codes of their own, which it is.
    """
    groups = codes.codes.reshape(-1, 6)
    stops = np.isin(groups, STOP_CODES)
    ends_band = np.all(stops[:, 1:], axis=1)
    padding = np.zeros_like(stops)
    padding[:, 1:] = ends_band[:, None]
    padding[:, 3:] |= stops[:, 3:].all(axis=1, keepdims=True)
    bounds = np.cumsum(6 - padding.sum(axis=1))[ends_band].tolist()
    bands = np.argmax(groups[ends_band, -1:] == STOP_CODES, axis=1).tolist()
    keep = ~padding.reshape(-1)
    runs = [slice(start, end) for start, end in zip([0, *bounds], bounds, strict=False)]
    plain = EchoprintCodes(codes.times[keep], codes.codes[keep])
    return plain, list(zip(runs, bands, strict=True))


def _band_runs(times: UInt32s) -> list[_Run]:
    """Cut codes without padding into bands: groups of six, then one of three and one of one.

    Three bands of three onsets each that begin at the same time look like a longer one; such codes
    are refused later.
    """
    last = np.flatnonzero(np.append(np.diff(times), 1))
    same_time_until = last[np.searchsorted(last, np.arange(len(times)))] + 1
    runs: list[_Run] = []
    start = position = 0
    while position < len(times):
        group = int(same_time_until[position]) - position
        if position == start and group % 3:
            # a band of three onsets is a single code; the next may begin at the same time
            position += 1
        elif group >= 6:
            position += 6
            continue
        else:
            position += 4
        runs.append((slice(start, min(position, len(times))), None))
        start = position
    if start < position:
        raise CodesError("the last band has no end")
    return runs


def _recover_band(times: Int64s, codes: Int64s, band: int) -> Int32s:
    """Recover one band's onset frames; empty if the codes are not of this band."""
    groups = 1 if len(codes) == 1 else (len(codes) + 8) // 6
    if len(codes) not in (1, 6 * groups - 8):
        return np.empty(0, np.int32)
    starts = 6 * np.arange(groups)
    if groups > 1:
        starts[-1] = starts[-2] + 3
    units = np.zeros(groups + 2, np.int64)
    units[:groups] = times[starts]
    if int(units.max()) >= _LARGEST_TIME or not _locate_last_two(units, codes, starts, band):
        return np.empty(0, np.int32)
    allowed = _allowed_gaps(units, codes, starts, band)
    frames: Int32s = _solve(units, allowed, groups)
    return frames


@njit(cache=True, nogil=True)
def _pairs_of_group(group: int, groups: int) -> int:
    """Count the codes of a group: six, but three and one in a band's last two."""
    if group == groups - 1:
        return 1
    return 3 if group == groups - 2 else 6


@njit(cache=True, nogil=True)
def _fits(units: Int64s, codes: Int64s, starts: Int64s, band: int, onset: int, gap: int) -> bool:
    """Tell whether the gap before an onset agrees with all codes in which it is the second gap."""
    found = False
    for pair in (0, 2, 5):
        first = onset - GAP_PAIRS[pair, 1, 1]
        if first < 0:
            continue
        found = True
        around = units[onset - 1] - units[first]
        code = codes[starts[first] + pair]
        matches = False
        for shift in range(-SLACK, SLACK + 1):
            if code_of_gaps(around + shift, gap, band) == code:
                matches = True
        if not matches:
            return False
    return found


@njit(cache=True, nogil=True)
def _locate_last_two(units: Int64s, codes: Int64s, starts: Int64s, band: int) -> bool:
    """Find times for the last two onsets, relative to the others; False if no gap fits."""
    last = len(units) - 1
    if last == 2:
        found: bool = _locate_pair(units, codes[0], band)
        return found
    for gap in range(_LARGEST_GAP + 1):
        if not _fits(units, codes, starts, band, last - 1, gap):
            continue
        units[last - 1] = units[last - 2] + gap
        # in a band of four onsets a single code tells this gap, and a wrong one may fit it too
        for last_gap in range(_LARGEST_GAP + 1):
            if _fits(units, codes, starts, band, last, last_gap):
                units[last] = units[last - 1] + last_gap
                return True
    return False


@njit(cache=True, nogil=True)
def _locate_pair(units: Int64s, code: int, band: int) -> bool:
    """Find the shortest two gaps that a lone code may stand for."""
    for total in range(_LARGEST_PAIR):
        for gap in range(total + 1):
            if code_of_gaps(gap, total - gap, band) == code:
                units[1] = units[0] + gap
                units[2] = units[0] + total
                return True
    return False


@njit(cache=True, nogil=True)
def _allowed_gaps(units: Int64s, codes: Int64s, starts: Int64s, band: int) -> Bools:
    """Tell which gaps are possible: bool of shape (onsets, 4, 5).

    ``[k, n, s]`` is the gap from onset k to onset k + n, as the difference of their times in units
    plus s - SLACK.
    """
    groups = len(units) - 2
    allowed = np.ones((len(units), 4, _CANDIDATES), np.bool_)
    changed = True
    while changed:
        changed = False
        for group in range(groups):
            for pair in range(_pairs_of_group(group, groups)):
                middle, end = GAP_PAIRS[pair, 0, 1], GAP_PAIRS[pair, 1, 1]
                here = allowed[group, middle]
                there = allowed[group + middle, end - middle]
                gap = units[group + middle] - units[group] - SLACK
                next_gap = units[group + end] - units[group + middle] - SLACK
                code = codes[starts[group] + pair]
                here_kept = np.zeros(_CANDIDATES, np.bool_)
                there_kept = np.zeros(_CANDIDATES, np.bool_)
                for i in range(_CANDIDATES):
                    for j in range(_CANDIDATES):
                        if here[i] and there[j]:  # noqa: SIM102
                            if code_of_gaps(gap + i, next_gap + j, band) == code:
                                here_kept[i] = there_kept[j] = True
                for i in range(_CANDIDATES):
                    changed |= here[i] != here_kept[i] or there[i] != there_kept[i]
                    here[i] = here_kept[i]
                    there[i] = there_kept[i]
    return allowed


@njit(cache=True, nogil=True)
def _first_frame_at(unit: int) -> int:
    """Give the first frame whose quantised time is at least `unit`."""
    frame = max(int(unit * 7.92) - 4, 0)
    while quantised_time(frame) < unit:
        frame += 1
    return frame


@njit(cache=True, nogil=True)
def _first_gap_at(unit: int) -> int:
    """Give the smallest gap in frames whose quantised length is at least `unit`."""
    gap = max(int(unit * 7.92) - 4, 0)
    while quantised_gap(gap) < unit:
        gap += 1
    return gap


@njit(cache=True, nogil=True)
def _constraints(units: Int64s, allowed: Bools) -> Int64s:
    """Give difference constraints, int64 (n, 4): from, to, least and greatest gap in frames."""
    out = np.empty((3 * len(units), 4), np.int64)
    count = 0
    for onset in range(len(units)):
        for ahead in range(1, 4):
            if onset + ahead >= len(units):
                break
            base = units[onset + ahead] - units[onset] - SLACK
            least, greatest = -1, -1
            for i in range(_CANDIDATES):
                if allowed[onset, ahead, i] and base + i >= 0:
                    least = base + i if least < 0 else least
                    greatest = base + i
            if greatest < 0:
                return out[:0]
            out[count] = onset, onset + ahead, _first_gap_at(least), _first_gap_at(greatest + 1) - 1
            count += 1
    return out[:count]


@njit(cache=True, nogil=True)
def _solve(units: Int64s, allowed: Bools, groups: int) -> Int32s:
    """Solve for frames: int32 (onsets,), empty if there is no solution."""
    nothing = np.empty(0, np.int32)
    constraints = _constraints(units, allowed)
    if len(constraints) == 0:
        return nothing
    earliest = np.zeros(len(units), np.int64)
    latest = np.full(len(units), np.int64(2**31 - 1))
    for onset in range(groups):
        earliest[onset] = _first_frame_at(units[onset])
        latest[onset] = _first_frame_at(units[onset] + 1) - 1
    changed = True
    while changed:
        changed = False
        for k in range(len(constraints)):
            a, b, least, greatest = constraints[k]
            if earliest[a] + least > earliest[b]:
                earliest[b] = earliest[a] + least
                changed = True
            if earliest[b] - greatest > earliest[a]:
                earliest[a] = earliest[b] - greatest
                changed = True
            if latest[b] - least < latest[a]:
                latest[a] = latest[b] - least
                changed = True
            if latest[a] + greatest < latest[b]:
                latest[b] = latest[a] + greatest
                changed = True
            if earliest[a] > latest[a] or earliest[b] > latest[b]:
                return nothing
    # the middle of two solutions of difference constraints is, rounded down, a solution too
    return ((earliest + latest) // 2).astype(np.int32)
