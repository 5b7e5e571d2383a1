"""A fingerprint to the tracks that it may be of.

Belongs here: search, alignment and decision, put together. Does not belong here: audio files and
names (`answers`).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from spotify_pipeline.fingerprint import (
    FRAME_SAMPLES,
    FRAMES_PER_SECOND,
    SAMPLE_RATE,
    Fingerprint,
    fingerprint,
    other_starts,
)
from spotify_pipeline.fingerprint.arrays import Float32s, Float64s
from spotify_pipeline.identify.decision import (
    ECHOPRINT_EVIDENCE,
    RHYTHM_EVIDENCE,
    EvidenceWeights,
    log_odds_lost,
)
from spotify_pipeline.index.alignment import Alignment, align
from spotify_pipeline.index.feature_index import (
    EXHAUSTIVE,
    QUICK,
    SKETCHY,
    THOROUGH,
    Effort,
    FeatureIndex,
)
from spotify_pipeline.index.segment import PLACE_FRAMES
from spotify_pipeline.recording import at_speed

__all__ = ["PASSES", "QUERY_SECONDS", "TOLERANCES", "Identifier", "Match", "Pass"]

QUERY_SECONDS = 60.0
"""The stretch of a longer recording that is searched for: the one with most onsets."""

CERTAIN = 0.99
"""Confidence of a certain match."""

PROMISING = 0.5
"""A candidate that aligns less than this share of what the best one does is not judged."""


@dataclass(frozen=True)
class Pass:
    """An attempt to identify a query.

    Attributes
    ----------
    effort
        How much the search does.
    candidates
        Tracks that are aligned near the offset at which the search found them.
    matches
        The best of them, which are aligned at every offset and judged.
    speeds
        At which the recording may have been played, each searched for.
    precision
        By how much of itself a speed may be off: those between are tried on the candidates.
    seconds
        The stretch of a longer query that is searched for.
    """

    effort: Effort
    candidates: int
    matches: int
    speeds: tuple[float, ...] = (1.0,)
    precision: float = 0.0
    seconds: float = QUERY_SECONDS

    @property
    def reach(self) -> int:
        """Frames by which the offset that the search found may be off."""
        return PLACE_FRAMES << self.effort.coarseness + 1

    def fine_speeds(self, frames: int, tolerance: int) -> Float64s:
        """Give factors, 1 first, so close that an onset of a query of so many frames is aligned."""
        steps = math.ceil(self.precision * frames / (2 * tolerance + 1))
        factors = np.linspace(1 - self.precision, 1 + self.precision, 2 * steps + 1)
        return factors[np.argsort(np.abs(factors - 1), kind="stable")]


PASSES = (
    Pass(QUICK, candidates=30, matches=10),
    Pass(THOROUGH, candidates=5_000, matches=20),
    Pass(
        SKETCHY,
        candidates=100,
        matches=5,
        speeds=(1.0, 0.99, 1.01, 0.98, 1.02, 0.97, 1.03, 0.96, 1.04),
        precision=0.005,
        seconds=20.0,
    ),
    Pass(EXHAUSTIVE, candidates=20, matches=20, seconds=15.0),
)
"""The next one only if none of the matches is certain."""


@dataclass(frozen=True)
class Match:
    """A track that a query may be of.

    Attributes
    ----------
    track
        The track's number in the index.
    log_odds
        Natural logarithm of the odds that the query is of this track, as `decision` has it.
    alignment
        The evidence.
    offset
        Seconds from the start of the track to the start of the query; negative if the query begins
        earlier.
    speed
        Of the recording, 1 as the track was published, 1.02 if 2 % faster.
    """

    track: int
    log_odds: float
    alignment: Alignment
    offset: float
    speed: float

    @property
    def confidence(self) -> float:
        """Probability that the query is of this track, 0 to 1."""
        return 1 / (1 + math.exp(-self.log_odds)) if self.log_odds > -700 else 0.0

    @property
    def score(self) -> int:
        """Onsets aligned beyond those at the best other offset."""
        return round(self.alignment.aligned - self.alignment.second)


@dataclass(frozen=True)
class _Kind:
    """How one kind of trains is aligned and judged."""

    name: str
    tolerance: int
    weights: EvidenceWeights


_RHYTHM = _Kind("rhythm", 1, RHYTHM_EVIDENCE)
_ECHOPRINT = _Kind(
    "echoprint", 4, ECHOPRINT_EVIDENCE
)  # recovered onsets are known to a few frames only

TOLERANCES = {kind.name: kind.tolerance for kind in (_RHYTHM, _ECHOPRINT)}
"""Frames by which an onset may be off, by the kind of trains."""


@dataclass(frozen=True)
class _Query:
    """A recording as it is looked up and aligned.

    Attributes
    ----------
    starts
        Fingerprints of a stretch of the recording: the plain one first.
    samples
        That they were made of, if there are any.
    first
        Frame of the recording at which the stretch begins.
    speed
        At which it is taken to have been played: frames are those of the recording times this.
    """

    starts: tuple[Fingerprint, ...]
    samples: Float32s | None
    first: int
    speed: float = 1.0

    @property
    def plain(self) -> Fingerprint:
        """The stretch as it is."""
        return self.starts[0]

    @cached_property
    def joined(self) -> Fingerprint:
        """The onsets of all starts."""
        return Fingerprint.joined(self.starts)

    def with_other_starts(self) -> "_Query":
        """Fingerprint it as it might look within a longer recording, if there are samples."""
        if self.samples is None or len(self.starts) > 1:
            return self
        return replace(self, starts=(self.plain, *other_starts(self.samples)))

    def stretch(self, seconds: float) -> "_Query":
        """Cut out the busiest so many seconds."""
        first, busiest = _busiest_stretch(self.plain, seconds)
        if busiest is self.plain:
            return self
        samples = self.samples
        if samples is not None:
            samples = samples[first * FRAME_SAMPLES :][: round(seconds * SAMPLE_RATE)]
        return _Query((busiest,), samples, self.first + first)

    def at(self, speed: float) -> "_Query":
        """Take it as played at a speed."""
        if speed == 1:
            return self
        if self.samples is None:
            return replace(self, starts=(self.plain.at_speed(speed),), speed=speed)
        samples = at_speed(self.samples, 1 / speed)
        return _Query((fingerprint(samples),), samples, self.first, speed)


@dataclass(frozen=True)
class _Promising:
    """A track that is worth judging, the speed at which it was found, and its share of onsets."""

    track: int
    speed: float
    share: float


class Identifier:
    """Identifies fingerprints against an index."""

    def __init__(self, index: FeatureIndex) -> None:
        self.index = index

    def matches(
        self,
        query: Fingerprint,
        samples: Float32s | None = None,
        passes: Sequence[Pass] = PASSES,
    ) -> list[Match]:
        """Align the most promising tracks; best match first, whatever its confidence.

        Rhythm trains decide where query and track have them, Echoprint trains elsewhere.

        Parameters
        ----------
        query
            A recording's fingerprint.
        samples
            The recording itself, as of `fingerprint.fingerprint`, if there is one: it is looked up
            by other starts, if its fingerprint does not decide.
        passes
            Attempts, until one decides.
        """
        recording = _Query((query,), samples, 0).stretch(QUERY_SECONDS)
        found: dict[int, Match] = {}
        for number, attempt in enumerate(passes):
            heard = recording.stretch(attempt.seconds)
            if number:
                heard = recording = heard.with_other_starts()
            for match in self._attempt(heard, attempt):
                if match.track not in found or match.log_odds > found[match.track].log_odds:
                    found[match.track] = match
            if any(match.confidence >= CERTAIN for match in found.values()):
                break
        return sorted(found.values(), key=lambda m: (-m.log_odds, -m.score, m.track))

    def _attempt(self, query: _Query, attempt: Pass) -> Iterator[Match]:
        """Judge what promises most at all speeds."""
        promising: list[_Promising] = []
        for speed in attempt.speeds:
            promising += self._promising(query.at(speed), attempt)
        best = sorted(promising, key=lambda found: -found.share)[: attempt.matches]
        heard: dict[float, _Query] = {}
        for found in best:
            if found.share >= PROMISING * best[0].share:
                if found.speed not in heard:
                    played = query.at(found.speed)
                    heard[found.speed] = (
                        played.with_other_starts() if len(query.starts) > 1 else played
                    )
                yield self._judged(found.track, heard[found.speed], len(attempt.speeds))

    def _promising(self, query: _Query, attempt: Pass) -> Iterator[_Promising]:
        """Choose the tracks that align best near the offset at which they were found."""
        starts = query.starts[1:]
        candidates = self.index.candidates(query.plain, attempt.candidates, attempt.effort, starts)
        shares = np.full(len(candidates), -1.0)
        speeds = np.full(len(candidates), query.speed)
        # with many speeds to try, the work counts
        heard = query.plain if attempt.precision else query.joined
        for kind, trains in ((_RHYTHM, heard.rhythm), (_ECHOPRINT, heard.echoprint)):
            left = np.flatnonzero(shares < 0)
            if len(trains) and len(left):
                fine = attempt.fine_speeds(int(trains.frames.max()), kind.tolerance)
                counts, best = self.index.count_aligned(
                    trains,
                    kind.name,
                    [candidates[place] for place in left],
                    kind.tolerance,
                    attempt.reach,
                    fine,
                )
                shares[left] = counts / len(trains)
                speeds[left] *= fine[best]
        for place in np.argsort(-shares, kind="stable")[: attempt.matches].tolist():
            yield _Promising(candidates[place].track, float(speeds[place]), float(shares[place]))

    def _judged(self, track: int, query: _Query, speeds: int) -> Match:
        """Align a track at every offset."""
        trains, kind = self.index.trains(track, "rhythm"), _RHYTHM
        if len(query.plain.rhythm) == 0 or len(trains) == 0:
            trains, kind = self.index.trains(track, "echoprint"), _ECHOPRINT
        joined = getattr(query.joined, kind.name)
        alignment = align(joined, trains, kind.tolerance, len(query.starts))
        return Match(
            track=track,
            log_odds=kind.weights.log_odds(alignment) - log_odds_lost(len(self.index), speeds),
            alignment=alignment,
            offset=(alignment.offset - query.speed * query.first) / FRAMES_PER_SECOND,
            speed=query.speed,
        )


def _busiest_stretch(query: Fingerprint, seconds: float) -> tuple[int, Fingerprint]:
    """Cut out so many seconds with most onsets; gives the first frame too."""
    onsets = np.sort(query.rhythm.frames if len(query.rhythm) else query.echoprint.frames)
    length = round(seconds * FRAMES_PER_SECOND)
    if len(onsets) == 0 or onsets[-1] < length:
        return 0, query
    inside = np.searchsorted(onsets, onsets + length) - np.arange(len(onsets))
    start = int(onsets[int(np.argmax(inside))])
    return start, query.excerpt(start, length)
