"""Onset trains and Echoprint codes as few bytes, for storing them by the million.

Packed trains are Rice-coded gaps. A band's first value is its first frame, each further one the gap
to the onset before, less the shortest gap of the track. All bands' values follow each other::

    varint      shortest gap, in frames
    varint * 8  onsets in each band
    uint8       k: how many low bits of each value stand in the first plane
    plane 1     the low k bits of each value, from the lowest bit of each byte on
    plane 2     the rest of each value in unary: so many 0, then a 1
    uint8 * 3   zeros, so that a reader may take four bytes anywhere

(varint: seven bits a byte, the lowest first, the top bit set on all but the last.) No onsets are no
bytes. Real gaps come within 6 % of their entropy: about 10.6 bits an Echoprint onset, 7.8 a rhythm
one. The fixed-width plane is what makes reading fast: no value's place depends on another's.

Echoprint codes are kept as the trains that they were made of. Codes that no trains give are kept as
they are, deflated: little-endian uint32, all times, then all codes.

Belongs here: the byte layout. Does not belong here: recovering trains (`recovery`), strings.
"""

import zlib
from enum import StrEnum

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint.arrays import Int32s, Int64s, UInt8s
from spotify_pipeline.fingerprint.bits import trailing_zeros, word_at
from spotify_pipeline.fingerprint.codes import EchoprintCodes, codes_of_trains
from spotify_pipeline.fingerprint.errors import CodesError, PackingError
from spotify_pipeline.fingerprint.recovery import is_padded, trains_of_codes
from spotify_pipeline.fingerprint.trains import BANDS, OnsetTrains

__all__ = [
    "EchoprintForm",
    "pack_echoprint",
    "pack_frames",
    "pack_trains",
    "unpack_codes",
    "unpack_echoprint",
    "unpack_frames",
    "unpack_trains",
]

_MOST_LOW_BITS = 24  # of a value at any place in a byte, within four bytes
_VARINT_BYTES = 5
_LONGEST_HEADER = _VARINT_BYTES * (BANDS + 1) + 1
_PADDING = 3


class EchoprintForm(StrEnum):
    """What a packed Echoprint fingerprint holds."""

    TRAINS = "trains"
    """Onset trains whose codes are the original ones."""

    PADDED = "padded"
    """The same; the codes are filled up with stop codes, as the open reference writes them."""

    CODES = "codes"
    """The codes themselves: no trains that give them were found."""


def pack_echoprint(codes: EchoprintCodes) -> tuple[EchoprintForm, bytes]:
    """Pack codes as trains that are proved to give them, or else as they are."""
    try:
        trains = trains_of_codes(codes)
    except CodesError:
        content = np.concatenate((codes.times, codes.codes)).astype("<u4").tobytes()
        return EchoprintForm.CODES, zlib.compress(content)
    form = EchoprintForm.PADDED if is_padded(codes) else EchoprintForm.TRAINS
    return form, pack_trains(trains)


def unpack_echoprint(form: EchoprintForm, packed: bytes) -> OnsetTrains | None:
    """Give the trains of a packed Echoprint fingerprint; None if it has only codes.

    Raises
    ------
    PackingError
        The bytes are damaged.
    """
    return None if form == EchoprintForm.CODES else unpack_trains(packed)


def unpack_codes(form: EchoprintForm, packed: bytes) -> EchoprintCodes:
    """Give the codes that were packed.

    Raises
    ------
    PackingError
        The bytes are damaged.
    """
    trains = unpack_echoprint(form, packed)
    if trains is not None:
        return codes_of_trains(trains, padded=form == EchoprintForm.PADDED)
    try:
        values = np.frombuffer(zlib.decompress(packed), "<u4").reshape(2, -1)
    except (zlib.error, ValueError) as error:
        raise PackingError(f"packed codes are damaged: {error}") from error
    return EchoprintCodes(values[0].astype(np.uint32), values[1].astype(np.uint32))


def pack_trains(trains: OnsetTrains) -> bytes:
    """Pack trains whose frames ascend in each band from 0 or more.

    Raises
    ------
    PackingError
        Frames that do not.
    """
    if len(trains) == 0:
        return b""
    packed: bytes = pack_frames(trains.frames, trains.bounds).tobytes()
    if not packed:
        raise PackingError("frames are negative or do not ascend")
    return packed


