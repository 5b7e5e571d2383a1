"""An evaluation from folders of music to its report.

Belongs here: what can be asked for, and the whole way. Does not belong here: the steps themselves.
"""

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from spotify_pipeline.evaluation.degradations import DEGRADATIONS
from spotify_pipeline.evaluation.errors import EvaluationError
from spotify_pipeline.evaluation.impostors import Impostors, Kind, sources_of
from spotify_pipeline.evaluation.judge import Judge, Result
from spotify_pipeline.evaluation.loops import is_loop
from spotify_pipeline.evaluation.parts import Part
from spotify_pipeline.evaluation.pieces import asked_pieces, read_pieces, without_harmony
from spotify_pipeline.evaluation.queries import LONGEST_EXCERPT, queries
from spotify_pipeline.evaluation.reliability import (
    Bin,
    answers,
    bins_of,
    reliability_plot,
    reliability_table,
    right_above,
)
from spotify_pipeline.evaluation.report import (
    baseline_table,
    conditions_of,
    figures_table,
    headline,
    index_table,
    step_table,
    totals_of,
)
from spotify_pipeline.evaluation.tables import Table
from spotify_pipeline.evaluation.worst import worst_page
from spotify_pipeline.progress import Report

__all__ = ["Evaluation", "EvaluationSetting", "evaluate"]

SHORTEST_EXCERPT = 1.0

TRACK_BYTES = 15_000
"""Of an index, a synthetic track."""

SURE = 0.9
"""Confidence of answers of which the fraction that is right is a figure of its own."""


