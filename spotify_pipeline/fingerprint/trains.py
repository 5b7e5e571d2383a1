"""Onset trains: the frames at which each of the eight bands has an onset.

Belongs here: the value that every other module of this room takes or gives. Does not belong here:
how onsets are found (`detector`), coded (`codes`) or written as strings.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from spotify_pipeline.fingerprint.arrays import Int32s, Int64s

__all__ = ["BANDS", "FRAMES_PER_SECOND", "FRAME_SAMPLES", "SAMPLE_RATE", "OnsetTrains"]

SAMPLE_RATE = 11025
"""Samples per second of all audio that is fingerprinted."""

FRAME_SAMPLES = 32
"""Samples from one onset frame to the next (2.9025 ms)."""

FRAMES_PER_SECOND = SAMPLE_RATE / FRAME_SAMPLES

BANDS = 8


@dataclass(frozen=True, eq=False)
class OnsetTrains:
    """Onset frames of the eight bands, one after the other in one array.

    Attributes
    ----------
    frames
        int32 of shape (onsets,); ascending within each band, unit 32 samples at 11025 Hz.
    bounds
        int64 of shape (9,); band ``b`` is ``frames[bounds[b]:bounds[b + 1]]``.
    """

    frames: Int32s
    bounds: Int64s

    @classmethod
    def from_bands(cls, bands: Sequence[Iterable[int]]) -> "OnsetTrains":
        """Join one sequence of frames for each of the eight bands."""
        arrays = [
            np.asarray(band if isinstance(band, np.ndarray) else list(band), np.int32)
            for band in bands
        ]
        if len(arrays) != BANDS:
            raise ValueError(f"expected {BANDS} bands, got {len(arrays)}")
        return cls.from_counts(np.concatenate(arrays), [len(array) for array in arrays])

    @classmethod
    def from_counts(cls, frames: Int32s, counts: Sequence[int]) -> "OnsetTrains":
        """Cut an array of frames into bands of the given lengths."""
        return cls(frames, np.concatenate(([0], np.cumsum(counts, dtype=np.int64))))

    def band(self, band: int) -> Int32s:
        """Give the onset frames of one band."""
        return self.frames[self.bounds[band] : self.bounds[band + 1]]

    def excerpt(self, first: int, frames: int | None = None) -> "OnsetTrains":
        """Cut out so many frames, or all from the first on, which becomes frame 0."""
        end = math.inf if frames is None else first + frames
        bands = [self.band(band) for band in range(BANDS)]
        return OnsetTrains.from_bands(
            [band[bisect_left(band, first) : bisect_left(band, end)] - first for band in bands]
        )

    def at_speed(self, speed: float) -> "OnsetTrains":
        """Multiply all frames by a factor: above 1, the trains get longer."""
        if speed == 1:
            return self
        frames = np.rint(self.frames * speed).clip(max=np.iinfo(np.int32).max)
        return OnsetTrains(frames.astype(np.int32), self.bounds)

    @property
    def counts(self) -> Int64s:
        """Onsets in each band, int64 of shape (8,)."""
        return np.diff(self.bounds)

    def __len__(self) -> int:
        return len(self.frames)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, OnsetTrains)
            and np.array_equal(self.frames, other.frames)
            and np.array_equal(self.bounds, other.bounds)
        )

    __hash__ = None  # type: ignore[assignment]
