"""What an agreement is worth: the probability that it is the track.

The likelihood of the recording at the best offset would be all there is, were onsets independent of
each other. But music has a beat, and a piece of the same tempo agrees with many beats of another.
Two things tell those apart. The *gap*: such a piece agrees a beat later as well, while a true
offset stands out among the same track's other offsets. And the *share*: a recording's own odds say
how likely it should become once the right track is tried, and a wrong one falls short of that.
Their weights are a logistic regression on real music among made-up tracks
(`benchmarks/decision_weights.py`), heard by networks that were taught on other pieces.

The best of many impostors is better than the best of few. Each wrong track has its own small chance
to reach some odds, so in an index ten times as large the odds of any match are a tenth.

Belongs here: evidence to odds, odds to a decision. Does not belong here: finding the agreement.
"""

import math
from dataclasses import dataclass

from spotify_pipeline.index.likelihood import Agreement

__all__ = [
    "ECHOPRINT_WEIGHTS",
    "RECORDING_WEIGHTS",
    "RHYTHM_WEIGHTS",
    "THRESHOLD",
    "DecisionWeights",
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
class DecisionWeights:
    """Logistic regression over `evidence`."""

    intercept: float
    gap: float
    share: float

    def log_odds(self, agreement: Agreement) -> float:
        """Give the natural logarithm of the odds that the query is of the track."""
        if agreement.likelihood <= 0:
            return -math.inf
        gap, share = evidence(agreement)
        return self.intercept + self.gap * gap + self.share * share


RECORDING_WEIGHTS = DecisionWeights(intercept=-11.88, gap=3.72, share=4.49)
"""Of a recording's own odds (`fingerprint.onset_odds`)."""

RHYTHM_WEIGHTS = DecisionWeights(intercept=-22.79, gap=6.84, share=2.19)
ECHOPRINT_WEIGHTS = DecisionWeights(intercept=-17.59, gap=6.09, share=0.56)
"""Where only onsets are known, of either kind (`fingerprint.odds_of_onsets`)."""


def evidence(agreement: Agreement) -> tuple[float, float]:
    """Give the evidence of an agreement.

    Returns
    -------
    gap
        Natural logarithm of the nats by which the likelihood is above the best other offset's.
    share
        Natural logarithm of the share of the expected likelihood, at the most 0: more than expected
        is chance.
    """
    gap = max(agreement.likelihood - max(agreement.second, 0.0), 1.0)
    share = min(max(agreement.likelihood, 1.0) / max(agreement.expected, 1.0), 1.0)
    return math.log(gap), math.log(share)
