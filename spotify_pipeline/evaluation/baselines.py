"""Other systems' searches on the same tracks and excerpts, to compare with.

They look up the Echoprint codes of an excerpt as it is; nothing else of it.

Belongs here: which baselines there are, and asking them. Does not belong here: how each scores
(`echoprint_server`, `aligned_codes`).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from spotify_pipeline.evaluation.aligned_codes import AlignedCodes
from spotify_pipeline.evaluation.echoprint_server import BLOCK_SONGS, Block
from spotify_pipeline.evaluation.scores import Scores
from spotify_pipeline.fingerprint import EchoprintCodes
from spotify_pipeline.fingerprint.arrays import Bools, Float64s
from spotify_pipeline.index.building.segment_writer import PackedTracks

__all__ = ["BASELINES", "Baselines"]

BASELINES = ("Jaccard", "aligned codes")


class Baselines:
    """All baselines' indexes of some tracks, in memory: some 50 kB a track.

    Parameters
    ----------
    trains
        Echoprint trains of the tracks, part by part; tracks are numbered through.
    """

    def __init__(self, trains: Sequence[PackedTracks]) -> None:
        tracks = _joined(trains)
        self._blocks = [Block.of(part) for part in _parts(tracks, BLOCK_SONGS)]
        self._aligned = AlignedCodes.of(tracks)

    def scores(self, codes: EchoprintCodes, own: int, without: slice) -> Mapping[str, Scores]:
        """Ask every baseline.

        Parameters
        ----------
        codes
            Of the excerpt.
        own
            Number of the track that it is of.
        without
            Tracks that the index lacks where that track is to be unknown.

        Returns
        -------
        By the names of `BASELINES`.
        """
        jaccard = np.concatenate([block.scores(codes) for block in self._blocks])
        aligned = self._aligned.scores(codes).astype(np.float64)
        return {
            name: _reduced(scores, own, without)
            for name, scores in zip(BASELINES, (jaccard, aligned), strict=True)
        }


def _reduced(scores: Float64s, own: int, without: slice) -> Scores:
    """Reduce the scores of all tracks, 0 where nothing was found."""
    others = np.ones(len(scores), bool)
    others[own] = False
    left = np.ones(len(scores), bool)
    left[without] = False
    return Scores(*(_highest(scores, chosen) for chosen in (~others, others, left)))


def _highest(scores: Float64s, chosen: Bools) -> float:
    highest = float(scores[chosen].max(initial=0.0))
    return highest if highest > 0 else -np.inf


def _joined(parts: Sequence[PackedTracks]) -> PackedTracks:
    bounds = np.cumsum([0, *(len(part.content) for part in parts)])
    offsets = [part.offsets[:-1] + bound for part, bound in zip(parts, bounds[:-1], strict=True)]
    return PackedTracks(
        np.concatenate([part.content for part in parts]),
        np.concatenate([*offsets, bounds[-1:]]),
    )


def _parts(tracks: PackedTracks, size: int) -> list[PackedTracks]:
    """Cut tracks into parts of up to so many."""
    starts = range(0, len(tracks.offsets) - 1, size)
    offsets = [tracks.offsets[start : start + size + 1] for start in starts]
    return [PackedTracks(tracks.content[o[0] : o[-1]], o - o[0]) for o in offsets]
