"""Asks indexes for excerpts, where their piece is in the index and where it is not.

The pieces that are asked for are divided into two groups. One index holds all of them; two lack a
group each. All hold the same impostors.

Belongs here: the indexes that are asked, and what they answer. Does not belong here: excerpts
(`queries`), impostors (`impostors`), what is made of the answers (`report`, `reliability`,
`worst`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from spotify_pipeline.evaluation.baselines import Baselines
from spotify_pipeline.evaluation.impostors import Impostors, Kind, tracks_of
from spotify_pipeline.evaluation.pieces import Piece
from spotify_pipeline.evaluation.queries import Excerpt, Query
from spotify_pipeline.evaluation.scores import Scores
from spotify_pipeline.evaluation.timing import Step, TimedIdentifier
from spotify_pipeline.fingerprint import SAMPLE_RATE, codes_of_trains, fingerprint
from spotify_pipeline.identify.decision import THRESHOLD, Decision
from spotify_pipeline.identify.identifier import Match
from spotify_pipeline.index.building.segment_writer import Tracks, write_segment
from spotify_pipeline.index.format.segment import Segment, SegmentShard

__all__ = ["Found", "Judge", "Result", "segment_of"]

MEMORY = 2 * 10**9
WARMING_SECONDS = 5
GROUPS = 2


@dataclass(frozen=True)
class Found:
    """A match, and what it is of.

    Attributes
    ----------
    match
        Its `track` is a number in the index of everything, whichever index was asked.
    kind, name
        Of the track.
    """

    match: Match
    kind: Kind
    name: str

    @property
    def accepted(self) -> bool:
        """Whether a user is given it who does not choose a threshold."""
        return self.match.confidence >= THRESHOLD


@dataclass(frozen=True)
class Result:
    """What was answered to an excerpt.

    Attributes
    ----------
    excerpt
        What was asked for.
    name
        Of its piece.
    group
        Of its piece, 0 or 1.
    track
        Number of its piece in the index of everything.
    known, unknown
        What was found where the piece is in the index, and where it is not; in the identifier's
        order.
    known_seconds, unknown_seconds
        What each step of either took.
    baselines
        Scores of other systems, by their names.
    """

    excerpt: Excerpt
    name: str
    group: int
    track: int
    known: Sequence[Found]
    unknown: Sequence[Found]
    known_seconds: Mapping[Step, float]
    unknown_seconds: Mapping[Step, float]
    baselines: Mapping[str, Scores]

    @property
    def own(self) -> Found | None:
        """The match of the own piece, where it is in the index."""
        return _first(found for found in self.known if found.match.track == self.track)

    @property
    def rival(self) -> Found | None:
        """The best match of another track, where the piece is in the index."""
        return _first(found for found in self.known if found.match.track != self.track)

    @property
    def first(self) -> bool:
        """Whether the identifier puts the own piece first."""
        return bool(self.known) and self.known[0].match.track == self.track

    @property
    def right(self) -> bool:
        """Whether the own piece comes first and is accepted."""
        return self.first and self.known[0].accepted

    @property
    def wrong(self) -> bool:
        """Whether another track comes first and is accepted, where the piece is in the index."""
        return bool(self.known) and not self.first and self.known[0].accepted

    @property
    def unknown_accepted(self) -> bool:
        """Whether any track is accepted where the piece is not in the index."""
        return bool(self.unknown) and self.unknown[0].accepted

    @property
    def scores(self) -> Scores:
        """Log odds, which confidence is made of."""
        return self._scores(lambda match: match.log_odds)

    @property
    def likelihoods(self) -> Scores:
        """Log-likelihood ratios at the best offset, harmony's with them."""
        return self._scores(lambda match: match.evidence.joint)

    @property
    def expected(self) -> float:
        """Evidence that the excerpt should give, in nats, by its own log-likelihood ratios.

        As far as anything that was found tells; 0 if nothing was found.
        """
        return max((found.match.evidence.expected for found in self._all), default=0.0)

    @property
    def error(self) -> float:
        """Seconds by which the position in the own piece is off; NaN if that is not found."""
        return np.nan if self.own is None else self.own.match.offset - self.excerpt.offset

    @property
    def _all(self) -> Sequence[Found]:
        return (*self.known, *self.unknown)

    def _scores(self, score: Callable[[Match], float]) -> Scores:
        """Reduce the matches to the best of each kind of answer."""

        def best(matches: Iterable[Match]) -> float:
            return max(map(score, matches), default=-np.inf)

        known = [found.match for found in self.known]
        return Scores(
            own=best(match for match in known if match.track == self.track),
            wrong=best(match for match in known if match.track != self.track),
            unknown=best(found.match for found in self.unknown),
        )


