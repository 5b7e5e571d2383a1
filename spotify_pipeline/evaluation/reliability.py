"""How often answers of a stated confidence are right, as figures and as a diagram.

Every best match counts, with the piece in the index and without it, whatever its confidence. A
match of the right piece at another place is counted by itself: pieces repeat themselves, and what
is heard may well be there too.

Belongs here: outcomes, bins, the diagram. Does not belong here: what a confidence rests on
(`identify.decision`).
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

import numpy as np

from spotify_pipeline.evaluation.judge import Result
from spotify_pipeline.evaluation.rates import Rate
from spotify_pipeline.evaluation.report import OFFSET_TOLERANCE_SECONDS
from spotify_pipeline.evaluation.tables import Table, percentage
from spotify_pipeline.identify.identifier import Match

__all__ = [
    "Bin",
    "Outcome",
    "answers",
    "bins_of",
    "reliability_plot",
    "reliability_table",
    "right_above",
]

INCHES = (8.0, 5.0)
DOTS_PER_INCH = 110

RIGHT_COLOR = "#00796b"
ELSEWHERE_COLOR = "#e07a3f"
INK = "#263238"

EDGES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999, 1.0)


class Outcome(Enum):
    """What an answer was."""

    RIGHT = "right"
    ELSEWHERE = "elsewhere"
    """The right piece, but further off than `report.OFFSET_TOLERANCE_SECONDS`."""
    WRONG = "wrong"


@dataclass(frozen=True)
class Bin:
    """Answers of similar confidence.

    Attributes
    ----------
    low, high
        Of the confidence; the last bin's `high` belongs to it.
    answers
        How many there are.
    stated
        Their mean confidence.
    right, elsewhere
        How many are `Outcome.RIGHT` and `Outcome.ELSEWHERE`.
    """

    low: float
    high: float
    answers: int
    stated: float
    right: int
    elsewhere: int

    @property
    def named(self) -> Rate:
        """How many answers name the right piece, wherever in it."""
        return Rate(self.right + self.elsewhere, self.answers)


def answers(results: Sequence[Result]) -> Iterator[tuple[Match, Outcome]]:
    """Give the best match of every answer, and what it was."""
    for result in results:
        if result.first:
            near = abs(result.error) <= OFFSET_TOLERANCE_SECONDS
            yield result.known[0].match, Outcome.RIGHT if near else Outcome.ELSEWHERE
        elif result.known:
            yield result.known[0].match, Outcome.WRONG
        if result.unknown:
            yield result.unknown[0].match, Outcome.WRONG


def bins_of(found: Sequence[tuple[float, Outcome]]) -> list[Bin]:
    """Sort confidences, from 0 to 1, with their outcomes into bins; empty bins are left out."""
    bins = []
    for low, high in pairwise(EDGES):
        inside = [
            (confidence, outcome)
            for confidence, outcome in found
            if low <= confidence < high or confidence == high == EDGES[-1]
        ]
        if inside:
            outcomes = [outcome for _, outcome in inside]
            bins.append(
                Bin(
                    low,
                    high,
                    len(inside),
                    float(np.mean([confidence for confidence, _ in inside])),
                    outcomes.count(Outcome.RIGHT),
                    outcomes.count(Outcome.ELSEWHERE),
                )
            )
    return bins


def right_above(bins: Sequence[Bin], confidence: float) -> Rate:
    """Count the answers of a confidence or more that name the right piece.

    Parameters
    ----------
    confidence
        An edge of bins.
    """
    above = [b.named for b in bins if b.low >= confidence]
    return Rate(sum(rate.count for rate in above), sum(rate.total for rate in above))


def reliability_table(bins: Sequence[Bin]) -> Table:
    """Tabulate the bins."""
    return Table(
        ("confidence", "answers", "stated", "right piece", "at the place", "elsewhere"),
        [
            (
                f"{b.low:.3f} - {b.high:.3f}",
                f"{b.answers:,}",
                percentage(b.stated),
                str(b.named),
                percentage(b.right / b.answers),
                percentage(b.elsewhere / b.answers),
            )
            for b in bins
        ],
    )


def reliability_plot(bins: Sequence[Bin]) -> bytes:
    """Draw the fraction of right answers beside the stated confidence, bin by bin, as a PNG.

    Where confidences are what they say, points lie on the lines. The thin stroke through a point is
    the 95 % interval of the fraction (Wilson's); the thick one reaches down to the fraction that is
    at the right place of the piece, too.
    """
    from matplotlib.figure import Figure

    figure = Figure(INCHES, DOTS_PER_INCH, layout="constrained")
    axes = figure.subplots()
    positions = np.arange(len(bins))
    axes.hlines(
        [b.stated for b in bins], positions - 0.3, positions + 0.3, color=INK, label="stated"
    )
    intervals = np.array([b.named.interval for b in bins]).reshape(-1, 2)
    axes.vlines(positions, *intervals.T, color=RIGHT_COLOR, linewidth=1)
    right = [b.named.value for b in bins]
    axes.vlines(
        positions,
        [b.right / b.answers for b in bins],
        right,
        color=ELSEWHERE_COLOR,
        linewidth=5,
        label="right piece, another place of it",
    )
    axes.plot(positions, right, "o", color=RIGHT_COLOR, label="right piece, with 95 % interval")
    axes.set(ylabel="share of answers", ylim=(-0.03, 1.03), xlabel="confidence, and answers")
    axes.set_xticks(positions, [f"{b.low:g} to {b.high:g}\n{b.answers:,}" for b in bins])
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    axes.set_title("Are confidences what they say?", loc="left", fontweight="bold", color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK, labelsize=9)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()
