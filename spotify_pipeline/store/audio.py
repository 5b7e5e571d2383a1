"""``audio.duckdb``: the detection fields of all tracks, and the ledger of shards.

Four tables: ``tracks`` (a row a track, with the shard that it came from), ``shards`` (the ledger:
a row for each shard that was appended), ``rejects`` (lines that were not taken, the first ten
thousand of a shard) and ``checks`` (what was found when a shard's rows were checked). A shard's
rows in all of them change in one transaction. A database that was made before harmony was kept gets
its columns at the next append. A track id is there once: a staged extract has it once,
and only those that begin with the name of its shard. Parts that are kept on request have tables of
their own (`parts`).

Belongs here: schema, appending, reading back. Does not belong here: making staged extracts
(`dump.staged_extract`), opening the file (`database`), looking at what was ingested (`ledger`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa

from spotify_pipeline.dump.columns import COLUMNS, Column
from spotify_pipeline.dump.staged_extract import REJECTS_KEPT, ExtractSummary, StagedExtract
from spotify_pipeline.settings import TrainsChoice
from spotify_pipeline.store.database import DatabaseError, connect, create_database
from spotify_pipeline.store.ledger import LedgerRow, ledger_row
from spotify_pipeline.store.parts import replace_parts

__all__ = [
    "append_extract",
    "count_rejects",
    "create_audio_database",
    "holds",
    "note_file",
    "shard_fingerprints",
]

_TYPES = {str: "VARCHAR", float: "DOUBLE", int: "INTEGER", bytes: "BLOB"}


def _declared(column: Column) -> str:
    """Declare a column of ``tracks``; what is packed already is not compressed again."""
    null = "" if column.nullable else " NOT NULL"
    packed = " USING COMPRESSION uncompressed" if column.kind is bytes else ""
    return f"{column.name} {_TYPES[column.kind]}{null}{packed}"


_FIRST, *_OTHERS = map(_declared, COLUMNS)

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS tracks ({_FIRST}, shard VARCHAR NOT NULL, {", ".join(_OTHERS)});
CREATE TABLE IF NOT EXISTS shards (
    shard VARCHAR PRIMARY KEY,
    source VARCHAR NOT NULL,
    source_bytes BIGINT NOT NULL,
    source_modified_ns BIGINT NOT NULL,
    checksum VARCHAR NOT NULL,
    lines BIGINT NOT NULL,
    tracks BIGINT NOT NULL,
    rejects BIGINT NOT NULL,
    duplicates BIGINT NOT NULL,
    run_id VARCHAR NOT NULL,
    ingested_at TIMESTAMP NOT NULL, -- UTC
    with_harmony BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS rejects (
    shard VARCHAR NOT NULL,
    line BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    excerpt BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS checks (
    shard VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    passed BOOLEAN NOT NULL,
    figures VARCHAR NOT NULL -- a JSON object
);
"""

_ADDED_SINCE = (
    "".join(
        f"ALTER TABLE tracks ADD COLUMN IF NOT EXISTS {_declared(column)};\n"
        for column in COLUMNS
        if column.nullable
    )
    + "ALTER TABLE shards ADD COLUMN IF NOT EXISTS with_harmony BIGINT DEFAULT 0;"
)
"""What a database lacks that was made before; its rows then have none."""


