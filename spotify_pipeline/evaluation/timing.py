"""Where the time of an identification goes: by pass, and within a pass by stage.

The stages of a pass are *query* (onset LLRs, at other speeds), *search* (the candidates), *weigh*
(how likely they are near the offset at which they were found) and *judge* (the best ones at every
offset, and whatever follows).

Belongs here: a stopwatch around the index. Does not belong here: what is timed (`identify`).
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from spotify_pipeline.fingerprint import Fingerprint
from spotify_pipeline.fingerprint.arrays import Float32s, Float64s, Int64s
from spotify_pipeline.identify.decision import Decision
from spotify_pipeline.identify.identifier import Identifier, Match
from spotify_pipeline.identify.passes import PASSES, Pass
from spotify_pipeline.index.format.segment import Segment
from spotify_pipeline.index.kernels.likely_keys import LinkedOnsets
from spotify_pipeline.index.search.deadline import Deadline
from spotify_pipeline.index.search.searcher import (
    QUICK,
    SHORT,
    SKETCHY,
    SLIGHT,
    THOROUGH,
    Candidate,
    Effort,
    Searcher,
)

__all__ = ["STAGES", "Step", "TimedIdentifier"]

STAGES = ("query", "search", "weigh", "judge")

EFFORTS = {
    SLIGHT: "slight",
    QUICK: "quick",
    THOROUGH: "thorough",
    SHORT: "short",
    SKETCHY: "speeds",
}


@dataclass(frozen=True)
class Step:
    """A stage of a pass, by their names."""

    attempt: str
    stage: str


class TimedIdentifier:
    """Identifies as `Identifier` does, and tells the seconds of each step."""

    def __init__(
        self,
        segments: Sequence[tuple[Segment, Sequence[str]]],
        decisions: Mapping[str, Decision] | None = None,
    ) -> None:
        self._stopwatch = _Stopwatch()
        self._identifier = Identifier(_TimedSearcher(segments, self._stopwatch), decisions)

    def matches(
        self, query: Fingerprint, samples: Float32s | None
    ) -> tuple[list[Match], Mapping[Step, float]]:
        """Give the matches, best first, and the seconds of the steps that were taken."""
        self._stopwatch.start()
        found = self._identifier.matches(query, samples, _Passes(PASSES, self._stopwatch))
        self._stopwatch.lap("judge")
        return found, dict(self._stopwatch.seconds)


class _Stopwatch:
    """Adds up seconds by step; the time since one lap belongs to the next."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Forget everything."""
        self.seconds: dict[Step, float] = {}
        self._attempt = ""
        self._last = time.perf_counter()

    def begin(self, attempt: str) -> None:
        """Begin a pass; one that was left out takes no time of its own."""
        if any(step.attempt == self._attempt for step in self.seconds):
            self.lap("judge")
        self._attempt = attempt

    def lap(self, stage: str) -> None:
        """End a stage."""
        now = time.perf_counter()
        step = Step(self._attempt, stage)
        self.seconds[step] = self.seconds.get(step, 0.0) + now - self._last
        self._last = now


class _Passes(tuple[Pass, ...]):
    """Passes of which the stopwatch learns when each begins."""

    _stopwatch: _Stopwatch

    def __new__(cls, passes: Sequence[Pass], stopwatch: _Stopwatch) -> "_Passes":
        made = super().__new__(cls, passes)
        made._stopwatch = stopwatch
        return made

    def __iter__(self) -> Iterator[Pass]:
        for number, attempt in enumerate(super().__iter__(), 1):
            self._stopwatch.begin(f"{number} {_name(attempt)}")
            yield attempt


def _name(attempt: Pass) -> str:
    return "exhaustive" if attempt.exhaustive else EFFORTS.get(attempt.effort, "other")


class _TimedSearcher(Searcher):
    """An index whose searches are timed."""

    def __init__(
        self, segments: Sequence[tuple[Segment, Sequence[str]]], stopwatch: _Stopwatch
    ) -> None:
        super().__init__(segments)
        self._stopwatch = stopwatch

    def candidates(
        self,
        linked: LinkedOnsets,
        limit: int,
        effort: Effort = QUICK,
        onsets: Fingerprint | None = None,
        speed: float = 1.0,
    ) -> list[Candidate]:
        self._stopwatch.lap("query")
        found = super().candidates(linked, limit, effort, onsets, speed)
        self._stopwatch.lap("search")
        return found

    def likeliest(
        self,
        llr: Float32s,
        limit: int,
        among: Sequence[int] | None = None,
        deadline: Deadline | None = None,
    ) -> list[Candidate]:
        self._stopwatch.lap("query")
        found = super().likeliest(llr, limit, among, deadline)
        self._stopwatch.lap("search")
        return found

    def likelihoods_near(
        self, llr: Sequence[Float32s], kind: str, candidates: Sequence[Candidate], reach: int
    ) -> tuple[Float64s, Int64s]:
        self._stopwatch.lap("query")
        weighed = super().likelihoods_near(llr, kind, candidates, reach)
        self._stopwatch.lap("weigh")
        return weighed
