"""Harmony as three bytes a segment, for storing it by the million.

The layout::

    uint8        2, the version
    uint32       n: segments
    uint16 * n   bits 0 to 11: pitch classes, C the lowest; bits 12 to 15: level
    uint8 * n    steps, each from the segment before to this one (the first from 0); 255: a long one
    uint24 * m   the long steps, 255 or more; m is how many of the steps above are 255

(numbers of several bytes: the lowest first.) Everything is where its number says, so a reader needs
no pass over what comes before, and the length follows from the content.

What is lost: a start is rounded to 256/22050 s, at most 5.8 ms; of a pitch class remains whether it
reaches `PITCH_THRESHOLD`; of the loudness, in which of 16 levels below the track's loudest segment
it lies, each of 2 dB (what lies deeper is in the last). The analyzer places segments to the sample;
its frames, and what it says of their sound, are about as coarse as a step.

Version 1 had levels of 4 dB from -60 dB up. It is read, so that what was ingested stays.

Belongs here: the byte layout. Does not belong here: what is valid (`segments`).
"""

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint.arrays import Float32s, Float64s, UInt8s
from spotify_pipeline.harmony.errors import PackedHarmonyError
from spotify_pipeline.harmony.segments import LATEST_START, PITCH_CLASSES, Segments

__all__ = [
    "LOUDNESS_STEP",
    "PITCH_THRESHOLD",
    "STEP_SECONDS",
    "check_fault",
    "pack_harmony",
    "unpack",
    "unpack_harmony",
]

VERSION = 2
EARLIER_VERSION = 1

STEP_SECONDS = 256 / 22050

PITCH_THRESHOLD = 0.4
"""A pitch class that is at least as strong sounds. Set by hand."""

LOUDNESS_STEP = 2.0
"""A level is as wide, dB. (At 10 s, the loudness of a loud recording tells 6.9 nats in these, 5.9
in levels of 4 dB, 7.2 if it is exact: ``benchmarks.segment_figures``.)"""

_HEADER = 5
_LONG, _LONG_BYTES = 255, 3
_LEVELS = 16
_EARLIER_SILENCE, _EARLIER_STEP = -60.0, 4.0
_LATEST = round(LATEST_START / STEP_SECONDS)

_FAULTS = {
    1: "they are cut off, or more than they say",
    2: f"they are of neither version {EARLIER_VERSION} nor {VERSION}",
    3: "a step of less than 255 is a long one",
    4: f"a segment begins after {LATEST_START:,.0f} s",
}


def pack_harmony(segments: Segments) -> bytes:
    """Pack segments.

    Raises
    ------
    SegmentsError
        They are not valid.
    """
    segments.check()
    packed: bytes = _pack(segments.starts, segments.pitches, segments.loudness).tobytes()
    return packed


def unpack_harmony(packed: bytes | UInt8s) -> Segments:
    """Give the segments that were packed: pitches are 0 or 1, loudness the middle of its level.

    Loudness is as of the loudest segment, so at most 0 dB; that of version 1 is as it was.

    Raises
    ------
    PackedHarmonyError
        The bytes are damaged; it says how.
    """
    starts, pitches, loudness, fault = unpack(np.frombuffer(packed, np.uint8))
    check_fault(fault, len(packed))
    return Segments(starts, pitches, loudness)


def check_fault(fault: int, size: int) -> None:
    """Raise `PackedHarmonyError` if `unpack` has found a fault in so many bytes."""
    if fault:
        raise PackedHarmonyError(f"{size} bytes are no packed harmony: {_FAULTS[fault]}")


@njit(cache=True, nogil=True)
def _pack(starts: Float64s, pitches: Float32s, loudness: Float32s) -> UInt8s:
    """Give the bytes of valid segments, uint8."""
    count = len(starts)
    packed = np.empty(_HEADER + (3 + _LONG_BYTES) * count, np.uint8)
    packed[0] = VERSION
    _write(packed, 1, 4, count)
    steps = _HEADER + 2 * count
    end = steps + count
    reached = 0
    highest = loudness.max() if count else np.float32(0)
    for segment in range(count):
        level = min((highest - loudness[segment]) / LOUDNESS_STEP, _LEVELS - 1)
        word = int(level) << PITCH_CLASSES
        for pitch in range(PITCH_CLASSES):
            word |= (pitches[segment, pitch] >= PITCH_THRESHOLD) << pitch
        _write(packed, _HEADER + 2 * segment, 2, word)
        step = round(starts[segment] / STEP_SECONDS) - reached
        reached += step
        packed[steps + segment] = min(step, _LONG)
        if step >= _LONG:
            _write(packed, end, _LONG_BYTES, step)
            end += _LONG_BYTES
    return packed[:end]


@njit(cache=True, nogil=True)
def unpack(packed: UInt8s) -> tuple[Float64s, Float32s, Float32s, int]:
    """Give starts, pitches and loudness, or none of them and what is wrong (`check_fault`)."""
    count = _read(packed, 1, 4) if len(packed) >= _HEADER else 0
    steps = _HEADER + 2 * count
    end = steps + count
    whole = len(packed) >= max(end, _HEADER)
    if whole:
        whole = len(packed) == end + _LONG_BYTES * (packed[steps:end] == _LONG).sum()
    starts = np.empty(count if whole else 0)
    pitches = np.empty((len(starts), PITCH_CLASSES), np.float32)
    loudness = np.empty(len(starts), np.float32)
    earlier = len(packed) > 0 and packed[0] == EARLIER_VERSION
    if len(packed) and packed[0] != VERSION and not earlier:
        return starts[:0], pitches[:0], loudness[:0], 2
    if not whole:
        return starts, pitches, loudness, 1
    reached = 0
    for segment in range(count):
        word = _read(packed, _HEADER + 2 * segment, 2)
        for pitch in range(PITCH_CLASSES):
            pitches[segment, pitch] = word >> pitch & 1
        level = (word >> PITCH_CLASSES) + 0.5
        loudness[segment] = (
            _EARLIER_SILENCE + _EARLIER_STEP * level if earlier else -LOUDNESS_STEP * level
        )
        step = int(packed[steps + segment])
        if step == _LONG:
            step = _read(packed, end, _LONG_BYTES)
            end += _LONG_BYTES
            if step < _LONG:
                return starts[:0], pitches[:0], loudness[:0], 3
        reached += step
        if reached > _LATEST:
            return starts[:0], pitches[:0], loudness[:0], 4
        starts[segment] = reached * STEP_SECONDS
    return starts, pitches, loudness, 0


@njit(cache=True, nogil=True)
def _write(packed: UInt8s, position: int, size: int, value: int) -> None:
    """Write a number of so many bytes, the lowest first."""
    for byte in range(size):
        packed[position + byte] = np.uint8(value >> (8 * byte) & 0xFF)


@njit(cache=True, nogil=True)
def _read(packed: UInt8s, position: int, size: int) -> int:
    value = 0
    for byte in range(size):
        value |= int(packed[position + byte]) << (8 * byte)
    return value
