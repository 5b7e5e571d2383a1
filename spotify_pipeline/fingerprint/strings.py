"""The two fingerprint strings of an analysis document, read and written.

Both are base64url (padded) of a zlib stream. ``echoprintstring`` inflates to lower-case hex, first
a five-digit time for each code and then a five-digit code for each; ``rhythmstring`` to decimal
numbers: ``11025 32 8``, then for each band its count of onsets, the first frame and the gaps.

Belongs here: the text formats. Does not belong here: what the numbers mean.
"""

import binascii
import zlib

import numpy as np

from spotify_pipeline.fingerprint.arrays import Int64s
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
_TO_STANDARD = bytes.maketrans(b"-_+/", b"+/!!")  # what base64url does not have must not pass
_TO_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_HEX_VALUE = np.full(256, 255, np.uint8)
_HEX_VALUE[_HEX] = np.arange(16)
_SHIFTS = np.arange(4 * (_DIGITS - 1), -1, -4, dtype=np.uint32)
_RHYTHM_HEADER = (SAMPLE_RATE, FRAME_SAMPLES, BANDS)
_LARGEST_FRAME = 30_000_000  # a day; what is built over a track is bounded by it


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
    digits = _HEX_VALUE[inflated]
    if (digits == 255).any():
        raise StringError("a character is no lower-case hex digit")
    values = np.bitwise_or.reduce(digits.reshape(-1, _DIGITS) << _SHIFTS, axis=1, dtype=np.uint32)
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
    bands = []
    position = 3
    for band in range(BANDS):
        if position >= len(values):
            raise StringError(f"band {band} is missing")
        count = int(values[position])
        gaps = values[position + 1 : position + 1 + count]
        if len(gaps) < count:
            raise StringError(f"band {band} has {len(gaps)} of its {count} onsets")
        # summed as floats, which do not overflow
        if (gaps[1:] == 0).any() or gaps.sum(dtype=np.float64) > _LARGEST_FRAME:
            raise StringError(f"band {band} has onsets out of order or out of range")
        bands.append(np.cumsum(gaps, dtype=np.int64).astype(np.int32))
        position += 1 + count
    if position != len(values):
        raise StringError(f"{len(values) - position} numbers follow the last band")
    return OnsetTrains.from_counts(np.concatenate(bands), [len(band) for band in bands])


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


def _numbers(text: bytes) -> Int64s:
    if text.translate(None, b"0123456789 "):
        raise StringError("a character is neither a digit nor a space")
    try:
        return np.fromiter(map(int, text.split()), np.int64)
    except (OverflowError, ValueError) as error:
        raise StringError("a number is too large") from error


def _inflate(string: str) -> bytes:
    if not string:
        return b""
    try:
        packed = binascii.a2b_base64(
            string.encode("ascii").translate(_TO_STANDARD), strict_mode=True
        )
        stream = zlib.decompressobj()
        inflated = stream.decompress(packed, INFLATED_LIMIT)
    except UnicodeEncodeError as error:
        raise StringError("a character is not ASCII") from error
    except binascii.Error as error:
        raise StringError(f"not base64: {error}") from error
    except zlib.error as error:
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
    packed = binascii.b2a_base64(zlib.compress(text), newline=False)
    return packed.translate(_TO_URL_SAFE).decode()
