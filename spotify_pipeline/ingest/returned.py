"""A file that comes back with the content that was ingested: fetched again, or copied.

Belongs here: recognising it. Does not belong here: what becomes of it (`shard`), and a file that is
still the ingested one by its size and time, which needs no look inside (`due`).
"""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import duckdb

from spotify_pipeline.dump.compression import checksum_of
from spotify_pipeline.progress import Report
from spotify_pipeline.settings import Settings
from spotify_pipeline.store.audio import holds, note_file
from spotify_pipeline.store.database import DatabaseBusyError, connect, connect_patiently
from spotify_pipeline.store.ledger import LedgerRow, ledger_row

__all__ = ["row_of_same_content"]

BUSY_SECONDS = 100.0
"""How long another process that writes the database is waited for: appending takes less."""


def row_of_same_content(
    settings: Settings,
    shard: str,
    source: Path,
    report: Report = lambda done, total, what: None,
) -> LedgerRow | None:
    """Give the ledger's row of a shard whose file has the content that was ingested.

    The row is that of this file from now on, in the ledger too if no other process has it open. A
    file as long as the ingested one is read once for its checksum; if it differs, it will be read
    twice. Nothing is given for rows that lack what the settings keep, as harmony: another ingest of
    the same file brings it.

    Parameters
    ----------
    settings, shard, source
        The installation, the shard's name and its file.
    report
        Called with the bytes read so far, of how many, and the file's name.

    Raises
    ------
    DatabaseError
        ``audio.duckdb`` is damaged.
    DatabaseBusyError
        Another process writes it for longer than a minute or two.
    OSError
        The file can't be read.
    """
    row = _complete_row(settings, shard)
    status = source.stat()
    size, name = status.st_size, source.name
    if row is None or row.source_bytes != size:
        return None
    if checksum_of(source, lambda done: report(done, size, name)) != row.checksum:
        return None
    found = replace(row, source=str(source), source_modified_ns=status.st_mtime_ns)
    # a file that is kept would be read again at the next look
    with suppress(DatabaseBusyError), connect(settings.audio_database) as connection:
        note_file(connection, found)
    return found


def _complete_row(settings: Settings, shard: str) -> LedgerRow | None:
    """Read the row of a shard that has all that the settings keep."""
    if not settings.audio_database.exists():
        return None
    with connect_patiently(settings.audio_database, BUSY_SECONDS, read_only=True) as connection:
        row = ledger_row(connection, shard)
        return row if row is not None and _is_complete(connection, settings, row) else None


def _is_complete(connection: duckdb.DuckDBPyConnection, settings: Settings, row: LedgerRow) -> bool:
    harmony = row.with_harmony > 0 or not settings.keep_harmony
    return harmony and holds(connection, row.shard, settings.kept_trains, settings.parts)