def create_audio_database(path: Path) -> None:
    """Create the database with its tables if the file is missing; one that is there stays as it is.

    Raises
    ------
    DatabaseError
        See `database.create_database`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        create_database(path)
        with connect(path) as connection:
            connection.execute(_SCHEMA)


def append_extract(
    connection: duckdb.DuckDBPyConnection,
    extract: StagedExtract,
    run_id: str,
    keep: TrainsChoice = TrainsChoice.BOTH,
) -> LedgerRow:
    """Put a shard's rows into the database, in place of those it has there, in one transaction.

    What checks of them find is noted with them: rows that fail one are committed all the same.
    Fingerprints that are not kept become empty; a track's only one is always kept.

    Returns the ledger's row, read back after the commit and compared with the table, as before it.

    Raises
    ------
    DatabaseError
        What would be committed is not what was read, or it can't be committed, because the disk is
        full or the staged extract is damaged; nothing has changed. Or what was committed is not
        there.
    """
    summary = extract.summary()
    try:
        with _transaction(connection):
            connection.execute(_SCHEMA + _ADDED_SINCE)
            _replace_rows(connection, extract, summary, run_id, keep)
            replace_parts(connection, extract)
            _check_rows(connection, summary.shard, keep)
            _counted(connection, summary)
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise DatabaseError(
            f"{extract.folder}: shard {summary.shard} can't be appended ({reason}); nothing of it"
            " is in the database, its source file stays; ingest it again"
        ) from error
    return _counted(connection, summary)


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit what is done in the context; take it back after any error."""
    connection.begin()
    try:
        yield
        connection.commit()
    except BaseException:
        with suppress(duckdb.Error):  # some errors have ended the transaction already
            connection.rollback()
        raise


def note_file(connection: duckdb.DuckDBPyConnection, row: LedgerRow) -> None:
    """Note which file has the content of a shard's rows: `source` and its time, of the row."""
    connection.execute(
        "UPDATE shards SET source = ?, source_modified_ns = ? WHERE shard = ?",
        [row.source, row.source_modified_ns, row.shard],
    )


def holds(
    connection: duckdb.DuckDBPyConnection, shard: str, keep: TrainsChoice, parts: Sequence[str]
) -> bool:
    """Tell whether tracks of a shard have each fingerprint that is to be kept, and each part."""
    both = keep is TrainsChoice.BOTH
    fingerprints = ("rhythm", "echoprint") if both else (keep.value,)
    wanted = [f"tracks WHERE octet_length({name}) > 0" for name in fingerprints]
    wanted += [f"{part} WHERE TRUE" for part in parts]
    return all(_is_any(connection, f"{rows} AND shard = ?", shard) for rows in wanted)


def _is_any(connection: duckdb.DuckDBPyConnection, rows: str, shard: str) -> bool:
    try:
        return connection.execute(f"FROM {rows} LIMIT 1", [shard]).fetchone() is not None
    except duckdb.CatalogException:  # no shard with that part was ingested yet
        return False


def count_rejects(connection: duckdb.DuckDBPyConnection, shard: str) -> dict[str, int]:
    """Count a shard's rejects by reason, most frequent first; those that are not kept, at last."""
    counts = dict(
        connection.execute(
            "SELECT reason, count(*) FROM rejects WHERE shard = ? GROUP BY ALL ORDER BY 2 DESC, 1",
            [shard],
        ).fetchall()
    )
    row = ledger_row(connection, shard)
    others = 0 if row is None else row.rejects - sum(counts.values())
    return counts | ({_NOT_KEPT: others} if others else {})


_NOT_KEPT = "not kept: further lines"

_CHOSEN = {
    TrainsChoice.RHYTHM: ("TRUE", "octet_length(rhythm) = 0"),
    TrainsChoice.ECHOPRINT: ("octet_length(trains) = 0", "TRUE"),
    TrainsChoice.BOTH: ("TRUE", "TRUE"),
}
"""Whether a track's rhythm trains are chosen, and whether its Echoprint ones; over `_TRAINS`."""

_TRAINS = "CASE echoprint_form WHEN 'codes' THEN ''::BLOB ELSE echoprint END"


