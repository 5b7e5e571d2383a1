"""The figures of an evaluation: what is accepted, right or wrong, who is first, where, how fast.

Belongs here: rows of figures, and tables of them. Does not belong here: how often a confidence is
right (`reliability`), single excerpts (`worst`).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from spotify_pipeline.evaluation.baselines import BASELINES
from spotify_pipeline.evaluation.impostors import Kind
from spotify_pipeline.evaluation.judge import Result
from spotify_pipeline.evaluation.rates import Rate
from spotify_pipeline.evaluation.scores import Scores
from spotify_pipeline.evaluation.tables import Table, number, percentage
from spotify_pipeline.evaluation.timing import STAGES, Step

__all__ = [
    "OFFSET_TOLERANCE_SECONDS",
    "Figures",
    "StepTimes",
    "baseline_table",
    "conditions_of",
    "figures_table",
    "headline",
    "index_table",
    "step_table",
    "step_times",
    "totals_of",
]

OFFSET_TOLERANCE_SECONDS = 1.0
"""What is further off than that is another place of the piece."""

HERE = "here"
"""This system's name among other ones."""


@dataclass(frozen=True)
class Figures:
    """Figures of some excerpts; NaN where there is nothing.

    Attributes
    ----------
    name
        What these excerpts have in common.
    right
        The own piece comes first and is accepted, at the confidence that users get by default.
    wrong
        Another track comes first and is accepted, although the piece is in the index.
    unknown_accepted
        Something is accepted where the piece is not in the index.
    top_1, likeliest
        The own piece has the highest confidence, accepted or not; the highest likelihood.
    error, error_90
        Milliseconds by which the position is off where the own piece comes first: median and the
        most of nine in ten.
    elsewhere
        It comes first, but further off than `OFFSET_TOLERANCE_SECONDS`; of all where it comes
        first.
    milliseconds, milliseconds_90
        To identify, where the piece is in the index.
    """

    name: str
    right: Rate
    wrong: Rate
    unknown_accepted: Rate
    top_1: Rate
    likeliest: Rate
    error: float
    error_90: float
    elsewhere: float
    milliseconds: float
    milliseconds_90: float

    @classmethod
    def of(cls, name: str, results: Sequence[Result]) -> Self:
        """Reduce some results."""
        errors = np.array([abs(r.error) for r in results if r.first])
        times = [1e3 * sum(r.known_seconds.values()) for r in results]
        return cls(
            name,
            right=Rate.of(r.right for r in results),
            wrong=Rate.of(r.wrong for r in results),
            unknown_accepted=Rate.of(r.unknown_accepted for r in results),
            top_1=Rate.of(r.scores.first for r in results),
            likeliest=Rate.of(r.likelihoods.first for r in results),
            error=_quantile(1e3 * errors, 0.5),
            error_90=_quantile(1e3 * errors, 0.9),
            elsewhere=Rate.of(errors > OFFSET_TOLERANCE_SECONDS).value,
            milliseconds=_quantile(times, 0.5),
            milliseconds_90=_quantile(times, 0.9),
        )


def conditions_of(results: Sequence[Result]) -> list[Figures]:
    """Reduce the results of each degradation and length."""
    return [
        Figures.of(_condition_name(*condition), group)
        for condition, group in _by_condition(results).items()
    ]


def totals_of(results: Sequence[Result], loops: Collection[int]) -> list[Figures]:
    """Reduce all results, and apart from each other those of pieces made of loops and the others.

    Parameters
    ----------
    loops
        Numbers of the pieces that are made of loops.
    """
    groups = {
        "all": results,
        "loops": [r for r in results if r.excerpt.piece in loops],
        "other pieces": [r for r in results if r.excerpt.piece not in loops],
    }
    return [Figures.of(name, group) for name, group in groups.items() if group]


def _by_condition(results: Sequence[Result]) -> dict[tuple[str, float], list[Result]]:
    """Group results by degradation and length."""
    grouped: dict[tuple[str, float], list[Result]] = {}
    for result in results:
        condition = (result.excerpt.degradation, result.excerpt.seconds)
        grouped.setdefault(condition, []).append(result)
    return grouped


