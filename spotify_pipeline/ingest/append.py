"""The end of a shard's way: its rows committed, its source file retired.

Belongs here: the order of those steps, and when a source must stay. Does not belong here: the steps
themselves (`store.audio`, `dump.incoming`), locks and space (`shard`).
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from spotify_pipeline.dump.incoming import SourcePolicy, retire_source
from spotify_pipeline.dump.staged_extract import StagedExtract
from spotify_pipeline.settings import Settings, TrainsChoice
from spotify_pipeline.store.audio import append_extract
from spotify_pipeline.store.ledger import LedgerRow

__all__ = ["Ingestion", "ingest_extract", "retire_ingested", "space_needed"]

DELETE_SOURCE = SourcePolicy()

REJECT_LIMIT = Settings.reject_limit


@dataclass(frozen=True)
class Ingestion:
    """What became of a shard.

    Attributes
    ----------
    row
        The ledger's row.
    kept_because
        Why the source file was neither deleted nor moved, else None.
    """

    row: LedgerRow
    kept_because: str | None


def space_needed(extract: StagedExtract) -> int:
    """Give the bytes that appending a staged extract takes at the most: its own twice.

    Once in the database, and as much again for what DuckDB writes ahead; the rows that a shard had
    before are given up only afterwards.
    """
    return 2 * extract.size


def ingest_extract(
    connection: duckdb.DuckDBPyConnection,
    extract: StagedExtract,
    run_id: str,
    *,
    policy: SourcePolicy = DELETE_SOURCE,
    reject_limit: float = REJECT_LIMIT,
    keep: TrainsChoice = TrainsChoice.BOTH,
) -> Ingestion:
    """Append a staged extract, delete it, and retire the shard's source file.

    The source is deleted or moved only after the rows are committed, counted and checked, and stays
    if they fail a check, if it has changed since it was read, or if too many of its lines were
    rejected. It goes last: while it
    is there, a run that was killed in between is found and finished.

    Parameters
    ----------
    connection, extract, run_id, keep
        As of `store.audio.append_extract`.
    policy
        What becomes of the source file.
    reject_limit
        Fraction of lines; with more rejects than this it stays.

    Raises
    ------
    DatabaseError
        What was committed is not what was read; source and staged extract stay.
    """
    row = append_extract(connection, extract, run_id, keep)
    extract.remove()
    kept_because = retire_ingested(row, Path(row.source), policy, reject_limit)
    return Ingestion(row, kept_because)


def retire_ingested(
    row: LedgerRow, source: Path, policy: SourcePolicy, reject_limit: float = REJECT_LIMIT
) -> str | None:
    """Retire the file of a shard whose rows are committed; gives why it is kept, if it is.

    Parameters
    ----------
    row
        The shard's row of the ledger.
    source
        Where the file lies now.
    policy, reject_limit
        As of `ingest_extract`.
    """
    if row.failed_checks:
        return f"its rows fail {' and '.join(row.failed_checks)}"
    if row.lines == row.rejects:
        return "none of its lines was taken"
    if row.rejects > reject_limit * row.lines:
        return f"{row.rejects} of {row.lines} lines were rejected, more than {reject_limit:.1%}"
    return retire_source(source, row.state, policy)