def unpack_trains(packed: bytes | UInt8s) -> OnsetTrains:
    """Give the trains that were packed.

    Raises
    ------
    PackingError
        The bytes are damaged.
    """
    frames, bounds = unpack_frames(np.frombuffer(packed, np.uint8))
    if len(bounds) <= BANDS:
        raise PackingError(f"{len(packed)} bytes are no packed trains")
    return OnsetTrains(frames, bounds)


@njit(cache=True, nogil=True)
def _gaps(frames: Int32s, bounds: Int64s) -> tuple[Int64s, int]:
    """Give the values to be written, and the shortest gap; -1 if frames do not ascend from 0."""
    values = np.empty(len(frames), np.int64)
    shortest = 2**31
    for band in range(BANDS):
        previous = np.int64(-1)
        for onset in range(bounds[band], bounds[band + 1]):
            values[onset] = frames[onset] - max(previous, 0)
            if frames[onset] <= previous:
                return values[:0], -1
            if previous >= 0:
                shortest = min(shortest, int(values[onset]))
            previous = np.int64(frames[onset])
    if shortest == 2**31:
        shortest = 0
    for band in range(BANDS):
        values[bounds[band] + 1 : bounds[band + 1]] -= shortest
    return values, shortest


@njit(cache=True, nogil=True)
def _low_bits(values: Int64s) -> tuple[int, int]:
    """Choose how many bits go to the first plane; gives the bits of the second one, too."""
    mean = values.sum() // len(values)
    least = 0
    while mean >> (least + 2) and least < _MOST_LOW_BITS - 2:
        least += 1
    best, bits = 0, 2**62
    for k in range(least, least + 3):
        unary = len(values)
        for value in values:
            unary += int(value >> k)
        if unary + k * len(values) < bits + best * len(values):
            best, bits = k, unary
    return best, bits


