"""From frames to the units of Echoprint codes, and the hash that makes a code.

Belongs here: the two quantisations and MurmurHash2 as echoprint-codegen 4.12 has them. Does not
belong here: which pairs of gaps are hashed (`codes`).
"""

import numpy as np
from numba import njit

__all__ = ["code_of_gaps", "quantised_gap", "quantised_time"]

_SEED = 0x9EA5FA36
_MULTIPLIER = 0x5BD1E995
_MASK = 0xFFFFFFFF
_CODE_MASK = 0xFFFFF

_UNIT = 256 / 11025  # seconds in eight frames
_UNIT_FLOAT32 = np.float64(np.float32(_UNIT))  # the reference divides by it as a float
_UNIT_FLOOR = 23.0  # whole milliseconds in a unit: what makes the unit 23 ms, not 23.22


@njit(cache=True, nogil=True)
def quantised_time(frame: int) -> int:
    """Give the time of an onset frame in units of 23 ms, rounded first."""
    milliseconds = np.float64(frame) / (11025 / 32.0) * 1000.0
    return int(np.rint(milliseconds / _UNIT_FLOAT32) * _UNIT / _UNIT_FLOOR)


@njit(cache=True, nogil=True)
def quantised_gap(frames: int) -> int:
    """Give a gap between two onsets in units of 23 ms, floored."""
    milliseconds = np.float64(frames) / (11025 / 32.0) * 1000.0
    return int(np.floor(milliseconds / _UNIT_FLOAT32) * _UNIT / _UNIT_FLOOR)


@njit(cache=True, nogil=True)
def code_of_gaps(first: int, second: int, band: int) -> int:
    """Hash two quantised gaps and a band to 20 bits (MurmurHash2 of five bytes)."""
    mixed = (((second & 0xFFFF) << 16 | (first & 0xFFFF)) * _MULTIPLIER) & _MASK
    mixed = ((mixed ^ (mixed >> 24)) * _MULTIPLIER) & _MASK
    digest = (((_SEED ^ 5) * _MULTIPLIER) & _MASK) ^ mixed
    digest = ((digest ^ band) * _MULTIPLIER) & _MASK
    digest = ((digest ^ (digest >> 13)) * _MULTIPLIER) & _MASK
    return (digest ^ (digest >> 15)) & _CODE_MASK
