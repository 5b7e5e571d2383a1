"""An evaluation from a folder of music to its report.

Belongs here: what can be asked for, and the whole way. Does not belong here: the steps themselves.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from spotify_pipeline.evaluation.degradations import DEGRADATIONS
from spotify_pipeline.evaluation.errors import EvaluationError
from spotify_pipeline.evaluation.judge import Judge, Result
from spotify_pipeline.evaluation.pieces import read_pieces
from spotify_pipeline.evaluation.queries import LONGEST_EXCERPT, REPORTING, queries
from spotify_pipeline.evaluation.reliability import (
    Bin,
    answers,
    bins_of,
    reliability_plot,
    reliability_table,
    share_right_above,
)
from spotify_pipeline.evaluation.report import (
    Cell,
    cell_table,
    cells_of,
    headline,
    peer_table,
    step_table,
)
from spotify_pipeline.evaluation.tables import Table
from spotify_pipeline.progress import Report

__all__ = ["Evaluation", "EvaluationSetting", "evaluate"]

SHORTEST_EXCERPT = 1.0

TRACK_BYTES = 15_000
"""Of an index, a made-up track."""

SURE = 0.9
"""Confidence of answers of which the share that is right is a figure of its own."""


@dataclass(frozen=True)
class EvaluationSetting:
    """What is evaluated.

    Attributes
    ----------
    distractors
        Made-up tracks in the index.
    lengths
        Of excerpts, in seconds, 1 to 60.
    degradations
        Names of `degradations.DEGRADATIONS`.
    excerpts
        For each piece, degradation and length.
    seed
        Another one gives other excerpts and other noise.
    peers
        Whether other systems' searches are asked the same.

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
    peers: bool = False

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

    @property
    def index_bytes(self) -> int:
        """Space that the indexes take on disk, about."""
        return TRACK_BYTES * self.distractors


@dataclass(frozen=True)
class Evaluation:
    """What came out.

    Attributes
    ----------
    pieces
        Pieces of music that excerpts were cut from.
    results
        Of both halves of the pieces.
    """

    setting: EvaluationSetting
    pieces: int
    results: Sequence[Result]

    @cached_property
    def cells(self) -> list[Cell]:
        """Figures by degradation and length."""
        return cells_of(self.results)

    @cached_property
    def bins(self) -> list[Bin]:
        """Answers by confidence."""
        found = answers(self.results, REPORTING)
        return bins_of([(match.confidence, outcome) for match, outcome in found])

    @property
    def figures(self) -> dict[str, float]:
        """What an evaluation comes down to, by name."""
        right = share_right_above(self.bins, SURE)
        return headline(self.cells) | ({} if np.isnan(right) else {"right_above_0_9": right})

    def tables(self) -> dict[str, Table]:
        """Give the tables of the report by name."""
        return {
            "detection": cell_table(self.cells),
            **({"peers": peer_table(self.cells)} if self.setting.peers else {}),
            "time": step_table(self.results),
            "reliability": reliability_table(self.bins),
        }

    def plot(self) -> bytes:
        """Draw the reliability diagram, a PNG."""
        return reliability_plot(self.bins)


def evaluate(
    music: Path,
    setting: EvaluationSetting,
    folder: Path,
    report: Report,
    warn: Callable[[str], None],
) -> Evaluation:
    """Index music among made-up tracks, and ask for degraded excerpts of it.

    Parameters
    ----------
    music
        Folder of audio files; duplicates in it count as each other's impostors.
    setting
        How much is asked.
    folder
        Where the indexes are made, of up to `EvaluationSetting.index_bytes`. What an evaluation
        that was killed left there goes at the beginning, everything at the end.
    report
        Called with excerpts asked for, excerpts in all.
    warn
        Called with a line for each file that is left out, and if a keyboard interrupt cuts the
        evaluation short: what was answered until then is reported all the same.

    Raises
    ------
    EvaluationError, RecordingError
        As of `pieces.read_pieces` and `queries.queries`.
    """
    pieces = read_pieces(music, report, warn)
    report(0, 0, f"indexing {len(pieces)} pieces and {setting.distractors:,} made-up tracks")
    cells = len(setting.degradations) * len(setting.lengths)
    total = len(pieces) * cells * setting.excerpts
    results = []
    with _empty(folder):
        judge = Judge(
            folder,
            [piece.fingerprint for piece in pieces],
            setting.distractors,
            with_peers=setting.peers,
        )
        asked = queries(
            pieces, setting.degradations, setting.lengths, setting.excerpts, setting.seed
        )
        try:
            for number, query in enumerate(asked):
                report(number, total, "identifying excerpts")
                results.append(judge.result(query))
        except KeyboardInterrupt:
            warn(f"stopped after {len(results)} of {total} excerpts; the report is of these")
    return Evaluation(setting, len(pieces), results)


@contextmanager
def _empty(folder: Path) -> Iterator[None]:
    """Make a folder anew, and remove it with all that is in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