@njit(cache=True, nogil=True)
def pack_frames(frames: Int32s, bounds: Int64s) -> UInt8s:
    """Give the bytes, uint8; none if frames do not ascend from 0. For kernels."""
    values, shortest = _gaps(frames, bounds)
    if shortest < 0:
        return np.empty(0, np.uint8)
    k, unary_bits = _low_bits(values)
    capacity = _LONGEST_HEADER + (k * len(values) + 7) // 8 + (unary_bits + 7) // 8 + _PADDING
    packed = np.zeros(capacity, np.uint8)
    position = _write_varint(packed, 0, shortest)
    for band in range(BANDS):
        position = _write_varint(packed, position, bounds[band + 1] - bounds[band])
    packed[position] = k
    position = _write_low_bits(packed, position + 1, k, values)
    bit = np.uint64(8 * position)
    for value in values:
        bit += np.uint64(value >> k)
        packed[bit >> np.uint64(3)] |= np.uint8(1) << np.uint8(bit & np.uint64(7))
        bit += np.uint64(1)
    return packed[: position + (unary_bits + 7) // 8 + _PADDING]


@njit(cache=True, nogil=True)
def _write_low_bits(packed: UInt8s, position: int, k: int, values: Int64s) -> int:
    """Write the first plane; gives the position after it."""
    mask = np.uint64((1 << k) - 1)
    waiting = np.uint64(0)
    bits = 0
    for value in values:
        waiting |= (np.uint64(value) & mask) << np.uint64(bits)
        bits += k
        while bits >= 8:
            packed[position] = np.uint8(waiting & np.uint64(0xFF))
            waiting >>= np.uint64(8)
            position += 1
            bits -= 8
    if bits:
        packed[position] = np.uint8(waiting)
        position += 1
    return position


@njit(cache=True, nogil=True)
def _write_varint(packed: UInt8s, position: int, value: int) -> int:
    """Write a number; gives the position after it."""
    while value >= 0x80:
        packed[position] = np.uint8(value & 0x7F | 0x80)
        value >>= 7
        position += 1
    packed[position] = np.uint8(value)
    return position + 1


@njit(cache=True, nogil=True)
def unpack_frames(packed: UInt8s, bands: int = BANDS) -> tuple[Int32s, Int64s]:
    """Give frames and bounds; no bounds if the bytes are damaged. For kernels.

    If only the first bands are wanted, the others are empty, and damage to them is not reported.
    """
    bounds = np.zeros(BANDS + 1, np.int64)
    frames = np.empty(0, np.int32)
    if len(packed) == 0:
        return frames, bounds
    shortest, position = _read_varint(packed, 0)
    for band in range(BANDS):
        count, position = _read_varint(packed, position)
        bounds[band + 1] = bounds[band] + count
    onsets = bounds[BANDS]
    if position >= len(packed) or onsets > 8 * len(packed):
        return frames, bounds[:0]
    k = int(packed[position])
    high = position + 1 + (k * onsets + 7) // 8
    if k > _MOST_LOW_BITS or high + (onsets + 7) // 8 + _PADDING > len(packed):
        return frames, bounds[:0]
    bounds[bands + 1 :] = bounds[bands]
    frames = np.empty(bounds[bands], np.int32)
    complete = bands == BANDS
    end = len(packed) - _PADDING
    if not _read_values(packed, position + 1, k, high, end, frames, complete):
        return frames[:0], bounds[:0]
    if not _sum_gaps(frames, bounds, shortest):
        return frames[:0], bounds[:0]
    return frames, bounds


@njit(cache=True, nogil=True)
def _read_varint(packed: UInt8s, position: int) -> tuple[int, int]:
    """Read a number; gives the position after it, beyond the end if the number is damaged."""
    value = 0
    for byte in range(_VARINT_BYTES):
        if position >= len(packed):
            break
        value |= int(packed[position] & 0x7F) << (7 * byte)
        position += 1
        if packed[position - 1] < 0x80:
            return value, position
    return 0, len(packed)


@njit(cache=True, nogil=True)
def _read_values(
    packed: UInt8s, first: int, k: int, high: int, end: int, values: Int32s, complete: bool
) -> bool:
    """Read both planes; false if the second one ends early or late, or a value is too large.

    `first` and `high` are the bytes at which the planes begin; if the values are complete, the
    second one ends with its last number.
    """
    mask = np.uint32((1 << k) - 1)
    low = np.uint64(8 * first)
    read = 0
    previous = -1
    largest = np.int64(np.iinfo(np.int32).max >> k)
    for position in range(high, end, 4):
        word = (
            np.uint64(word_at(packed, np.uint64(position)))
            if position + 4 <= len(packed)
            else (_last_word(packed, position))
        )
        if end - position < 4:
            word &= np.uint64((1 << (8 * (end - position))) - 1)
        base = 8 * (position - high)
        while word:
            if read == len(values):
                return not complete
            bit = base + np.int64(trailing_zeros(word))
            above = bit - previous - 1
            if above > largest:
                return False
            bits = word_at(packed, low >> np.uint64(3)) >> np.uint32(low & np.uint64(7))
            values[read] = np.int32(above << k) | np.int32(bits & mask)
            previous = int(bit)
            low += np.uint64(k)
            read += 1
            word &= word - np.uint64(1)
    return read == len(values) and (not complete or 8 * (end - high) - 1 - previous < 8)


@njit(cache=True, nogil=True)
def _last_word(packed: UInt8s, position: int) -> np.uint64:
    """Give what is left of the bytes, less than a word, as one."""
    word = np.uint64(0)
    for byte in range(len(packed) - position):
        word |= np.uint64(packed[position + byte]) << np.uint64(8 * byte)
    return word


@njit(cache=True, nogil=True)
def _sum_gaps(values: Int32s, bounds: Int64s, shortest: int) -> bool:
    """Sum values up to frames in place; false if a frame does not ascend or is too large."""
    for band in range(BANDS):
        frame = np.int64(-shortest)
        ascends = True
        for onset in range(bounds[band], bounds[band + 1]):
            step = np.int64(values[onset]) + shortest
            ascends &= (step > 0) | (onset == bounds[band])
            frame += step
            values[onset] = np.int32(frame)
        if not ascends or frame > np.iinfo(np.int32).max:
            return False
    return True
