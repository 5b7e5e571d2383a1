"""How likely a recording is if it is a track, at every time offset.

A recording's onset LLRs (`fingerprint.onset_llr`) tell, for each band and moment, how much
likelier it sounds if the track has an onset there. Summed over the onsets of a track at an offset,
they tell how much likelier it sounds if it is that track there than if it is some other music, but
for what the moments without onsets have to say, which is the same for every track.

A row of LLRs is added where each onset is, whole rows at a time, which becomes vector instructions.

Belongs here: these sums and their peaks. Does not belong here: what a peak means
(`identify.decision`); counts of onsets (`alignment`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint import BANDS, LLR_BIN_FRAMES, OnsetTrains
from spotify_pipeline.fingerprint.arrays import Float32s, Float64s, Int16s, Int32s, Int64s, UInt8s
from spotify_pipeline.fingerprint.packing import unpack_frames
from spotify_pipeline.index.kernels.alignment import NEIGHBOURHOOD

__all__ = [
    "Alignment",
    "align",
    "best_likelihoods",
    "likelihoods_apart",
    "likelihoods_near",
    "offset_sums",
    "peaks",
]

UNITS = 4
"""In a nat, where sums are of 16 bits: a clip of 20 s comes to a third of what these hold."""

_BLOCK = 256
_LLR_BIN_BITS = LLR_BIN_FRAMES.bit_length() - 1
_COARSE_BITS = _LLR_BIN_BITS + 1
_NEIGHBOURS = NEIGHBOURHOOD // LLR_BIN_FRAMES


@dataclass(frozen=True)
class Alignment:
    """Where a recording lies in a track, and how likely it is there.

    Attributes
    ----------
    offset
        Frame of the track at which the recording begins; negative if the recording begins earlier.
    speed
        Of the recording, 1 as the track was published, 1.02 if 2 % faster.
    likelihood
        Natural logarithm of a likelihood ratio.
    """

    offset: int
    speed: float
    likelihood: float


def align(
    llr: Float32s, track: OnsetTrains, offset: int, reach: int, speeds: Sequence[float] = (1.0,)
) -> Alignment:
    """Find the likeliest offset to the frame near a given one, and the likeliest speed.

    Parameters
    ----------
    llr
        float32 of shape (frames, 8), `fingerprint.frame_llr` of the recording.
    track
        Trains of the kind that the LLRs are of.
    offset, reach
        Frames: offsets from `offset - reach` to `offset + reach` are tried, a frame of the
        recording at a time.
    speeds
        Those that are tried; of equal likelihood, the first counts.
    """
    if len(llr) == 0 or len(track) == 0:
        return Alignment(offset, speeds[0], 0.0)
    # beyond either end of the recording nothing is known
    rows = np.zeros((BANDS, len(llr) + 4 * reach), np.float32)
    rows[:, 2 * reach : 2 * reach + len(llr)] = llr.T
    chosen = np.array(speeds, np.float64)
    sums = _sums_near(rows, track.frames, track.bounds, offset, reach, chosen)
    best, position = divmod(int(sums.argmax()), sums.shape[1])
    moved = round((reach - position) * speeds[best])
    return Alignment(offset + moved, speeds[best], float(sums[best, position]))


def offset_sums(llr: Float32s, track: OnsetTrains) -> Float32s:
    """Give how likely a recording is at every offset in a track, to the LLR bin.

    Parameters
    ----------
    llr
        float32 of shape (llr_bins, 8), `fingerprint.onset_llr` of the recording.
    track
        Trains of the kind that the LLRs are of, at least one onset.

    Returns
    -------
    float32 of shape (offsets,), nats; the first is that of -(llr_bins - 1) LLR bins.
    """
    sums = _offset_sums(_reversed_rows(llr), track.frames, track.bounds)
    return np.asarray(sums, np.float32)


def peaks(llr: Float32s, track: OnsetTrains, most: int) -> list[int]:
    """Find the likeliest offsets, to the LLR bin, none within `NEIGHBOURHOOD` of a better one.

    Parameters
    ----------
    llr
        float32 of shape (llr_bins, 8), `fingerprint.onset_llr` of the recording.
    track
        Trains of the kind that the LLRs are of.
    most
        Offsets to give at the most.

    Returns
    -------
    Frames, the likeliest first; none that is less likely than music of any kind.
    """
    if len(llr) == 0 or len(track) == 0:
        return []
    sums = offset_sums(llr, track)
    found: list[int] = []
    while len(found) < most and sums[position := int(sums.argmax())] > 0:
        found.append((position - len(llr) + 1) << _LLR_BIN_BITS)
        sums[max(position - _NEIGHBOURS, 0) : position + _NEIGHBOURS + 1] = -np.inf
    return found


def likelihoods_apart(
    llr: Float32s, track: OnsetTrains, alignment: Alignment, edges: Int64s
) -> tuple[Float64s, int]:
    """Give the likelihood at an alignment, apart for stretches of the recording and for bands.

    Parameters
    ----------
    llr, track
        As of `align`.
    edges
        int64 of shape (n + 1,), ascending: frames of the recording between which stretches lie.

    Returns
    -------
    likelihoods : float64 of shape (n, 8)
    onsets : int
        Of the track, that lie in them.
    """
    sums = np.zeros((len(edges) - 1, BANDS))
    count = 0
    for band in range(BANDS):
        frames = np.rint((track.band(band) - alignment.offset) / alignment.speed).astype(np.int64)
        frames = frames[(frames >= max(edges[0], 0)) & (frames < min(edges[-1], len(llr)))]
        stretches = np.searchsorted(edges, frames, side="right") - 1
        sums[:, band] = np.bincount(stretches, llr[frames, band], len(sums))
        count += len(frames)
    return sums, count


def best_likelihoods(
    llr: Float32s, packed: UInt8s, firsts: Int64s, lasts: Int64s
) -> tuple[Float64s, Int64s]:
    """Give the best of all offsets of a recording in each track, two LLR bins as one.

    Runs without the GIL.

    Parameters
    ----------
    llr
        float32 of shape (llr_bins, bands), of the first bands: fewer are less work.
    packed
        uint8, with the packed rhythm trains of n tracks in it (`fingerprint.packing`).
    firsts, lasts
        int64 of shape (n,): the bytes of each track.

    Returns
    -------
    likelihoods : float64 of shape (n,)
        Natural logarithms of likelihood ratios; minus infinity of a track without onsets.
    offsets : int64 of shape (n,)
        The frame of the track where the recording begins then, give or take two LLR bins.
    """
    units = np.rint(UNITS * _reversed_rows(_halved(llr))).astype(np.int16)
    likelihoods = np.full(len(firsts), -np.inf)
    offsets = np.zeros(len(firsts), np.int64)
    if len(llr):
        _best_likelihoods(units, packed, firsts, lasts, likelihoods, offsets)
    return likelihoods, offsets


def likelihoods_near(
    llr: Sequence[Float32s],
    packed: UInt8s,
    firsts: Int64s,
    lasts: Int64s,
    offsets: Int64s,
    reach: int,
) -> tuple[Float64s, Int64s]:
    """Give the best offset near a given one: a fraction of the work.

    Runs without the GIL.

    Parameters
    ----------
    llr
        The recording's at each speed, each float32 of shape (llr_bins, 8).
    packed, firsts, lasts
        As of `best_likelihoods`.
    offsets, reach
        int64 of shape (n,), frames: of each track, the offsets from `offset - reach` to
        `offset + reach` are tried, an LLR bin at a time.

    Returns
    -------
    likelihoods : float64 of shape (n,)
        Natural logarithms of likelihood ratios; minus infinity of a track without onsets.
    best : int64 of shape (n,)
        The place in `llr` of the likeliest, the first of several.
    """
    llr_bins = reach // LLR_BIN_FRAMES + 1
    # beyond either end of the recording nothing is known
    rows = np.zeros((len(llr), BANDS, max(map(len, llr)) + 4 * llr_bins), np.float32)
    for speed, one in enumerate(llr):
        rows[speed, :, 2 * llr_bins : 2 * llr_bins + len(one)] = one.T
    likelihoods = np.full(len(firsts), -np.inf)
    best = np.zeros(len(firsts), np.int64)
    _likelihoods_near(rows, packed, firsts, lasts, offsets, llr_bins, likelihoods, best)
    return likelihoods, best


def _reversed_rows(llr: Float32s) -> Float32s:
    """Give a row a band, the last LLR bin first: added at an onset, each falls on its offset."""
    return np.ascontiguousarray(llr[::-1].T)


def _halved(llr: Float32s) -> Float32s:
    """Join two LLR bins each: an onset is as likely in one as in the other."""
    even = llr[: len(llr) // 2 * 2]
    return np.logaddexp(even[::2], even[1::2]) - np.float32(np.log(2))


@njit(cache=True, nogil=True)
def _add(row: Float32s, sums: Float32s) -> None:
    for k in range(len(row)):
        sums[k] += row[k]


@njit(cache=True, nogil=True)
def _offset_sums(rows: Float32s, track: Int32s, bounds: Int64s) -> Float32s:
    """Sum LLRs at every offset, an LLR bin at a time; the first is the earliest."""
    llr_bins = rows.shape[1]
    sums = np.zeros((track.max() >> _LLR_BIN_BITS) + 1 + llr_bins, np.float32)
    for band in range(BANDS):
        for frame in track[bounds[band] : bounds[band + 1]]:
            position = frame >> _LLR_BIN_BITS
            _add(rows[band], sums[position : position + llr_bins])
    return sums


@njit(cache=True, nogil=True)
def _sums_near(
    rows: Float32s, track: Int32s, bounds: Int64s, offset: int, reach: int, speeds: Float64s
) -> Float32s:
    """Sum LLRs near an offset, a frame at a time, the latest offset first; a row a speed.

    Rows have `2 * reach` zeros at either end.
    """
    width = 2 * reach + 1
    sums = np.zeros((len(speeds), width), np.float32)
    last = rows.shape[1] - width
    for speed in range(len(speeds)):
        for band in range(BANDS):
            onsets = track[bounds[band] : bounds[band + 1]]
            # the first onset that can fall on the row
            k = int(np.searchsorted(onsets, offset - (reach + 1) * speeds[speed]))
            while k < len(onsets):
                position = int(np.rint((onsets[k] - offset) / speeds[speed])) + reach
                if position > last:
                    break
                if position >= 0:
                    _add(rows[band, position : position + width], sums[speed])
                k += 1
    return sums


@njit(cache=True, nogil=True)
def _best_likelihoods(
    rows: Int16s,
    packed: UInt8s,
    firsts: Int64s,
    lasts: Int64s,
    likelihoods: Float64s,
    offsets: Int64s,
) -> None:
    """Write likelihoods and offsets as of `best_likelihoods`."""
    llr_bins = rows.shape[1]
    sums = np.zeros(_BLOCK, np.int16)
    for k in range(len(firsts)):
        track, bounds = unpack_frames(packed[firsts[k] : lasts[k]], len(rows))
        if len(track) == 0:
            continue
        positions = (track.max() >> _COARSE_BITS) + 1 + llr_bins
        positions = (positions + _BLOCK - 1) // _BLOCK * _BLOCK
        if positions > len(sums):
            sums = np.zeros(2 * positions, np.int16)
        sums[:positions] = 0
        for band in range(len(rows)):
            row = rows[band]
            for frame in track[bounds[band] : bounds[band + 1]]:
                position = frame >> _COARSE_BITS
                reached = sums[position : position + llr_bins]
                for llr_bin in range(llr_bins):
                    reached[llr_bin] += row[llr_bin]
        most, position = _most(sums[:positions])
        likelihoods[k] = most / UNITS
        offsets[k] = (position - llr_bins + 1) << _COARSE_BITS


@njit(cache=True, nogil=True)
def _most(sums: Int16s) -> tuple[int, int]:
    """Give the largest of whole blocks of sums, and its first place."""
    most = np.iinfo(np.int16).min
    where = 0
    for start in range(0, len(sums), _BLOCK):
        block = _most_of_block(sums[start : start + _BLOCK])
        if block > most:
            most, where = block, start
    for position in range(where, len(sums)):
        if sums[position] == most:
            return most, position
    return most, where


@njit(cache=True, nogil=True)
def _most_of_block(block: Int16s) -> int:
    most = block[0]
    # of fixed length and without max(): so it becomes vector instructions
    for k in range(_BLOCK):
        most = block[k] if block[k] > most else most
    return int(most)


@njit(cache=True, nogil=True)
def _likelihoods_near(
    rows: Float32s,
    packed: UInt8s,
    firsts: Int64s,
    lasts: Int64s,
    offsets: Int64s,
    reach: int,
    likelihoods: Float64s,
    best: Int64s,
) -> None:
    """Write as of `likelihoods_near`; rows have `2 * reach` zeros at either end."""
    sums = np.empty(2 * reach + 1, np.float32)
    begins = np.empty(BANDS, np.int64)
    for k in range(len(firsts)):
        track, bounds = unpack_frames(packed[firsts[k] : lasts[k]])
        if len(track) == 0:
            continue
        earliest = offsets[k] - (reach << _LLR_BIN_BITS)
        for band in range(BANDS):
            onsets = track[bounds[band] : bounds[band + 1]]
            begins[band] = bounds[band] + np.searchsorted(onsets, earliest)
        for speed in range(len(rows)):
            sums[:] = 0
            for band in range(BANDS):
                for onset in range(begins[band], bounds[band + 1]):
                    # where the row begins that falls on this onset, the latest offset first
                    llr_bin = ((track[onset] - offsets[k]) >> _LLR_BIN_BITS) + reach
                    if llr_bin > rows.shape[2] - len(sums):
                        break
                    _add(rows[speed, band, llr_bin : llr_bin + len(sums)], sums)
            likelihood = sums.max()
            if likelihood > likelihoods[k]:
                likelihoods[k] = likelihood
                best[k] = speed
