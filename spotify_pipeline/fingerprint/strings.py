"""The two fingerprint strings of an analysis document, read and written.

Both are base64url (padded) of a zlib stream. ``echoprintstring`` inflates to lower-case hex, first
a five-digit time for each code and then a five-digit code for each; ``rhythmstring`` to decimal
numbers: ``11025 32 8``, then for each band its count of onsets, the first frame and the gaps.

Belongs here: the text formats. Does not belong here: what the numbers mean.
"""

import binascii
import zlib

import numpy as np
import pybase64
from isal import isal_zlib
from numba import njit

from spotify_pipeline.fingerprint.arrays import Int32s, Int64s, UInt8s, UInt32s
from spotify_pipeline.fingerprint.codes import EchoprintCodes
from spotify_pipeline.fingerprint.errors import StringError
from spotify_pipeline.fingerprint.trains import BANDS, FRAME_SAMPLES, SAMPLE_RATE, OnsetTrains

__all__ = [
    "ECHOPRINT_VERSION",
    "RHYTHM_VERSION",
    "decode_echoprint",
    "decode_rhythm",
    "encode_echoprint",
    "encode_rhythm",
]

ECHOPRINT_VERSION = 4.12
RHYTHM_VERSION = 1.0
"""Versions that documents of the dump give beside the strings."""

INFLATED_LIMIT = 16 * 2**20
"""Bytes; a ten-hour recording needs less than a tenth of it."""

_DIGITS = 5
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_SHIFTS = np.arange(4 * (_DIGITS - 1), -1, -4, dtype=np.uint32)
_RHYTHM_HEADER = (SAMPLE_RATE, FRAME_SAMPLES, BANDS)
_LARGEST_FRAME = 30_000_000  # a day; what is built over a track is bounded by it
_LARGEST_NUMBER = 2**58
_BETWEEN = -1  # in place of a number, between two
_SPACE, _ZERO, _LETTER_A = b" 0a"


def decode_echoprint(string: str) -> EchoprintCodes:
    """Read an ``echoprintstring``; the empty string has no codes.

    Raises
    ------
    StringError
        Not base64url, not zlib, not hex, cut off, or larger than `INFLATED_LIMIT` inflated.
    """
    inflated = np.frombuffer(_inflate(string), np.uint8)
    if len(inflated) % (2 * _DIGITS):
        raise StringError(f"{len(inflated)} hex digits are no whole number of times and codes")
    values = _hex_values(inflated)
    if len(values) < len(inflated) // _DIGITS:
        raise StringError("a character is no lower-case hex digit")
    half = len(values) // 2
    return EchoprintCodes(values[:half], values[half:])


def encode_echoprint(codes: EchoprintCodes) -> str:
    """Write an ``echoprintstring``; no codes give the empty string.

    Raises
    ------
    StringError
        A time or code does not fit five hex digits (a recording of more than six hours).
    """
    values = np.concatenate((codes.times, codes.codes)).astype(np.uint32)
    if len(values) and int(values.max()) >= 16**_DIGITS:
        raise StringError("a time or code does not fit five hex digits")
    return _deflate(_HEX[(values[:, None] >> _SHIFTS) & 15].tobytes())


def decode_rhythm(string: str) -> OnsetTrains:
    """Read a ``rhythmstring``; the empty string has no onsets.

    Raises
    ------
    StringError
        Not base64url, not zlib, not numbers, another rate, hop or number of bands, cut off, onsets
        that do not ascend, or larger than `INFLATED_LIMIT` inflated.
    """
    values = _numbers(_inflate(string))
    if len(values) == 0:
        return OnsetTrains.from_bands([[]] * BANDS)
    if tuple(values[:3]) != _RHYTHM_HEADER:
        raise StringError(f"header {values[:3].tolist()} is not {list(_RHYTHM_HEADER)}")
    frames, bounds, reached = _rhythm_trains(values)
    if len(bounds) <= BANDS:
        band = len(bounds) - 1
        if reached >= len(values):
            raise StringError(f"band {band} is missing or cut off")
        raise StringError(f"band {band} has onsets out of order or out of range")
    if reached != len(values):
        raise StringError(f"{len(values) - reached} numbers follow the last band")
    return OnsetTrains(frames, bounds)


def encode_rhythm(trains: OnsetTrains) -> str:
    """Write a ``rhythmstring``; no onsets at all give the empty string."""
    if len(trains) == 0:
        return ""
    values: list[int] = [*_RHYTHM_HEADER]
    for band in range(BANDS):
        frames = trains.band(band)
        values.append(len(frames))
        values.extend(np.diff(frames, prepend=0).tolist())
    return _deflate(" ".join(map(str, values)).encode())


