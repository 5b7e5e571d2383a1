"""The attempts to identify a query, from the quickest to the most thorough.

Belongs here: how much each does. Does not belong here: doing it (`identifier`).
"""

import math
from dataclasses import dataclass

import numpy as np

from spotify_pipeline.fingerprint import LLR_BIN_FRAMES
from spotify_pipeline.fingerprint.arrays import Float64s
from spotify_pipeline.identify.query_llr import JUDGED_SECONDS
from spotify_pipeline.index.search.searcher import (
    QUICK,
    SHORT,
    SKETCHY,
    SLIGHT,
    THOROUGH,
    Effort,
)

__all__ = ["HIGH_EVIDENCE", "HIGH_EVIDENCE_SECONDS", "PASSES", "WINDOW_PASSES", "Pass"]

HIGH_EVIDENCE_SECONDS = 10.0
"""The stretch of a recording that tells how clear it is. (Twice as long and half as clear is not
the same: a search reads the likeliest keys alone.)"""

HIGH_EVIDENCE = 250.0
"""Nats that a clear recording tells. Among 20,000 tracks, half of them spliced, the quick search
found 37 of 37 excerpts of the validation set that tell so much, and 7 of 8 that tell 200 to 250;
among 100,000, 35 of 36, and 12 of 13. None of them was moved in pitch: of such clips it misses
more."""

MANY = 10_000
"""Candidates where noise hides most keys. Of 84 clips of 5 and 10 s of the validation set (room,
pink noise of 10 dB, white noise as loud as the music) among 100,000 tracks, half of them spliced,
75 % are named by the quick, the thorough and the short search, and 68 % with 3,000 candidates, in
90 % of the time."""

SPEEDS = (1.0, 0.99, 1.01, 0.98, 1.02, 0.97, 1.03, 0.96, 1.04)
"""At which a recording may have been played, the likelier ones first. Of 42 clips of 3, 5 and 10 s
of the validation set, 1.5 % too fast and as many 2.7 % too slow, among 20,000 tracks, steps of 1 %
find 95 and 90 %; steps of 2 %, 90 and 83 %, and as many of those that are 2 or 4 % too fast."""


@dataclass(frozen=True)
class Pass:
    """An attempt to identify a query.

    Attributes
    ----------
    effort
        How much the search does.
    candidates
        Tracks that are tried near the offset at which the search found them.
    matches
        The best of them, which are tried at every offset and judged.
    speeds
        At which the recording may have been played, each searched for.
    precision
        By how much of itself a speed may be off: those between are tried on the candidates.
    seconds
        The stretch of a longer query that is searched for, and decides.
    clear
        Whether it is for recordings alone that were heard clearly (`HIGH_EVIDENCE`), or for others
        alone, since the quick search would have found the track of a clear one; None for all.
    exhaustive
        Nothing is searched for: every track is tried at every offset. In a small index only.
    in_large
        Only in an index too large for that.
    """

    effort: Effort
    candidates: int
    matches: int
    speeds: tuple[float, ...] = (1.0,)
    precision: float = 0.0
    seconds: float = JUDGED_SECONDS
    clear: bool | None = None
    exhaustive: bool = False
    in_large: bool = False

    def fine_speeds(self, frames: int) -> Float64s:
        """Give factors, 1 first, so close that a query of so many frames stays in an LLR bin."""
        return _factors(self.precision, frames / (2 * LLR_BIN_FRAMES))

    def finest_speeds(self, searched: int, frames: int) -> Float64s:
        """Give factors between one of `fine_speeds` and those beside it, 1 first.

        Parameters
        ----------
        searched
            Frames of the stretch that was searched for.
        frames
            Of the one that decides.
        """
        steps = (len(self.fine_speeds(searched)) - 1) // 2
        return _factors(self.precision / max(steps, 1), frames / LLR_BIN_FRAMES)


def _factors(reach: float, finely: float) -> Float64s:
    """Give factors from 1 - reach to 1 + reach, the nearest to 1 first."""
    steps = math.ceil(reach * finely)
    factors = np.linspace(1 - reach, 1 + reach, 2 * steps + 1)
    return factors[np.argsort(np.abs(factors - 1), kind="stable")]


PASSES = (
    Pass(SLIGHT, candidates=30, matches=10, clear=True),
    Pass(QUICK, candidates=30, matches=10),
    Pass(THOROUGH, candidates=MANY, matches=20, clear=False, in_large=True),
    Pass(SHORT, candidates=MANY, matches=20, clear=False, in_large=True),
    Pass(THOROUGH, candidates=50, matches=20, clear=False, exhaustive=True),
    Pass(
        SKETCHY,
        candidates=30,
        matches=5,
        speeds=SPEEDS,
        precision=0.005,
        seconds=10.0,
    ),
)
"""The next one only if none of the matches is certain."""

WINDOW_PASSES = (PASSES[1], Pass(THOROUGH, candidates=1_000, matches=20, clear=False))
"""Those of a window of a long recording: other speeds and every track, tried on each window of an
hour of unknown music, take minutes."""
