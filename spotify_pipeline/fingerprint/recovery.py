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

from spotify_pipeline.fingerprint.arrays import Int32s, Int64s, UInt32s
from spotify_pipeline.fingerprint.bits import trailing_zeros
from spotify_pipeline.fingerprint.codes import (
    GAP_PAIRS,
    STOP_CODES,
    EchoprintCodes,
    write_codes,
)
from spotify_pipeline.fingerprint.errors import CodesError
from spotify_pipeline.fingerprint.hashing import (
    GAP_UNITS,
    code_of_gaps,
    quantised_gap,
    quantised_time,
)
from spotify_pipeline.fingerprint.trains import BANDS, FRAME_SAMPLES, SAMPLE_RATE, OnsetTrains

__all__ = ["is_padded", "trains_of_codes"]

SLACK = 2
"""A gap in units differs from the difference of its ends' times by this much at the most."""

_CANDIDATES = 2 * SLACK + 1
_ALL_CANDIDATES = 2**_CANDIDATES - 1
_USUAL_CANDIDATES = 0b110  # that difference and one less, which is nearly always so
_LARGEST_GAP = 2**15 - 1
_LARGEST_TIME = 16**5
_LARGEST_PAIR = 2**13
_FRAMES_PER_UNIT = 0.023 * SAMPLE_RATE / FRAME_SAMPLES
_UNLIMITED = np.int64(2**40)
_UNIT_FRAMES = 7  # from a unit's first frame to its last, or one less
_RATE_ERROR = 1e-7  # units are a little off their nominal length, by the reference's arithmetic

_UNKNOWN_BAND = -1
_FIRST_GAPS = np.searchsorted(GAP_UNITS, np.arange(GAP_UNITS[-1]))


def trains_of_codes(codes: EchoprintCodes) -> OnsetTrains:
    """Recover onset trains that give exactly these times and codes.

    Stop codes, if the codes are padded, are recognised. A band without codes (less than three
    onsets) comes back empty.

    Raises
    ------
    CodesError
        No trains were found that give the codes.
    """
    times, values = np.ascontiguousarray(codes.times), np.ascontiguousarray(codes.codes)
    frames, bounds = _recover(times, values)
    if len(bounds) <= BANDS:
        raise CodesError("the codes are not those of eight bands of onsets")
    return OnsetTrains(frames, bounds)


def is_padded(codes: EchoprintCodes) -> bool:
    """Tell whether codes are filled up with stop codes, as the open reference does."""
    return bool(_ends_padded(np.ascontiguousarray(codes.codes)))


@njit(cache=True, nogil=True)
def _ends_padded(codes: UInt32s) -> bool:
    if len(codes) == 0 or len(codes) % 6 or _stop_band(codes[-1]) == _UNKNOWN_BAND:
        return False
    return bool((codes[-5:] == codes[-1]).all())


@njit(cache=True, nogil=True)
def _without_stop_codes(times: UInt32s, codes: UInt32s) -> tuple[UInt32s, UInt32s, Int64s]:
    """Drop the padding: five, then three codes at the end of each band's last two groups of six.

    It also tells where a band ends and, since bands have stop codes of their own, which it is.
    Gives the times and codes left, and the runs as `_band_runs` does.
    """
    times_kept, codes_kept = np.empty_like(times), np.empty_like(codes)
    runs = np.empty((BANDS, 3), np.int64)
    count = start = kept = 0
    for group in range(0, len(codes), 6):
        real = 6
        while real > 0 and _stop_band(codes[group + real - 1]) != _UNKNOWN_BAND:
            real -= 1
        real = 1 if real <= 1 else 3 if real <= 3 else 6
        for position in range(group, group + real):
            times_kept[kept], codes_kept[kept] = times[position], codes[position]
            kept += 1
        if real == 1 and count < BANDS:
            runs[count] = start, kept, _stop_band(codes[group + 5])
            start = kept
            count += 1
    return times_kept[:kept], codes_kept[:kept], runs[:count]


