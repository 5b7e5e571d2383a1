"""A query against every track at every offset: what finds a clip whose features are all but gone.

Noise and rooms move or hide so many onsets that hardly four in a row survive, which is what a
feature takes; a third of all onsets may still be there. Sixty-four offsets are tried at once: each
onset of the query shifts its band of the track, a row of bits, and the rows are summed in *planes*,
each of which holds one binary digit of 64 counts a word (Warren, *Hacker's Delight*, "counting
1-bits in an array", after Harley and Seal). Still, the work grows with all that is in the index.

Belongs here: that count. Does not belong here: when it is worth while (`identify.identifier`).
"""

import math

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint import BANDS, OnsetTrains
from spotify_pipeline.fingerprint.arrays import Float64s, Int32s, Int64s, UInt8s, UInt64s
from spotify_pipeline.fingerprint.bits import count_ones, trailing_zeros
from spotify_pipeline.fingerprint.packing import unpack_frames

__all__ = ["prominences"]

CELL_FRAMES = 2
"""Frames that count as one offset: half the work, and little less to tell tracks apart."""

TOLERANCE = 1
"""Frames by which an onset of rhythm trains may be off."""

_WORD = 64


def prominences(
    query: OnsetTrains, packed: UInt8s, firsts: Int64s, lasts: Int64s
) -> tuple[Float64s, Int64s]:
    """Tell how far each track's best offset stands out.

    Runs without the GIL.

    Parameters
    ----------
    query
        Trains.
    packed
        uint8, with the packed trains of n tracks in it (`fingerprint.packing`).
    firsts, lasts
        int64 of shape (n,): the bytes of each track.

    Returns
    -------
    prominences : float64 of shape (n,)
        Onsets aligned at the best offset beyond their mean over all offsets, in standard deviations
        of a count with that mean; -1 of a track without onsets.
    offsets : int64 of shape (n,)
        The frame of the track where the query begins then, give or take `CELL_FRAMES`.
    """
    found = np.full(len(firsts), -1.0), np.zeros(len(firsts), np.int64)
    if len(query):
        bands = np.repeat(np.arange(BANDS), np.diff(query.bounds))
        cells = query.frames.astype(np.int64) // CELL_FRAMES
        # counted three at a time: those of the row beyond the bands have nothing to add
        left = -len(cells) % 3
        bands = np.concatenate((bands, np.full(left, BANDS)))
        cells = np.concatenate((cells, np.zeros(left, np.int64)))
        _prominences(bands, cells, packed, firsts, lasts, *found)
    return found


@njit(cache=True, nogil=True)
def _prominences(
    bands: Int64s,
    cells: Int64s,
    packed: UInt8s,
    firsts: Int64s,
    lasts: Int64s,
    found: Float64s,
    offsets: Int64s,
) -> None:
    """Write prominences and offsets as of `prominences`."""
    lead = cells.max() + TOLERANCE
    digits = int(math.log2(len(cells))) + 1
    for k in range(len(firsts)):
        track, bounds = unpack_frames(packed[firsts[k] : lasts[k]])
        if len(track) == 0:
            continue
        places = lead + (track.max() + TOLERANCE) // CELL_FRAMES + 1
        words = places // _WORD + 1
        rows = np.zeros((BANDS + 1, words + lead // _WORD + 2), np.uint64)
        _write_rows(track, bounds, lead, rows)
        planes = np.zeros((digits, words), np.uint64)
        ones, carries = np.empty(words, np.uint64), np.empty(words, np.uint64)
        for i in range(0, len(cells), 3):
            _add_three(
                rows[bands[i], cells[i] // _WORD :],
                rows[bands[i + 1], cells[i + 1] // _WORD :],
                rows[bands[i + 2], cells[i + 2] // _WORD :],
                cells[i] % _WORD,
                cells[i + 1] % _WORD,
                cells[i + 2] % _WORD,
                planes,
                ones,
                carries,
            )
        most, place = _most(planes)
        mean = _pairs(bands, rows) / places
        found[k] = (most - mean) / math.sqrt(mean + 1)
        offsets[k] = CELL_FRAMES * (place - lead)


@njit(cache=True, nogil=True)
def _write_rows(track: Int32s, bounds: Int64s, lead: int, rows: UInt64s) -> None:
    """Set the bits of all cells within `TOLERANCE` of an onset, a row a band."""
    for band in range(BANDS):
        for frame in track[bounds[band] : bounds[band + 1]]:
            first = max(frame - TOLERANCE, 0) // CELL_FRAMES
            for cell in range(first, (frame + TOLERANCE) // CELL_FRAMES + 1):
                place = lead + cell
                rows[band, place // _WORD] |= np.uint64(1) << np.uint64(place % _WORD)


@njit(cache=True, nogil=True)
def _add_three(
    first: UInt64s,
    second: UInt64s,
    third: UInt64s,
    first_shift: int,
    second_shift: int,
    third_shift: int,
    planes: UInt64s,
    ones: UInt64s,
    carries: UInt64s,
) -> None:
    """Add three rows of bits, each moved by less than a word, to the counts."""
    a_down, b_down, c_down = (
        np.uint64(first_shift),
        np.uint64(second_shift),
        np.uint64(third_shift),
    )
    # in two steps, since a shift by a whole word is undefined
    one, last = np.uint64(1), np.uint64(_WORD - 1)
    a_up, b_up, c_up = last - a_down, last - b_down, last - c_down
    # plane by plane, so that each loop becomes vector instructions
    for word in range(planes.shape[1]):
        a = first[word] >> a_down | first[word + 1] << one << a_up
        b = second[word] >> b_down | second[word + 1] << one << b_up
        c = third[word] >> c_down | third[word + 1] << one << c_up
        either = a ^ b
        ones[word] = either ^ c
        carries[word] = a & b | either & c
    for word in range(planes.shape[1]):
        digit, one_more, twos = planes[0, word], ones[word], carries[word]
        planes[0, word] = digit ^ one_more
        carry = digit & one_more
        digit = planes[1, word]
        either = digit ^ twos
        planes[1, word] = either ^ carry
        carries[word] = digit & twos | either & carry
    for plane in range(2, len(planes)):
        digits = planes[plane]
        for word in range(len(digits)):
            digit, carry = digits[word], carries[word]
            digits[word] = digit ^ carry
            carries[word] = digit & carry


@njit(cache=True, nogil=True)
def _most(planes: UInt64s) -> tuple[int, int]:
    """Give the largest count and its first place."""
    most = 0
    where = np.full(planes.shape[1], ~np.uint64(0))
    for plane in range(len(planes) - 1, -1, -1):
        larger = where & planes[plane]
        if larger.any():
            most += 1 << plane
            where = larger
    for word in range(len(where)):
        if where[word]:
            return most, int(word * _WORD + np.int64(trailing_zeros(where[word])))
    return most, 0


@njit(cache=True, nogil=True)
def _pairs(bands: Int64s, rows: UInt64s) -> int:
    """Count how often a cell of the query meets one of the track, over all offsets."""
    ones = np.zeros(BANDS + 1, np.int64)
    for band in range(BANDS):
        for word in rows[band]:
            ones[band] += count_ones(word)
    return int(ones[bands].sum())