@dataclass(frozen=True)
class EvaluationSetting:
    """What is evaluated.

    Attributes
    ----------
    distractors
        Synthetic tracks in the index.
    lengths
        Of excerpts, in seconds, 1 to 60.
    degradations
        Names of `degradations.DEGRADATIONS`.
    excerpts
        For each piece, degradation and length.
    seed
        Another one gives other excerpts and other noise.
    baselines
        Whether other systems' searches are asked the same.
    part
        The set whose pieces are asked for: the test set, or for whoever chooses weights, the
        validation set.
    spliced
        How many of the distractors are spliced (`impostors.Impostors`); None for half.
    documents
        Files of analysis documents, whose tracks are indexed too.
    harmony
        Whether tracks have harmony and loudness; without, rhythm decides alone.

    Raises
    ------
    EvaluationError
        Something is out of range.
    """

    distractors: int = 20_000
    lengths: Sequence[float] = (3.0, 5.0, 10.0, 20.0)
    degradations: Sequence[str] = tuple(DEGRADATIONS)
    excerpts: int = 2
    seed: int = 0
    baselines: bool = False
    part: Part = Part.TEST
    spliced: int | None = None
    documents: Sequence[Path] = ()
    harmony: bool = True

    def __post_init__(self) -> None:
        unknown = [name for name in self.degradations if name not in DEGRADATIONS]
        if unknown:
            raise EvaluationError(
                f"there is no degradation {unknown[0]!r}; there are {', '.join(DEGRADATIONS)}"
            )
        if not self.degradations or not self.lengths:
            raise EvaluationError("name a degradation and a length of excerpts at least")
        for length in self.lengths:
            if not SHORTEST_EXCERPT <= length <= LONGEST_EXCERPT:
                raise EvaluationError(
                    f"excerpts can't be {length:g} s long; choose lengths from"
                    f" {SHORTEST_EXCERPT:.0f} to {LONGEST_EXCERPT:.0f} s"
                )
        for name, least in (("distractors", 0), ("excerpts", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise EvaluationError(f"{name} must be {least} or more")
        if not 0 <= self.spliced_tracks <= self.distractors:
            raise EvaluationError(f"spliced must be from 0 to the distractors, {self.distractors}")
        if self.part is Part.TRAINING:
            raise EvaluationError("the training set can't be asked for: the network knows it")

    @property
    def spliced_tracks(self) -> int:
        """How many of the distractors are spliced."""
        return self.distractors // 2 if self.spliced is None else self.spliced

    @property
    def index_bytes(self) -> int:
        """Space that the indexes take on disk, about, but for documents."""
        return TRACK_BYTES * self.distractors


@dataclass(frozen=True)
class Evaluation:
    """What came out.

    Attributes
    ----------
    setting
        What was asked.
    pieces
        Pieces of music that excerpts were cut from.
    loops
        Numbers of those that are made of loops.
    impostors
        How many tracks of each kind stood against them.
    results
        Of all excerpts.
    """

    setting: EvaluationSetting
    pieces: int
    loops: Collection[int]
    impostors: Mapping[Kind, int]
    results: Sequence[Result]

    @cached_property
    def bins(self) -> list[Bin]:
        """Answers by confidence."""
        found = answers(self.results)
        return bins_of([(match.confidence, outcome) for match, outcome in found])

    @property
    def figures(self) -> dict[str, float]:
        """What an evaluation comes down to, by name."""
        right = right_above(self.bins, SURE).value
        return headline(self.results) | ({} if np.isnan(right) else {"right_above_0_9": right})

    def tables(self) -> dict[str, Table]:
        """Give the tables of the report by name."""
        rows = [*conditions_of(self.results), *totals_of(self.results, self.loops)]
        return {
            "impostors": index_table(self.pieces, self.impostors),
            "detection": figures_table(rows),
            **({"baselines": baseline_table(self.results)} if self.setting.baselines else {}),
            "time": step_table(self.results),
            "reliability": reliability_table(self.bins),
        }

    def worst(self) -> str:
        """Write a page of what went wrong, in Markdown."""
        return worst_page(self.results)

    def plot(self) -> bytes:
        """Draw the reliability diagram, a PNG."""
        return reliability_plot(self.bins)


def evaluate(
    music: Sequence[Path],
    setting: EvaluationSetting,
    folder: Path,
    report: Report,
    warn: Callable[[str], None],
) -> Evaluation:
    """Index music among impostors, and ask for degraded excerpts of it.

    Parameters
    ----------
    music
        Folders of audio files; duplicates in them count as each other's impostors.
    setting
        What is asked.
    folder
        Where the indexes are made, of up to `EvaluationSetting.index_bytes`. What an evaluation
        that was killed left there goes at the beginning, everything at the end.
    report
        Called with excerpts asked for, excerpts in all.
    warn
        Called with a line for each file that is left out; if there is too little music for what was
        asked for, which is then made up for as of `pieces.asked_pieces` and `impostors.Impostors`;
        and if a keyboard interrupt cuts the evaluation short: what was answered until then is
        reported all the same.

    Raises
    ------
    EvaluationError, RecordingError, CompressionError
        As of `pieces.read_pieces`, `pieces.asked_pieces`, `impostors.Impostors` and
        `queries.queries`.
    """
    pieces = read_pieces(music, report, warn)
    asked = asked_pieces(pieces, setting.part, warn)
    report(0, 0, f"indexing {len(asked)} pieces and {setting.distractors:,} synthetic tracks")
    impostors = Impostors.made(
        [piece.fingerprint for piece in asked],
        sources_of(pieces, asked, setting.part),
        setting.distractors,
        setting.spliced_tracks,
        setting.documents,
        warn,
    )
    if not setting.harmony:
        asked, impostors = without_harmony(asked), impostors.without_harmony()
    loops = frozenset(n for n, piece in enumerate(asked) if is_loop(piece.fingerprint.rhythm))
    total = len(asked) * len(setting.degradations) * len(setting.lengths) * setting.excerpts
    results = []
    with _empty(folder):
        judge = Judge(folder, asked, impostors, with_baselines=setting.baselines)
        excerpts = queries(
            asked, setting.degradations, setting.lengths, setting.excerpts, setting.seed
        )
        try:
            for number, query in enumerate(excerpts):
                report(number, total, "identifying excerpts")
                results.append(judge.result(query))
        except KeyboardInterrupt:
            warn(f"stopped after {len(results)} of {total} excerpts; the report is of these")
    return Evaluation(setting, len(asked), loops, impostors.counts, results)


@contextmanager
def _empty(folder: Path) -> Iterator[None]:
    """Make a folder anew, and remove it with all that is in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
