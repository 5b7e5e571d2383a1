"""Matches with names from the catalogue, releases of one recording together.

Belongs here: what is shown of a match. Does not belong here: matching (`identifier`), and which
releases are of one recording (`releases`).
"""

from collections.abc import Sequence

import msgspec

from spotify_pipeline.catalog import Catalog, TrackNames
from spotify_pipeline.identify.identifier import Match
from spotify_pipeline.identify.releases import group_releases

__all__ = ["NamedMatch", "name_matches"]


class NamedMatch(msgspec.Struct, frozen=True):
    """A track that a recording is of.

    Attributes
    ----------
    title, album, isrc, popularity
        None where the catalogue does not know the track.
    confidence
        Probability that the recording is of this track, 0 to 1.
    score
        How much likelier the recording is at this place of the track than at the best other one;
        a natural logarithm.
    offset
        Seconds from the start of the track to the start of the recording.
    duration
        Of the track, in seconds; None where the dump does not tell.
    popularity
        0 to 100.
    recording
        Matches of one number are releases of one recording; the first match's is 0.
    speed
        At which the track was played, 1 as published.
    also_at
        Other seconds of the track at which the recording may begin as well as at `offset`.
    """

    track_id: str
    title: str | None
    artists: tuple[str, ...]
    album: str | None
    isrc: str | None
    confidence: float
    score: int
    offset: float
    duration: float | None
    popularity: int | None = None
    recording: int = 0
    speed: float = 1.0
    also_at: tuple[float, ...] = ()


def name_matches(
    matches: Sequence[Match], catalog: Catalog
) -> tuple[list[Match], tuple[NamedMatch, ...]]:
    """Group matches by recording, and put names to them."""
    known = catalog.names([match.track_id for match in matches])
    names = {match.track: known[match.track_id] for match in matches if match.track_id in known}
    groups = group_releases(matches, names)
    named = tuple(
        _named_match(match, names.get(match.track), number)
        for number, group in enumerate(groups)
        for match in group
    )
    return [match for group in groups for match in group], named


def _named_match(match: Match, names: TrackNames | None, recording: int) -> NamedMatch:
    return NamedMatch(
        track_id=match.track_id,
        title=names.title if names else None,
        artists=names.artist_names if names else (),
        album=names.album_title if names else None,
        isrc=names.isrc if names else None,
        confidence=round(match.confidence, 4),
        score=match.score,
        offset=round(match.offset, 3),
        duration=None if match.duration is None else round(match.duration, 3),
        popularity=names.popularity if names else None,
        recording=recording,
        speed=round(match.speed, 4),
        also_at=tuple(round(offset, 3) for offset in match.also_at),
    )