def shard_fingerprints(
    connection: duckdb.DuckDBPyConnection, shard: str, choice: TrainsChoice
) -> Iterator[pa.RecordBatch]:
    """Read the packed trains and harmony of a shard's tracks in batches, ordered by track id.

    Columns: ``track_id, duration, rhythm, echoprint, harmony``; see `fingerprint.packing` and
    `harmony.packing`. Trains that are not chosen, those of Echoprint codes that no trains give, and
    harmony that is not known are empty.
    """
    rhythm, echoprint = _CHOSEN[choice]
    # a database of an earlier version has no such column before the next append
    known = "harmony" in connection.table("tracks").columns
    harmony = "coalesce(harmony, ''::BLOB)" if known else "''::BLOB"
    yield from connection.sql(
        f"""
        SELECT track_id, duration,
            CASE WHEN {rhythm} THEN rhythm ELSE ''::BLOB END AS rhythm,
            CASE WHEN {echoprint} THEN trains ELSE ''::BLOB END AS echoprint,
            {harmony} AS harmony
        FROM (
            SELECT * EXCLUDE (echoprint), {_TRAINS} AS trains FROM tracks WHERE shard = ?
        )
        ORDER BY track_id
        """,
        params=[shard],
    ).to_arrow_reader(10_000)


def _replace_rows(
    connection: duckdb.DuckDBPyConnection,
    extract: StagedExtract,
    summary: ExtractSummary,
    run_id: str,
    keep: TrainsChoice,
) -> None:
    shard = summary.shard
    rhythm, echoprint = _CHOSEN[keep]
    for table in ("tracks", "rejects", "checks", "shards"):
        connection.execute(f"DELETE FROM {table} WHERE shard = ?", [shard])
    connection.execute(
        f"""
        INSERT INTO tracks BY NAME
        SELECT * EXCLUDE (trains) REPLACE (
                CASE WHEN {rhythm} THEN rhythm ELSE ''::BLOB END AS rhythm,
                CASE WHEN {echoprint} THEN echoprint ELSE ''::BLOB END AS echoprint,
                CASE WHEN {echoprint} THEN echoprint_form ELSE 'trains' END AS echoprint_form
            )
        FROM (SELECT *, {_TRAINS} AS trains, ? AS shard FROM read_parquet(?))
        """,
        [shard, str(extract.tracks)],
    )
    connection.execute(
        "INSERT INTO rejects BY NAME SELECT *, ? AS shard FROM read_parquet(?)",
        [shard, str(extract.rejects)],
    )
    connection.execute(
        "INSERT INTO shards VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            shard,
            summary.source,
            summary.source_bytes,
            summary.source_modified_ns,
            summary.checksum,
            summary.lines,
            _count(connection, "tracks", shard),
            summary.rejects,
            summary.duplicates,
            run_id,
            datetime.now(UTC).replace(tzinfo=None),
            summary.with_harmony,
        ],
    )


def _check_rows(connection: duckdb.DuckDBPyConnection, shard: str, keep: TrainsChoice) -> None:
    """Check a shard's rows, and note what was found."""
    from spotify_pipeline.store.checks import check_shard  # takes a while

    for finding in check_shard(connection, shard).findings(keep):
        figures = msgspec.json.encode(finding.figures).decode()
        connection.execute(
            "INSERT INTO checks VALUES (?, ?, ?, ?)",
            [shard, finding.name, finding.passed, figures],
        )


def _count(connection: duckdb.DuckDBPyConnection, table: str, shard: str) -> int:
    # Fetched to the end: a result that isn't blocks other work on the connection.
    [(count,)] = connection.execute(
        f"SELECT count(*) FROM {table} WHERE shard = ?", [shard]
    ).fetchall()
    return int(count)


def _counted(connection: duckdb.DuckDBPyConnection, summary: ExtractSummary) -> LedgerRow:
    """Read the ledger's row back and compare it with the table and with what was read."""
    row = ledger_row(connection, summary.shard)
    present = _count(connection, "tracks", summary.shard)
    rejects = _count(connection, "rejects", summary.shard)
    kept = min(summary.rejects, REJECTS_KEPT)
    read = (summary.lines, summary.tracks, kept, summary.duplicates)
    committed = None if row is None else (row.lines, present, rejects, row.duplicates)
    if row is None or read != committed or present != row.tracks:
        raise DatabaseError(
            f"shard {summary.shard}: read {read}, but the database has {committed} (lines, tracks,"
            " rejects, duplicates); the source file stays where it is"
        )
    return row
