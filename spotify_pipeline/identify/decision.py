"""What an alignment is worth: the probability that it is the track.

Two things tell a true alignment from the best of the wrong ones. The *gap*: a true offset stands
out among the same track's other offsets, while a piece on the same tempo grid has many alike. And
the *prominence*: how far it stands out among all that chance aligns. In a noisy room few onsets of
a query are left, and neither is large, but a wrong track seldom has both. Their
weights are a logistic regression on real music among made-up tracks, half of the recordings
being of a track in the index (`benchmarks/detection.py --fit`).

The best of many impostors is better than the best of few. Each wrong track has its own small chance
to reach some odds, so in an index ten times as large the odds of any match are a tenth.

Belongs here: evidence to odds, odds to a decision. Does not belong here: finding the alignment.
"""

import math
from dataclasses import dataclass

from spotify_pipeline.index.alignment import Alignment

__all__ = [
    "ECHOPRINT_EVIDENCE",
    "RHYTHM_EVIDENCE",
    "THRESHOLD",
    "EvidenceWeights",
    "evidence",
    "log_odds_lost",
    "threshold_of",
]

THRESHOLD = 0.9
"""Matches below this confidence are not given; a recording without any is unknown."""

FITTED_TRACKS = 10_000
"""Tracks of the index that the weights were chosen on."""


def threshold_of(false_accepts: float | None) -> float:
    """Give the confidence from which at most so many recordings of unknown tracks are accepted.

    A likelihood ratio of k or more has a chance of at most 1/k where it should be small (Markov's
    inequality), and with even odds beforehand, a match's odds are its likelihood ratio.

    Parameters
    ----------
    false_accepts
        Share of the recordings whose track is not in the index, above 0; None for `THRESHOLD`.

    >>> threshold_of(0.25)
    0.8
    """
    return THRESHOLD if false_accepts is None else 1 / (1 + false_accepts)


def log_odds_lost(tracks: int, speeds: int) -> float:
    """Tell by how much so many tracks and speeds to choose from lower a match's logarithmic odds.

    Parameters
    ----------
    tracks
        In the index; below `FITTED_TRACKS`, nothing is gained.
    speeds
        At which the recording was searched for.
    """
    return math.log(max(tracks / FITTED_TRACKS, 1)) + math.log(speeds)


@dataclass(frozen=True)
class EvidenceWeights:
    """Logistic regression over `evidence`."""

    intercept: float
    gap: float
    prominence: float

    def log_odds(self, alignment: Alignment) -> float:
        """Give the natural logarithm of the odds that the query is of the aligned track."""
        if alignment.aligned == 0:
            return -math.inf
        gap, prominence = evidence(alignment)
        return self.intercept + self.gap * gap + self.prominence * prominence


RHYTHM_EVIDENCE = EvidenceWeights(intercept=-21.4, gap=4.4, prominence=7.0)
ECHOPRINT_EVIDENCE = EvidenceWeights(intercept=-21.87, gap=2.98, prominence=6.87)


def evidence(alignment: Alignment) -> tuple[float, float]:
    """Give gap and prominence of an alignment.

    Returns
    -------
    gap
        Aligned onsets above the best other offset's, in standard deviations of a count.
    prominence
        Aligned onsets above the mean of all offsets, in standard deviations of a count with that
        mean; its natural logarithm, so that a long query of the wrong piece gains little by it.
    """
    gap = (alignment.aligned - alignment.second) / math.sqrt(max(alignment.aligned, 1))
    prominence = (alignment.aligned - alignment.expected) / math.sqrt(alignment.expected + 1)
    return gap, math.log(max(prominence, 1))
