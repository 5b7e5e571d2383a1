"""What a recording leads to expect of the right track, and of any track of the same beat.

Belongs here: figures of a query alone. Does not belong here: what a track comes to (`identifier`),
what the difference means (`decision`).
"""

from dataclasses import dataclass

import numpy as np

from spotify_pipeline.fingerprint import (
    BANDS,
    FRAMES_PER_SECOND,
    LLR_BIN_FRAMES,
    OnsetTrains,
)
from spotify_pipeline.fingerprint.arrays import Float32s, Float64s, Int64s
from spotify_pipeline.fingerprint.onset_llr import moments
from spotify_pipeline.index.kernels.likelihood import offset_sums

__all__ = ["Expectation"]

SHORTEST_LAG, LONGEST_LAG = 0.2, 0.5
"""A recording is compared with itself so many seconds later at the least, and so much of its length
at the most. Set by hand."""


@dataclass(frozen=True)
class Expectation:
    """What a query leads to expect.

    Attributes
    ----------
    means, variances
        float64 of shape (llr_bins + 1, 8): sums over all LLR bins before, of what the likelihood is
        expected to gain in each band of an LLR bin if the track is the right one, and of how much
        that varies; nats and nats squared.
    repetition
        How likely the query is if the track has the query's own onsets, but a beat, a bar or so
        later: what any piece of the same beat may come to; as a fraction of what it is with the
        onsets in their place. 0 to 1.
    """

    means: Float64s
    variances: Float64s
    repetition: float

    @classmethod
    def of(cls, frames: Float32s, llr_bins: Float32s, onsets: OnsetTrains) -> "Expectation":
        """Make one of `frame_llr`, `onset_llr` and a query's own onsets."""
        nothing = np.zeros((1, BANDS))
        means, variances = (
            np.concatenate((nothing, np.cumsum(one, axis=0))) for one in moments(frames)
        )
        return cls(means, variances, _repetition(llr_bins, onsets))

    def between(self, edges: Int64s) -> tuple[Float64s, Float64s]:
        """Give means and variances of the stretches between frames.

        Parameters
        ----------
        edges
            int64 of shape (n + 1,), ascending.

        Returns
        -------
        float64 of shape (n, 8) each.
        """
        llr_bins = np.clip(edges // LLR_BIN_FRAMES, 0, len(self.means) - 1)
        return np.diff(self.means[llr_bins], axis=0), np.diff(self.variances[llr_bins], axis=0)


def _repetition(llr_bins: Float32s, onsets: OnsetTrains) -> float:
    """Compare a query with its own onsets at other offsets."""
    if len(llr_bins) == 0 or len(onsets) == 0:
        return 0.0
    sums = offset_sums(llr_bins, onsets)
    offsets = np.arange(len(sums)) - (len(llr_bins) - 1)
    lags = np.abs(offsets)
    in_place = float(sums[lags <= 1].max())
    shortest = SHORTEST_LAG * FRAMES_PER_SECOND / LLR_BIN_FRAMES
    tried = (lags >= shortest) & (lags <= LONGEST_LAG * len(llr_bins))
    if in_place <= 0 or not tried.any():
        return 0.0
    # of a later copy, only a part lies within the query
    scaled = sums[tried] * (len(llr_bins) / (len(llr_bins) - lags[tried]))
    return float(np.clip(scaled.max() / in_place, 0, 1))
