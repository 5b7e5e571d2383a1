"""What an alignment is worth: the probability that it is the track.

Two things tell a true alignment from the best of the wrong ones. The *gap*: a true offset stands
out among the same track's other offsets, while a piece on the same tempo grid has many alike. And
the *coverage*: the share of the query's onsets that are aligned, beyond what chance aligns. Their
weights are a logistic regression on real music (`benchmarks/excerpts.py --fit`).

Belongs here: evidence to confidence. Does not belong here: finding the alignment.
"""

import math
from dataclasses import dataclass

from spotify_pipeline.index.alignment import Alignment

__all__ = ["ECHOPRINT_EVIDENCE", "RHYTHM_EVIDENCE", "THRESHOLD", "EvidenceWeights", "evidence"]

THRESHOLD = 0.9
"""Matches below this confidence are not given; a recording without any is unknown."""


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


RHYTHM_EVIDENCE = EvidenceWeights(intercept=-5.77, gap=2.49, coverage=16.2, onsets=-0.46)
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
