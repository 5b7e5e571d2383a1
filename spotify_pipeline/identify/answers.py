"""Recordings to answers that a person or a program can read.

Belongs here: the JSON that ``identify`` and the job ``detect`` give. Does not belong here: matching
(`identifier`), names (`named_matches`).
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from spotify_pipeline.catalog import Catalog
from spotify_pipeline.identify.decision import THRESHOLD
from spotify_pipeline.identify.evidence import Evidence
from spotify_pipeline.identify.identifier import Identifier
from spotify_pipeline.identify.named_matches import NamedMatch, name_matches
from spotify_pipeline.identify.passes import PASSES, Pass
from spotify_pipeline.identify.popularity import popularity_prior
from spotify_pipeline.identify.query import Query, read_query
from spotify_pipeline.index.search.searcher import FeatureIndex
from spotify_pipeline.recording import RecordingError, printable

__all__ = ["Answer", "Failure", "answer_files", "answer_of"]


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
    observer: Callable[[Evidence], None] | None = None,
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
    observer
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
            yield answer_of(
                query,
                printable(file),
                identifier,
                catalog,
                limit=limit,
                threshold=threshold,
                observer=observer,
                started=started,
            )


def answer_of(
    query: Query,
    name: str,
    identifier: Identifier,
    catalog: Catalog,
    *,
    limit: int = 5,
    threshold: float = THRESHOLD,
    observer: Callable[[Evidence], None] | None = None,
    started: float | None = None,
    passes: Sequence[Pass] = PASSES,
) -> Answer | Failure:
    """Identify one recording that was read.

    Parameters
    ----------
    name
        Of the recording, for the answer.
    identifier, catalog
        Where to look.
    limit, threshold, observer
        As of `answer_files`.
    started
        When work on it began, by `time.perf_counter`; now unless given.
    passes
        Attempts, until one decides.
    """
    started = time.perf_counter() if started is None else started
    index = identifier.index
    if len(index) and not index.looks_up(query.fingerprint):
        return Failure(name, _NOT_LOOKED_UP)
    found = identifier.matches(query.fingerprint, query.samples, passes)
    sure = [match for match in found if match.confidence >= threshold]
    matches, named = name_matches(sure[:limit], index, catalog)
    answer = Answer(
        file=name,
        duration=None if query.duration is None else round(query.duration, 3),
        identified=bool(named),
        matches=named,
        elapsed=round(time.perf_counter() - started, 3),
    )
    if observer is not None and found:
        if not sure:
            matches, named = name_matches(found[:1], index, catalog)
        observer(
            Evidence.gathered(name, bool(sure), matches[0], named[0], query.fingerprint, index)
        )
    return answer
