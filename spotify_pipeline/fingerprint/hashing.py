"""From frames to the units of Echoprint codes, and the hash that makes a code.

Belongs here: the two quantisations and MurmurHash2 as echoprint-codegen 4.12 has them. Does not
belong here: which pairs of gaps are hashed (`codes`).
"""

import numpy as np
from numba import njit

__all__ = ["GAP_UNITS", "code_of_gaps", "quantised_gap", "quantised_time"]

_SEED = 0x9EA5FA36
_MULTIPLIER = np.uint32(0x5BD1E995)
_SEEDED = np.uint32(((_SEED ^ 5) * 0x5BD1E995) & 0xFFFFFFFF)  # the digest before any input
_CODE_MASK = np.uint32(0xFFFFF)

_UNIT = 256 / 11025  # seconds in eight frames
_UNIT_FLOAT32 = np.float64(np.float32(_UNIT))  # the reference divides by it as a float
_UNIT_FLOOR = 23.0  # whole milliseconds in a unit: what makes the unit 23 ms, not 23.22


@njit(cache=True, nogil=True)
def quantised_time(frame: int) -> int:
    """Give the time of an onset frame in units of 23 ms, rounded first."""
    return int(np.rint(_reference_units(frame)) * _UNIT / _UNIT_FLOOR)


@njit(cache=True, nogil=True)
def quantised_gap(frames: int) -> int:
    """Give a gap between two onsets in units of 23 ms, floored."""
    if 0 <= frames < len(GAP_UNITS):
        return int(GAP_UNITS[frames])
    return int(np.floor(_reference_units(frames)) * _UNIT / _UNIT_FLOOR)


@njit(cache=True, nogil=True)
def _reference_units(frames: float) -> float:
    """Give frames in milliseconds over the unit as a float, in the reference's order of steps."""
    return np.float64(frames) / (11025 / 32.0) * 1000.0 / _UNIT_FLOAT32


GAP_UNITS = (np.floor(_reference_units.py_func(np.arange(8192))) * _UNIT / _UNIT_FLOOR).astype(
    np.int32
)
"""`quantised_gap` of the shorter gaps, int32: its divisions are what all else would wait for."""


@njit(cache=True, nogil=True)
def code_of_gaps(first: int, second: int, band: int) -> int:
    """Hash two quantised gaps and a band to 20 bits (MurmurHash2 of five bytes)."""
    mixed = np.uint32(np.uint32((second << 16) | (first & 0xFFFF)) * _MULTIPLIER)
    mixed = np.uint32((mixed ^ (mixed >> np.uint32(24))) * _MULTIPLIER)
    digest = np.uint32((_SEEDED ^ mixed ^ np.uint32(band)) * _MULTIPLIER)
    digest = np.uint32((digest ^ (digest >> np.uint32(13))) * _MULTIPLIER)
    return int((digest ^ (digest >> np.uint32(15))) & _CODE_MASK)
