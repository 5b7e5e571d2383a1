"""The end of a shard's way: its rows committed, its source file deleted.

Belongs here: the order of those steps, and when a source must stay. Does not belong here: the steps
themselves (`audio`, `dump.incoming`).
"""

from dataclasses import dataclass

import duckdb

from spotify_pipeline.dump.incoming import remove_source
from spotify_pipeline.dump.reduction import Reduction
from spotify_pipeline.store.audio import LedgerRow, append_reduction

__all__ = ["REJECT_LIMIT", "Ingestion", "ingest_reduction"]

REJECT_LIMIT = 0.01
"""Share of a shard's lines; with more rejects than this the source file is kept."""


@dataclass(frozen=True)
class Ingestion:
    """What became of a shard.

    Attributes
    ----------
    row
        The ledger's row.
    source_deleted
        Whether the source file was deleted.
    kept_because
        Why it was not, else None.
    """

    row: LedgerRow
    source_deleted: bool
    kept_because: str | None


def ingest_reduction(
    connection: duckdb.DuckDBPyConnection,
    reduction: Reduction,
    run_id: str,
    reject_limit: float = REJECT_LIMIT,
) -> Ingestion:
    """Append a reduction, then delete the shard's source file and the reduction.

    The source is deleted only after the rows are committed and counted, and stays if it has changed
    since it was read, or if too many of its lines were rejected.

    Raises
    ------
    DatabaseError
        What was committed is not what was read; source and reduction stay.
    """
    row = append_reduction(connection, reduction, run_id)
    kept_because = _reason_to_keep(row, reject_limit)
    if kept_because is None and not remove_source(reduction.summary()):
        kept_because = "it has changed, or gone, since it was read"
    reduction.remove()
    return Ingestion(row, kept_because is None, kept_because)


def _reason_to_keep(row: LedgerRow, reject_limit: float) -> str | None:
    if row.lines == row.rejects:
        return "none of its lines was taken"
    if row.rejects > reject_limit * row.lines:
        return f"{row.rejects} of {row.lines} lines were rejected, more than {reject_limit:.1%}"
    return None
