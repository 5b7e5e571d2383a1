"""What a system says of an excerpt, reduced to three scores that can be compared.

Belongs here: who comes first, and what may be accepted. Does not belong here: where scores come
from (`judge`, `baselines`).
"""

from dataclasses import dataclass

__all__ = ["Scores"]


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

    def first_above(self, threshold: float) -> bool:
        """Tell whether the own piece comes first, and above a threshold."""
        return self.first and self.own > threshold
