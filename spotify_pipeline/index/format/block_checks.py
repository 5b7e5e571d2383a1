"""Thousands of blocks of a sealed file, checked at once and without the GIL.

Belongs here: the kernels. Does not belong here: which blocks, and what follows from a damaged one
(`sealed_file`).
"""

from mmap import MADV_WILLNEED, PAGESIZE

import numpy as np
from numba import njit, types

from spotify_pipeline.fingerprint.arrays import Bools, Int64s, UInt64s
from spotify_pipeline.index.format.sealed_file import BLOCK_BYTES

__all__ = ["first_damaged", "read_ahead", "unchecked_blocks"]

_WORDS = BLOCK_BYTES // 8

_PRIMES = (
    np.uint64(0x9E3779B185EBCA87),
    np.uint64(0xC2B2AE3D27D4EB4F),
    np.uint64(0x165667B19E3779F9),
    np.uint64(0x85EBCA77C2B2AE63),
)
"""The first four of XXH64."""

_madvise = types.ExternalFunction("madvise", types.intc(types.uintp, types.uintp, types.intc))
"""Of the C library: called from Python, it takes several times as long."""


@njit(cache=True, nogil=True)
def unchecked_blocks(first: Int64s, last: Int64s, checked: Bools) -> Int64s:
    """Give the blocks from each first to each last one that are not checked yet.

    One that comes twice in a row is given once.
    """
    found = np.empty(len(first) + 16, np.int64)
    count = 0
    for k in range(len(first)):
        for block in range(first[k], last[k] + 1):
            if checked[block] or (count and found[count - 1] == block):
                continue
            if count == len(found):
                found = np.concatenate((found, np.empty_like(found)))
            found[count] = block
            count += 1
    return found[:count]


@njit(cache=True, nogil=True)
def read_ahead(address: int, blocks: Int64s) -> None:
    """Have blocks read all at once, where one by one would wait for each.

    Parameters
    ----------
    address
        In memory, of the first block of a mapped file.
    blocks
        int64, ascending.
    """
    asked = np.int64(0)
    for block in blocks:
        begin = (address + block * BLOCK_BYTES) // PAGESIZE * PAGESIZE
        end = address + (block + 1) * BLOCK_BYTES
        if end > asked:
            begin = max(begin, asked)
            _madvise(np.uintp(begin), np.uintp(end - begin), np.int32(MADV_WILLNEED))
            asked = (end + PAGESIZE - 1) // PAGESIZE * PAGESIZE


@njit(cache=True, nogil=True)
def first_damaged(words: UInt64s, blocks: Int64s, sums: UInt64s) -> int:
    """Give the first of some whole blocks that has another checksum than it should; -1 if none has.

    Parameters
    ----------
    words
        uint64, of the first block and those after it.
    blocks
        int64 of shape (n,).
    sums
        uint64 of shape (n,): XXH64 of each, of seed 0 (https://xxhash.com, version 0.1.1 of the
        specification).
    """
    for k in range(len(blocks)):
        if _checksum(words, blocks[k] * _WORDS) != sums[k]:
            return int(blocks[k])
    return -1


@njit(cache=True, nogil=True, inline="always")
def _rotated(value: np.uint64, bits: int) -> np.uint64:
    return (value << np.uint64(bits)) | (value >> np.uint64(64 - bits))


@njit(cache=True, nogil=True, inline="always")
def _round(lane: np.uint64, word: np.uint64) -> np.uint64:
    return _rotated(lane + word * _PRIMES[1], 31) * _PRIMES[0]  # type: ignore[no-any-return]  # of numba


@njit(cache=True, nogil=True)
def _checksum(words: UInt64s, start: int) -> np.uint64:
    """Give XXH64 of the block that begins at a word."""
    nothing = np.uint64(0)
    one = _PRIMES[0] + _PRIMES[1]
    two, three, four = _PRIMES[1], nothing, nothing - _PRIMES[0]
    for k in range(start, start + _WORDS, 4):
        one = _round(one, words[k])
        two = _round(two, words[k + 1])
        three = _round(three, words[k + 2])
        four = _round(four, words[k + 3])
    total = _rotated(one, 1) + _rotated(two, 7) + _rotated(three, 12) + _rotated(four, 18)
    for lane in (one, two, three, four):
        total = (total ^ _round(nothing, lane)) * _PRIMES[0] + _PRIMES[3]
    total += np.uint64(BLOCK_BYTES)
    total ^= total >> np.uint64(33)
    total *= _PRIMES[1]
    total ^= total >> np.uint64(29)
    total *= _PRIMES[2]
    return total ^ (total >> np.uint64(32))  # type: ignore[no-any-return]  # of numba
