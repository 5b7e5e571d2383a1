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
    ODDS_CELL_FRAMES,
    SAMPLE_RATE,
    Fingerprint,
    fingerprint,
    odds_at_speed,
    odds_of_onsets,
    onset_odds,
    other_starts,
)
from spotify_pipeline.fingerprint.arrays import Float32s, Float64s
from spotify_pipeline.fingerprint.onset_odds import information
from spotify_pipeline.identify.decision import (
    ECHOPRINT_WEIGHTS,
    RECORDING_WEIGHTS,
    RHYTHM_WEIGHTS,
    DecisionWeights,
    log_odds_lost,
)
from spotify_pipeline.index.feature_index import (
    QUICK,
    SKETCHY,
    THOROUGH,
    Candidate,
    Effort,
    FeatureIndex,
)
from spotify_pipeline.index.likelihood import Agreement, agreement
from spotify_pipeline.index.segment import PLACE_FRAMES
from spotify_pipeline.recording import at_speed

__all__ = [
    "PASSES",
    "QUERY_SECONDS",
    "TOLERANCES",
    "Identifier",
    "Match",
    "Pass",
]

QUERY_SECONDS = 60.0
"""The stretch of a longer recording that is searched for: the one with most onsets."""

JUDGED_SECONDS = 30.0
"""The stretch of a longer query that decides: the one that tells most."""

TRIED_INFORMATION = 120.0
TRIED_SECONDS = 15.0
"""Each track of a small index is tried with the shortest stretch of a query that tells so many nats
(`fingerprint.onset_odds.information`), three seconds of a clean recording, or with so many seconds
of a recording that tells less."""

TRIED_CANDIDATES = 50
"""The likeliest of them are tried again with all that decides."""

CERTAIN = 0.99
"""Confidence of a certain match."""

PROMISING = 0.5
"""A candidate's likelihood has at least this share of the best one's, in logarithms, or it is not
judged."""


@dataclass(frozen=True)
class Pass:
    """An attempt to identify a query.

    Attributes
    ----------
    effort
        How much the search does.
    candidates
        Tracks that are tried near the offset at which the search found them.
    matches
        The best of them, which are tried at every offset and judged.
    speeds
        At which the recording may have been played, each searched for.
    precision
        By how much of itself a speed may be off: those between are tried on the candidates.
    seconds
        The stretch of a longer query that is searched for.
    every_track
        In a small index nothing is searched for: every track is tried at every offset.
    """

    effort: Effort
    candidates: int
    matches: int
    speeds: tuple[float, ...] = (1.0,)
    precision: float = 0.0
    seconds: float = QUERY_SECONDS
    every_track: bool = False

    @property
    def reach(self) -> int:
        """Frames by which the offset that the search found may be off."""
        return PLACE_FRAMES << self.effort.coarseness + 1

    def fine_speeds(self, frames: int) -> Float64s:
        """Give factors, 1 first, so close that a query of so many frames stays within a cell."""
        return _factors(self.precision, frames / (2 * ODDS_CELL_FRAMES))

    def finest_speeds(self, frames: int) -> Float64s:
        """Give factors between one of `fine_speeds` and those beside it, 1 first."""
        steps = (len(self.fine_speeds(frames)) - 1) // 2
        return _factors(self.precision / max(steps, 1), frames / ODDS_CELL_FRAMES)


def _factors(reach: float, finely: float) -> Float64s:
    """Give factors from 1 - reach to 1 + reach, the nearest to 1 first."""
    steps = math.ceil(reach * finely)
    factors = np.linspace(1 - reach, 1 + reach, 2 * steps + 1)
    return factors[np.argsort(np.abs(factors - 1), kind="stable")]


