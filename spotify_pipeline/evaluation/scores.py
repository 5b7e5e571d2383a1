"""What a system says of an excerpt, reduced to three scores that can be compared.

Belongs here: who comes first, and what may be accepted. Does not belong here: where scores come
from (`judge`, `peers`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Scores", "share_accepted", "share_first"]


@dataclass(frozen=True)
class Scores:
    """Higher is surer; minus infinity where nothing was found.

    Attributes
    ----------
    own
        Of the piece that the excerpt is of.
    wrong
        The highest of another one, where the piece is in the index.
    unknown
        The highest of all, where it is not.
    """

    own: float
    wrong: float
    unknown: float

    @property
    def first(self) -> bool:
        """Whether the own piece comes first."""
        return self.own > self.wrong

    @property
    def most_wrong(self) -> float:
        """How sure the surest wrong answer is."""
        return max(self.wrong, self.unknown)


def share_first(scores: Sequence[Scores]) -> float:
    """Give the share of excerpts whose piece comes first; NaN of none."""
    return float(np.mean([s.first for s in scores])) if scores else np.nan


def share_accepted(scores: Sequence[Scores], threshold: float) -> float:
    """Give the share of excerpts whose piece comes first and above a threshold.

    NaN of no excerpts, and where the threshold is NaN.
    """
    if not scores or np.isnan(threshold):
        return np.nan
    return float(np.mean([s.first and s.own > threshold for s in scores]))
