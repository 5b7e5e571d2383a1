"""A fingerprint to the tracks that it may be of.

Belongs here: search, likelihoods and decision, put together. Does not belong here: audio files and
names (`answers`).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from spotify_pipeline.fingerprint import FRAMES_PER_SECOND, ODDS_CELL_FRAMES, Fingerprint
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.identify.decision import log_odds_lost
from spotify_pipeline.identify.passes import CLEAR_SECONDS, PASSES, Pass
from spotify_pipeline.identify.query_odds import QueryOdds
from spotify_pipeline.index.feature_index import Candidate, FeatureIndex
from spotify_pipeline.index.features import KINDS
from spotify_pipeline.index.likelihood import Agreement, agreement

__all__ = ["Identifier", "Match"]

TRIED_INFORMATION = 30.0
TRIED_SECONDS = 15.0
"""Each track of a small index is tried with the least of a query that tells so many nats
(`QueryOdds.telling`), or with so many seconds of a query that tells less."""

MOST_CANDIDATES, FEWEST_CANDIDATES = 0.05, 50
"""No more than this share of an index, but so many at the least, are candidates: of a search, or of
a trial of all tracks, after which they are tried with the whole query."""

CERTAIN = 0.99
"""Confidence of a certain match."""

PROMISING = 0.5
"""A candidate's likelihood has at least this share of the best one's, in logarithms, or it is not
judged."""


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
        return self.matches_of(QueryOdds.of(query, samples), passes)

    def matches_of(self, query: QueryOdds, passes: Sequence[Pass] = PASSES) -> list[Match]:
        """Do as much for a query that has been heard."""
        found: dict[int, Match] = {}
        for attempt in passes:
            heard = query.most_telling(attempt.seconds)
            if self._leaves_out(heard, attempt):
                continue
            for match in self._attempt(heard, attempt):
                if match.track not in found or match.log_odds > found[match.track].log_odds:
                    found[match.track] = match
            if any(match.confidence >= CERTAIN for match in found.values()):
                break
        return sorted(found.values(), key=lambda m: (-m.log_odds, -m.score, m.track))

    def _attempt(self, query: QueryOdds, attempt: Pass) -> Iterator[Match]:
        """Judge what promises most at all speeds."""
        searched = query.clear_enough(attempt.nats) if self.index.has_rhythm else query
        promising: list[_Promising] = []
        for speed in attempt.speeds:
            promising += self._promising(searched, speed, attempt)
        best = sorted(promising, key=lambda found: -found.likelihood)[: attempt.matches]
        for found in best:
            if found.likelihood >= PROMISING * best[0].likelihood:
                yield self._judged(found, searched, query, attempt)

    def _promising(self, query: QueryOdds, speed: float, attempt: Pass) -> list[_Promising]:
        """Choose the likeliest tracks near the offset at which they were found."""
        candidates = self._candidates(query, speed, attempt)
        likelihoods = np.full(len(candidates), -np.inf)
        speeds = np.full(len(candidates), speed)
        for kind in KINDS:
            left = np.flatnonzero(np.isneginf(likelihoods))
            frames = len(query.of_kind(kind, 1)) * ODDS_CELL_FRAMES
            if frames and len(left):
                fine = attempt.fine_speeds(frames)
                likelihoods[left], best = self.index.likelihoods_near(
                    [query.of_kind(kind, speed * factor) for factor in fine.tolist()],
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

    def _leaves_out(self, query: QueryOdds, attempt: Pass) -> bool:
        """Tell whether a pass is not for this index, or not for so clear a query."""
        if not (self.index.can_try_every_track and len(query.rhythm)):
            return attempt.every_track
        return attempt.clear < math.inf and query.is_clear(attempt.clear, CLEAR_SECONDS)

    def _candidates(self, query: QueryOdds, speed: float, attempt: Pass) -> list[Candidate]:
        """Find tracks that are worth trying, and the offset of the odds in each."""
        most = max(round(MOST_CANDIDATES * len(self.index)), FEWEST_CANDIDATES)
        if not attempt.every_track:
            odds, onsets = query.at_speed(speed), query.onsets.at_speed(speed)
            limit = min(attempt.candidates, most)
            return self.index.candidates(odds, onsets, limit, attempt.effort)
        found = self.index.likeliest(query.telling(TRIED_INFORMATION, TRIED_SECONDS), most)
        again = [candidate.track for candidate in found]
        return self.index.likeliest(query.rhythm, attempt.candidates, again)

    def _judged(
        self, found: _Promising, searched: QueryOdds, query: QueryOdds, attempt: Pass
    ) -> Match:
        """Try a track that a stretch has found, at every offset and the speeds around its own."""
        kind, trains = self.index.comparable(found.track, query)
        searched_frames, frames = (
            ODDS_CELL_FRAMES * len(odds.of_kind(kind, 1)) for odds in (searched, query)
        )
        finest = attempt.finest_speeds(searched_frames, frames)
        speeds = (found.speed * finest).tolist()
        agreed = [agreement(query.of_kind(kind, one), trains) for one in speeds]
        best = max(range(len(speeds)), key=lambda place: agreed[place].likelihood)
        lost = log_odds_lost(len(self.index), len(attempt.speeds))
        offset = agreed[best].offset - speeds[best] * query.first
        return Match(
            track=found.track,
            log_odds=query.weights[kind].log_odds(agreed[best]) - lost,
            agreement=agreed[best],
            offset=offset / FRAMES_PER_SECOND,
            speed=speeds[best],
        )
