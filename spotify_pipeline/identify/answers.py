"""Recordings to answers that a person or a program can read.

Belongs here: the JSON that ``identify`` and the job ``detect`` give, with names from the catalogue.
Does not belong here: matching (`identifier`).
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from spotify_pipeline.catalog import Catalog, TrackNames
from spotify_pipeline.identify.decision import THRESHOLD
from spotify_pipeline.identify.evidence import Evidence
from spotify_pipeline.identify.identifier import Identifier, Match
from spotify_pipeline.identify.popularity import popularity_prior
from spotify_pipeline.identify.query import read_query
from spotify_pipeline.identify.releases import group_releases
from spotify_pipeline.index.feature_index import FeatureIndex
from spotify_pipeline.recording import RecordingError, printable

__all__ = ["Answer", "Failure", "NamedMatch", "answer_files"]


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


class Answer(msgspec.Struct, frozen=True):
    """What is known of a recording; no matches mean unknown. Durations are in seconds."""

    file: str
    duration: float | None
    identified: bool
    matches: tuple[NamedMatch, ...]
    elapsed: float


class Failure(msgspec.Struct, frozen=True):
    """Why there is no answer for a file."""

    file: str
    error: str


_NOT_LOOKED_UP = (
    "the index holds no onset trains of its kind; for a lone echoprintstring, set"
    " SPOTIFY_PIPELINE_INDEX=both and run the job 'index'"
)


def answer_files(
    files: Iterable[Path],
    index_folder: Path,
    metadata_database: Path,
    *,
    limit: int = 5,
    threshold: float = THRESHOLD,
    popularity: float = 0.0,
    witness: Callable[[Evidence], None] | None = None,
) -> Iterator[Answer | Failure]:
    """Identify recordings one after the other; one that can't be read does not stop the rest.

    Parameters
    ----------
    files
        Audio, or fingerprints as `query.read_query` takes them.
    index_folder, metadata_database
        Where to look; names are left out where there is no metadata.
    limit
        Matches to give at the most.
    threshold
        The least confidence of a match.
    popularity
        How much it counts (`popularity.popularity_prior`).
    witness
        Is shown the best match of each recording before its answer is given, be it accepted or not;
        nothing where no track comes near.

    Raises
    ------
    FeatureIndexError
        There is no index, or it can't be read.
    DatabaseError
        The metadata can't be read.
    """
    index = FeatureIndex.open(index_folder)
    with Catalog(metadata_database) as catalog:  # once, for opening it takes longer than asking
        identifier = Identifier(index, prior=popularity_prior(catalog, index, popularity))
        for file in files:
            started = time.perf_counter()
            try:
                query = read_query(file)
            except RecordingError as error:
                yield Failure(printable(file), str(error))
                continue
            if len(index) and not index.looks_up(query.fingerprint):
                yield Failure(printable(file), _NOT_LOOKED_UP)
                continue
            found = identifier.matches(query.fingerprint, query.samples)
            sure = [match for match in found if match.confidence >= threshold]
            matches, named = _named(sure[:limit], index, catalog)
            answer = Answer(
                file=printable(file),
                duration=None if query.duration is None else round(query.duration, 3),
                identified=bool(named),
                matches=named,
                elapsed=round(time.perf_counter() - started, 3),
            )
            if witness is not None and found:
                if not sure:
                    matches, named = _named(found[:1], index, catalog)
                recording = query.fingerprint
                witness(
                    Evidence.gathered(
                        answer.file, bool(sure), matches[0], named[0], recording, index
                    )
                )
            yield answer


def _named(
    matches: Sequence[Match], index: FeatureIndex, catalog: Catalog
) -> tuple[list[Match], tuple[NamedMatch, ...]]:
    """Group matches by recording, and put names to them."""
    ids = {match.track: index.track_id(match.track) for match in matches}
    known = catalog.names(ids.values())
    names = {track: known[track_id] for track, track_id in ids.items() if track_id in known}
    groups = group_releases(matches, index, names)
    named = tuple(
        _named_match(match, ids[match.track], names.get(match.track), number, index)
        for number, group in enumerate(groups)
        for match in group
    )
    return [match for group in groups for match in group], named


def _named_match(
    match: Match, track_id: str, names: TrackNames | None, recording: int, index: FeatureIndex
) -> NamedMatch:
    duration = index.duration(match.track)
    return NamedMatch(
        track_id=track_id,
        title=names.title if names else None,
        artists=names.artist_names if names else (),
        album=names.album_title if names else None,
        isrc=names.isrc if names else None,
        confidence=round(match.confidence, 4),
        score=match.score,
        offset=round(match.offset, 3),
        duration=None if duration is None else round(duration, 3),
        popularity=names.popularity if names else None,
        recording=recording,
        speed=round(match.speed, 4),
        also_at=tuple(round(offset, 3) for offset in match.also_at),
    )
