"""How likely tracks are asked for before anything is heard: the popular ones more often.

Where two recordings have a beat in common and a clip is short or noisy, popularity tells which of
them it rather is. It counts between tracks alone: the odds that a recording is of a track at all
rest on what is heard.

Belongs here: popularity to a prior. Does not belong here: what evidence is worth (`decision`).
"""

from collections.abc import Callable, Sequence

import numpy as np

from spotify_pipeline.catalog import Catalog
from spotify_pipeline.fingerprint.arrays import Float64s
from spotify_pipeline.index.search.searcher import Searcher

__all__ = ["NATS_A_POINT", "Prior", "equal", "popularity_prior"]

NATS_A_POINT = 0.16
"""Natural logarithm of how many times as often a track of one point more is played. A popularity of
0 stands for fewer than 1,000 plays, one of 50 for about three million (Anna's Archive, "Backing up
Spotify", 2025)."""

UNKNOWN_POINTS = 27
"""A track without popularity counts as one that is played as often as the mean of all, where few
are popular (`training.popularity.published`)."""

Prior = Callable[[Sequence[int]], Float64s]
"""Numbers of tracks in the index to nats, float64 of shape (tracks,)."""


def equal(tracks: Sequence[int]) -> Float64s:
    """Take all tracks to be asked for as often."""
    return np.zeros(len(tracks))


def popularity_prior(catalog: Catalog, index: Searcher, weight: float) -> Prior:
    """Take tracks to be asked for as often as they are played, to a power.

    Parameters
    ----------
    catalog
        Knows the popularity.
    index
        Knows the tracks' ids.
    weight
        The power, 0 to 1; 0 is `equal`.
    """
    if weight == 0:
        return equal

    def prior(tracks: Sequence[int]) -> Float64s:
        ids = [index.track_id(track) for track in tracks]
        known = catalog.popularity(ids)
        points = [known.get(track_id, UNKNOWN_POINTS) for track_id in ids]
        return weight * NATS_A_POINT * np.array(points, np.float64)

    return prior
