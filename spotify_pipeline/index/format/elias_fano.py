"""Ascending numbers in nearly as few bits as there can be, readable from anywhere.

Elias-Fano: of n ascending numbers below a bound u, the low ``l = floor(log2(u / n))`` bits of each
stand in a plane of fixed width; what is above them, h, is written in unary: bit ``h + i`` of a
second plane is set for the i-th number. Some ``2 + l`` bits a number, half a bit more than the best
code of gaps; but no number's place depends on the one before, which makes reading fast. (Elias
1974, Fano 1971; Vigna, "Quasi-succinct indices", WSDM 2013.)

Belongs here: coding a list. Does not belong here: where lists stand (`postings`).
"""

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint.arrays import UInt64s
from spotify_pipeline.fingerprint.bits import bits_from, trailing_zeros

__all__ = ["list_bits", "low_bits", "read_list", "write_list"]

_MOST_LOW_BITS = 57
"""The first plane is no wider: `bits_from` reads so many bits at once."""


@njit(cache=True, nogil=True, inline="always")
def low_bits(count: int, bound: int) -> int:
    """Choose the width of the first plane for so many numbers below a bound."""
    width = 0
    while width < _MOST_LOW_BITS and max(count, 1) << (width + 1) <= bound:
        width += 1
    return width


@njit(cache=True, nogil=True, inline="always")
def list_bits(count: int, bound: int) -> int:
    """Count the bits of a list of so many numbers below a bound."""
    if count == 0:
        return 0
    width: int = low_bits(count, bound)
    return count * (width + 1) + (bound >> width) + 1


@njit(cache=True, nogil=True)
def write_list(words: UInt64s, start: int, bound: int, base: int, numbers: UInt64s) -> None:
    """Write ascending numbers, less a base, from a bit on; all bits must be 0 there.

    Less the base, they are below the bound, and the bound is below 2 ** 62.
    """
    width = low_bits(len(numbers), bound)
    mask = np.uint64((1 << width) - 1)
    low = np.uint64(start)
    high = start + len(numbers) * width
    for i in range(len(numbers)):
        number = numbers[i] - np.uint64(base)
        word, bit = low >> np.uint64(6), low & np.uint64(63)
        words[word] |= (number & mask) << bit
        if int(bit) + width > 64:
            words[word + np.uint64(1)] |= (number & mask) >> (np.uint64(64) - bit)
        low += np.uint64(width)
        position = np.uint64(high + i) + (number >> np.uint64(width))
        words[position >> np.uint64(6)] |= np.uint64(1) << (position & np.uint64(63))


@njit(cache=True, nogil=True)
def read_list(words: UInt64s, start: int, bound: int, base: int, count: int, out: UInt64s) -> int:
    """Read a list, and add the base; gives how many numbers there were, fewer if it is damaged.

    A word must follow the words, as it does in a file.
    """
    width = low_bits(count, bound)
    mask = np.uint64((1 << width) - 1)
    low = np.uint64(start)
    high = start + count * width
    end = np.uint64(min(high + count + (bound >> width) + 1, 64 * len(words)))
    position = np.uint64(high) >> np.uint64(6)
    if position >= np.uint64(len(words)):
        return 0
    word = words[position] >> (np.uint64(high) & np.uint64(63)) << (np.uint64(high) & np.uint64(63))
    i = 0
    while i < count:
        while word == 0:
            position += np.uint64(1)
            if (position << np.uint64(6)) >= end:
                return i
            word = words[position]
        bit = (position << np.uint64(6)) + trailing_zeros(word)
        upper = bit - np.uint64(high + i)
        lower = bits_from(words, low) & mask
        out[i] = np.uint64(base) + (upper << np.uint64(width) | lower)
        word &= word - np.uint64(1)
        low += np.uint64(width)
        i += 1
    return i
