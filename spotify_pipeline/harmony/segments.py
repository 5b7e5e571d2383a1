"""The segments of a track: when each begins, how loud it gets, and which pitches sound in it.

The analyzer cuts a track where its sound changes, three to five times a second, and gives each
segment a figure for each pitch class, of which the strongest is 1.

Belongs here: the value that this room takes and gives, and what is valid. Does not belong here:
where segments come from (`dump.segments`), bytes (`packing`).
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from spotify_pipeline.fingerprint.arrays import Float32s, Float64s
from spotify_pipeline.harmony.errors import SegmentsError

__all__ = ["LATEST_START", "MOST_SEGMENTS", "PITCH_CLASSES", "Segments"]

PITCH_CLASSES = 12
"""From C on, in semitones."""

MOST_SEGMENTS = 2**18
"""Of a track; a recording of 15 hours has fewer."""

LATEST_START = 86_400.0
"""Seconds: a day."""

_FAULTS = {
    1: "segments are not in order of time",
    2: f"a segment begins before 0 or after {LATEST_START:,.0f} s",
    3: "a pitch is not from 0 to 1",
    4: "a loudness is not finite",
}


@dataclass(frozen=True, eq=False)
class Segments:
    """Segments in order of time; several may begin at once, and how long each is does not matter.

    Attributes
    ----------
    starts
        float64 of shape (segments,), in seconds, from 0 to `LATEST_START`; they do not descend.
    pitches
        float32 of shape (segments, 12), from 0 to 1: the strength of each pitch class.
    loudness
        float32 of shape (segments,), finite, in dB: the loudest moment of each.
    """

    starts: Float64s
    pitches: Float32s
    loudness: Float32s

    @classmethod
    def none(cls) -> "Segments":
        """Give no segments."""
        nothing = np.empty(0, np.float32)
        return cls(nothing.astype(np.float64), nothing.reshape(0, PITCH_CLASSES), nothing)

    def check(self) -> None:
        """Make sure that they are valid.

        Raises
        ------
        SegmentsError
            They are not; it says which rule is broken.
        """
        if len(self) > MOST_SEGMENTS:
            raise SegmentsError(f"{len(self):,} segments are more than {MOST_SEGMENTS:,}")
        if self.pitches.shape != (len(self), PITCH_CLASSES) or len(self.loudness) != len(self):
            raise SegmentsError("starts, pitches and loudness are not of one number of segments")
        fault = _fault(self.starts, self.pitches, self.loudness)
        if fault:
            raise SegmentsError(_FAULTS[fault])

    def __len__(self) -> int:
        return len(self.starts)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Segments)
            and np.array_equal(self.starts, other.starts)
            and np.array_equal(self.pitches, other.pitches)
            and np.array_equal(self.loudness, other.loudness)
        )

    __hash__ = None  # type: ignore[assignment]


@njit(cache=True, nogil=True)
def _fault(starts: Float64s, pitches: Float32s, loudness: Float32s) -> int:
    """Tell which rule is broken, 0 if none is. What is not a number breaks each."""
    previous = 0.0
    for start in starts:
        if not 0 <= start <= LATEST_START:
            return 2
        if start < previous:
            return 1
        previous = start
    for pitch in pitches.flat:
        if not 0 <= pitch <= 1:
            return 3
    return 0 if np.isfinite(loudness).all() else 4
