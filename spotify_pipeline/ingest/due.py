"""What is due: which shards to ingest, which other jobs to run, and why the rest waits.

Belongs here: the decision, a pure function of what was seen. Does not belong here: looking (as
`status` and the sensors do) and doing (`shard`, the jobs). Cheap to import.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from spotify_pipeline.dump.failure import ShardFailure
from spotify_pipeline.dump.readiness import Survey
from spotify_pipeline.dump.tables import (
    ARTIST_REDIRECTS,
    AUDIO_FEATURES,
    CATALOGUE,
    EXTRAS,
    MetadataSource,
)
from spotify_pipeline.store.ledger import LedgerRow
from spotify_pipeline.store.metadata_ledger import SourceFile, is_loaded

__all__ = ["INDEX_JOB", "INGEST_JOB", "LOADING_JOBS", "TEXT_JOB", "Due", "Seen", "due"]

INGEST_JOB, TEXT_JOB, INDEX_JOB = "ingest", "text", "index"

LOADING_JOBS: Mapping[MetadataSource, str] = {
    AUDIO_FEATURES: "audio_features",
    ARTIST_REDIRECTS: "redirects",
    CATALOGUE: "metadata",
}
"""The job that loads each kind of metadata file; the catalogue's makes the text index too."""


@dataclass(frozen=True)
class Seen:
    """What was seen of an installation; nothing is due by what was not looked at.

    Attributes
    ----------
    shards
        The shards in the incoming folder.
    ledger
        What was ingested; None where it is unknown, since another process writes the database.
    in_progress
        Shards that a run works on or waits for.
    failures
        The last failure of shards. Leave it out where a person asks: then none is put off.
    now
        Seconds since 1970, which the failures' next tries are compared with.
    metadata
        Of each kind of metadata file the one that counts, if there is one and it is finished.
    loaded
        The source of each table that is loaded; None where it is unknown, as of the ledger.
    text_is_current, index_is_current
        Whether the text index and the feature index hold what the databases hold; None where it is
        unknown.
    """

    shards: Survey = field(default_factory=lambda: Survey({}, {}, {}))
    ledger: Mapping[str, LedgerRow] | None = None
    in_progress: Collection[str] = ()
    failures: Mapping[str, ShardFailure] = field(default_factory=dict)
    now: float = 0.0
    metadata: Mapping[MetadataSource, SourceFile] = field(default_factory=dict)
    loaded: Mapping[str, SourceFile] | None = None
    text_is_current: bool | None = None
    index_is_current: bool | None = None


@dataclass(frozen=True)
class Due:
    """What to do, and what not.

    Attributes
    ----------
    shards
        To be ingested by `INGEST_JOB`, in partition order.
    finished
        Shards whose file, as it lies there, is in the database; it may go by the source policy.
    waiting
        Why other shards are not ingested now.
    jobs
        Other jobs to run, in that order.
    returned
        Of `shards`, those whose file is as long as the one that was ingested: perhaps it was
        fetched again, which its content tells.
    """

    shards: list[str]
    finished: list[str]
    waiting: dict[str, str]
    jobs: list[str]
    returned: list[str] = field(default_factory=list)


def due(seen: Seen) -> Due:
    """Decide what is due.

    A shard is due if its file looks finished and is not the one that was ingested, by size and
    time: a file that comes back changed takes the place of what was ingested before. A file that is
    the ingested one is finished, be it kept by choice, for its rows, or because a run was killed
    before it could go.
    """
    shards: list[str] = []
    finished: list[str] = []
    waiting = dict(seen.shards.waiting)
    for shard in seen.shards.ready:
        reason = _reason_to_wait(seen, shard)
        if reason is not None:
            waiting[shard] = reason
        elif _is_ingested(seen, shard):
            finished.append(shard)
        else:
            shards.append(shard)
    returned = [shard for shard in shards if _is_as_long_as_the_ingested(seen, shard)]
    return Due(shards, finished, waiting, [*_loads(seen), *_indexes(seen)], returned)


def _is_ingested(seen: Seen, shard: str) -> bool:
    row = (seen.ledger or {}).get(shard)
    return row is not None and row.state == seen.shards.states[shard]


def _is_as_long_as_the_ingested(seen: Seen, shard: str) -> bool:
    row = (seen.ledger or {}).get(shard)
    size, _ = seen.shards.states[shard]
    return row is not None and row.source_bytes == size


def _reason_to_wait(seen: Seen, shard: str) -> str | None:
    if shard in seen.in_progress:
        return "a run is in progress"
    if seen.ledger is None:
        return "whether it is ingested is not known now: another process writes the database"
    failure = seen.failures.get(shard)
    if failure is not None and seen.now < failure.retry_at and not _is_ingested(seen, shard):
        return f"tried again later; {failure.error}"
    return None


def _loads(seen: Seen) -> list[str]:
    """Name the jobs of the metadata files that are not loaded; the catalogue's comes last."""
    if seen.loaded is None:
        return []
    return [
        LOADING_JOBS[kind]
        for kind in (*EXTRAS, CATALOGUE)
        if kind in seen.metadata and not is_loaded(seen.metadata[kind], seen.loaded, kind)
    ]


def _indexes(seen: Seen) -> list[str]:
    """Name the jobs of the indexes that are out of date; a catalogue's load indexes its words."""
    text = seen.text_is_current is False and LOADING_JOBS[CATALOGUE] not in _loads(seen)
    return [*([TEXT_JOB] if text else []), *([INDEX_JOB] if seen.index_is_current is False else [])]