def _first(found: Iterable[Found]) -> Found | None:
    return next(iter(found), None)


class Judge:
    """Asks the index of everything, and those that lack a group of the pieces.

    Parameters
    ----------
    folder
        Where indexes are made.
    pieces
        Those that are asked for, two at the least.
    impostors
        Tracks that are indexed with them.
    with_baselines
        Whether other systems are asked, too.
    decisions
        As of `Identifier`.
    """

    def __init__(
        self,
        folder: Path,
        pieces: Sequence[Piece],
        impostors: Impostors,
        *,
        with_baselines: bool = False,
        decisions: Mapping[str, Decision] | None = None,
    ) -> None:
        groups = [range(group, len(pieces), GROUPS) for group in range(GROUPS)]
        self._order = [piece for group in groups for piece in group]
        self._tracks = {piece: track for track, piece in enumerate(self._order)}
        self._pieces = pieces
        self._impostors = impostors
        self._slices = (slice(0, len(groups[0])), slice(len(groups[0]), len(pieces)))
        parts = [tracks_of([pieces[piece] for piece in group]) for group in groups]
        parts += impostors.tracks.values()
        names = [*(f"group {group}" for group in range(GROUPS)), *impostors.tracks]
        segments = [
            segment_of(folder / name, tracks) for name, tracks in zip(names, parts, strict=True)
        ]
        self._all = TimedIdentifier(segments, decisions)
        self._lacking = [
            TimedIdentifier([segments[1 - group], *segments[GROUPS:]], decisions)
            for group in range(GROUPS)
        ]
        self._baselines = (
            Baselines([tracks.echoprint for tracks in parts]) if with_baselines else None
        )
        self._warm_up()

    def _warm_up(self) -> None:
        """Compile kernels and map files before anything is timed."""
        rng = np.random.default_rng(1)
        noise = rng.uniform(-0.1, 0.1, WARMING_SECONDS * SAMPLE_RATE).astype(np.float32)
        self._all.matches(fingerprint(noise), noise)

    def result(self, query: Query) -> Result:
        """Ask with the piece and without it."""
        piece = query.excerpt.piece
        group, track = piece % GROUPS, self._tracks[piece]
        known, known_seconds = self._all.matches(query.fingerprint, query.samples)
        unknown, unknown_seconds = self._lacking[group].matches(query.fingerprint, query.samples)
        baselines: Mapping[str, Scores] = {}
        if self._baselines is not None:
            codes = codes_of_trains(query.fingerprint.echoprint)
            baselines = self._baselines.scores(codes, track, self._slices[group])
        return Result(
            query.excerpt,
            self._pieces[piece].name,
            group,
            track,
            known=[self._found(match) for match in known],
            unknown=[self._found(self._renumbered(match, group)) for match in unknown],
            known_seconds=known_seconds,
            unknown_seconds=unknown_seconds,
            baselines=baselines,
        )

    def _renumbered(self, match: Match, group: int) -> Match:
        """Give a match of the index that lacks a group its number in that of everything."""
        lacking = self._slices[group]
        after = match.track >= lacking.start
        return replace(match, track=match.track + (lacking.stop - lacking.start) * after)

    def _found(self, match: Match) -> Found:
        """Tell what a match in the index of everything is of."""
        if match.track < len(self._order):
            name = self._pieces[self._order[match.track]].name
            return Found(match, Kind.PIECE, name)
        return Found(match, *self._impostors.named(match.track - len(self._order)))


def segment_of(path: Path, tracks: Tracks) -> tuple[Segment, list[str]]:
    """Index tracks as one shard, named as the file; gives what `Searcher` takes."""
    write_segment(path, [SegmentShard(path.name, "", len(tracks))], tracks, MEMORY)
    return Segment.open(path), [path.name]