PASSES = (
    Pass(QUICK, candidates=30, matches=10),
    Pass(THOROUGH, candidates=5_000, matches=20, every_track=True),
    Pass(
        SKETCHY,
        candidates=200,
        matches=5,
        speeds=(1.0, 0.99, 1.01, 0.98, 1.02, 0.97, 1.03, 0.96, 1.04),
        precision=0.005,
        seconds=10.0,
    ),
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
    agreement
        The evidence.
    offset
        Seconds from the start of the track to the start of the query; negative if the query begins
        earlier.
    speed
        Of the recording, 1 as the track was published, 1.02 if 2 % faster.
    """

    track: int
    log_odds: float
    agreement: Agreement
    offset: float
    speed: float

    @property
    def confidence(self) -> float:
        """Probability that the query is of this track, 0 to 1."""
        return 1 / (1 + math.exp(-self.log_odds)) if self.log_odds > -700 else 0.0

    @property
    def score(self) -> int:
        """How much likelier the recording is at this offset than at the best other, in nats."""
        return round(self.agreement.likelihood - self.agreement.second)


TOLERANCES = {"rhythm": 1, "echoprint": 4}
"""Frames by which an onset may be off, by the kind of trains: recovered ones are known to a few."""


@dataclass(frozen=True)
class _Query:
    """A recording as it is looked up and tried.

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
    def odds(self) -> "_Odds":
        """Onset odds of the stretch that tells most."""
        return _Odds.of(self.plain, self.samples).most_telling(JUDGED_SECONDS)

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

    def at(self, speed: float) -> Fingerprint:
        """Fingerprint it as if it had been played at a speed."""
        if speed == 1:
            return self.plain
        if self.samples is None:
            return self.plain.at_speed(speed)
        return fingerprint(at_speed(self.samples, 1 / speed))


@dataclass(frozen=True)
class _Odds:
    """Onset odds of a stretch of a query, for each kind of trains; of shape (cells, 8).

    Attributes
    ----------
    weights
        What they are worth.
    first
        Frame of the query at which the stretch begins.
    """

    rhythm: Float32s
    echoprint: Float32s
    weights: dict[str, DecisionWeights]
    first: int = 0

    @classmethod
    def of(cls, query: Fingerprint, samples: Float32s | None) -> "_Odds":
        """Hear the samples, if there are any."""
        weights = {"rhythm": RHYTHM_WEIGHTS, "echoprint": ECHOPRINT_WEIGHTS}
        echoprint = odds_of_onsets(query.echoprint)
        if samples is None:
            return cls(odds_of_onsets(query.rhythm), echoprint, weights)
        return cls(onset_odds(samples), echoprint, weights | {"rhythm": RECORDING_WEIGHTS})

    def most_telling(self, seconds: float, enough: float = math.inf) -> "_Odds":
        """Cut out so many seconds in which there is most to tell tracks apart by.

        Parameters
        ----------
        enough
            Nats: if there is a shorter stretch that tells so much, the shortest such.
        """
        told = self.rhythm if len(self.rhythm) else self.echoprint
        most = round(seconds * FRAMES_PER_SECOND / ODDS_CELL_FRAMES)
        sums = np.concatenate(([0.0], np.cumsum(information(told))))
        # where each stretch ends that tells enough
        ends = np.searchsorted(sums, sums[:-1] + enough)
        lengths = np.where(ends < len(sums), ends - np.arange(len(told)), len(told))
        cells = min(most, int(lengths.min(initial=len(told))))
        if len(told) <= cells:
            return self
        first = int(np.argmax(sums[cells:] - sums[:-cells]))
        return replace(
            self,
            rhythm=self.rhythm[first : first + cells],
            echoprint=self.echoprint[first : first + cells],
            first=self.first + first * ODDS_CELL_FRAMES,
        )

    def of_kind(self, kind: str, speed: float) -> Float32s:
        """Give those of a kind, at a speed."""
        return odds_at_speed(self.rhythm if kind == "rhythm" else self.echoprint, speed)


@dataclass(frozen=True)
class _Promising:
    """A track that is worth judging, the speed at which it was found, and how likely it made it."""

    track: int
    speed: float
    likelihood: float


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
        """Try the most promising tracks; best match first, whatever its confidence.

        Rhythm trains decide where query and track have them, Echoprint trains elsewhere.

        Parameters
        ----------
        query
            A recording's fingerprint.
        samples
            The recording itself, as of `fingerprint.fingerprint`, if there is one: much more can be
            told by it than by its fingerprint.
        passes
            Attempts, until one decides.
        """
        recording = _Query((query,), samples, 0).stretch(QUERY_SECONDS)
        found: dict[int, Match] = {}
        for attempt in passes:
            heard = recording.stretch(attempt.seconds)
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
            promising += self._promising(query, speed, attempt)
        best = sorted(promising, key=lambda found: -found.likelihood)[: attempt.matches]
        for found in best:
            if found.likelihood >= PROMISING * best[0].likelihood:
                yield self._judged(found.track, found.speed, query, attempt)

    def _promising(self, query: _Query, speed: float, attempt: Pass) -> list[_Promising]:
        """Choose the likeliest tracks near the offset at which they were found."""
        candidates = self._candidates(query, speed, attempt)
        likelihoods = np.full(len(candidates), -np.inf)
        speeds = np.full(len(candidates), speed)
        for kind in TOLERANCES:
            left = np.flatnonzero(np.isneginf(likelihoods))
            frames = len(query.odds.of_kind(kind, 1)) * ODDS_CELL_FRAMES
            if frames and len(left):
                fine = attempt.fine_speeds(frames)
                likelihoods[left], best = self.index.likelihoods_near(
                    [query.odds.of_kind(kind, speed * factor) for factor in fine.tolist()],
                    kind,
                    [candidates[place] for place in left],
                    attempt.reach,
                )
                speeds[left] = speed * fine[best]
        return [
            _Promising(candidates[place].track, float(speeds[place]), float(likelihoods[place]))
            for place in np.argsort(-likelihoods, kind="stable")[: attempt.matches].tolist()
            if likelihoods[place] > 0
        ]

    def _candidates(self, query: _Query, speed: float, attempt: Pass) -> list[Candidate]:
        """Find tracks that are worth trying, and the offset of the odds in each."""
        odds = query.odds
        if attempt.every_track and self.index.is_small and len(odds.rhythm):
            tried = odds.most_telling(TRIED_SECONDS, TRIED_INFORMATION)
            found = self.index.likeliest(tried.rhythm, TRIED_CANDIDATES)
            first = odds.first - tried.first
        else:
            heard = query.with_other_starts() if attempt.effort.probing else query
            found = self.index.candidates(
                query.at(speed), attempt.candidates, attempt.effort, heard.starts[1:]
            )
            first = round(speed * odds.first)
        return [replace(candidate, offset=candidate.offset + first) for candidate in found]

    def _judged(self, track: int, speed: float, query: _Query, attempt: Pass) -> Match:
        """Try a track at every offset, and at the speeds around one."""
        odds = query.odds
        trains, kind = self.index.trains(track, "rhythm"), "rhythm"
        if len(odds.rhythm) == 0 or len(trains) == 0:
            trains, kind = self.index.trains(track, "echoprint"), "echoprint"
        frames = ODDS_CELL_FRAMES * len(odds.of_kind(kind, 1))
        speeds = (speed * attempt.finest_speeds(frames)).tolist()
        agreed = [agreement(odds.of_kind(kind, one), trains) for one in speeds]
        best = max(range(len(speeds)), key=lambda place: agreed[place].likelihood)
        lost = log_odds_lost(len(self.index), len(attempt.speeds))
        offset = agreed[best].offset - speeds[best] * (query.first + odds.first)
        return Match(
            track=track,
            log_odds=odds.weights[kind].log_odds(agreed[best]) - lost,
            agreement=agreed[best],
            offset=offset / FRAMES_PER_SECOND,
            speed=speeds[best],
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