@njit(cache=True, nogil=True)
def _stop_band(code: int) -> int:
    """Give the band whose stop code this is."""
    for band in range(BANDS):
        if STOP_CODES[band] == code:
            return band
    return _UNKNOWN_BAND


@njit(cache=True, nogil=True)
def _band_runs(times: UInt32s) -> Int64s:
    """Cut codes without padding into bands: groups of six, then one of three and one of one.

    Three bands of three onsets each that begin at the same time look like a longer one; such codes
    are refused later. Gives int64 (bands, 3): start, end, `_UNKNOWN_BAND`; none if the codes are
    not cut like this.
    """
    runs = np.full((BANDS, 3), _UNKNOWN_BAND)
    count = start = position = 0
    while position < len(times):
        group = 1  # codes of the same time from here on; counted to six where more do not matter
        while position + group < len(times) and times[position + group] == times[position]:
            group += 1
            if group == 6 and position > start:
                break
        if group >= 6 and not (position == start and group % 3):
            position += 6
            continue
        # a band of three onsets is a single code; the next may begin at the same time
        position += 1 if position == start and group % 3 else 4
        if count == BANDS:
            return runs[:0]
        runs[count, 0], runs[count, 1] = start, min(position, len(times))
        start = position
        count += 1
    return runs[:count] if start >= position else runs[:0]


@njit(cache=True, nogil=True)
def _recover(times: UInt32s, codes: UInt32s) -> tuple[Int32s, Int64s]:
    """Recover frames and bounds and prove them; no bounds if no trains are found."""
    padded = _ends_padded(codes)
    if padded:
        frames, bounds = _recover_runs(*_without_stop_codes(times, codes))
    else:
        frames, bounds = _recover_runs(times, codes, _band_runs(times))
    if len(bounds) <= BANDS:
        return frames, bounds
    made_times, made_codes = write_codes(frames, bounds, padded)
    if len(made_codes) != len(codes):
        return frames[:0], bounds[:0]
    different = False
    for k in range(len(codes)):
        different |= made_times[k] != times[k] or made_codes[k] != codes[k]
    if different:
        return frames[:0], bounds[:0]
    return frames, bounds


@njit(cache=True, nogil=True)
def _recover_runs(times: UInt32s, codes: UInt32s, runs: Int64s) -> tuple[Int32s, Int64s]:
    """Recover the trains of all runs: frames and bounds; no bounds if a run has no onsets."""
    frames = np.empty(len(times) + 2 * BANDS, np.int32)
    bounds = np.zeros(BANDS + 1, np.int64)
    run = 0
    for band in range(BANDS):
        bounds[band + 1] = bounds[band]
        if run < len(runs) and (runs[run, 2] == _UNKNOWN_BAND or runs[run, 2] == band):
            start, end = runs[run, 0], runs[run, 1]
            for frame in _recover_band(times[start:end], codes[start:end], band):
                frames[bounds[band + 1]] = frame
                bounds[band + 1] += 1
            run += bounds[band + 1] > bounds[band]
    if run < len(runs) or (len(runs) == 0 and len(times) > 0):
        return frames[:0], bounds[:0]
    return frames[: bounds[BANDS]].copy(), bounds


@njit(cache=True, nogil=True)
def _recover_band(times: UInt32s, codes: UInt32s, band: int) -> Int32s:
    """Recover one band's onset frames; empty if the codes are not of this band."""
    nothing = np.empty(0, np.int32)
    groups = 1 if len(codes) == 1 else (len(codes) + 8) // 6
    if len(codes) not in (1, 6 * groups - 8):
        return nothing
    starts = 6 * np.arange(groups)
    if groups > 1:
        starts[-1] = starts[-2] + 3
    units = np.zeros(groups + 2, np.int64)
    for group in range(groups):
        units[group] = times[starts[group]]
        if units[group] >= _LARGEST_TIME:
            return nothing
    if not _begins_in(units, codes, band) or not _locate_last_two(units, codes, starts, band):
        return nothing
    for candidates in (_USUAL_CANDIDATES, _ALL_CANDIDATES):
        allowed = _allowed_gaps(units, codes, starts, band, candidates)
        frames: Int32s = _solve(units, allowed, groups)
        if len(frames):
            return frames
    return nothing


