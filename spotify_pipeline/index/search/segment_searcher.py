"""One segment asked: how often keys come, where many of them agree, how likely its tracks are.

Tracks are numbered within the segment. Every method can run beside others in threads.

Belongs here: what one segment can tell. Does not belong here: what is asked of it, and bringing
together what several tell (`searcher`); the arithmetic (`kernels`).
"""

from collections.abc import Sequence

import numpy as np

from spotify_pipeline.fingerprint.arrays import Float32s, Float64s, Int64s, UInt64s
from spotify_pipeline.harmony import HarmonyError
from spotify_pipeline.harmony.agreement import Agreement, Sound, agreements
from spotify_pipeline.index.errors import FeatureIndexError
from spotify_pipeline.index.format.segment import Segment
from spotify_pipeline.index.kernels.hits import (
    best_offset_bins,
    counts_of,
    heavy_hits,
    hits_of,
    ranges_of,
)
from spotify_pipeline.index.kernels.likelihood import best_likelihoods, likelihoods_near
from spotify_pipeline.index.kernels.likely_keys import LikelyKeys

__all__ = ["SegmentSearcher"]

_PARTS = (0.5, 0.1, 0.9)
"""Fractions of a query's keys before the time bins that are looked at for tracks."""


class SegmentSearcher:
    """Answers for one segment.

    Parameters
    ----------
    segment
        That is asked.
    """

    def __init__(self, segment: Segment) -> None:
        self.segment = segment

    def counts(self, keys: LikelyKeys) -> Float64s:
        """Estimate how many postings each range of keys has, float64 of shape (n,)."""
        spans, *_, postings = self.segment.pages
        return np.asarray(counts_of(spans, postings, *self._ranges(keys)), np.float64)

    def check(self, keys: LikelyKeys) -> None:
        """Check the pages of keys before `hits` reads them.

        Raises
        ------
        FeatureIndexError
            A page is damaged.
        """
        self.segment.check_postings(*self._ranges(keys))

    def hits(self, keys: LikelyKeys, latest: int, first: int, last: int) -> tuple[UInt64s, Int64s]:
        """Read keys, and give their hits (`kernels.hits`), and how many each has.

        Parameters
        ----------
        keys
            All that are asked for.
        latest
            The last time bin of the query: offset bins are moved up by it, to begin at 0.
        first, last
            Those from the first to before the last are read.
        """
        part = keys.chosen(np.arange(first, last))
        shifts, bits = latest - part.bins, self.segment.info.bin_bits
        hits, counts = hits_of(*self.segment.pages, bits, *self._ranges(part), shifts, first)
        return hits, counts

    def _ranges(self, keys: LikelyKeys) -> tuple[Int64s, Int64s]:
        """Give the ranges of postings of keys."""
        return ranges_of(keys.keys, keys.widths, self.segment.info.bin_bits)

    def best_offsets(self, hits: UInt64s, weights: Float64s, bins: Int64s, limit: int) -> Float64s:
        """Give the tracks at whose offsets hits weigh most.

        Parameters
        ----------
        hits
            As of `hits`.
        weights, bins
            float64 and int64 of shape (keys,): what a hit of each key weighs, and in which time bin
            of the query it was asked for.
        limit
            Tracks to give at the least, if there are so many.

        Returns
        -------
        float64 of shape (3, n): tracks, frames of the offset, weights; a track may come repeatedly.
        """
        hits = np.sort(heavy_hits(hits, weights, 2 * limit))
        offset_bins, sums, lengths = best_offset_bins(hits, weights)
        if len(sums) > 2 * limit:
            best = np.sort(np.argpartition(-sums, 2 * limit)[: 2 * limit])
            offset_bins, sums, lengths = offset_bins[best], sums[best], lengths[best]
        # a query may reach beyond a track: all that its better part lies in are meant
        parts = np.quantile(bins, _PARTS).astype(np.int64)
        latest = int(bins.max())
        starts = self.segment.array("starts")
        positions = np.concatenate([offset_bins - latest + part for part in parts])
        tracks = np.clip(np.searchsorted(starts, positions, side="right") - 1, 0, len(starts) - 2)
        # an offset lies in the bin that is given and in the one before, or between two that are
        frames = (offset_bins - latest) * 2 + lengths - 1
        frames = np.tile(frames * self.segment.info.keys.bin_frames // 2, len(parts))
        frames -= starts[tracks].astype(np.int64) * self.segment.info.keys.bin_frames
        return np.stack((tracks, frames, np.tile(sums, len(parts))))

    def best_likelihoods(self, llr: Float32s, tracks: Int64s) -> tuple[Float64s, Int64s]:
        """Compare with some tracks at every offset; see `likelihood.best_likelihoods`."""
        return best_likelihoods(llr, *self.segment.packed(tracks, "rhythm"))

    def likelihoods_near(
        self,
        llr: Sequence[Float32s],
        kind: str,
        tracks: Int64s,
        offsets: Int64s,
        reach: int,
    ) -> tuple[Float64s, Int64s]:
        """Compare with some tracks near an offset each; see `likelihood.likelihoods_near`."""
        return likelihoods_near(llr, *self.segment.packed(tracks, kind), offsets, reach)

    def agreements(
        self, sound: Sound, tracks: Int64s, begins: Float64s, speed: float
    ) -> list[Agreement]:
        """Compare what sounds with some tracks; see `harmony.agreement.agreements`.

        Raises
        ------
        FeatureIndexError
            The harmony of one is damaged.
        """
        packed = self.segment.packed(tracks, "harmony")
        try:
            return agreements(sound, *packed, begins, speed)
        except HarmonyError as error:
            raise FeatureIndexError(
                f"{self.segment.file.path}: {error}; run the job 'index' again"
            ) from error
