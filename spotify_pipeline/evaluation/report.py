"""The figures of an evaluation: who comes first, what may be accepted, where, and how fast.

Thresholds are chosen on the tuning half of the pieces; everything is reported on the other.

Belongs here: rows of figures, and tables of them. Does not belong here: how often a confidence is
right (`reliability`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spotify_pipeline.evaluation.judge import Result, is_given
from spotify_pipeline.evaluation.peers import PEERS
from spotify_pipeline.evaluation.queries import REPORTING, TUNING
from spotify_pipeline.evaluation.scores import Scores, share_accepted, share_first
from spotify_pipeline.evaluation.tables import Table, number, share
from spotify_pipeline.evaluation.timing import STAGES, Step

__all__ = [
    "PLACE_SECONDS",
    "Cell",
    "PeerShares",
    "StepTimes",
    "cell_table",
    "cells_of",
    "headline",
    "peer_table",
    "step_table",
    "step_times",
]

PLACE_SECONDS = 1.0
"""What is further off than that is another place of the piece."""

RARELY = 0.001
"""Share of wrong answers that may be accepted, of all cells together."""


@dataclass(frozen=True)
class PeerShares:
    """What another system reaches: shares as of `Cell`, by its own scores."""

    top_1: float
    accepted: float


@dataclass(frozen=True)
class Cell:
    """Figures of one degradation and length; shares from 0 to 1, NaN where there is nothing.

    Attributes
    ----------
    degradation, seconds
        Of the excerpts.
    excerpts
        How many.
    top_1
        The own piece comes first.
    accepted
        It comes first and is surer than every wrong answer of the tuning half's same cell.
    rarely_wrong
        It comes first and is surer than all but a thousandth of the tuning half's wrong answers.
    given
        It comes first and is given, with the confidence that users get by default.
    false
        Something is given, although the piece is not in the index.
    error, error_90
        Milliseconds by which the position is off where the own piece comes first: median and the
        most of nine in ten.
    elsewhere
        It comes first, but further off than `PLACE_SECONDS`; of all where it comes first.
    milliseconds, milliseconds_90
        To identify, where the piece is in the index.
    peers
        By their names; empty if they were not asked.
    """

    degradation: str
    seconds: float
    excerpts: int
    top_1: float
    accepted: float
    rarely_wrong: float
    given: float
    false: float
    error: float
    error_90: float
    elsewhere: float
    milliseconds: float
    milliseconds_90: float
    peers: Mapping[str, PeerShares]


def cells_of(results: Sequence[Result]) -> list[Cell]:
    """Reduce the results to the figures of the reporting half, cell by cell."""
    tuned = _grouped(results, TUNING)
    wrong = [r.scores.most_wrong for group in tuned.values() for r in group]
    rare = float(np.quantile(wrong, 1 - RARELY, method="higher")) if wrong else np.nan
    return [
        _cell(key, group, tuned.get(key, []), rare)
        for key, group in _grouped(results, REPORTING).items()
    ]


def _grouped(results: Sequence[Result], half: int) -> dict[tuple[str, float], list[Result]]:
    """Group the results of a half by degradation and length."""
    grouped: dict[tuple[str, float], list[Result]] = {}
    for result in results:
        if result.excerpt.half == half:
            key = (result.excerpt.degradation, result.excerpt.seconds)
            grouped.setdefault(key, []).append(result)
    return grouped


def _cell(
    key: tuple[str, float], group: Sequence[Result], tuned: Sequence[Result], rare: float
) -> Cell:
    scores = [r.scores for r in group]
    errors = np.array([abs(r.error) for r in group if r.scores.first])
    times = [1e3 * sum(r.known_seconds.values()) for r in group]
    return Cell(
        *key,
        excerpts=len(group),
        top_1=share_first(scores),
        accepted=share_accepted(scores, _threshold([r.scores for r in tuned])),
        rarely_wrong=share_accepted(scores, rare),
        given=_mean(r.scores.first and is_given(r.own) for r in group),
        false=_mean(is_given(r.unknown) for r in group),
        error=_quantile(1e3 * errors, 0.5),
        error_90=_quantile(1e3 * errors, 0.9),
        elsewhere=_mean(errors > PLACE_SECONDS),
        milliseconds=_quantile(times, 0.5),
        milliseconds_90=_quantile(times, 0.9),
        peers={
            name: PeerShares(
                share_first([r.peers[name] for r in group]),
                share_accepted(
                    [r.peers[name] for r in group], _threshold([r.peers[name] for r in tuned])
                ),
            )
            for name in group[0].peers
        },
    )


def _threshold(tuned: Sequence[Scores]) -> float:
    """Give the score above which no wrong answer of the tuning half is; NaN if nothing tells."""
    return max((scores.most_wrong for scores in tuned), default=np.nan)


def _mean(values: Iterable[bool]) -> float:
    kept = list(values)
    return float(np.mean(kept)) if kept else np.nan


def _quantile(values: Sequence[float] | np.ndarray, at: float) -> float:
    return float(np.quantile(values, at)) if len(values) else np.nan


def cell_table(cells: Sequence[Cell]) -> Table:
    """Tabulate the cells."""
    columns = (
        "", "top-1", "accepted at 0", "at 0.1 %", "given", "false", "error ms", "90 %",
        "beyond 1 s", "time ms", "90 %",
    )  # fmt: skip
    return Table(
        columns,
        [
            (
                _name(c),
                *map(share, (c.top_1, c.accepted, c.rarely_wrong, c.given, c.false)),
                *map(number, (c.error, c.error_90)),
                share(c.elsewhere),
                *map(number, (c.milliseconds, c.milliseconds_90)),
            )
            for c in cells
        ],
    )


def peer_table(cells: Sequence[Cell]) -> Table:
    """Tabulate other systems beside this one."""
    return Table(
        (
            "",
            *("top-1 here", *(f"top-1 {name}" for name in PEERS)),
            *("at 0 here", *(f"at 0 {name}" for name in PEERS)),
        ),
        [
            (
                _name(c),
                *map(share, (c.top_1, *(c.peers[name].top_1 for name in PEERS))),
                *map(share, (c.accepted, *(c.peers[name].accepted for name in PEERS))),
            )
            for c in cells
        ],
    )


def _name(cell: Cell) -> str:
    return f"{cell.degradation} {cell.seconds:3g} s"


@dataclass(frozen=True)
class StepTimes:
    """What a step takes of those identifications that take it.

    Attributes
    ----------
    taken
        Share of all identifications.
    milliseconds, milliseconds_90
        Median, and the most of nine in ten.
    """

    taken: float
    milliseconds: float
    milliseconds_90: float

    @classmethod
    def of(cls, seconds: Sequence[float], identifications: int) -> "StepTimes":
        """Reduce the times of those that take it."""
        times = [1e3 * s for s in seconds]
        return cls(
            len(times) / identifications if identifications else np.nan,
            _quantile(times, 0.5),
            _quantile(times, 0.9),
        )


def step_times(
    results: Sequence[Result], seconds: Callable[[Result], Mapping[Step, float]]
) -> dict[Step, StepTimes]:
    """Reduce the times of all steps of either kind of identification, in the order of passes."""
    times: dict[Step, list[float]] = {}
    for result in results:
        for step, taken in seconds(result).items():
            times.setdefault(step, []).append(taken)
    ordered = sorted(times, key=lambda step: (step.attempt, STAGES.index(step.stage)))
    return {step: StepTimes.of(times[step], len(results)) for step in ordered}


def step_table(results: Sequence[Result]) -> Table:
    """Tabulate the times of known and of unknown excerpts side by side, of both halves."""
    known = step_times(results, lambda r: r.known_seconds)
    unknown = step_times(results, lambda r: r.unknown_seconds)
    steps = sorted({*known, *unknown}, key=lambda s: (s.attempt, STAGES.index(s.stage)))
    none = StepTimes.of([], len(results))
    rows = [
        (s.attempt, s.stage, *_figures(known.get(s, none)), *_figures(unknown.get(s, none)))
        for s in steps
    ]
    whole = [
        StepTimes.of([sum(taken.values()) for taken in taken_by], len(results))
        for taken_by in (
            [r.known_seconds for r in results],
            [r.unknown_seconds for r in results],
        )
    ]
    rows.append(("whole", "", *_figures(whole[0]), *_figures(whole[1])))
    return Table(("pass", "stage", "known", "ms", "90 %", "unknown", "ms", "90 %"), rows)


def _figures(times: StepTimes) -> tuple[str, str, str]:
    return (
        share(times.taken),
        number(times.milliseconds, 1),
        number(times.milliseconds_90, 1),
    )


def headline(cells: Sequence[Cell]) -> dict[str, float]:
    """Give the means over all cells by name, and the share that comes first by degradation."""

    def mean(chosen: Iterable[float]) -> float:
        kept = [value for value in chosen if not np.isnan(value)]
        return float(np.mean(kept)) if kept else np.nan

    figures = {
        "top_1": mean(c.top_1 for c in cells),
        "accepted_at_0": mean(c.accepted for c in cells),
        "accepted_at_0_1_percent": mean(c.rarely_wrong for c in cells),
        "given": mean(c.given for c in cells),
        "false": mean(c.false for c in cells),
        "beyond_1_s": mean(c.elsewhere for c in cells),
        "error_ms": mean(c.error for c in cells),
        "time_ms": mean(c.milliseconds for c in cells),
    }
    for name in dict.fromkeys(c.degradation for c in cells):
        figures[f"top_1 {name}"] = mean(c.top_1 for c in cells if c.degradation == name)
    return {name: value for name, value in figures.items() if not np.isnan(value)}