@njit(cache=True, nogil=True)
def _begins_in(units: Int64s, codes: UInt32s, band: int) -> bool:
    """Tell whether a run's first code may be one of this band; a lone code may be of any."""
    if len(units) < 5:
        return True
    for first in range(-SLACK, SLACK + 1):
        for second in range(-SLACK, SLACK + 1):
            gap, next_gap = units[1] - units[0] + first, units[2] - units[1] + second
            if code_of_gaps(gap, next_gap, band) == codes[0]:
                return True
    return False


@njit(cache=True, nogil=True)
def _pairs_of_group(group: int, groups: int) -> int:
    """Count the codes of a group: six, but three and one in a band's last two."""
    if group == groups - 1:
        return 1
    return 3 if group == groups - 2 else 6


@njit(cache=True, nogil=True)
def _fits(units: Int64s, codes: UInt32s, starts: Int64s, band: int, onset: int, gap: int) -> bool:
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
            matches |= code_of_gaps(around + shift, gap, band) == code
        if not matches:
            return False
    return found


@njit(cache=True, nogil=True)
def _locate_last_two(units: Int64s, codes: UInt32s, starts: Int64s, band: int) -> bool:
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
def _allowed_gaps(
    units: Int64s, codes: UInt32s, starts: Int64s, band: int, candidates: int
) -> Int64s:
    """Tell which of the candidates for each gap are possible: sets of bits, int64 (onsets, 4).

    ``[k, n]`` is for the gap from onset k to onset k + n: bit s stands for the difference of their
    times in units plus s - SLACK. It ends early where each gap has one candidate left, or none.
    """
    groups = len(units) - 2
    allowed = np.full((len(units), 4), candidates)
    allowed[max(groups - 4, 0) :] = _ALL_CANDIDATES
    changed = ambiguous = True
    while changed and ambiguous:
        changed = ambiguous = False
        for group in range(groups):
            code = starts[group]
            for pair in range(_pairs_of_group(group, groups)):
                middle, end = GAP_PAIRS[pair, 0, 1], GAP_PAIRS[pair, 1, 1]
                here, there = allowed[group, middle], allowed[group + middle, end - middle]
                gap = units[group + middle] - units[group] - SLACK
                next_gap = units[group + end] - units[group + middle] - SLACK
                kept, next_kept = _fitting(codes[code + pair], band, gap, here, next_gap, there)
                changed |= (kept != here) | (next_kept != there)
                ambiguous |= (kept & (kept - 1) | next_kept & (next_kept - 1)) != 0
                allowed[group, middle], allowed[group + middle, end - middle] = kept, next_kept
    return allowed


@njit(cache=True, nogil=True)
def _fitting(
    code: int, band: int, gap: int, here: int, next_gap: int, there: int
) -> tuple[int, int]:
    """Keep of two sets of candidates those with which the code can be made."""
    here_kept = there_kept = 0
    while here:
        i = int(trailing_zeros(here))
        here &= here - 1
        others = there
        while others:
            j = int(trailing_zeros(others))
            others &= others - 1
            if code_of_gaps(gap + i, next_gap + j, band) == code:
                here_kept |= 1 << i
                there_kept |= 1 << j
    return here_kept, there_kept


@njit(cache=True, nogil=True)
def _first_frame_at(unit: int) -> int:
    """Give the first frame whose quantised time is at least `unit`."""
    frame = int(np.ceil(unit * _FRAMES_PER_UNIT * (1 - _RATE_ERROR)))
    while quantised_time(frame) < unit:
        frame += 1
    return frame


