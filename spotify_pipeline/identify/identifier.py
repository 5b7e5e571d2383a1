"""A fingerprint to the tracks that it may be of.

Belongs here: search, alignment and decision, put together. Does not belong here: audio files and
names (`answers`).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from spotify_pipeline.fingerprint import (
    FRAME_SAMPLES,
    FRAMES_PER_SECOND,
    SAMPLE_RATE,
    Fingerprint,
    OnsetTrains,
    other_starts,
)
from spotify_pipeline.fingerprint.arrays import Float32s
from spotify_pipeline.identify.decision import (
    ECHOPRINT_EVIDENCE,
    RHYTHM_EVIDENCE,
    EvidenceWeights,
)
from spotify_pipeline.index.alignment import Alignment, align
from spotify_pipeline.index.feature_index import QUICK, THOROUGH, Effort, FeatureIndex
from spotify_pipeline.index.search import Candidate
from spotify_pipeline.index.segment import PLACE_FRAMES

__all__ = ["PASSES", "QUERY_SECONDS", "TOLERANCES", "Identifier", "Match", "Pass"]


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
    """

    effort: Effort
    candidates: int
    matches: int

    @property
    def reach(self) -> int:
        """Frames by which the offset that the search found may be off."""
        return PLACE_FRAMES << self.effort.coarseness + 1


PASSES = (Pass(QUICK, candidates=30, matches=10), Pass(THOROUGH, candidates=2_000, matches=50))
"""The next one only if none of the matches is certain."""

PROMISING = 0.5
"""A candidate that aligns less than this share of what the best one does is not judged."""

CERTAIN = 0.99
"""Confidence of a certain match."""

QUERY_SECONDS = 60.0
"""The stretch of a longer recording that is searched for: the one with most onsets."""


@dataclass(frozen=True)
class Match:
    """A track that a query may be of.

    Attributes
    ----------
    track
        The track's number in the index.
    confidence
        Probability that the query is of this track, as `decision` has it.
    alignment
        The evidence.
    offset
        Seconds from the start of the track to the start of the query; negative if the query begins
        earlier.
    """

    track: int
    confidence: float
    alignment: Alignment
    offset: float

    @property
    def score(self) -> int:
        """Onsets aligned beyond those at the best other offset."""
        return self.alignment.aligned - self.alignment.second


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
class _Pair:
    """The trains of a query and of a track that decide, and how."""

    kind: _Kind
    query: OnsetTrains
    track: OnsetTrains


class Identifier:
    """Identifies fingerprints against an index."""

    def __init__(self, index: FeatureIndex) -> None:
        self.index = index

    def matches(self, query: Fingerprint, samples: Float32s | None = None) -> list[Match]:
        """Align the most promising tracks; best match first, whatever its confidence.

        Rhythm trains decide where query and track have them, Echoprint trains elsewhere.

        Parameters
        ----------
        query
            A recording's fingerprint.
        samples
            The recording itself, as of `fingerprint.fingerprint`, if there is one: it is looked up
            by other starts, if its fingerprint does not decide.
        """
        start, query = _busiest_stretch(query)
        # a thorough search finds most tracks again
        judge = cache(lambda track: _judged(track, self._pair(query, track), start))
        matches: list[Match] = []
        starts: list[Fingerprint] = []
        for attempt in PASSES:
            candidates = self.index.candidates(query, attempt.candidates, attempt.effort, starts)
            matches = sorted(
                map(judge, self._promising(query, candidates, attempt)),
                key=lambda match: (-match.confidence, -match.score, match.track),
            )
            if matches and matches[0].confidence >= CERTAIN:
                break
            if samples is not None and not starts:
                starts = other_starts(_stretch(samples, start))
        return matches

    def _promising(
        self, query: Fingerprint, candidates: list[Candidate], attempt: Pass
    ) -> list[int]:
        """Choose the tracks that align best near the offset at which they were found."""
        shares = np.full(len(candidates), -1.0)
        for kind, trains in ((_RHYTHM, query.rhythm), (_ECHOPRINT, query.echoprint)):
            left = np.flatnonzero(shares < 0)
            if len(trains) and len(left):
                chosen = [candidates[place] for place in left]
                counts = self.index.count_aligned(
                    trains, kind.name, chosen, kind.tolerance, attempt.reach
                )
                shares[left] = counts / len(trains)
        order = np.argsort(-shares, kind="stable")[: attempt.matches]
        near = order[shares[order] >= PROMISING * shares.max(initial=0)]
        return [candidates[place].track for place in near.tolist()]

    def _pair(self, query: Fingerprint, track: int) -> _Pair:
        if len(query.rhythm):
            trains = self.index.trains(track, "rhythm")
            if len(trains):
                return _Pair(_RHYTHM, query.rhythm, trains)
        return _Pair(_ECHOPRINT, query.echoprint, self.index.trains(track, "echoprint"))


def _judged(track: int, pair: _Pair, start: int) -> Match:
    alignment = align(pair.query, pair.track, pair.kind.tolerance)
    return Match(
        track=track,
        confidence=pair.kind.weights.confidence(alignment),
        alignment=alignment,
        offset=(alignment.offset - start) / FRAMES_PER_SECOND,
    )


def _busiest_stretch(query: Fingerprint) -> tuple[int, Fingerprint]:
    """Cut out the `QUERY_SECONDS` with most onsets; gives the first frame too."""
    onsets = np.sort(query.rhythm.frames if len(query.rhythm) else query.echoprint.frames)
    length = round(QUERY_SECONDS * FRAMES_PER_SECOND)
    if len(onsets) == 0 or onsets[-1] < length:
        return 0, query
    inside = np.searchsorted(onsets, onsets + length) - np.arange(len(onsets))
    start = int(onsets[int(np.argmax(inside))])
    return start, query.excerpt(start, length)


def _stretch(samples: Float32s, start: int) -> Float32s:
    """Cut out the same stretch of a recording, given its first frame."""
    first = start * FRAME_SAMPLES
    return samples[first : first + round(QUERY_SECONDS * SAMPLE_RATE)]
