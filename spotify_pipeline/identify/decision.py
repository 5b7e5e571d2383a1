"""What an alignment is worth: the probability that it is the track.

Two things tell a true alignment from the best of the wrong ones. The *gap*: a true offset stands
out among the same track's other offsets, while a piece on the same tempo grid has many alike. And
the *coverage*: the share of the query's onsets that are aligned, beyond what chance aligns. Their
weights are a logistic regression on real music among 20,000 made-up tracks, half of the recordings
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

FITTED_TRACKS = 20_000
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
    coverage: float
    onsets: float

    def log_odds(self, alignment: Alignment) -> float:
        """Give the natural logarithm of the odds that the query is of the aligned track."""
        if alignment.aligned == 0:
            return -math.inf
        gap, coverage, onsets = evidence(alignment)
        return self.intercept + self.gap * gap + self.coverage * coverage + self.onsets * onsets


RHYTHM_EVIDENCE = EvidenceWeights(intercept=-12.71, gap=4.55, coverage=12.12, onsets=0.86)
ECHOPRINT_EVIDENCE = EvidenceWeights(intercept=-5.03, gap=1.16, coverage=6.7, onsets=0.34)


def evidence(alignment: Alignment) -> tuple[float, float, float]:
    """Give gap, coverage and size of an alignment.

    Returns
    -------
    gap
        Aligned onsets above the best other offset's, in standard deviations of a count.
    coverage
        Share of the query's onsets that are aligned beyond the mean of all offsets.
    onsets
        Natural logarithm of the number of onsets that could be aligned.
    """
    gap = (alignment.aligned - alignment.second) / math.sqrt(max(alignment.aligned, 1))
    coverage = (alignment.aligned - alignment.expected) / max(alignment.onsets, 1)
    return gap, coverage, math.log(max(alignment.onsets, 1))