@njit(cache=True, nogil=True)
def _hex_values(text: UInt8s) -> UInt32s:
    """Read numbers of five hex digits each; none if there are other characters."""
    digits = np.empty(len(text), np.uint8)
    broken = np.uint8(0)
    for position in range(len(text)):  # simple enough to be vectorised
        character = text[position]
        decimal = np.uint8(character - _ZERO)
        letter = np.uint8(character - _LETTER_A)
        digits[position] = decimal if decimal < 10 else np.uint8(letter + 10)
        broken |= np.uint8((decimal > 9) & (letter > 5))
    values = np.empty(len(text) // _DIGITS, np.uint32)
    for k in range(len(values)):
        value = np.uint32(0)
        for position in range(_DIGITS):
            value = np.uint32(value << np.uint32(4)) | np.uint32(digits[k * _DIGITS + position])
        values[k] = value
    return values[:0] if broken else values


@njit(cache=True, nogil=True)
def _rhythm_trains(values: Int64s) -> tuple[Int32s, Int64s, int]:
    """Sum up the gaps that follow the header: frames, bounds, and the position reached.

    There are fewer than nine bounds if the next band has less gaps than onsets (the position is the
    end) or frames that do not ascend within the limit.
    """
    frames = np.empty(len(values), np.int32)
    bounds = np.zeros(BANDS + 1, np.int64)
    position = len(_RHYTHM_HEADER)
    for band in range(BANDS):
        if position >= len(values) or values[position] > len(values) - position - 1:
            return frames[:0], bounds[: band + 1], len(values)
        first = bounds[band]
        bounds[band + 1] = first + values[position]
        frame = 0
        for onset in range(first, bounds[band + 1]):
            gap = values[position + 1 + onset - first]
            frame += gap
            if gap > _LARGEST_FRAME or frame > _LARGEST_FRAME or (gap == 0 and onset > first):
                return frames[:0], bounds[: band + 1], position
            frames[onset] = frame
        position += 1 + bounds[band + 1] - first
    return frames[: bounds[BANDS]].copy(), bounds, position


def _numbers(text: bytes) -> Int64s:
    values: Int64s
    values, fault = _decimal_values(np.frombuffer(text, np.uint8))
    if fault == _NOT_DECIMAL:
        raise StringError("a character is neither a digit nor a space")
    if fault == _TOO_LARGE:
        raise StringError("a number is too large")
    return values


_NO_FAULT, _NOT_DECIMAL, _TOO_LARGE = range(3)


@njit(cache=True, nogil=True)
def _decimal_values(text: UInt8s) -> tuple[Int64s, int]:
    """Read decimal numbers with spaces between; tells what is wrong with the text."""
    values = np.empty((len(text) + 1) // 2, np.int64)
    count = 0
    value = _BETWEEN
    for character in text:
        digit = int(character) - _ZERO
        if 0 <= digit <= 9:
            value = (0 if value == _BETWEEN else value * 10) + digit
            if value > _LARGEST_NUMBER:
                return values[:0], _TOO_LARGE
        elif character != _SPACE:
            return values[:0], _NOT_DECIMAL
        elif value != _BETWEEN:
            values[count] = value
            count += 1
            value = _BETWEEN
    if value != _BETWEEN:
        values[count] = value
        count += 1
    return values[:count], _NO_FAULT


def _inflate(string: str) -> bytes:
    if not string:
        return b""
    if not string.isascii():
        raise StringError("a character is not ASCII")
    if "+" in string or "/" in string:
        raise StringError("not base64url: it has a + or a /")
    try:
        packed = pybase64.b64decode(string, altchars=b"-_", validate=True)
        stream = isal_zlib.decompressobj()
        inflated = stream.decompress(packed, INFLATED_LIMIT)
    except binascii.Error as error:
        raise StringError(f"not base64: {error}") from error
    except isal_zlib.error as error:  # type: ignore[misc]
        raise StringError(f"not a zlib stream: {error}") from error
    if not stream.eof:
        too_large = len(inflated) >= INFLATED_LIMIT
        raise StringError(
            f"inflates to more than {INFLATED_LIMIT} bytes" if too_large else "zlib stream cut off"
        )
    if stream.unused_data:
        raise StringError("bytes follow the zlib stream")
    return inflated


def _deflate(text: bytes) -> str:
    if not text:
        return ""
    return pybase64.urlsafe_b64encode(zlib.compress(text)).decode()
