"""The ledger of ``audio.duckdb``: what was ingested of each shard, and what its checks found.

Belongs here: reading the ledger and the findings. Does not belong here: what writes them (`audio`),
whose libraries take longer to import than a look at the ledger takes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import duckdb
import msgspec

from spotify_pipeline.dump.incoming import FileState
from spotify_pipeline.store.database import connect
from spotify_pipeline.store.findings import Finding

__all__ = ["LedgerRow", "findings_of", "ledger", "ledger_row", "read_ledger"]


@dataclass(frozen=True)
class LedgerRow:
    """What the ledger says of one shard.

    Attributes
    ----------
    source, source_bytes, source_modified_ns, checksum, lines, rejects, duplicates
        As in `dump.staged_extract.ExtractSummary`.
    tracks
        Rows of the shard in ``tracks``.
    run_id
        The run that appended it.
    ingested_at
        When, in UTC.
    with_harmony
        Tracks that have harmony.
    failed_checks
        What the checks that failed found.
    """

    shard: str
    source: str
    source_bytes: int
    source_modified_ns: int
    checksum: str
    lines: int
    tracks: int
    rejects: int
    duplicates: int
    run_id: str
    ingested_at: datetime
    with_harmony: int = 0
    failed_checks: tuple[str, ...] = ()

    @property
    def state(self) -> FileState:
        """What the source file was when it was read."""
        return self.source_bytes, self.source_modified_ns


def read_ledger(audio_database: Path) -> dict[str, LedgerRow]:
    """Read the shard ledger of a database that may not be there yet.

    Raises
    ------
    DatabaseError
        The database is damaged or busy.
    """
    if not audio_database.exists():
        return {}
    with connect(audio_database, read_only=True) as connection:
        return ledger(connection)


def ledger(connection: duckdb.DuckDBPyConnection) -> dict[str, LedgerRow]:
    """Read the ledger by shard name, in the order of ingestion; empty before the first append."""
    return {row.shard: row for row in _rows(connection, "TRUE")}


def ledger_row(connection: duckdb.DuckDBPyConnection, shard: str) -> LedgerRow | None:
    """Read one shard's row of the ledger; None if the shard was never ingested."""
    return next(iter(_rows(connection, "shard = ?", [shard])), None)


def findings_of(connection: duckdb.DuckDBPyConnection, shard: str) -> list[Finding]:
    """Read what was found when a shard's rows were checked, in the order of `CHECKS`."""
    return [finding for _, finding in _findings(connection, "shard = ?", [shard])]


def _rows(
    connection: duckdb.DuckDBPyConnection, condition: str, values: Sequence[str] = ()
) -> list[LedgerRow]:
    """Read the rows of a condition with the checks that failed, in the order of ingestion."""
    query = f"FROM shards WHERE {condition} ORDER BY ingested_at, shard"
    try:
        found = connection.execute(query, list(values))
    except duckdb.CatalogException:
        return []
    columns = [name for name, *_ in found.description]
    rows = [LedgerRow(**dict(zip(columns, row, strict=True))) for row in found.fetchall()]
    failed: dict[str, tuple[str, ...]] = {}
    for shard, finding in _findings(connection, f"NOT passed AND {condition}", values):
        failed[shard] = (*failed.get(shard, ()), str(finding))
    return [replace(row, failed_checks=failed.get(row.shard, ())) for row in rows]


def _findings(
    connection: duckdb.DuckDBPyConnection, condition: str, values: Sequence[str] = ()
) -> list[tuple[str, Finding]]:
    try:
        rows = connection.execute(
            f"SELECT shard, name, passed, figures FROM checks WHERE {condition} ORDER BY rowid",
            list(values),
        ).fetchall()
    except duckdb.CatalogException:  # a database of before findings were kept
        return []
    return [
        (shard, Finding(name, passed, msgspec.json.decode(figures)))
        for shard, name, passed, figures in rows
    ]
