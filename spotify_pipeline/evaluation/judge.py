"""Asks indexes for excerpts, where their piece is in the index and where it is not.

Belongs here: the indexes that are asked, and what they answer. Does not belong here: excerpts
(`queries`), what is made of the answers (`report`, `reliability`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spotify_pipeline.evaluation.peers import Peers
from spotify_pipeline.evaluation.queries import REPORTING, TUNING, Excerpt, Query
from spotify_pipeline.evaluation.scores import Scores
from spotify_pipeline.evaluation.synthetic import Generator
from spotify_pipeline.evaluation.timing import Step, TimedIdentifier
from spotify_pipeline.fingerprint import SAMPLE_RATE, Fingerprint, codes_of_trains, fingerprint
from spotify_pipeline.identify.decision import THRESHOLD
from spotify_pipeline.identify.identifier import Match
from spotify_pipeline.index.segment import Segment, SegmentShard
from spotify_pipeline.index.segment_writer import Tracks, write_segment

__all__ = ["GENERATOR_SEED", "Judge", "Result", "is_given", "segment_of", "tracks_of"]

MEMORY = 2 * 10**9
GENERATOR_SEED = 3
WARMING_SECONDS = 5


@dataclass(frozen=True)
class Result:
    """What was answered to an excerpt.

    Attributes
    ----------
    own, wrong
        The match of the own piece, and the best of another one, where the piece is in the index.
    unknown
        The best match where it is not.
    known_seconds, unknown_seconds
        What each step of either took.
    peers
        Scores of other systems, by their names.
    """

    excerpt: Excerpt
    own: Match | None
    wrong: Match | None
    unknown: Match | None
    known_seconds: Mapping[Step, float]
    unknown_seconds: Mapping[Step, float]
    peers: Mapping[str, Scores]

    @property
    def scores(self) -> Scores:
        """Log odds."""
        return Scores(_sureness(self.own), _sureness(self.wrong), _sureness(self.unknown))

    @property
    def error(self) -> float:
        """Seconds by which the position in the own piece is off; NaN if that is not found."""
        return np.nan if self.own is None else self.own.offset - self.excerpt.offset


def _sureness(match: Match | None) -> float:
    return -np.inf if match is None else match.log_odds


def is_given(match: Match | None) -> bool:
    """Tell whether a match is given to a user who does not choose a threshold."""
    return match is not None and match.confidence >= THRESHOLD


class Judge:
    """Asks the index of everything, and those that lack a half of the pieces.

    Parameters
    ----------
    folder
        Where indexes are made.
    pieces
        Real music.
    distractors
        Made-up tracks that are indexed too.
    with_peers
        Whether other systems are asked, too.
    """

    def __init__(
        self,
        folder: Path,
        pieces: Sequence[Fingerprint],
        distractors: int,
        *,
        with_peers: bool = False,
    ) -> None:
        halves = [range(TUNING, len(pieces), 2), range(REPORTING, len(pieces), 2)]
        self._numbers = {piece: n for n, piece in enumerate([*halves[0], *halves[1]])}
        self._slices = (slice(0, len(halves[0])), slice(len(halves[0]), len(pieces)))
        parts = [
            *(tracks_of([pieces[piece] for piece in half]) for half in halves),
            Generator(pieces, GENERATOR_SEED).tracks("0a", distractors),
        ]
        segments = [
            segment_of(folder / name, tracks)
            for name, tracks in zip(("tuning", "reporting", "made-up"), parts, strict=True)
        ]
        self._all = TimedIdentifier(segments)
        self._lacking = [
            TimedIdentifier([segments[1 - half], segments[2]]) for half in (TUNING, REPORTING)
        ]
        self._peers = Peers([tracks.echoprint for tracks in parts]) if with_peers else None
        self._warm_up()

    def _warm_up(self) -> None:
        """Compile kernels and map files before anything is timed."""
        rng = np.random.default_rng(1)
        noise = rng.uniform(-0.1, 0.1, WARMING_SECONDS * SAMPLE_RATE).astype(np.float32)
        self._all.matches(fingerprint(noise), noise)

    def result(self, query: Query) -> Result:
        """Ask with the piece and without it."""
        number = self._numbers[query.excerpt.piece]
        half = query.excerpt.half
        found, known_seconds = self._all.matches(query.fingerprint, query.samples)
        left, unknown_seconds = self._lacking[half].matches(query.fingerprint, query.samples)
        peers: Mapping[str, Scores] = {}
        if self._peers is not None:
            codes = codes_of_trains(query.fingerprint.echoprint)
            peers = self._peers.scores(codes, number, self._slices[half])
        return Result(
            query.excerpt,
            own=_first(match for match in found if match.track == number),
            wrong=_first(match for match in found if match.track != number),
            unknown=_first(left),
            known_seconds=known_seconds,
            unknown_seconds=unknown_seconds,
            peers=peers,
        )


def _first(matches: Iterable[Match]) -> Match | None:
    return next(iter(matches), None)


def tracks_of(pieces: Sequence[Fingerprint]) -> Tracks:
    """Take pieces for tracks, with their numbers as ids."""
    return Tracks.of(
        [f"{number:022d}" for number in range(len(pieces))],
        [None] * len(pieces),
        [piece.rhythm for piece in pieces],
        [piece.echoprint for piece in pieces],
    )


def segment_of(path: Path, tracks: Tracks) -> tuple[Segment, list[str]]:
    """Index tracks as one shard, named as the file; gives what `FeatureIndex` takes."""
    write_segment(path, [SegmentShard(path.name, "", len(tracks))], tracks, MEMORY)
    return Segment.open(path), [path.name]