def _condition_name(degradation: str, seconds: float) -> str:
    return f"{degradation} {seconds:3g} s"


def _quantile(values: Sequence[float] | np.ndarray, at: float) -> float:
    return float(np.quantile(values, at)) if len(values) else np.nan


def figures_table(rows: Sequence[Figures]) -> Table:
    """Tabulate figures."""
    columns = (
        "", "excerpts", "accepted and right", "wrong", "unknown accepted", "top-1",
        "by likelihood", "error ms", "90 %", "beyond 1 s", "time ms", "90 %",
    )  # fmt: skip
    return Table(
        columns,
        [
            (
                row.name,
                number(row.right.total),
                *map(str, (row.right, row.wrong, row.unknown_accepted, row.top_1, row.likeliest)),
                *map(number, (row.error, row.error_90)),
                percentage(row.elsewhere),
                *map(number, (row.milliseconds, row.milliseconds_90)),
            )
            for row in rows
        ],
    )


def index_table(pieces: int, impostors: Mapping[Kind, int]) -> Table:
    """Tabulate what stood in the index with each excerpt, and what it lacked in turn."""
    rows = [
        ("pieces that are asked for", number(pieces)),
        ("of them where the excerpt's is unknown", f"{pieces // 2:,} or {(pieces + 1) // 2:,}"),
        *((f"impostors: {kind}", number(count)) for kind, count in impostors.items()),
    ]
    return Table(("in the index", "tracks"), rows)


def baseline_table(results: Sequence[Result]) -> Table:
    """Tabulate other systems beside this one, condition by condition.

    Their scores are no probabilities, so each system has its own threshold in each condition, this
    one too: the highest score of a wrong answer in the other group of the pieces.
    """
    rows = []
    for condition, group in _by_condition(results).items():
        scores = {HERE: [r.scores for r in group]}
        scores |= {name: [r.baselines[name] for r in group] for name in BASELINES}
        groups = [r.group for r in group]
        first = [Rate.of(s.first for s in some) for some in scores.values()]
        accepted = [_accepted(some, groups) for some in scores.values()]
        rates = [percentage(rate.value) for rate in (*first, *accepted)]
        rows.append((_condition_name(*condition), *rates))
    names = (HERE, *BASELINES)
    columns = ("", *(f"top-1 {name}" for name in names), *(f"at 0 {name}" for name in names))
    return Table(columns, rows)


def _accepted(scores: Sequence[Scores], groups: Sequence[int]) -> Rate:
    """Count who comes first and above every wrong answer of the other group, if that has any."""
    pairs = list(zip(scores, groups, strict=True))
    most_wrong = {
        group: max(s.most_wrong for s, other in pairs if other != group)
        for group in set(groups)
        if len(set(groups)) > 1
    }
    return Rate.of(s.first_above(most_wrong[g]) for s, g in pairs if g in most_wrong)


@dataclass(frozen=True)
class StepTimes:
    """What a step takes of those identifications that take it.

    Attributes
    ----------
    taken
        Fraction of all identifications.
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
    """Tabulate the times of known and of unknown excerpts side by side."""
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
        percentage(times.taken),
        number(times.milliseconds, 1),
        number(times.milliseconds_90, 1),
    )


def headline(results: Sequence[Result]) -> dict[str, float]:
    """Give the figures over all excerpts by name, and the main ones by degradation."""
    if not results:
        return {}
    total = Figures.of("all", results)
    figures = {
        "top_1": total.top_1.value,
        "top_1_by_likelihood": total.likeliest.value,
        "given": total.right.value,
        "wrong": total.wrong.value,
        "false": total.unknown_accepted.value,
        "beyond_1_s": total.elsewhere,
        "error_ms": total.error,
        "time_ms": total.milliseconds,
    }
    for name in dict.fromkeys(r.excerpt.degradation for r in results):
        some = Figures.of(name, [r for r in results if r.excerpt.degradation == name])
        figures |= {f"top_1 {name}": some.top_1.value, f"given {name}": some.right.value}
    return {name: value for name, value in figures.items() if not np.isnan(value)}