@njit(cache=True, nogil=True)
def _first_gap_at(unit: int) -> int:
    """Give the smallest gap in frames whose quantised length is at least `unit`."""
    if unit < len(_FIRST_GAPS):
        return int(_FIRST_GAPS[unit])
    gap = int(np.ceil(unit * _FRAMES_PER_UNIT * (1 - _RATE_ERROR)))
    while quantised_gap(gap) < unit:
        gap += 1
    return gap


@njit(cache=True, nogil=True)
def _gap_limits(units: Int64s, allowed: Int64s) -> tuple[Int64s, Int64s]:
    """Give the least and the greatest gaps in frames, int64 (4, 3 + onsets + 3).

    ``[n, k + 3]`` is for the gap from onset k to onset k + n, no limits where one of them is not
    there. Nothing, if a gap has no candidate.
    """
    shape = (4, len(units) + 6)
    least, greatest = np.full(shape, -_UNLIMITED), np.full(shape, _UNLIMITED)
    for onset in range(len(units)):
        for ahead in range(1, min(4, len(units) - onset)):
            base = units[onset + ahead] - units[onset] - SLACK
            kept = allowed[onset, ahead]
            shortest, longest = 0, _CANDIDATES - 1
            while shortest < _CANDIDATES and (not kept >> shortest & 1 or base + shortest < 0):
                shortest += 1
            while longest >= shortest and not kept >> longest & 1:
                longest -= 1
            if shortest > longest:
                return least[:0], greatest[:0]
            least[ahead, onset + 3] = _first_gap_at(base + shortest)
            greatest[ahead, onset + 3] = _first_gap_at(base + longest + 1) - 1
    return least, greatest


@njit(cache=True, nogil=True)
def _solve(units: Int64s, allowed: Int64s, groups: int) -> Int32s:
    """Solve for frames: int32 (onsets,), empty if there is no solution."""
    nothing = np.empty(0, np.int32)
    least, greatest = _gap_limits(units, allowed)
    if len(least) == 0:
        return nothing
    earliest = np.full(len(units) + 6, np.int64(0))
    latest = np.full(len(units) + 6, np.int64(2**31 - 1))
    for onset in range(groups):
        first = _first_frame_at(units[onset])
        last = first + _UNIT_FRAMES
        while quantised_time(last) > units[onset]:
            last -= 1
        earliest[onset + 3], latest[onset + 3] = first, last
    while _tighten(earliest, latest, least, greatest):
        for onset in range(len(earliest)):
            if earliest[onset] > latest[onset]:
                return nothing
    # the middle of two solutions of difference constraints is, rounded down, a solution too
    return ((earliest[3:-3] + latest[3:-3]) // 2).astype(np.int32)


@njit(cache=True, nogil=True)
def _tighten(earliest: Int64s, latest: Int64s, least: Int64s, greatest: Int64s) -> bool:
    """Narrow each onset's limits by those before it, then after it; tells whether any moved.

    The limits of the first and last three are no onsets' and unlimited, so that each onset has
    three before and after it.
    """
    changed = False
    for onset in range(3, len(earliest) - 3):
        low, high = earliest[onset], latest[onset]
        for back in range(1, 4):
            low = max(low, earliest[onset - back] + least[back, onset - back])
            high = min(high, latest[onset - back] + greatest[back, onset - back])
        changed |= low != earliest[onset] or high != latest[onset]
        earliest[onset], latest[onset] = low, high
    for onset in range(len(earliest) - 4, 2, -1):
        low, high = earliest[onset], latest[onset]
        for ahead in range(1, 4):
            low = max(low, earliest[onset + ahead] - greatest[ahead, onset])
            high = min(high, latest[onset + ahead] - least[ahead, onset])
        changed |= low != earliest[onset] or high != latest[onset]
        earliest[onset], latest[onset] = low, high
    return changed
