"""A fingerprint to the tracks that it may be of.

Belongs here: search, alignment and decision, put together. Does not belong here: audio files and
names (`answers`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from spotify_pipeline.fingerprint import BANDS, FRAMES_PER_SECOND, Fingerprint, OnsetTrains
from spotify_pipeline.identify.decision import (
    ECHOPRINT_EVIDENCE,
    RHYTHM_EVIDENCE,
    EvidenceWeights,
)
from spotify_pipeline.index.alignment import Alignment, align, count_aligned
from spotify_pipeline.index.feature_index import FeatureIndex
from spotify_pipeline.index.search import Candidate
from spotify_pipeline.index.segment import PLACE_FRAMES

__all__ = ["CANDIDATES", "MATCHES", "QUERY_SECONDS", "Identifier", "Match"]

CANDIDATES = 200
"""Tracks that are aligned with a query, near the offset at which the search found them."""

MATCHES = 50
"""The best of them, which are aligned at every offset and judged."""

CERTAIN = 0.99
"""With a match of this confidence the search is not widened."""

REACH = 2 * PLACE_FRAMES
"""Frames by which the offset that a search found may be off."""

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

    tolerance: int
    weights: EvidenceWeights


_RHYTHM = _Kind(1, RHYTHM_EVIDENCE)
_ECHOPRINT = _Kind(4, ECHOPRINT_EVIDENCE)  # recovered onsets are known to a few frames only


@dataclass(frozen=True)
class _Pair:
    """The trains of a query and of a track that decide, and how."""

    kind: _Kind
    query: OnsetTrains
    track: OnsetTrains

    def share_near(self, offset: int) -> float:
        """Give the share of the query's onsets that are aligned near an offset."""
        aligned = count_aligned(self.query, self.track, self.kind.tolerance, offset, REACH)
        return aligned / max(len(self.query), 1)


class Identifier:
    """Identifies fingerprints against an index."""

    def __init__(self, index: FeatureIndex) -> None:
        self.index = index

    def matches(self, query: Fingerprint) -> list[Match]:
        """Align the most promising tracks; best match first, whatever its confidence.

        Rhythm trains decide where query and track have them, Echoprint trains elsewhere. The search
        is widened if no match is certain.
        """
        start, query = _busiest_stretch(query)
        # the widened search finds most tracks again
        pair = cache(partial(self._pair, query))
        judge = cache(lambda track: _judged(track, pair(track), start))
        matches: list[Match] = []
        for widened in (False, True):
            candidates = self.index.candidates(query, CANDIDATES, widened=widened)
            matches = sorted(
                (judge(track) for track in _promising(candidates, pair)),
                key=lambda match: (-match.confidence, -match.score, match.track),
            )
            if matches and matches[0].confidence >= CERTAIN:
                break
        return matches

    def _pair(self, query: Fingerprint, track: int) -> _Pair:
        trains = self.index.trains(track)
        if len(trains.rhythm) and len(query.rhythm):
            return _Pair(_RHYTHM, query.rhythm, trains.rhythm)
        return _Pair(_ECHOPRINT, query.echoprint, trains.echoprint)


def _promising(candidates: list[Candidate], pair: Callable[[int], _Pair]) -> list[int]:
    """Choose the tracks that align best near the offset at which they were found."""
    shares = [pair(candidate.track).share_near(candidate.offset) for candidate in candidates]
    order = np.argsort(-np.array(shares), kind="stable")[:MATCHES].tolist()
    return [candidates[place].track for place in order]


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
    return start, Fingerprint(
        _excerpt(query.echoprint, start, length), _excerpt(query.rhythm, start, length)
    )


def _excerpt(trains: OnsetTrains, start: int, length: int) -> OnsetTrains:
    bands = [trains.band(band) - start for band in range(BANDS)]
    return OnsetTrains.from_bands([band[(band >= 0) & (band < length)] for band in bands])
