"""Counts of excerpts as rates, with what chance leaves open.

Intervals take excerpts for independent. Those of one piece are not: with few pieces, the truth lies
outside more often than one time in twenty.

Belongs here: rates and their intervals. Does not belong here: what is counted (`report`,
`reliability`), rows and columns (`tables`).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

__all__ = ["Rate"]

NORMAL_QUANTILE = 1.959964
"""Of 95 %, two-sided."""


@dataclass(frozen=True)
class Rate:
    """So many of so many."""

    count: int
    total: int

    @classmethod
    def of(cls, outcomes: Iterable[bool]) -> Self:
        """Count."""
        counted = [bool(outcome) for outcome in outcomes]
        return cls(sum(counted), len(counted))

    @property
    def value(self) -> float:
        """From 0 to 1; NaN of none."""
        return self.count / self.total if self.total else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval by Wilson's method; all that is possible, of none."""
        if not self.total:
            return 0.0, 1.0
        squared = NORMAL_QUANTILE**2 / self.total
        middle = self.value + squared / 2
        reach = math.sqrt(squared * (self.value * (1 - self.value) + squared / 4))
        low, high = ((middle + sign * reach) / (1 + squared) for sign in (-1, 1))
        return max(low, 0.0), min(high, 1.0)

    def __str__(self) -> str:
        """Write it as percentages, ``62.5% (39-82)``; nothing of none."""
        if not self.total:
            return ""
        low, high = self.interval
        return f"{self.value:.1%} ({100 * low:.0f}-{100 * high:.0f})"
