"""Numbers in JSON, for kernels.

Belongs here: one number. Does not belong here: what it counts.
"""

import numpy as np
from numba import njit, types

from spotify_pipeline.dump.blocks import byte_at
from spotify_pipeline.fingerprint.arrays import UInt8s
from spotify_pipeline.fingerprint.bits import trailing_zeros, word_at

__all__ = ["read_fraction", "read_number"]

_strtod = types.ExternalFunction("strtod", types.float64(types.intp, types.intp))
"""The C library's, which rounds right, but takes ten times as long as few digits need."""

_MOST_DIGITS = 15  # such an integer is a float64, and so is such a power of ten: one rounding
_POWERS = 10.0 ** np.arange(_MOST_DIGITS + 1)
_ZERO, _NINE, _POINT, _MINUS, _PLUS, _SMALL_E = b"09.-+e"
_LOWER = 32  # the bit that makes a small letter of a capital

# Eight digits, the first in the lowest byte, are summed up to pairs, then all pairs at once.
_ZERO_POINT = np.uint64(int.from_bytes(b"0.", "little"))
_ZEROS = np.uint64(int.from_bytes(b"0" * 8, "little"))
_ABOVE_NINE = np.uint64(int.from_bytes(bytes([0x80 - 10]) * 8, "little"))
_TOP_BITS = np.uint64(int.from_bytes(b"\x80" * 8, "little"))
_MOST_BITS = np.uint64(8 * 5)
_FIRST_PAIRS = np.uint64(0x000000FF000000FF)
_FIRST_WEIGHTS = np.uint64(100 + (1_000_000 << 32))
_SECOND_WEIGHTS = np.uint64(1 + (10_000 << 32))


@njit(cache=True, nogil=True)
def read_number(text: UInt8s, start: int) -> tuple[float, int]:
    """Read the number at a place, as Python would; also gives the place behind it.

    That is `start` if none stands there, or one that JSON does not have: ``NaN``, ``.5``, ``1.``,
    ``01``. What is too large for a float64 is infinite. Something must stand behind the number,
    within the text.
    """
    end = len(text)
    negative = start < end and text[start] == _MINUS
    position = start + negative
    first = position
    value = 0
    while position < end and _ZERO <= byte_at(text, position) <= _NINE:
        value = value * 10 + (int(byte_at(text, position)) - _ZERO)
        position += 1
    digits = position - first
    if digits == 0 or (digits > 1 and text[first] == _ZERO):
        return 0.0, start
    decimals = 0
    if position < end and text[position] == _POINT:
        position += 1
        first = position
        while position < end and _ZERO <= byte_at(text, position) <= _NINE:
            value = value * 10 + (int(byte_at(text, position)) - _ZERO)
            position += 1
        decimals = position - first
        if decimals == 0:
            return 0.0, start
    plain = position
    if position < end and (text[position] | _LOWER) == _SMALL_E:
        position = _skip_exponent(text, position)
        if position == plain:
            return 0.0, start
    if position > plain or digits + decimals > _MOST_DIGITS:
        return _strtod(text.ctypes.data + start, 0), position
    number = value / _POWERS[decimals]
    return -number if negative else number, position


@njit(cache=True, nogil=True, forceinline=True)
def read_fraction(text: UInt8s, start: int) -> tuple[float, int]:
    """Do as `read_number`; what begins with ``0.`` and has up to five decimals is read at once."""
    bits = digits = np.uint64(0)
    if start + 8 <= len(text):
        word = np.uint64(word_at(text, np.uint64(start)))
        word |= np.uint64(word_at(text, np.uint64(start + 4))) << np.uint64(32)
        digits = (word >> np.uint64(16)) ^ _ZEROS  # the two highest are none, so an end is found
        others = ((digits + _ABOVE_NINE) | digits) & _TOP_BITS
        bits = trailing_zeros(others) & ~np.uint64(7)
        behind = (word >> bits >> np.uint64(16)) & np.uint64(0xFF)
        if word & np.uint64(0xFFFF) != _ZERO_POINT or behind | np.uint64(_LOWER) == _SMALL_E:
            bits = np.uint64(0)
    if bits == 0 or bits > _MOST_BITS:
        number: tuple[float, int] = read_number(text, start)
        return number
    digits &= (np.uint64(1) << bits) - np.uint64(1)
    pairs = digits * np.uint64(10) + (digits >> np.uint64(8))
    value = (pairs & _FIRST_PAIRS) * _FIRST_WEIGHTS
    value += ((pairs >> np.uint64(16)) & _FIRST_PAIRS) * _SECOND_WEIGHTS
    return np.float64(value >> np.uint64(32)) / 1e8, start + 2 + int(bits >> np.uint64(3))


@njit(cache=True, nogil=True)
def _skip_exponent(text: UInt8s, start: int) -> int:
    """Give the place behind an exponent; `start` if it has no digits."""
    position = start + 1
    if position < len(text) and (text[position] == _MINUS or text[position] == _PLUS):
        position += 1
    first = position
    while position < len(text) and _ZERO <= byte_at(text, position) <= _NINE:
        position += 1
    return position if position > first else start
